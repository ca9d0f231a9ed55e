// What is played, and whether this browser can: the server says what is in the file, the browser what it plays.
// In its order: the file itself, the ladder through hls.js, a small copy that Kinomill makes.
const { clockOf } = globalThis.kinomill.timecode;

/** Behind the stream of events, which says sooner how far the copy is. */
const ASK_MS = 3_000;
/** A browser that plays without the sound has decoded none of it by now. */
const SOUND_AFTER_SECONDS = 1;

/** All of what a file needs, as types for the browser; one that it surely cannot play is enough. */
async function canPlay(media, { types, plays, picture }) {
  if (plays === "no") return false;
  if (types.some((type) => media.canPlayType(type) === "")) return false;
  if (!picture || !navigator.mediaCapabilities) return true;
  try {
    const video = { ...picture, contentType: types[0] };
    const { supported } = await navigator.mediaCapabilities.decodingInfo({ type: "file", video });
    return supported;
  } catch {
    return true; // It does not know this type by that name; playing it will show.
  }
}

/** The picture stays dark, or the sound is not decoded: browsers say nothing of either. */
function whatIsMissing(media, { hasPicture, hasSound }) {
  if (hasPicture && media.readyState >= 1 && media.videoWidth === 0) return "picture";
  const decoded = media.webkitAudioDecodedByteCount;
  const silent = media.mozHasAudio === false || decoded === 0;
  if (hasSound && silent && media.currentTime > SOUND_AFTER_SECONDS && !media.paused)
    return "sound";
  return null;
}

/** What a message of the stream of events says, as hx-sse hands it on. */
function told({ detail }) {
  return JSON.parse(detail?.data ?? "{}");
}

class Source {
  /** @param player the element with all that the server said of the file */
  constructor(element, media, onChange) {
    this.element = element;
    this.media = media;
    this.onChange = onChange;
    this.about = JSON.parse(element.dataset.about);
    this.words = JSON.parse(element.dataset.words);
    this.note = element.querySelector("[data-note]");
    this.kind = null;
    this.timer = 0;
  }

  async open() {
    const { ladderAddress } = this.element.dataset;
    if (ladderAddress) return this.openLadder(ladderAddress);
    this.follow();
    if (await canPlay(this.media, this.about)) this.playFile();
    else await this.playCopy("");
  }

  playFile() {
    this.kind = "file";
    const { contentAddress } = this.element.dataset;
    if (this.media.getAttribute("src") !== contentAddress) this.media.src = contentAddress;
    this.onChange();
  }

  /** What only playing shows: then the copy takes over where the file was. */
  follow() {
    this.media.addEventListener("error", () => this.fail());
    const look = () => {
      const missing = this.kind === "file" ? whatIsMissing(this.media, this.about) : null;
      if (missing) void this.playCopy(missing);
    };
    this.media.addEventListener("loadedmetadata", look);
    this.media.addEventListener("timeupdate", look);
    if (this.media.error) this.fail();
    look();
  }

  async fail() {
    if (this.kind === null) return;
    const { contentAddress } = this.element.dataset;
    const answer = await fetch(contentAddress, { method: "HEAD" }).catch(() => null);
    if (answer === null) return this.say(this.words.unreachable);
    if (answer.status === 404) return this.element.dispatchEvent(new CustomEvent("player:gone"));
    if (!answer.ok) return this.say(this.words.refused);
    if (this.kind === "copy") return this.remake();
    return this.playCopy("");
  }

  openLadder(address) {
    this.kind = "ladder";
    const { Hls } = globalThis;
    if (!Hls?.isSupported()) {
      this.media.src = address; // Safari plays ladders by itself.
      return this.onChange();
    }
    // CMAF goes to the browser as it is: nothing has to be rewritten, so no worker from a blob is needed, which the
    // page's policy would refuse.
    this.hls = new Hls({ enableWorker: false, backBufferLength: 60 });
    this.hls.on(Hls.Events.ERROR, (_, { fatal, type }) => {
      if (!fatal) return;
      if (type === Hls.ErrorTypes.MEDIA_ERROR && !this.recovered) {
        this.recovered = true;
        this.hls.recoverMediaError();
      } else this.say(this.words.ladderFailed);
    });
    this.hls.loadSource(address);
    this.hls.attachMedia(this.media);
    this.onChange();
  }

