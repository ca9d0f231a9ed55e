/** What must hold of a result, and what of it does not. */
import { ground, type Mark, markNames, marks } from "./film.ts";
import {
  combedPixels,
  edges,
  frameAt,
  look,
  marksIn,
  type Rgb,
  type Seen,
  type View,
} from "./look.ts";

/** A result as it should be. What is undefined does not matter. */
export interface Wanted {
  seconds?: number;
  picture: WantedPicture | null;
  sound: WantedTrack[];
  subtitles?: number;
  chapters?: number;
}

export interface WantedPicture {
  /** Where all of the source's picture lies in it. */
  view: View;
  /** Width to height as shown. */
  aspect: number;
  /** `hue` where HDR became SDR: which colour it is, and no more. */
  colours: "kept" | "hue";
  /** Time at which the marks are looked at. */
  at: number;
  /** Marks that something stands over. */
  hidden?: readonly Mark[] | undefined;
  /** Of what lies around the marks; absent: the source's. */
  ground?: Rgb | undefined;
  /** Distances between frames: as in the source (its times), or a constant rate. */
  times?: readonly number[] | { rate: number } | undefined;
  flashes?: readonly number[] | undefined;
  /** More than 8 bits. */
  deep?: boolean | undefined;
  hdr?: boolean | undefined;
  /** It came from fields. */
  mustNotComb?: boolean | undefined;
  /** Lines at the edges that belong to something else, as in a sheet. */
  edgesMatter?: boolean | undefined;
}

export interface WantedTrack {
  hertz: number;
  channels: number;
  heard: readonly number[];
  language?: string | null | undefined;
  beeps: readonly number[];
}

/** The promise: sound and picture stay within so much. */
const syncSeconds = 0.04;
/** Containers round to a millisecond. */
const clockSeconds = 0.0025;
/** What a lossy codec and a conversion of the matrix there and back leave, of 255. */
const colourTolerance = 16;
const edgeTolerance = 24;

/** Every fault as a sentence; none when all holds. */
export function faultsOf(path: string, wanted: Wanted): string[] {
  const seen = look(path);
  return [
    ...lengthFaults(seen.seconds, wanted.seconds),
    ...pictureFaults(path, seen, wanted.picture),
    ...soundFaults(seen, wanted),
    ...syncFaults(seen, wanted),
    ...countFaults("subtitle tracks", seen.subtitles, wanted.subtitles),
    ...countFaults("chapters", seen.chapters, wanted.chapters),
  ];
}

function countFaults(what: string, found: number, wanted: number | undefined): string[] {
  return wanted === undefined || found === wanted ? [] : [`${found} ${what} instead of ${wanted}`];
}

/** A frame and what codecs of sound add at the ends. */
const lengthSlackSeconds = 0.13;

export function lengthFaults(seconds: number | null, wanted: number | undefined): string[] {
  if (wanted === undefined) return [];
  if (seconds !== null && Math.abs(seconds - wanted) <= lengthSlackSeconds) return [];
  return [`it is ${seconds} s long instead of ${wanted}`];
}

/** What a deinterlacer leaves at the edges of what moves. */
const mostCombed = 24;

function pictureFaults(path: string, seen: Seen, wanted: WantedPicture | null): string[] {
  const { picture } = seen;
  if (wanted === null) return picture === null ? [] : ["there is a picture"];
  if (picture === null) return ["there is no picture"];
  const faults: string[] = [];
  const off = Math.abs(picture.aspect / wanted.aspect - 1);
  // An odd line less is 1 % of these small pictures.
  if (off > 0.025)
    faults.push(`it is ${picture.aspect.toFixed(3)} wide, not ${wanted.aspect.toFixed(3)}`);
  if (wanted.deep !== undefined && isDeep(picture.pixelFormat) !== wanted.deep) {
    faults.push(`it is stored as ${picture.pixelFormat}`);
  }
  const isHdr = ["smpte2084", "arib-std-b67"].includes(picture.transfer);
  if (wanted.hdr !== undefined && isHdr !== wanted.hdr) {
    faults.push(`its transfer is ${picture.transfer}`);
  }
  if (wanted.mustNotComb) {
    const combed = combedPixels(path);
    if (combed > mostCombed) faults.push(`${combed} pixels of a frame are combed`);
    if (["tt", "bb", "tb", "bt"].includes(picture.fieldOrder)) {
      faults.push(`it says that it is interlaced (${picture.fieldOrder})`);
    }
  }
  faults.push(...timeFaults(picture.times, wanted.times));
  if (wanted.flashes !== undefined) {
    faults.push(...momentFaults("it flashes", picture.flashes, wanted.flashes));
  }
  const still = frameAt(path, wanted.at);
  faults.push(...markFaults(marksIn(still, wanted.view), wanted));
  faults.push(...groundFaults(still, wanted));
  if (wanted.edgesMatter !== false) {
    for (const [side, difference] of Object.entries(edges(still))) {
      if (difference > edgeTolerance) faults.push(`its ${side} edge is rubbish (${difference})`);
    }
  }
  return faults;
}

function isDeep(pixelFormat: string): boolean {
  return /(10|12|16)(le|be)$/.test(pixelFormat);
}

