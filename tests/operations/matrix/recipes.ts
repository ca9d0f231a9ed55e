/** What sources of the matrix are made of. */
import { ffmpeg, turnedCopy } from "../../clips.ts";
import { beeps, type FilmLook, flashTimes, picture } from "./film.ts";

export interface Source {
  /** As in the table's links. */
  name: string;
  /** For the person who reads the table. */
  title: string;
  /** Writes it, under a name with this ending. */
  ending: string;
  make(path: string): void;
  /** What it is, where looking at it does not tell. */
  truth: Truth;
}

export interface Truth {
  kind: "film" | "still" | "sound";
  /** Seconds at which it flashes, from the beginning of the file. */
  flashes: readonly number[];
  /** Width to height as a viewer should see it. */
  aspect: number;
  /** Fields that lie in one frame. */
  interlaced?: true;
  /** Bits of a colour. */
  bitDepth?: 10;
  hdr?: true;
  /** Around its marks, as a picture of it in SDR shows it; absent: the film's own. */
  groundInSdr?: string;
  /** Frames come unevenly. */
  uneven?: true;
  /** What `check` finds in it, by kind, and rightly. */
  wrong?: string;
  /** Of each track: its pitch, the channels that are heard, its language. */
  sound: readonly TrackTruth[];
}

export interface TrackTruth {
  hertz: number;
  /** Numbers of the channels with the beep. */
  heard: readonly number[];
  channels: number;
  language?: string;
}

export const lavfi = (graph: string) => ["-f", "lavfi", "-i", graph];
/** RGB in a matrix and range. Without the flags the scaler leaves the last column of odd widths undone. */
export const stored = (matrix: string, range = "tv") =>
  `scale=out_color_matrix=${matrix}:out_range=${range}:flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp`;
/** Said in the frames too, which some encoders go by. */
export const hd = `${stored("bt709")},setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv`;
export const hdTags = [
  ...["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"],
  ...["-color_range", "tv"],
];
export const x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "8"];
export const aac = ["-c:a", "aac", "-b:a", "128k"];
export const stereo = ["-ac", "2"];

export const shape = 192 / 108;
export const both: TrackTruth = { hertz: 1000, heard: [0, 1], channels: 2 };
export const plain: Truth = { kind: "film", flashes: flashTimes(), aspect: shape, sound: [both] };

export interface Recipe {
  look?: FilmLook;
  /** Filters behind the picture. */
  filters?: string;
  pixels?: string;
  video?: readonly string[];
  /** Inputs of sound; absent: the usual beeps in stereo. */
  sound?: readonly string[];
  audio?: readonly string[];
}

/** Makes a film of its picture and of the inputs that follow it. */
export function film(path: string, recipe: Recipe = {}): void {
  const { look = {}, filters, pixels = "yuv420p", video = x264 } = recipe;
  const { sound = lavfi(beeps(look)), audio = [...stereo, ...aac] } = recipe;
  const tags = filters === undefined ? hd : `${filters},${hd}`;
  ffmpeg(
    ...[...lavfi(`${picture(look)},${tags},format=${pixels}`), ...sound],
    ...[...video, ...hdTags, ...audio, path],
  );
}

export const beside = (path: string, ending: string) => `${path}.${ending}`;

/** A phone's: the picture is stored lying and a note says how to turn it. @param degrees clockwise */
export function turned(degrees: 90 | 180 | 270): Source {
  // Turned back, so that the note makes it right.
  const back = { 90: "transpose=cclock", 180: "hflip,vflip", 270: "transpose=clock" }[degrees];
  return {
    name: `turned-${degrees}`,
    title: `a phone's film, turned by ${degrees}°`,
    ending: "mp4",
    make: (path) => {
      const lying = beside(path, "lying.mp4");
      film(lying, { filters: back });
      ffmpeg(...turnedCopy(lying, 360 - degrees), path);
    },
    truth: plain,
  };
}

export function atRate(name: string, title: string, rate: string): Source {
  return {
    ...{ name, title, ending: "mp4" },
    make: (path) => film(path, { look: { rate } }),
    truth: { ...plain, flashes: flashTimes({ rate }) },
  };
}

export const masters =
  "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=1000,400";

/** Six channels of which each is heard alone would be six films: the beep is in front of the viewer alone. */
export const centreOf51 = "pan=5.1|FC=c0";
