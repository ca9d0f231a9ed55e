// From seconds to frames and back, and how a time is written. The rate is a fraction, as files have it (30000/1001):
// 29.97 would be a frame off after a quarter of an hour.
globalThis.kinomill ??= {};

/** "30000/1001" → { num, den, perSecond, nominal, drops }; null for what has no frames. */
function rateOf(text) {
  const [num, den = 1] = String(text ?? "")
    .split("/")
    .map(Number);
  if (!(num > 0) || !(den > 0)) return null;
  const perSecond = num / den;
  const nominal = Math.round(perSecond);
  // SMPTE ST 12-1 drops numbers at 29.97 and 59.94 alone; at 23.976 the numbers run behind the clock.
  const drops = den === 1001 && (nominal === 30 || nominal === 60) ? nominal / 15 : 0;
  return { num, den, perSecond, nominal: Math.max(1, nominal), drops };
}

/** A time on the edge of a frame, as files round it, belongs to the frame that begins there. */
const EDGE = 1e-3;

function frameAt(seconds, rate) {
  return Math.max(0, Math.floor(seconds * rate.perSecond + EDGE * rate.perSecond));
}

/** In the middle of the frame, so that no rounding of a player shows the one beside it. */
function middleOf(frame, rate) {
  return ((frame + 0.5) * rate.den) / rate.num;
}

const two = (value) => String(value).padStart(2, "0");

/** Skips the numbers that drop-frame timecode leaves out: 2 (or 4) a minute, but for every tenth. */
function numbered(frame, { nominal, drops }) {
  if (drops === 0) return frame;
  const perMinute = nominal * 60 - drops;
  const perTen = perMinute * 10 + drops;
  const tens = Math.floor(frame / perTen);
  const rest = frame % perTen;
  const minutes = rest < nominal * 60 ? 0 : 1 + Math.floor((rest - nominal * 60) / perMinute);
  return frame + drops * (9 * tens + minutes);
}

/** "00:01:02:03", with ";" before the frames of drop-frame timecode. */
function timecodeOf(frame, rate) {
  const number = numbered(frame, rate);
  const seconds = Math.floor(number / rate.nominal);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const frames = String(number % rate.nominal).padStart(String(rate.nominal - 1).length, "0");
  return `${parts.map(two).join(":")}${rate.drops > 0 ? ";" : ":"}${frames}`;
}

/** "1:02:03" or "2:03"; with tenths where there are no frames. */
function clockOf(seconds, { tenths = false } = {}) {
  const whole = Math.floor(Math.max(0, seconds) * 10 + 1e-6) / 10;
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = tenths ? (whole % 60).toFixed(1).padStart(4, "0") : two(Math.floor(whole % 60));
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/** What stands in an address or was typed: "83.2", "1:23", "1:02:03.5", "90s", "1m30s"; null for anything else. */
function secondsOf(text) {
  const words = String(text ?? "").trim();
  const spoken = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?$/.exec(words);
  if (words !== "" && spoken) {
    const [, hours = 0, minutes = 0, seconds = 0] = spoken;
    return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  }
  if (!/^\d+(:\d{1,2}){1,2}(\.\d+)?$/.test(words)) return null;
  return words.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}

globalThis.kinomill.timecode = { rateOf, frameAt, middleOf, timecodeOf, clockOf, secondsOf };