function markFaults(found: Partial<Record<Mark, Rgb>>, wanted: WantedPicture): string[] {
  return markNames.flatMap((mark) => {
    const color = found[mark];
    if (color === undefined || wanted.hidden?.includes(mark)) return [];
    const right = marks[mark];
    const same = wanted.colours === "kept" ? near(color, right) : sameHue(color, right);
    return same ? [] : [`its ${mark} is ${color.join(" ")} instead of ${right.join(" ")}`];
  });
}

function near(found: Rgb, wanted: readonly number[]): boolean {
  return found.every(
    (level, index) => Math.abs(level - (wanted[index] ?? -999)) <= colourTolerance,
  );
}

/** The same levels are the light ones and the dark ones. */
function sameHue(found: Rgb, wanted: readonly number[]): boolean {
  const [low, high] = [Math.min(...found), Math.max(...found)];
  const [dark, light] = [Math.min(...wanted), Math.max(...wanted)];
  if (light - dark < 40) return high - low < 40;
  const middle = (low + high) / 2;
  return (
    high - low > 60 &&
    found.every((level, index) => level > middle === (wanted[index] ?? 0) > (dark + light) / 2)
  );
}

/** Between the marks, a quarter from the left and the top. */
const groundAt = { x: 0.29, y: 0.3 };

function groundFaults(still: ReturnType<typeof frameAt>, wanted: WantedPicture): string[] {
  const { view } = wanted;
  const x = Math.round((view.x + groundAt.x * view.width) * still.width);
  const y = Math.round((view.y + groundAt.y * view.height) * still.height);
  if (x < 0 || x >= still.width) return [];
  const right = wanted.ground ?? rgbOf(ground);
  const found = still.at(x, y);
  const same = wanted.colours === "kept" ? near(found, right) : sameHue(found, right);
  return same ? [] : [`between its marks it is ${found.join(" ")} instead of ${right.join(" ")}`];
}

export function rgbOf(hex: string): Rgb {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) =>
    Number.parseInt(hex.slice(at, at + 2), 16),
  );
  return [red, green, blue];
}

function timeFaults(times: readonly number[], wanted: WantedPicture["times"]): string[] {
  if (wanted === undefined) return [];
  const gaps = distances(times);
  if ("rate" in wanted) {
    const odd = gaps.find((gap) => Math.abs(gap - 1 / wanted.rate) > clockSeconds);
    return odd === undefined
      ? []
      : [`a frame comes after ${odd.toFixed(4)} s at ${wanted.rate.toFixed(3)} a second`];
  }
  if (times.length !== wanted.length)
    return [`it has ${times.length} frames instead of ${wanted.length}`];
  const right = distances(wanted);
  const at = gaps.findIndex((gap, index) => Math.abs(gap - (right[index] ?? 0)) > clockSeconds);
  return at < 0
    ? []
    : [`frame ${at + 1} comes after ${gaps[at]?.toFixed(4)} s instead of ${right[at]?.toFixed(4)}`];
}

function distances(times: readonly number[]): number[] {
  return times.slice(1).map((time, index) => time - (times[index] ?? 0));
}

function momentFaults(what: string, found: readonly number[], wanted: readonly number[]): string[] {
  const text = (times: readonly number[]) =>
    times.map((time) => time.toFixed(3)).join(", ") || "never";
  const same =
    found.length === wanted.length &&
    found.every((time, index) => Math.abs(time - (wanted[index] ?? -9)) <= syncSeconds + 1e-6);
  return same ? [] : [`${what} at ${text(found)} instead of ${text(wanted)}`];
}

const pitchTolerance = 0.04;

function soundFaults({ sound }: Seen, wanted: Wanted): string[] {
  if (sound.length !== wanted.sound.length) {
    return [`${sound.length} tracks of sound instead of ${wanted.sound.length}`];
  }
  return wanted.sound.flatMap((want, index) => {
    const track = sound[index];
    if (track === undefined) return [];
    const name = `track ${index + 1}`;
    const faults = momentFaults(`${name} beeps`, track.beeps, want.beeps);
    if (track.channels !== want.channels) {
      faults.push(`${name} has ${track.channels} channels instead of ${want.channels}`);
    }
    if (want.beeps.length > 0 && track.heard.join() !== want.heard.join()) {
      faults.push(
        `${name} is heard in channels ${track.heard.join()} instead of ${want.heard.join()}`,
      );
    }
    if (want.language !== undefined && track.language !== want.language) {
      faults.push(`${name} is in ${track.language} instead of ${want.language}`);
    }
    const off = track.hertz === null ? 0 : Math.abs(track.hertz / want.hertz - 1);
    if (off > pitchTolerance) faults.push(`${name} has ${track.hertz} Hz instead of ${want.hertz}`);
    return faults;
  });
}

/** The promise, on the result alone: flash and beep within 40 ms, whatever is said of either. */
function syncFaults({ picture, sound }: Seen, wanted: Wanted): string[] {
  if (picture === null || wanted.picture?.flashes === undefined) return [];
  return sound.flatMap(({ beeps }, index) => {
    const want = wanted.sound[index]?.beeps ?? [];
    return beeps.flatMap((beep, at) => {
      const flash = picture.flashes[at];
      const right = wanted.picture?.flashes?.[at];
      if (flash === undefined || right === undefined || want[at] === undefined) return [];
      const off = beep - flash - (want[at] - right);
      return Math.abs(off) <= syncSeconds + 1e-6
        ? []
        : [`track ${index + 1} is ${Math.round(off * 1000)} ms off the picture`];
    });
  });
}
