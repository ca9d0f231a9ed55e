// The rows of the upload tray and their words. The queue behind them is upload.js.
{
  const list = document.getElementById("uploads");
  const template = document.getElementById("upload-row");
  const words = JSON.parse(list?.dataset.words ?? "{}");

  /** "{size} of {total}" with the values in the place of the braces. */
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

  function sizeText(bytes) {
    const units = ["B", "kB", "MB", "GB", "TB"];
    let value = bytes;
    let unit = 0;
    while (value >= 999.5 && unit < units.length - 1) {
      value /= 1000;
      unit += 1;
    }
    return `${value.toFixed(unit === 0 || value >= 99.95 ? 0 : 1)} ${units[unit]}`;
  }

  function spanText(seconds) {
    const whole = Math.max(1, Math.round(seconds));
    if (whole < 60) return `${whole} s`;
    if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
    return `${Math.floor(whole / 3600)} h ${Math.floor(whole / 60) % 60} min`;
  }

  /** A row with its parts: `find("pause")` is the button of that command. */
  function newRow(name) {
    const row = template.content.firstElementChild.cloneNode(true);
    const find = (command) =>
      row.querySelector(`[data-upload="${command}"], [data-command="${command}"]`);
    const [title, note, bar] = ["name", "note", "bar"].map((part) =>
      row.querySelector(`[data-${part}]`),
    );
    title.textContent = name;
    title.title = name;
    bar.setAttribute("aria-label", fill(words.uploadOf, { name }));
    find("keep-both").hidden = true;
    document.getElementById("upload-rows").append(row);
    return { row, note, bar, find };
  }

  /** What stands in the head of the tray, of the states of all uploads. */
  function headText(states) {
    const count = (...wanted) => states.filter((state) => wanted.includes(state)).length;
    const told = (number, one, many) =>
      number === 1 ? words[one] : fill(words[many], { count: number });
    const [open, broken] = [count("waiting", "sending"), count("failed")];
    if (open > 0) return told(open, "uploadingOne", "uploadingMany");
    if (broken > 0) return told(broken, "failedOne", "failedMany");
    const left = count("left", "paused");
    return left > 0 ? told(left, "unfinishedOne", "unfinishedMany") : words.uploaded;
  }

  // What went wrong, of an error of tus or of its like.
  const statusOf = (error) => error.originalResponse?.getStatus() ?? 0;

  /** What Kinomill says of it; nothing where a proxy answered, and the status says more than its page. */
  function problemOf(error) {
    try {
      return JSON.parse(error.originalResponse.getBody());
    } catch {
      return {};
    }
  }

  function problemText(error) {
    const status = statusOf(error);
    const { detail } = problemOf(error);
    if (typeof detail === "string" && detail !== "") return detail;
    if (status === 0) return words.brokeForGood;
    if (status === 413) return words.tooLarge;
    if (status === 507) return words.diskFull;
    return fill(words.refused, { status });
  }

  const fold = list?.querySelector("[data-uploads-fold]");
  const showFold = () => {
    const folded = sessionStorage.getItem("uploads-folded") === "1";
    document.getElementById("upload-rows").hidden = folded;
    fold.setAttribute("aria-expanded", String(!folded));
  };
  fold?.addEventListener("click", () => {
    const folded = sessionStorage.getItem("uploads-folded") === "1";
    sessionStorage.setItem("uploads-folded", folded ? "0" : "1");
    showFold();
  });
  if (fold) showFold();

  const texts = { words, fill, sizeText, spanText, headText };
  globalThis.tray = { list, newRow, ...texts, statusOf, problemOf, problemText };
}
