/* In the page: plays a ladder, changes rungs at every segment, and notes every frame that is shown. */
const film = document.getElementById("film");
const canvas = document.createElement("canvas");
canvas.width = 256;
canvas.height = 144;
const context = canvas.getContext("2d", { willReadFrequently: true });

const seen = { errors: [], rungs: [], frames: [], stalls: [], buffered: [] };

/** The number in the blocks of `numberedFilm`. */
function numberShown() {
  context.drawImage(film, 0, 0, canvas.width, canvas.height);
  const row = context.getImageData(0, 8, canvas.width, 1).data;
  let number = 0;
  for (let bit = 0; bit < 12; bit += 1) if (row[(bit * 16 + 8) * 4] > 125) number |= 1 << bit;
  return number;
}

function look(_now, { mediaTime, height }) {
  seen.frames.push({ time: mediaTime, number: numberShown(), lines: height });
  film.requestVideoFrameCallback(look);
}

/** Resolves when the film has ended, or after the limit, with what was seen. */
function watch(limitMs, start) {
  film.requestVideoFrameCallback(look);
  film.addEventListener("waiting", () => {
    if (seen.frames.length > 1 && !film.ended) seen.stalls.push(film.currentTime);
  });
  return new Promise((done) => {
    const finish = () => {
      const { buffered, duration, ended } = film;
      const { droppedVideoFrames, totalVideoFrames } = film.getVideoPlaybackQuality();
      for (let at = 0; at < buffered.length; at += 1) {
        seen.buffered.push([buffered.start(at), buffered.end(at)]);
      }
      const soundBytes = film.webkitAudioDecodedByteCount;
      done({ ...seen, duration, ended, soundBytes, droppedVideoFrames, totalVideoFrames });
    };
    film.addEventListener("ended", finish);
    setTimeout(finish, limitMs);
    start().catch((cause) => {
      seen.errors.push(String(cause));
      finish();
    });
  });
}

/** Each segment from another rung than the one before. */
async function startHls(address) {
  const { Hls } = window;
  const hls = new Hls({ enableWorker: false, maxBufferLength: 60, startLevel: 0 });
  hls.on(Hls.Events.ERROR, (_, { details, error }) => seen.errors.push(`${details} ${error}`));
  hls.on(Hls.Events.FRAG_LOADED, (_, { frag }) => {
    if (frag.type !== "main" || frag.sn === "initSegment") return;
    seen.rungs.push(hls.levels[frag.level].height);
    hls.nextLoadLevel = (frag.level + 1) % hls.levels.length;
  });
  hls.loadSource(address);
  hls.attachMedia(film);
  await begin();
}

/** Plays from when the browser says that it can: on a busy machine the first picture takes a while. */
async function begin() {
  await new Promise((ready) => {
    film.addEventListener("canplaythrough", ready, { once: true });
  });
  film.playbackRate = seen.speed;
  await film.play();
}

/** The same: what is buffered stays, what is fetched next is of another rung. */
async function startDash(address) {
  const { shaka } = window;
  const player = new shaka.Player();
  await player.attach(film);
  player.configure({ abr: { enabled: false } });
  player.addEventListener("error", ({ detail }) => {
    seen.errors.push(`${detail.code} ${detail.data}`);
  });
  player.addEventListener("segmentappended", ({ contentType }) => {
    if (contentType !== "video") return;
    const tracks = player.getVariantTracks();
    const now = tracks.find(({ active }) => active);
    seen.rungs.push(now.height);
    player.selectVariantTrack(
      tracks.find(({ height }) => height !== now.height),
      false,
    );
  });
  await player.load(address);
  await begin();
}

window.playLadder = ({ kind, address, speed, limitMs }) => {
  seen.speed = speed;
  return watch(limitMs, () => (kind === "hls" ? startHls(address) : startDash(address)));
};
