/** What this box can do: its devices, and what its ffmpeg has compiled in. */

/** A place where a step can run. */
export interface Device {
  /** `cpu`, later `gpu:0` … */
  id: string;
  kind: "cpu" | "gpu";
  /** For the person: "CPU, 8 cores". */
  title: string;
  slots: number;
}

/** The ffmpeg of this box. */
export interface Toolchain {
  ffmpegPath: string;
  ffprobePath: string;
  /** As ffmpeg prints it: "5.1.9-0+deb12u1". */
  version: string;
  /** Major and minor number for the table of differences; git builds count as the newest known. */
  release: { major: number; minor: number };
  encoders: ReadonlySet<string>;
  decoders: ReadonlySet<string>;
  filters: ReadonlySet<string>;
  hwaccels: ReadonlySet<string>;
}
