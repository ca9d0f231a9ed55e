// The player of the pages: `kinomill.players` has each by its element, with what other rooms need of it: `media`,
// `seconds`, `duration`, `rate`, `frame`, `seek`, `step`, `toggle`. The element tells `player:time` (where it stands),
// `player:source` (what is played) and `player:gone` (the file is not there any more).
const { Shuttle, Source, Track, timecode } = globalThis.kinomill;
const { clockOf, frameAt, middleOf, rateOf, secondsOf, timecodeOf } = timecode;

const JUMP_SECONDS = 5;
const LONG_JUMP_SECONDS = 10;
const SPEED_MIN = 0.25;
const SPEED_MAX = 4;
/** Without frames a step is so long. */
const SOUND_STEP_SECONDS = 0.1;

const players = new Map();
globalThis.kinomill.players = players;

class Player {
  constructor(element) {
    this.element = element;
    this.media = element.querySelector("video, audio");
    this.about = JSON.parse(element.dataset.about);
    this.words = JSON.parse(element.dataset.words);
    this.asset = element.dataset.asset;
    this.companionsAddress = element.dataset.companionsAddress;
    this.rate = rateOf(this.about.rate);
    this.chosenSpeed = 1;
    this.shuttle = new Shuttle(this);
    this.track = new Track(element.querySelector("[data-track]"), this);
    this.media.controls = false;
    this.controls = new Map(
      [...element.querySelectorAll("[data-does]")].map((each) => [each.dataset.does, each]),
    );
    const pip = this.controls.get("pip");
    if (pip && !document.pictureInPictureEnabled) pip.hidden = true;
    this.listen();
    this.source = new Source(element, this.media, () => this.showSource());
    this.showLength();
    this.showState();
    this.jumpToAddress();
    void this.source.open();
  }

  // What other rooms use -------------------------------------------------------------------------

  get duration() {
    const { duration } = this.media;
    return Number.isFinite(duration) && duration > 0 ? duration : (this.about.seconds ?? 0);
  }

  get seconds() {
    return this.media.currentTime;
  }

  /** Of the picture that stands there; null where there are no frames. */
  get frame() {
    return this.rate ? frameAt(this.shownSeconds ?? this.seconds, this.rate) : null;
  }

  seek(seconds) {
    this.shuttle.end();
    this.shownSeconds = null;
    this.media.currentTime = Math.min(this.duration, Math.max(0, seconds));
    this.showTime();
  }

  /** @param count frames forwards, or backwards */
  step(count) {
    this.shuttle.end();
    this.media.pause();
    if (!this.rate) return this.seek(this.seconds + count * SOUND_STEP_SECONDS);
    // Presses that come faster than pictures go on from where the last one leads.
    const from = this.stepTo ?? this.frame;
    const last = Math.max(0, frameAt(this.duration, this.rate) - 1);
    this.stepTo = Math.min(last, Math.max(0, from + count));
    this.seek(middleOf(this.stepTo, this.rate));
    return undefined;
  }

  toggle() {
    if (this.shuttle.running) return this.shuttle.end();
    if (this.media.paused) return this.media.play().catch(() => {});
    return this.media.pause();
  }

  timeText(seconds) {
    const { rate } = this;
    return rate ? timecodeOf(frameAt(seconds, rate), rate) : clockOf(seconds, { tenths: true });
  }

  // ----------------------------------------------------------------------------------------------

  listen() {
    const { media, element } = this;
    const states = ["play", "pause", "ended", "ratechange", "volumechange", "waiting", "playing"];
    for (const name of states) media.addEventListener(name, () => this.showState());
    media.addEventListener("timeupdate", () => this.showTime());
    media.addEventListener("seeked", () => {
      this.stepTo = null;
      if (this.shownSeconds !== null && !this.stands(this.shownSeconds)) this.shownSeconds = null;
      this.showTime();
    });
    media.addEventListener("progress", () => this.track.showLoaded(media));
    media.addEventListener("durationchange", () => this.showLength());
    media.addEventListener("click", () => this.toggle());
    element.addEventListener("click", (event) => {
      const control = event.target.closest("[data-does]");
      if (control) this.do(control.dataset.does);
    });
    element.querySelector("[data-speed]").addEventListener("change", ({ target }) => {
      this.setSpeed(Number(target.value));
    });
    document.addEventListener("fullscreenchange", () => this.showState());
    this.watchFrames();
  }

  /** The time of the very picture that is shown, where the browser tells it. */
  watchFrames() {
    const { media } = this;
    if (!media.requestVideoFrameCallback) return;
    const shown = (_, { mediaTime }) => {
      if (this.stands(mediaTime)) {
        this.shownSeconds = mediaTime;
        this.showTime();
      }
      media.requestVideoFrameCallback(shown);
    };
    media.requestVideoFrameCallback(shown);
  }

  /** A picture that was under way when somebody went elsewhere may be told of after that: it does not stand there. */
  stands(mediaTime) {
    const { media, rate } = this;
    if (!media.paused || !rate) return true;
    return !media.seeking && Math.abs(frameAt(mediaTime, rate) - frameAt(this.seconds, rate)) <= 1;
  }

  do(what) {
    const acts = {
      toggle: () => this.toggle(),
      back: () => this.step(-1),
      forth: () => this.step(1),
      mute: () => this.mute(),
      fullscreen: () => this.fullscreen(),
      pip: () => this.pictureInPicture(),
      "copy-time": () => this.copyTime(),
      again: () => this.source.tryAgain(),
    };
    acts[what]?.();
  }

  mute() {
    this.media.muted = !this.media.muted;
  }

  fullscreen() {
    if (document.fullscreenElement) return document.exitFullscreen();
    // Phones of Apple know it of films alone.
    if (!this.element.requestFullscreen) return this.media.webkitEnterFullscreen?.();
    return this.element.requestFullscreen().catch(() => {});
  }

