/** The ground on which hostile files stand: a storage with assets side by side, and a neighbour's files. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { ffmpeg } from "../clips.ts";

/** What somebody may do with a file. */
export const uses = ["probe", "thumbnail", "transcode", "subtitles"] as const;
export type Use = (typeof uses)[number];

/** One attack. The file lies in the storage beside the assets of others, as in the product. */
export interface HostileFile {
  /** Name of the file, as an attacker may choose it. */
  name: string;
  body(ground: Ground): string | Uint8Array;
  /** Flags that careless people give, before `-i`; ffmpeg without any protection gets them. */
  careless?: readonly string[];
  /** Uses in which ffmpeg 5.1, called as its manual says, opens what is not the asker's. */
  leaks?: readonly Use[];
  /** True for what is a video or a picture all the same: Kinomill accepts it. All else is refused. */
  media?: boolean;
  /** True for what hardly differs from another file: it runs only when all are asked for. */
  variant?: boolean;
  /** It attacks memory and time, and takes nothing from anybody. */
  bomb?: boolean;
}

/** Every use of a file that ffmpeg opens as an input. */
export const opened: readonly Use[] = ["probe", "thumbnail", "transcode"];

/** The same, and its text given to the subtitle filter, which knows no flags at all. */
export const everyUse: readonly Use[] = uses;

export class Ground {
  readonly root: string;
  /** Picture and sound to build containers of. */
  readonly jpeg: Uint8Array;
  private readonly video: Uint8Array;

  constructor(root: string) {
    this.root = root;
    for (const folder of ["storage", "neighbour", "jobs"]) mkdirSync(join(root, folder));
    const picture = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=0.2"];
    const video = join(root, "video.ts");
    const jpeg = join(root, "picture.jpeg");
    ffmpeg(...picture, "-c:v", "mpeg2video", video, "-frames:v", "1", "-update", "1", jpeg);
    this.video = readFileSync(video);
    this.jpeg = readFileSync(jpeg);
  }

  /** A file of another tenant, which nobody here may open: a video of theirs, or some text. */
  neighbour(name: string, text?: string): string {
    const path = join(this.root, "neighbour", name);
    writeFileSync(path, text ?? this.video);
    return path;
  }

  /** Path of the same file as the storage's files see it. */
  neighbourFromStorage(name: string, text?: string): string {
    return relative(join(this.root, "storage"), this.neighbour(name, text));
  }

  /** Another asset in the storage. */
  sibling(name: string, body: string | Uint8Array): string {
    const path = join(this.root, "storage", name);
    writeFileSync(path, body);
    return path;
  }

  /** Writes the attack; gives its path. */
  plant(file: HostileFile): string {
    return this.sibling(file.name, file.body(this));
  }
}