  /** @param missing what the browser leaves out of the file; "" when it plays nothing of it */
  async playCopy(missing) {
    if (this.kind === "copy") return;
    this.at = this.media.currentTime;
    this.goesOn = missing !== "" && !this.media.paused;
    this.media.pause();
    this.media.removeAttribute("src");
    this.media.load();
    this.kind = "copy";
    this.missing = missing;
    this.onChange();
    document.body.addEventListener("companion", (event) => this.hear(told(event)));
    this.show(await this.ask("POST"));
  }

  async tryAgain() {
    this.remade = false;
    this.show(await this.ask("POST"));
  }

  async remake() {
    if (this.remade) return this.say(this.words.copyFailed);
    this.remade = true;
    this.show(await this.ask("POST"));
  }

  async ask(method) {
    const { companionsAddress } = this.element.dataset;
    const path = method === "POST" ? `${companionsAddress}/proxy` : companionsAddress;
    const answer = await fetch(path, { method }).catch(() => null);
    if (!answer?.ok) return null;
    const body = await answer.json();
    return method === "POST" ? body : body.items.find(({ kind }) => kind === "proxy");
  }

  hear(standing) {
    if (standing.asset === this.element.dataset.asset && standing.kind === "proxy") {
      this.show(standing);
    }
  }

  show(standing) {
    clearTimeout(this.timer);
    if (standing === null) return this.waitOn(this.words.unreachable, null);
    const { state, progressPercent, etaSeconds, ahead, problem } = standing;
    if (state === "ready") return this.playReady();
    if (state === "none") return this.giveUp(problem);
    const { ready, waits, soon } = this.words;
    if (ahead > 0) return this.waitOn(waits.replace("{count}", ahead), null);
    const when =
      etaSeconds === null ? soon : ready.replace("{time}", spoken(etaSeconds, this.words));
    return this.waitOn(when, progressPercent);
  }

  waitOn(sentence, percent) {
    this.say(`${this.why()} ${sentence}`, { percent, busy: true });
    this.timer = setTimeout(async () => this.show(await this.ask("GET")), ASK_MS);
  }

  why() {
    const { cannotPlay, cannotShow, cannotHear } = this.words;
    if (this.missing === "picture") return cannotShow;
    return this.missing === "sound" ? cannotHear : cannotPlay;
  }

  playReady() {
    if (this.media.src !== "" && !this.media.error && this.kind === "copy") return;
    this.note.hidden = true;
    this.media.src = `${this.element.dataset.companionsAddress}/proxy`;
    if (this.at > 0) this.media.currentTime = this.at;
    if (this.goesOn) this.media.play().catch(() => {});
    this.onChange();
  }

  giveUp(problem) {
    this.say(`${this.why()} ${this.words.notMade.replace("{problem}", problem ?? "")}`, {
      again: true,
    });
  }

  say(sentence, { percent = null, busy = false, again = false } = {}) {
    const { note } = this;
    note.hidden = false;
    const text = note.querySelector("p");
    // Readers of the screen hear it once, not with every second that is left.
    if (text.textContent !== sentence) text.textContent = sentence;
    const bar = note.querySelector("progress");
    bar.hidden = !busy;
    if (percent === null) bar.removeAttribute("value");
    else bar.value = percent;
    note.querySelector("[data-again]").hidden = !again;
  }

  close() {
    clearTimeout(this.timer);
    this.hls?.destroy();
    this.kind = null;
    this.media.pause();
    this.media.removeAttribute("src");
    this.media.load();
  }
}

function spoken(seconds, { seconds: words, minutes }) {
  const whole = Math.max(1, Math.round(seconds));
  return whole < 90 ? words.replace("{count}", whole) : minutes.replace("{time}", clockOf(whole));
}

globalThis.kinomill.Source = Source;
globalThis.kinomill.told = told;
