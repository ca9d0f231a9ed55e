/** Stretches of time that filters mark by where they begin and end. Seconds from the start of the file. */

/** From one time until another; null when it lasts to the end. */
export interface OpenStretch {
  fromSeconds: number;
  toSeconds: number | null;
}

/** Stretches of one kind that are kept; a file with more is beyond reading lists. */
const maxStretches = 10_000;

export class Stretches {
  readonly all: OpenStretch[] = [];

  /** Marks of one frame: where a stretch began, where one ended. Either may be missing. */
  mark(start: string | undefined, end: string | undefined): void {
    const from = Number(start ?? Number.NaN);
    const to = Number(end ?? Number.NaN);
    if (Number.isFinite(to)) this.close(to);
    if (!Number.isFinite(from) || this.all.length >= maxStretches) return;
    // After a hole one frame says that the picture stood still, and that it does no more.
    const closed = Number.isFinite(to) && to > from;
    this.all.push({ fromSeconds: from, toSeconds: closed ? to : null });
  }

  /** What marks them begins anew, and knows of no stretch that is open. */
  close(seconds: number): void {
    const open = this.all.at(-1);
    if (open?.toSeconds === null) open.toSeconds = seconds;
  }
}

export interface Spot {
  fromSeconds: number;
  toSeconds: number;
  frames: number;
}

/** Single frames, joined where they lie near each other. */
export class Spots {
  readonly all: Spot[] = [];
  private readonly togetherSeconds: number;

  constructor(togetherSeconds: number) {
    this.togetherSeconds = togetherSeconds;
  }

  add(seconds: number): void {
    const open = this.all.at(-1);
    const near = open !== undefined && seconds - open.toSeconds <= this.togetherSeconds;
    if (open !== undefined && (near || this.all.length >= maxStretches)) {
      open.toSeconds = seconds;
      open.frames += 1;
    } else this.all.push({ fromSeconds: seconds, toSeconds: seconds, frames: 1 });
  }
}
