/** What a decoding of a whole file found out. Times in seconds from its start. */
import { Failure } from "../../trouble.ts";
import type { LoudnessMeasure } from "../loudness.ts";
import type { Facts, Reader, RunTexts } from "../readings.ts";
import { type PackedTimes, Times } from "../times.ts";
import { DecodeErrors, type ErrorSpot } from "./decode-errors.ts";
import { type Note, NoteLines } from "./note-lines.ts";
import { readMeter } from "./sound.ts";
import { type OpenStretch, type Spot, Spots, Stretches } from "./stretches.ts";

/** Frames by what they look to be made of: two fields, the upper or the lower one first, or one picture. */
export interface Fields {
  upperFirst: number;
  lowerFirst: number;
  progressive: number;
  undetermined: number;
}

interface Seen {
  frames: number;
  /** Of the frames, in microseconds. */
  times: PackedTimes;
  /** Where its format changes. */
  changes: number[];
}

export interface Inspection {
  picture:
    | (Seen & {
        black: OpenStretch[];
        /** Where nothing moves but the noise of a codec. */
        still: OpenStretch[];
        /** Where nothing moves but what a codec does at its keyframes: longer ones around those. */
        nearlyStill: OpenStretch[];
        /** Where too much of the picture is outside of the levels of video. */
        beyondLevels: Spot[];
        fields: Fields | null;
      })
    | null;
  sound: (Seen & {
    /** Of each channel, as far as any was silent. */
    silent: OpenStretch[][];
    clipped: Spot[];
    outOfPhase: OpenStretch[];
    loudness: LoudnessMeasure | null;
  })[];
  errors: ErrorSpot[];
  /** Why ffmpeg did not come to the end; null when it did. */
  broken: string | null;
}

/** The clock of all notes. */
const ticksPerSecond = 1_000_000;

/** Changes of the format that are kept: an advertisement is one, a stream of another size each second is broken. */
const maxChanges = 200;

/** Clipped pieces of sound that lie nearer to each other are one passage. */
const clippedTogetherSeconds = 1;
const levelsTogetherSeconds = 0.5;

/** Frames of one stream. */
class Track {
  readonly times = new Times();
  readonly changes: number[] = [];
  readonly stream: number;

  constructor(stream: number) {
    this.stream = stream;
  }

  /** @returns the seconds at which its format changed; null mostly */
  see({ tick, first }: Note): number | null {
    const changed = first && this.times.length > 0;
    if (tick === null) return null;
    this.times.push(tick);
    if (!changed) return null;
    if (this.changes.length < maxChanges) this.changes.push(tick / ticksPerSecond);
    return tick / ticksPerSecond;
  }

  seen(): Seen {
    const { times, changes } = this;
    return { frames: times.length, times: times.packed(), changes };
  }
}

class PictureTrack extends Track {
  readonly black = new Stretches();
  readonly still = new Stretches();
  readonly nearlyStill = new Stretches();
  readonly beyondLevels = new Spots(levelsTogetherSeconds);

  note(note: Note): void {
    const changed = this.see(note);
    if (changed !== null) {
      for (const kind of [this.black, this.still, this.nearlyStill]) kind.close(changed);
    }
    this.black.mark(note.marks.get("black_start"), note.marks.get("black_end"));
    markStill(this.still, note);
  }
}

class SoundTrack extends Track {
  readonly silent: Stretches[] = [];
  readonly clipped = new Spots(clippedTogetherSeconds);
  readonly outOfPhase = new Stretches();
  /** The last frame that is as loud as can be. */
  loudAt: number | null = null;

  note(note: Note): void {
    const changed = this.see(note);
    if (changed !== null) {
      for (const kind of [...this.silent, this.outOfPhase]) kind.close(changed);
    }
    for (const [key, value] of note.marks) {
      const [what, channel] = key.split(".", 2);
      if (what === "silence_start") this.ofChannel(Number(channel)).mark(value, undefined);
      if (what === "silence_end") this.ofChannel(Number(channel)).mark(undefined, value);
    }
  }

  mark(key: string, value: string): void {
    if (key === "aphasemeter.out_phase_start") this.outOfPhase.mark(value, undefined);
    if (key === "aphasemeter.out_phase_end") this.outOfPhase.mark(undefined, value);
  }

