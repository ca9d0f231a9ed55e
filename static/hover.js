// A look through a film before it is opened: small pictures follow the pointer over its card, and go by once while it has
// the focus. The sheet of pictures is made by the server when it is first asked for.
{
  const DWELL_MS = 220; // A hand on its way across the page wants nothing.
  const AGAIN_MS = 1500; // While a sheet is being made.
  const STEP_MS = 500; // Of the pictures that go by.
  const KNOWN_MAX = 100; // Sheets that are kept; some hundred kilobytes each.
  const base = document.documentElement.dataset.base;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const known = new Map();
  let now = null; // The card that is looked through.

  const thumbnailOf = (card) => card.querySelector(".thumbnail[data-moving]");
  const cardAt = (target) => target.closest?.("#cards > .card") ?? null;

  async function ask(id) {
    const address = `${base}api/v1/assets/${id}/companions/sprite`;
    const answer = await fetch(address, {
      method: "POST",
      headers: { accept: "application/json" },
    });
    if (!answer.ok) return null;
    const { state, facts } = await answer.json();
    if (state !== "ready") return { state };
    const picture = new Image();
    picture.src = address;
    await picture.decode();
    return { state, facts, picture };
  }

  async function sheetOf(id) {
    const kept = known.get(id);
    if (kept !== undefined) return kept;
    const sheet = await ask(id).catch(() => null);
    if (sheet?.state !== "ready") return sheet;
    if (known.size >= KNOWN_MAX) known.delete(known.keys().next().value);
    known.set(id, sheet);
    return sheet;
  }

  /** @param place 0 at the beginning, 1 at the end */
  function draw(card, { facts, picture }, place) {
    const thumbnail = thumbnailOf(card);
    let canvas = thumbnail.querySelector("canvas");
    if (canvas === null) {
      canvas = document.createElement("canvas");
      canvas.className = "preview";
      canvas.setAttribute("aria-hidden", "true");
      thumbnail.append(canvas);
    }
    const { count, columns, tileWidth, tileHeight } = facts;
    if (canvas.width !== tileWidth) Object.assign(canvas, { width: tileWidth, height: tileHeight });
    const at = Math.min(count - 1, Math.floor(place * count));
    const [x, y] = [(at % columns) * tileWidth, Math.floor(at / columns) * tileHeight];
    const context = canvas.getContext("2d");
    context.drawImage(picture, x, y, tileWidth, tileHeight, 0, 0, tileWidth, tileHeight);
    canvas.dataset.picture = String(at);
    context.fillStyle = "#fff";
    context.globalAlpha = 0.85;
    context.fillRect(0, tileHeight - 2, Math.round(place * tileWidth), 2);
    context.globalAlpha = 1;
  }

  function leave() {
    if (now === null) return;
    clearTimeout(now.timer);
    now.card.querySelector("canvas.preview")?.remove();
    now = null;
  }

  /** Looks for the sheet as long as the card is the one. @param show draws with it */
  async function look(mine) {
    const id = mine.card.querySelector(".card-pick input").value;
    const sheet = await sheetOf(id);
    if (now !== mine || sheet === null || sheet.state === "none") return;
    if (sheet.state === "ready") mine.show(sheet);
    else mine.timer = setTimeout(() => void look(mine), AGAIN_MS);
  }

  function enter(card, show) {
    leave();
    const mine = { card, show, place: 0, timer: 0, sheet: null };
    now = mine;
    mine.timer = setTimeout(() => void look(mine), DWELL_MS);
    return mine;
  }

  document.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "mouse") return;
    const card = cardAt(event.target);
    const thumbnail = card && thumbnailOf(card);
    if (!thumbnail) {
      if (now?.byPointer) leave();
      return;
    }
    const { left, width } = thumbnail.getBoundingClientRect();
    const place = Math.min(1, Math.max(0, (event.clientX - left) / width));
    if (now?.card !== card || !now.byPointer) {
      const mine = enter(card, (sheet) => {
        mine.sheet = sheet;
        draw(card, sheet, mine.place);
      });
      mine.byPointer = true;
    }
    now.place = place;
    if (now.sheet !== null) draw(card, now.sheet, place);
  });
  document.addEventListener("pointerleave", leave);

  document.addEventListener("focusin", (event) => {
    const card = cardAt(event.target);
    const visible = event.target.matches?.("a:focus-visible");
    if (!card || !visible || calm.matches || !thumbnailOf(card)) return;
    const mine = enter(card, (sheet) => {
      let at = 0;
      const next = () => {
        if (now !== mine) return;
        if (at >= sheet.facts.count) return leave();
        draw(card, sheet, at / sheet.facts.count);
        at += Math.max(1, Math.ceil(sheet.facts.count / 24));
        mine.timer = setTimeout(next, STEP_MS);
      };
      next();
    });
  });
  document.addEventListener("focusout", (event) => {
    if (now !== null && !now.byPointer && cardAt(event.target) === now.card) leave();
  });
}