  pictureInPicture() {
    if (document.pictureInPictureElement) return document.exitPictureInPicture();
    return this.media.requestPictureInPicture?.().catch(() => {});
  }

  setSpeed(speed) {
    this.shuttle.end();
    this.chosenSpeed = Math.min(SPEED_MAX, Math.max(SPEED_MIN, speed));
    this.media.playbackRate = this.chosenSpeed;
    this.showSpeed();
  }

  /** The next one of the list, so that keys and the list agree. */
  changeSpeed(direction) {
    const speeds = [...this.element.querySelector("[data-speed]").options].map(({ value }) =>
      Number(value),
    );
    const at = speeds.indexOf(this.chosenSpeed);
    this.setSpeed(speeds[at + direction] ?? this.chosenSpeed);
  }

  /** The address of this page at this time; static/copy.js copies it. */
  addressNow() {
    const address = new URL(location.href);
    address.hash = "";
    address.search = "";
    address.searchParams.set("t", String(Number(this.seconds.toFixed(3))));
    return address.href;
  }

  jumpToAddress() {
    const seconds = secondsOf(new URL(location.href).searchParams.get("t"));
    if (seconds !== null && this.element.dataset.leads !== undefined) this.seek(seconds);
  }

  // What is shown --------------------------------------------------------------------------------

  showTime() {
    const { seconds, element } = this;
    const now = this.shuttle.running ? seconds : (this.shownSeconds ?? seconds);
    const text = this.timeText(now);
    const place = element.querySelector("[data-now]");
    if (place.textContent !== text) place.textContent = text;
    this.track.show(seconds, this.duration);
    const copy = this.element.querySelector("[data-copy-now]");
    if (copy) copy.dataset.copy = this.addressNow();
    element.dispatchEvent(
      new CustomEvent("player:time", { bubbles: true, detail: { seconds, frame: this.frame } }),
    );
  }

  showLength() {
    this.track.showLength(this.duration);
    this.element.querySelector("[data-length]").textContent = this.timeText(this.duration);
    this.showTime();
  }

  showState() {
    const { media, element } = this;
    const playing = !media.paused && !media.ended;
    element.dataset.state = playing ? "playing" : "paused";
    if (!media.paused) this.shownSeconds = null;
    const pressed = { toggle: playing, mute: media.muted };
    for (const [name, on] of Object.entries(pressed)) {
      const control = this.controls.get(name);
      if (!control) continue;
      control.dataset.on = String(on);
      control.setAttribute("aria-label", on ? control.dataset.labelOn : control.dataset.labelOff);
      control.title = `${control.getAttribute("aria-label")} (${control.dataset.key})`;
    }
    this.showSpeed();
  }

  showSpeed() {
    const chosen = this.element.querySelector("[data-speed]");
    chosen.value = String(this.chosenSpeed);
    const place = this.element.querySelector("[data-shuttle]");
    place.hidden = !this.shuttle.running;
    place.textContent = `${String(this.shuttle.speed).replace("-", "−")}×`;
  }

  showSource() {
    const { element, source } = this;
    element.dataset.source = source.kind ?? "";
    const watched = source.kind === "copy" && this.media.hasAttribute("src");
    element.querySelector("[data-copy-chip]").hidden = !watched;
    element.dispatchEvent(
      new CustomEvent("player:source", { bubbles: true, detail: { kind: source.kind } }),
    );
  }

  /** The file is gone: nothing of it plays on. */
  close() {
    this.shuttle.end();
    this.source.close();
    this.track.close();
    this.element.dataset.state = "gone";
    players.delete(this.element);
  }
}

// Keys -----------------------------------------------------------------------------------------

/** Of the first player of the page. `i` and `o` are left free for marks. */
const keys = {
  " ": (player) => player.toggle(),
  k: (player) => (player.shuttle.running ? player.shuttle.end() : player.toggle()),
  j: (player) => player.shuttle.push(-1),
  l: (player) => player.shuttle.push(1),
  ",": (player) => player.step(-1),
  ".": (player) => player.step(1),
  "<": (player) => player.changeSpeed(-1),
  ">": (player) => player.changeSpeed(1),
  ArrowLeft: (player, { shiftKey }) =>
    player.seek(player.seconds - (shiftKey ? LONG_JUMP_SECONDS : JUMP_SECONDS)),
  ArrowRight: (player, { shiftKey }) =>
    player.seek(player.seconds + (shiftKey ? LONG_JUMP_SECONDS : JUMP_SECONDS)),
  Home: (player) => player.seek(0),
  End: (player) => player.seek(player.duration),
  m: (player) => player.mute(),
  f: (player) => player.fullscreen(),
  p: (player) => player.pictureInPicture(),
};

/** Fields and buttons keep what they do with a key themselves. */
function isTaken({ target, key }) {
  const field = target.closest?.("input:not([type=range]), textarea, select, [contenteditable]");
  if (field || document.querySelector("dialog[open]")) return true;
  const pressable = target.closest?.("button, a, summary, label, [role=tab]");
  return pressable !== null && pressable !== undefined && key === " ";
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  const [player] = players.values();
  if (!act || !player || isTaken(event)) return;
  if (event.repeat && /^[jklmfp ]$/i.test(event.key)) return;
  event.preventDefault();
  act(player, event);
});

function openPlayers() {
  for (const element of document.querySelectorAll("[data-player]:not([data-open])")) {
    element.dataset.open = "";
    players.set(element, new Player(element));
  }
  for (const [element, player] of players) {
    if (!element.isConnected) {
      player.close();
      players.delete(element);
    }
  }
}
document.addEventListener("htmx:after:swap", openPlayers);
openPlayers();
