/** The three ways in which the files are put to use, and what is told of each run. */

import { everything } from "../support/long-form.ts";
import { corpus } from "./corpus.ts";
import { type HostileFile, type Use, uses } from "./ground.ts";

/**
 * `ours`: Kinomill's own code, with its flags and its fence. `fence`: ffmpeg as careless people call it,
 * behind the fence. `unguarded`: the same with nothing around it.
 */
export const ways = ["ours", "fence", "unguarded"] as const;
export type Way = (typeof ways)[number];

export interface Report {
  label: string;
  seconds: number;
  /** How it ended: `done`, a code of ours with its sentence, or how ffmpeg ended. */
  ending: string;
}

/** Limits of one run; nothing here has more than a few frames. */
export const wallLimitSeconds = 10;

/** `script/test --full` sets it: variants of attacks run too, and the control tries every use. */

/** One file put to one use. */
export interface Trial {
  file: HostileFile;
  use: Use;
  /** Of the file in the corpus. */
  index: number;
  /** `INDEX/USE`, for the markers of the trace. */
  label: string;
}

/** What runs in this way. The control runs what is said to leak; bombs would take all memory there. */
export function trialsOf(way: Way): Trial[] {
  return corpus.flatMap((file, index) =>
    uses
      .filter((use) => {
        if (file.variant === true && !everything) return false;
        if (way !== "unguarded") return true;
        return everything ? file.bomb !== true : file.leaks?.includes(use);
      })
      .map((use) => ({ file, use, index, label: `${index}/${use}` })),
  );
}