  private ofChannel(channel: number): Stretches {
    const at = Math.max(0, channel - 1);
    while (this.silent.length <= at) this.silent.push(new Stretches());
    return this.silent[at] as Stretches;
  }
}

function markStill(stretches: Stretches, { marks }: Note): void {
  stretches.mark(marks.get("freezedetect.freeze_start"), marks.get("freezedetect.freeze_end"));
}

/**
 * Reads the notes `picture` (frames), `drift` (findings), `levels`, and for each track `sound0` (frames), `begin0`
 * and `end0` (of opposite phase), `loud0` and `flat0`, and the meters `meter0`. `facts`: `picture`, the index of its stream, and `sound0` …
 */
export class InspectionReader implements Reader {
  private readonly picture: PictureTrack | null;
  private readonly sound: SoundTrack[] = [];
  private readonly errors = new DecodeErrors();
  private readonly notes = new NoteLines({
    take: (note) => this.take(note),
    begin: (name, tick) => this.begin(name, tick / ticksPerSecond),
    mark: (name, key, value) => this.track(name)?.mark(key, value),
  });

  constructor(facts: Facts) {
    const { picture } = facts;
    this.picture = picture === undefined ? null : new PictureTrack(picture);
    for (let track = 0; facts[`sound${track}`] !== undefined; track += 1) {
      this.sound.push(new SoundTrack(facts[`sound${track}`] ?? 0));
    }
  }

  see(line: string): boolean {
    if (this.notes.see(line)) return true;
    this.errors.see(line);
    return false;
  }

  async finish({ stderr, broken }: RunTexts): Promise<Inspection> {
    this.notes.finish();
    const { picture } = this;
    return {
      picture: picture && {
        ...picture.seen(),
        black: picture.black.all,
        still: picture.still.all,
        nearlyStill: picture.nearlyStill.all,
        beyondLevels: picture.beyondLevels.all,
        fields: fieldsOf(stderr),
      },
      sound: this.sound.map((track, index) => ({
        ...track.seen(),
        silent: track.silent.map(({ all }) => all),
        clipped: track.clipped.all,
        outOfPhase: track.outOfPhase.all,
        loudness: meterOf(stderr, `meter${index}`),
      })),
      errors: this.errors.found(),
      broken,
    };
  }

  private take(note: Note): void {
    if (note.name === "picture") this.picture?.note(note);
    if (note.name === "drift" && this.picture) markStill(this.picture.nearlyStill, note);
    if (note.name.startsWith("sound")) this.track(note.name)?.note(note);
  }

  private begin(name: string, seconds: number): void {
    if (name === "levels") this.picture?.beyondLevels.add(seconds);
    if (name === "picture" && this.picture) this.errors.reach(this.picture.stream, seconds);
    const track = this.track(name);
    if (track === undefined) return;
    if (name.startsWith("sound")) this.errors.reach(track.stream, seconds);
    if (name.startsWith("loud")) track.loudAt = seconds;
    if (name.startsWith("flat") && track.loudAt === seconds) track.clipped.add(seconds);
  }

  /** The track that a note is about: `sound0` is the first. */
  private track(name: string): SoundTrack | undefined {
    return this.sound[Number(/\d+$/.exec(name)?.[0])];
  }
}

/** Of a track too short to be measured there is none. */
function meterOf(stderr: string, name: string): LoudnessMeasure | null {
  const summary = new RegExp(
    `\\[ebur128@${name} @ \\w+\\][^\\n]*Summary:[\\s\\S]*?Peak:[^\\n]*`,
    "g",
  );
  // ffmpeg 5.1 sets a graph up twice and the first one, which heard nothing, speaks too.
  const last = stderr.match(summary)?.at(-1);
  if (last === undefined) return null;
  try {
    return readMeter(last);
  } catch (trouble) {
    if (trouble instanceof Failure) return null;
    throw trouble;
  }
}

function fieldsOf(stderr: string): Fields | null {
  const found =
    /Multi frame detection: TFF:\s*(\d+) BFF:\s*(\d+) Progressive:\s*(\d+) Undetermined:\s*(\d+)/g;
  const last = [...stderr.matchAll(found)].at(-1)?.slice(1).map(Number);
  if (last === undefined) return null;
  const [upperFirst = 0, lowerFirst = 0, progressive = 0, undetermined = 0] = last;
  return { upperFirst, lowerFirst, progressive, undetermined };
}
