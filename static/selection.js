// Choosing files of the library by mouse and by keyboard, and what the bar below does with them.
{
  const bar = document.getElementById("selection");
  const words = JSON.parse(bar.dataset.words);
  const most = Number(bar.dataset.makeMost);
  const inAddress = Number(bar.dataset.makeInAddress);
  const dialog = document.getElementById("label-dialog");
  const chosen = new Set(); // Ids: the list is drawn anew under them.
  let anchor = null; // Where a range begins.
  let lastPlace = 0; // Of the card that had the focus, for when it goes.

  const cards = () => [...document.querySelectorAll("#cards > .card")];
  const boxOf = (card) => card.querySelector(".card-pick input");
  const linkOf = (card) => card.querySelector(":scope > a");
  const idOf = (card) => boxOf(card).value;
  const focused = () => document.activeElement?.closest?.("#cards > .card") ?? null;

  // What is chosen -------------------------------------------------------------------------------
  function set(card, on) {
    boxOf(card).checked = on;
    card.classList.toggle("chosen", on);
    if (on) chosen.add(idOf(card));
    else chosen.delete(idOf(card));
  }

  /** From the anchor to a card, as a file manager does. */
  function setRange(to, on) {
    const all = cards();
    const from = all.findIndex((card) => idOf(card) === anchor);
    const [first, last] = [from === -1 ? all.indexOf(to) : from, all.indexOf(to)].sort(
      (one, other) => one - other,
    );
    for (const card of all.slice(first, last + 1)) set(card, on);
  }

  function clear() {
    for (const card of cards()) set(card, false);
    chosen.clear();
    show();
  }

  const chosenCards = () => cards().filter((card) => chosen.has(idOf(card)));

  function show() {
    const bytes = chosenCards().reduce((sum, card) => sum + Number(card.dataset.size), 0);
    const count = chosen.size;
    const text = count === 1 ? words.oneChosen : words.manyChosen;
    const told = count === 0 ? "" : tray.fill(text, { count, size: tray.sizeText(bytes) });
    const place = bar.querySelector("[data-selection-count]");
    if (place.textContent !== told) place.textContent = told;
    const make = bar.querySelector("[data-make]");
    const tooMany = count > most;
    const query = chosenCards().map((card) => `asset=${encodeURIComponent(idOf(card))}`);
    make.href = `${bar.dataset.makeAddress}?${query.slice(0, inAddress).join("&")}`;
    make.setAttribute("aria-disabled", String(tooMany));
    bar.querySelector("[data-make-note]").hidden = !tooMany;
  }

  // By mouse -------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const card = event.target.closest?.("#cards > .card");
    if (!card || event.defaultPrevented) return;
    if (event.target.matches(".card-pick input")) {
      const on = event.target.checked;
      if (event.shiftKey && anchor !== null) setRange(card, on);
      else set(card, on);
      anchor = idOf(card);
      show();
      return;
    }
    if (!event.target.closest(".card > a") || event.detail === 0) return; // Enter opens it.
    const wanted = event.shiftKey || event.ctrlKey || event.metaKey || chosen.size > 0;
    if (!wanted) return;
    event.preventDefault();
    if (event.shiftKey && anchor !== null) setRange(card, true);
    else {
      set(card, !chosen.has(idOf(card)));
      anchor = idOf(card);
    }
    show();
  });
  // Shift and a press would mark text otherwise.
  document.addEventListener("mousedown", (event) => {
    if (event.shiftKey && event.target.closest?.("#cards > .card")) event.preventDefault();
  });
  bar.addEventListener("reset", () => queueMicrotask(clear));

  // By keyboard ----------------------------------------------------------------------------------
  /** Cards side by side, as they stand now. */
  function columns(all) {
    const top = all[0]?.offsetTop;
    const second = all.findIndex((card) => card.offsetTop !== top);
    return second === -1 ? Math.max(1, all.length) : second;
  }

  function stepOf(key, all) {
    const across = { ArrowRight: 1, ArrowLeft: -1 };
    const down = { ArrowDown: 1, ArrowUp: -1 };
    if (key in across) return across[key];
    if (key in down) return down[key] * columns(all);
    return { Home: -all.length, End: all.length }[key] ?? 0;
  }

  function move(key, extend) {
    const all = cards();
    if (all.length === 0) return false;
    const from = focused();
    const at = from === null ? -1 : all.indexOf(from);
    const step = stepOf(key, all);
    if (at !== -1 && Math.abs(step) > 1 && key.startsWith("Arrow")) {
      // Up from the first row and down from the last there is nothing.
      if (at + step < 0) return true;
      if (at + step >= all.length && Math.floor(at / step) === Math.floor((all.length - 1) / step))
        return true;
    }
    const to = at === -1 ? 0 : Math.min(all.length - 1, Math.max(0, at + step));
    const card = all[to];
    if (extend) {
      anchor ??= idOf(from ?? card);
      if (from !== null && chosen.size === 0) anchor = idOf(from);
      setRange(card, true);
      show();
    }
    linkOf(card).focus();
    card.scrollIntoView({ block: "nearest" });
    return true;
  }

  const commands = {
    x: toggle,
    " ": toggle,
    a: () => {
      for (const card of cards()) set(card, true);
      show();
      return true;
    },
    Escape: () => {
      if (chosen.size === 0) return false;
      clear();
      return true;
    },
    Delete: () => press("[data-delete]"),
    l: () => press("[data-label]"),
    m: () => press("[data-make]"),
  };

  function toggle() {
    const card = focused();
    if (card === null) return false;
    set(card, !chosen.has(idOf(card)));
    anchor = idOf(card);
    show();
    return true;
  }

  function press(selector) {
    if (chosen.size === 0) return false;
    bar.querySelector(selector).click();
    return true;
  }

  function isBusy(event) {
    const field = event.target.closest?.("select, textarea, [contenteditable], input");
    const typing = field && !field.matches(".card-pick input");
    const open = document.querySelector("dialog[open], details.menu[open], details.link-add[open]");
    return event.defaultPrevented || typing || open !== null;
  }

  document.addEventListener("keydown", (event) => {
    if (isBusy(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    // A button under the focus has its own blank, a link elsewhere its own way.
    if (key === " " && focused() === null) return;
    const moves = /^(?:Arrow(?:Left|Right|Up|Down)|Home|End)$/.test(key);
    if (
      moves &&
      focused() === null &&
      document.activeElement !== document.body &&
      !document.activeElement?.matches("main")
    )
      return;
    const done = moves ? move(key, event.shiftKey) : commands[key]?.();
    if (done) event.preventDefault();
  });

  // What is done with them -----------------------------------------------------------------------
  bar.querySelector("[data-make]").addEventListener("click", (event) => {
    if (chosen.size <= Math.min(most, inAddress)) return;
    event.preventDefault();
    if (chosen.size > most) return;
    const form = document.createElement("form");
    Object.assign(form, { method: "post", action: bar.dataset.makeAddress, hidden: true });
    for (const id of chosen) {
      form.append(Object.assign(document.createElement("input"), { name: "asset", value: id }));
    }
    document.body.append(form);
    form.submit();
  });
  bar.querySelector("[data-label]").addEventListener("click", () => {
    const list = dialog.querySelector("[data-label-remove] ul");
    const labels = new Set(chosenCards().flatMap((card) => JSON.parse(card.dataset.labels)));
    list.replaceChildren(...[...labels].map(removal));
    dialog.querySelector("[data-label-remove]").hidden = labels.size === 0;
    document.getElementById("label-errors").replaceChildren();
    dialog.showModal();
    document.getElementById("label-add").focus();
  });

  /** A box that takes a label off. */
  function removal(name) {
    const [item, label, box, text] = ["li", "label", "input", "bdi"].map((tag) =>
      document.createElement(tag),
    );
    Object.assign(box, { type: "checkbox", name: "remove", value: name });
    text.textContent = name;
    label.append(box, text);
    item.append(label);
    return item;
  }

  dialog.addEventListener("click", (event) => {
    const offer = event.target.closest("[data-offer]")?.dataset.offer;
    if (offer === undefined) return;
    const field = document.getElementById("label-add");
    const names = field.value.split(",").map((name) => name.trim());
    const others = names.filter((name) => name !== "" && name !== offer);
    field.value = [...others, offer].join(", ");
    field.focus();
  });
  document.body.addEventListener("labelled", () => {
    document.getElementById("label-form").reset();
    dialog.close();
  });

  // The list was drawn anew ----------------------------------------------------------------------
  document.addEventListener("focusin", () => {
    const card = focused();
    if (card !== null) lastPlace = cards().indexOf(card);
  });
  document.addEventListener("htmx:after:swap", () => {
    const all = cards();
    const shown = new Set(all.map(idOf));
    for (const id of [...chosen]) if (!shown.has(id)) chosen.delete(id);
    for (const card of all) set(card, chosen.has(idOf(card)));
    if (lost && document.activeElement === document.body && all.length > 0) {
      linkOf(all[Math.min(lastPlace, all.length - 1)]).focus();
    }
    lost = false;
    show();
  });
  let lost = false;
  document.addEventListener("htmx:before:swap", () => {
    lost = focused() !== null || document.activeElement?.matches("[data-delete]") === true;
  });
  // A page that is drawn anew by the browser may bring its boxes back.
  for (const card of cards()) if (boxOf(card).checked) set(card, true);
  show();
}
