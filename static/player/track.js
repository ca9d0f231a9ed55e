// The time line below the picture: the waveform, what is loaded, where it stands, and the picture under the pointer.
const { timecode, told } = globalThis.kinomill;
const { clockOf, frameAt, timecodeOf } = timecode;

/** Where nobody hears of it, peaks and pictures are asked for again after so long. */
const AGAIN_MS = 2_500;
const ASKED_MOST = 40;

/** A bar of the waveform and the gap beside it, in pixels of the page. */
const BAR = 2;
const GAP = 1;

/** What moves has rules of its own in a sheet of the script: no element of a page carries a style. */
function placesOf(id) {
  const sheet = new CSSStyleSheet();
  const rule = (part) =>
    sheet.cssRules[sheet.insertRule(`#${CSS.escape(id)} [data-${part}] {}`)].style;
  document.adoptedStyleSheets.push(sheet);
  return { track: rule("track"), preview: rule("preview") };
}

class Track {
  constructor(element, player) {
    this.element = element;
    this.player = player;
    this.canvas = element.querySelector("canvas");
    this.range = element.querySelector("input");
    this.preview = element.querySelector("[data-preview]");
    this.peaks = null;
    this.sprite = null;
    this.asked = 0;
    this.places = placesOf(element.closest("[data-player]").id);
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    // Colours follow the theme, which is a word of the document or of the system.
    new MutationObserver(() => this.draw()).observe(document.documentElement, {
      attributeFilter: ["data-theme"],
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    void this.fetchCompanions();
  }

  listen() {
    const { range, element } = this;
    range.addEventListener("input", () => this.player.seek(Number(range.value)));
    element.addEventListener("pointermove", (event) => this.point(event));
    element.addEventListener("pointerleave", () => {
      this.preview.hidden = true;
    });
    document.body.addEventListener("companion", (event) => {
      const standing = told(event);
      if (standing.asset !== this.player.asset) return;
      if (standing.state === "ready") void this.take(standing);
    });
  }

  // What is kept beside the file -----------------------------------------------------------------

  /** Has peaks and pictures made, unless they are there. */
  async fetchCompanions() {
    const address = this.player.companionsAddress;
    if (!address) return;
    const answer = await fetch(address).catch(() => null);
    if (!answer?.ok) return;
    const { items } = await answer.json();
    const { hasSound, hasPicture } = this.player.about;
    const wanted = items.filter(({ kind }) =>
      kind === "peaks" ? hasSound : kind === "sprite" && hasPicture,
    );
    await Promise.all(wanted.map((each) => this.take(each)));
    const open = wanted.some(({ kind, state }) => state !== "none" && !this.has(kind));
    this.asked += 1;
    if (!open || this.closed || this.asked >= ASKED_MOST) return;
    this.timer = setTimeout(() => this.fetchCompanions(), AGAIN_MS);
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
  }

  has(kind) {
    return (kind === "peaks" ? this.peaks : this.sprite) !== null;
  }

  async take({ kind, state, facts }) {
    const address = `${this.player.companionsAddress}/${kind}`;
    if (this.has(kind) || (kind !== "peaks" && kind !== "sprite")) return;
    if (state === "absent") await fetch(address, { method: "POST" }).catch(() => null);
    if (state !== "ready") return;
    if (kind === "sprite") {
      const picture = new Image();
      picture.src = address;
      this.sprite = { ...facts, picture };
      return;
    }
    const answer = await fetch(address).catch(() => null);
    if (!answer?.ok) return;
    this.peaks = await answer.json();
    this.element.dataset.waveform = "ready";
    this.draw();
  }

  // Drawing --------------------------------------------------------------------------------------

  /** The waveform, once for each size and theme; what moves is drawn by the style sheet. */
  draw() {
    const { canvas } = this;
    const { width, height } = canvas.getBoundingClientRect();
    if (width === 0) return;
    const density = Math.min(3, globalThis.devicePixelRatio || 1);
    canvas.width = Math.round(width * density);
    canvas.height = Math.round(height * density);
    const brush = canvas.getContext("2d");
    brush.scale(density, density);
    brush.fillStyle = getComputedStyle(canvas).color;
    const bars = Math.floor(width / (BAR + GAP));
    for (let bar = 0; bar < bars; bar += 1) {
      const tall = Math.max(1, this.loudness(bar / bars, (bar + 1) / bars) * (height - 4));
      brush.fillRect(bar * (BAR + GAP), (height - tall) / 2, BAR, tall);
    }
  }

  /** 0–1, the loudest between two places; quiet speech is still seen. */
  loudness(from, until) {
    if (this.peaks === null) return 0;
    const { data, length, bits } = this.peaks;
    const [first, last] = [Math.floor(from * length), Math.max(1, Math.ceil(until * length))];
    let most = 0;
    for (let at = first * 2; at < last * 2; at += 1) most = Math.max(most, Math.abs(data[at] ?? 0));
    return (most / 2 ** (bits - 1)) ** 0.7;
  }

  /** Where it stands: an edge that the style sheet places. */
  show(seconds, duration) {
    const share = duration > 0 ? seconds / duration : 0;
    this.places.track.setProperty("--at", `${(share * 100).toFixed(3)}%`);
    if (document.activeElement !== this.range || !this.range.matches(":active")) {
      this.range.value = String(seconds);
    }
    this.range.setAttribute("aria-valuetext", this.player.timeText(seconds));
  }

  showLength(duration) {
    this.range.max = String(duration);
  }

  showLoaded(media) {
    const { buffered, duration } = media;
    const end = buffered.length > 0 ? buffered.end(buffered.length - 1) : 0;
    const share = duration > 0 ? (end / duration) * 100 : 0;
    this.places.track.setProperty("--loaded", `${share.toFixed(2)}%`);
  }

  // The picture under the pointer ----------------------------------------------------------------

  point({ clientX, pointerType }) {
    const { preview, player } = this;
    if (pointerType === "touch" || !(player.duration > 0)) return;
    const { left, width } = this.element.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (clientX - left) / width));
    const seconds = share * player.duration;
    preview.hidden = false;
    const { rate } = player;
    preview.querySelector("[data-time]").textContent = rate
      ? timecodeOf(frameAt(seconds, rate), rate)
      : clockOf(seconds, { tenths: true });
    this.showPicture(seconds);
    const half = preview.offsetWidth / 2;
    const place = Math.min(width - half, Math.max(half, share * width));
    this.places.preview.transform = `translateX(calc(${place}px - 50%))`;
  }

  showPicture(seconds) {
    const place = this.preview.querySelector("[data-picture]");
    place.hidden = this.sprite === null || !this.sprite.picture.complete;
    if (place.hidden) return;
    const { every, count, columns, tileWidth, tileHeight, picture } = this.sprite;
    const tile = Math.min(count - 1, Math.floor(seconds / every));
    place.width = tileWidth;
    place.height = tileHeight;
    const [x, y] = [(tile % columns) * tileWidth, Math.floor(tile / columns) * tileHeight];
    place
      .getContext("2d")
      .drawImage(picture, x, y, tileWidth, tileHeight, 0, 0, tileWidth, tileHeight);
    place.dataset.tile = String(tile);
  }
}

globalThis.kinomill.Track = Track;
