/** Progress of one run of ffmpeg, as `-progress` tells it. */
export interface Progress {
  /** 0–100; null while the length of the output is unknown. */
  percent: number | null;
  frame: number | null;
  fps: number | null;
  /** Seconds of output written. */
  outputSeconds: number | null;
  /** Seconds of media per second of time. */
  speed: number | null;
  etaSeconds: number | null;
  sizeBytes: number | null;
}
