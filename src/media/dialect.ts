/**
 * What ffmpeg's releases say differently: the one table. What is the same from 5.1 to 9.0 is no row:
 * hyphens in `-spatial-aq`, preset names p1–p7 and `-noautoscale` (`-autoscale 0` parses on 5.1 alone).
 * What a build may lack (encoders, filters) is asked from ffmpeg itself and stands in `Toolchain`.
 */

/** Oldest supported: 5.1. */
export interface Dialect {
  /** Option that says how frames get their times: per output since 5.1, global and now removed before. */
  frameTiming: "-fps_mode" | "-vsync";
  /**
   * NVDEC's own surfaces travel through filters and encoder, and decoding stops with "No decoder surfaces
   * left" when too many are held; newer releases hand on copies. So frames are copied by `scale_cuda`
   * even where nothing is scaled, and the decoder gets surfaces to spare.
   */
  nvdecLendsSurfaces: boolean;
  /**
   * With B-frames `*_nvenc` moves the decoding times by ticks of the clock instead of by frames. On the
   * fine clock of uneven distances they then lie after the time of showing, and the muxer guesses anew.
   */
  nvencShiftsByTicks: boolean;
  /** The highest `-cq` that `av1_nvenc` takes. The scale of AV1 goes to 63, which came to be said later. */
  mostAv1Cq: 51 | 63;
  /**
   * What `scale_cuda,overlay_cuda` makes has as many lines as the card's memory for them: 736 of 720, 1088
   * of 1080. Seen on 7.1 and 9.0, not on 5.1.
   */
  overlayCudaPads: boolean;
  /**
   * Seconds of a packet that is copied into Matroska, in the expressions of a bitstream filter: 5.1 hands it over in
   * the clock of Matroska and names that of the source. Null where nobody looked.
   */
  copiedSeconds: "pts/1000" | "pts*tb" | null;
}

export function dialectOf(release: { major: number; minor: number }): Dialect {
  const atLeast = (major: number, minor: number) =>
    release.major > major || (release.major === major && release.minor >= minor);
  return {
    frameTiming: atLeast(5, 1) ? "-fps_mode" : "-vsync",
    nvdecLendsSurfaces: !atLeast(7, 0),
    nvencShiftsByTicks: !atLeast(7, 0),
    mostAv1Cq: atLeast(7, 1) ? 63 : 51,
    // What lies between was not looked at.
    overlayCudaPads: atLeast(5, 2),
    copiedSeconds: atLeast(7, 0) ? "pts*tb" : atLeast(5, 2) ? null : "pts/1000",
  };
}
