/** The figures of every frame, line by line: hours of them make a text of some ten megabytes. */
import type { FrameFigures } from "./comparison.ts";

export type SeriesKind = "csv" | "json";

export function seriesFile(kind: SeriesKind): string {
  return `frames.${kind}`;
}

const columns = ["frame", "seconds", "vmaf", "ssim", "ssim_luma", "psnr_db", "psnr_luma_db"];

/**
 * CSV with a line of names, or JSON with an array for each frame. PSNR is `inf` in CSV and null in JSON where
 * nothing differs; what was not measured is empty, or null.
 */
export function* seriesLines(figures: FrameFigures, kind: SeriesKind): Generator<string> {
  const json = kind === "json";
  if (json)
    yield `{"kind":"kinomill-frames","version":1,"columns":${JSON.stringify(columns)},"frames":[`;
  else yield columns.join(",");
  const count = figures.seconds.length;
  for (let at = 0; at < count; at += 1) {
    const row = rowOf(figures, at);
    if (!json) yield row.map(csvWord).join(",");
    else yield `${JSON.stringify(row)}${at + 1 < count ? "," : ""}`;
  }
  if (json) yield "]}";
}

function rowOf({ seconds, vmaf, ssim, ssimLuma, psnrDb, psnrLumaDb }: FrameFigures, at: number) {
  const shown = (column: Float64Array | null, digits: number) =>
    Number((column?.[at] ?? Number.NaN).toFixed(digits));
  return [
    ...[at, shown(seconds, 6), shown(vmaf, 4), shown(ssim, 6), shown(ssimLuma, 6)],
    ...[shown(psnrDb, 4), shown(psnrLumaDb, 4)],
  ];
}

function csvWord(value: number): string {
  if (Number.isNaN(value)) return "";
  return Number.isFinite(value) ? String(value) : "inf";
}
