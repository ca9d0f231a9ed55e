/**
 * What every page must keep, read from the page itself. It runs in the browser as text, because
 * the checkout is typed for Bun, which has no document.
 */
export const pageAudit = String.raw`(() => {
  const faults = [];
  const say = (fault, element) =>
    faults.push(fault + ": " + element.outerHTML.replace(/\s+/g, " ").slice(0, 140));
  const shown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: false });

  // Names -----------------------------------------------------------------------------------------
  const nameOf = (element) => {
    const labelled = (element.getAttribute("aria-labelledby") ?? "")
      .split(" ").filter(Boolean).map((id) => document.getElementById(id)?.textContent ?? "").join(" ");
    const labels = [...(element.labels ?? [])].map((label) => label.textContent).join(" ");
    return (labelled || element.getAttribute("aria-label") || labels || element.textContent || "").trim();
  };
  for (const element of document.querySelectorAll("a[href], button, input, select, summary, dialog[open], progress, meter, video")) {
    if (element.type === "hidden" || !shown(element) || element.closest("[aria-hidden=true]")) continue;
    if (nameOf(element) === "") say("has no name", element);
  }
  for (const picture of document.querySelectorAll("img:not([alt])")) say("has no alt", picture);
  for (const drawing of document.querySelectorAll("svg:not([aria-hidden])")) say("is not hidden from readers", drawing);

  // Structure -------------------------------------------------------------------------------------
  if (document.querySelectorAll("h1").length !== 1) faults.push("there is not exactly one h1");
  const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
  for (const id of ids.filter((id, position) => ids.indexOf(id) !== position)) faults.push("id twice: " + id);
  for (const element of document.querySelectorAll("[aria-describedby], [aria-labelledby], label[for]")) {
    for (const name of ["aria-describedby", "aria-labelledby", "for"]) {
      for (const id of (element.getAttribute(name) ?? "").split(" ").filter(Boolean)) {
        if (!document.getElementById(id)) say(name + " leads nowhere", element);
      }
    }
  }
  // uPlot sets the places of what it drew from its script; no markup of ours may have a style.
  const styled = document.querySelector("[style]:not(.uplot, .uplot *)");
  if (styled) say("has a style of its own", styled);
  if (document.querySelector("[onerror], [onclick], [onload]")) faults.push("there is a handler in the markup");
  if (document.documentElement.scrollWidth > innerWidth) faults.push("the page scrolls sideways");

  // Contrast: text against the colours behind it, WCAG 2.2 AA (4.5:1) -----------------------------
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const painted = new Map();
  const paint = (colors) => {
    const key = colors.join();
    if (!painted.has(key)) painted.set(key, paintNow(colors));
    return painted.get(key);
  };
  const paintNow = (colors) => {
    context.clearRect(0, 0, 1, 1);
    for (const color of colors) { context.fillStyle = color; context.fillRect(0, 0, 1, 1); }
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !shown(element) || element.closest(".sr-only, .thumbnail, .skip, progress, meter, option, template, :disabled")) continue;
    const behind = [];
    for (let at = element; at; at = at.parentElement) behind.unshift(getComputedStyle(at).backgroundColor);
    const back = paint(["#fff", ...behind]);
    const front = paint(["#fff", ...behind, getComputedStyle(element).color]);
    const [dark, light] = [luminance(back), luminance(front)].sort((a, b) => a - b);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 4.5) say("contrast " + ratio.toFixed(2), element);
  }
  return [...new Set(faults)];
})()`;

/** How much may move while a page comes, by nobody's hand: half of what Web Vitals call good. */
export const SHIFT_MAX = 0.05;

/** What has moved so far, read in the page. */
export const layoutShifts = `new Promise((resolve) => {
  let sum = 0;
  const what = [];
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput, sources } of list.getEntries()) {
      if (hadRecentInput) continue;
      sum += value;
      what.push(...sources.map(({ node }) => node?.id || node?.className || node?.nodeName));
    }
  }).observe({ type: "layout-shift", buffered: true });
  // The buffer is read out before the second frame from now.
  requestAnimationFrame(() => requestAnimationFrame(() => resolve({ sum, what })));
})`;
