/** `measure` with the real ffmpeg, held against ffmpeg's own figures; the worst frames by what is seen in them. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { type MeasureReport, measureReportShape } from "../../src/media/reports/measure.ts";
import { toolchain } from "../support/toolchain.ts";
import { pixelAt, Rehearsal, sine, x264 } from "./rehearsal.ts";
import { frames, type Made, work } from "./workshop.ts";

setDefaultTimeout(120_000);
const stage = new Rehearsal();
afterAll(() => stage.close());

const scene = ["-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25:duration=3"];
const lossless = [...x264, "-qp", "0"];
const reference = stage.make("reference.mp4", ...scene, ...lossless);
/** Figures alone: every picture is a run more. VMAF would be most of the time where there is one. */
const figures = { metric: "ssim", worst: { frames: 0 } };

async function measure(
  second: string,
  params: Record<string, unknown> = figures,
  first = reference,
) {
  const made = await work(stage.folder, "measure", params, [first, second]);
  return { ...made, report: reportOf(made), series: seriesOf(made) };
}

function pathTo({ paths }: Made, ending: string): string {
  return paths.find((path) => path.endsWith(ending)) ?? "";
}

function reportOf(made: Made): MeasureReport {
  return measureReportShape.parse(JSON.parse(readFileSync(pathTo(made, "report.json"), "utf8")));
}

/** Rows of the CSV by their names; none where none was asked for. */
function seriesOf(made: Made): Record<string, string>[] {
  const path = pathTo(made, "frames.csv");
  if (path === "") return [];
  const [head = "", ...rows] = readFileSync(path, "utf8").trimEnd().split("\n");
  const names = head.split(",");
  return rows.map((row) =>
    Object.fromEntries(row.split(",").map((value, at) => [names[at] ?? "", value])),
  );
}

/** What ffmpeg says at its end of the two as they are, frame by frame: Matroska's times are rounded. */
function ownFigures(first: string, second: string) {
  const say = (filter: string) => {
    const numbered = (input: number) => `[${input}]settb=1/25,setpts=N[n${input}]`;
    const graph = `${numbered(0)};${numbered(1)};[n0][n1]${filter}`;
    const argv = ["-nostdin", "-hide_banner", "-i", first, "-i", second, "-lavfi", graph];
    return Bun.spawnSync(["ffmpeg", ...argv, "-f", "null", "-"]).stderr.toString();
  };
  const [ssim, psnr] = [say("ssim"), say("psnr")];
  return {
    ssim: Number(/SSIM .*All:([\d.]+)/.exec(ssim)?.[1]),
    ssimLuma: Number(/SSIM Y:([\d.]+)/.exec(ssim)?.[1]),
    psnrDb: Number(/PSNR .*average:([\d.]+)/.exec(psnr)?.[1]),
    psnrLumaDb: Number(/PSNR y:([\d.]+)/.exec(psnr)?.[1]),
  };
}

describe("the figures are ffmpeg's own", () => {
  const encodes: Record<string, string[]> = {
    "coarse.mp4": [...x264, "-crf", "40", "-bf", "2"],
    // Its clock has milliseconds: frames must not meet their neighbours for it.
    "coarse.mkv": [...x264, "-crf", "35", "-bf", "2"],
  };
  for (const [name, encode] of Object.entries(encodes)) {
    test(name, async () => {
      const second = stage.make(name, "-i", reference, ...encode);
      const { report, series } = await measure(second);
      const own = ownFigures(reference, second);
      expect(report.frames).toBe(75);
      expect(report.ssim).toBeCloseTo(own.ssim, 5);
      expect(report.ssimLuma).toBeCloseTo(own.ssimLuma, 5);
      expect(report.psnrDb ?? 0).toBeCloseTo(own.psnrDb, 3);
      expect(report.psnrLumaDb ?? 0).toBeCloseTo(own.psnrLumaDb, 3);
      expect(report.comparedSeconds).toBeCloseTo(3, 2);
      expect(report.worst).toEqual([]);
      const ssim = series.map((row) => Number(row["ssim"]));
      expect(ssim).toHaveLength(75);
      expect(ssim.reduce((sum, value) => sum + value, 0) / 75).toBeCloseTo(own.ssim, 4);
      expect(Number(series[50]?.["seconds"])).toBeCloseTo(2, 3);
      expect(report.spread.ssim.lowest).toBeCloseTo(Math.min(...ssim), 5);
      expect(report.outline.ssim).toHaveLength(75);
    });
  }

  test("of a copy nothing differs", async () => {
    const params = { ...figures, worst: { frames: 1, format: "jpeg" }, series: "json" };
    const made = await measure(reference, params);
    const { report, checks } = made;
    expect([report.ssim, report.psnrDb, report.remarks.length]).toEqual([1, null, 0]);
    expect(checks.join(" ")).toContain("Nothing differs.");
    const series = JSON.parse(readFileSync(pathTo(made, "frames.json"), "utf8"));
    expect(series.frames).toHaveLength(75);
    expect(series.frames[74]).toEqual([74, 2.96, null, 1, 1, null, null]);
  });

  test("with ten bits, at their own peak", async () => {
    const x265 = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=0"];
    const deep = ["-vf", "format=yuv420p10le", ...x265, "-crf", "35"];
    const second = stage.make("deep.mp4", "-i", reference, ...deep);
    const { report } = await measure(second);
    const ten = ["-vf", "format=yuv420p10le", "-c:v", "ffv1"];
    const own = ownFigures(stage.make("ten.mkv", "-i", reference, ...ten), second);
    expect(report.ssim).toBeCloseTo(own.ssim, 4);
    expect(report.psnrDb ?? 0).toBeCloseTo(own.psnrDb, 2);
    expect(report.remarks).toEqual(["One has more than 8 bits: both are compared in 10."]);
  });
});

// No build of Debian's has it.
if (toolchain.filters.has("libvmaf")) {
  test("VMAF is libvmaf's own, and its worst frames are the worst", async () => {
    const second = stage.make("vmaf.mp4", "-i", reference, ...x264, "-crf", "40");
    const { report, series } = await measure(second, { metric: "vmaf", worst: { frames: 1 } });
    const argv = ["-i", second, "-i", reference, "-lavfi", "[0:v][1:v]libvmaf", "-f", "null", "-"];
    const said = Bun.spawnSync(["ffmpeg", "-nostdin", ...argv]).stderr.toString();
    expect(report.vmaf ?? 0).toBeCloseTo(Number(/VMAF score: ([\d.]+)/.exec(said)?.[1]), 3);
    const scores = series.map((row) => Number(row["vmaf"]));
    expect(scores).toHaveLength(75);
    expect(report.worst[0]?.vmaf).toBeCloseTo(Math.min(...scores), 3);
    const sparse = await measure(second, {
      ...{ metric: "vmaf", vmaf: { everyFrames: 10, model: "no-enhancement" } },
      worst: { frames: 0 },
    });
    expect(sparse.series.filter((row) => row["vmaf"] !== "")).toHaveLength(8);
    expect(sparse.report.vmaf ?? 100).toBeLessThan(report.vmaf ?? 0);
    expect(sparse.report.remarks).toEqual(["VMAF is that of one frame in 10."]);
  });
} else {
  test("VMAF is refused where ffmpeg has none, and left out with a word where it is not insisted on", async () => {
    expect(measure(reference, { metric: "vmaf" })).rejects.toThrow("has no VMAF (libvmaf)");
    const { report } = await measure(reference, { worst: { frames: 0 } });
    expect([report.vmaf, report.judgedBy]).toEqual([null, "ssim"]);
    expect(report.remarks).toEqual([
      "This FFmpeg has no VMAF (libvmaf): SSIM and PSNR are measured.",
    ]);
  });
}

describe("what differs is brought together, and said", () => {
  test("another size, by a bicubic scaler to the reference's, or by its own to the second's", async () => {
    const small = stage.make("small.mp4", "-i", reference, "-vf", "scale=80:60", ...lossless);
    const up = "scale=160:120:flags=bicubic+accurate_rnd+full_chroma_int";
    const scaled = stage.make("scaled.mp4", "-i", small, "-vf", up, ...lossless);
    const { report } = await measure(small);
    expect(report.ssim).toBeCloseTo(ownFigures(reference, scaled).ssim, 4);
    expect(report.remarks).toEqual([
      "The second is scaled from 80×60 to the reference's 160×120 (bicubic).",
    ]);
    const down = "scale=80:60:flags=lanczos+accurate_rnd+full_chroma_int";
    const shrunk = stage.make("shrunk.mp4", "-i", reference, "-vf", down, ...lossless);
    const other = await measure(small, { ...figures, size: "second", scaler: "lanczos" });
    expect(other.report.ssim).toBeCloseTo(ownFigures(shrunk, small).ssim, 4);
    expect(other.report.remarks).toEqual([
      "The reference is scaled from 160×120 to the second's 80×60 (lanczos).",
    ]);
  });

  test("another length and rate: each frame meets what is shown at its time", async () => {
    const every = ["-vf", "select=not(mod(n\\,2))", "-fps_mode", "vfr"];
    const half = stage.make("half.mp4", "-i", reference, ...every, "-t", "2", ...lossless);
    const { report, series } = await measure(half);
    expect(report.frames).toBe(50);
    expect(report.remarks.join(" ")).toContain("their common part (");
    expect(report.remarks.join(" ")).toContain("The frame rates differ (25 and 12");
    // Every other frame is the same one.
    const same = series.filter((row) => Number(row["ssim"]) > 0.9999);
    expect(same.length).toBeGreaterThanOrEqual(24);
  });

  test("an offset, and a part: only what both show at the same time is compared", async () => {
    const leader = "color=red:size=160x120:rate=25:duration=0.8[red];[red][0]concat";
    const second = stage.make("leader.mp4", "-i", reference, "-lavfi", leader, ...lossless);
    const { report } = await measure(second, { ...figures, offset: 0.8, from: 0.4, seconds: 1 });
    expect([report.frames, report.psnrDb]).toEqual([25, null]);
    const turned = await measure(reference, { ...figures, offset: -0.8 }, second);
    expect([turned.report.frames, turned.report.psnrDb]).toEqual([75, null]);
    expect(turned.report.remarks[0]).toContain("0.8 s earlier than the reference");
    expect(measure(second, { ...figures, from: 5 })).rejects.toThrow("has nothing there");
  });

  test("other times: frames meet by their order", async () => {
    const slow = stage.make(
      "slow.mp4",
      "-i",
      reference,
      "-vf",
      "setpts=PTS*1.7",
      "-r",
      "25/1.7",
      ...lossless,
    );
    const { report, series } = await measure(slow, { ...figures, frames: "order" });
    expect([report.frames, report.psnrDb]).toEqual([75, null]);
    expect(Number(series[74]?.["seconds"])).toBeCloseTo(2.96, 3);
  });

  test("other matrices, levels and fields mean the same picture", async () => {
    const matrix = ["-vf", "scale=in_color_matrix=bt601:out_color_matrix=bt709:out_range=pc"];
    const tags = ["-colorspace", "bt709", "-color_range", "pc"];
    const other = stage.make("bt709.mp4", "-i", reference, ...matrix, ...lossless, ...tags);
    const { report } = await measure(other);
    expect(report.ssim).toBeGreaterThan(0.99);
    expect(report.psnrDb ?? 99).toBeGreaterThan(38);
    expect(report.remarks.join(" ")).toContain("different matrices");
    const fields = ["-vf", "setfield=tff", "-flags", "+ilme+ildct"];
    const interlaced = stage.make("fields.mp4", "-i", reference, ...fields, ...lossless);
    expect((await measure(interlaced)).report.remarks).toEqual([
      "The second is interlaced and the other is not: it is deinterlaced.",
    ]);
  });

  test("HDR against SDR: the HDR is made SDR", async () => {
    const params = "log-level=0:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc";
    const x265 = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", params];
    const hdr = stage.make("hdr.mp4", ...scene, "-t", "1", "-pix_fmt", "yuv420p10le", ...x265);
    const { report, plan } = await measure(hdr, { ...figures, seconds: 0.5 });
    expect(report.frames).toBe(13);
    expect(plan.notes[0]).toContain("The second is HDR and the other is not");
  });
});

describe("the worst frames", () => {
  const boxes = [
    "drawbox=c=red:t=fill:enable='eq(n,20)'",
    "drawbox=c=blue:t=fill:enable='eq(n,55)'",
  ];
  const damaged = () =>
    stage.make(
      "damaged.mkv",
      ...[
        "-i",
        reference,
        ...sine(3),
        "-vf",
        boxes.join(","),
        ...x264,
        "-crf",
        "10",
        "-c:a",
        "aac",
      ],
    );

  test("are where the damage is, the reference on the left", async () => {
    const params = { metric: "ssim", worst: { frames: 2 }, offset: 0, from: 0.2 };
    const { report, paths, media } = await measure(damaged(), params);
    const numbers = report.worst.map(({ seconds }) => Math.round((seconds + 0.2) * 25));
    expect(numbers.toSorted()).toEqual([20, 55]);
    const pictures = paths.filter((path) => path.endsWith(".image"));
    expect(media.flatMap((found) => found?.video?.width ?? [])).toEqual([320, 320]);
    const seen = pictures.map((path) => pixelAt(path, 240, 60).map((level) => level > 128));
    const colours = numbers.map((number) =>
      number === 20 ? [true, false, false] : [false, false, true],
    );
    expect(seen).toEqual(colours);
    expect(pictures.map(likest)).toEqual(numbers);
  });

  test("show what differs, and are the worst by PSNR, when that is asked for", async () => {
    const worst = { frames: 1, show: "difference" };
    const { report, paths, media } = await measure(damaged(), { metric: "psnr", worst });
    expect(report.judgedBy).toBe("psnr");
    expect(media.flatMap((found) => found?.video?.width ?? [])).toEqual([480]);
    const [picture = ""] = paths.filter((path) => path.endsWith(".image"));
    const [left, right, difference] = [80, 240, 400].map((x) => pixelAt(picture, x, 60));
    for (const channel of [0, 1, 2] as const) {
      const differs = Math.abs((left?.[channel] ?? 0) - (right?.[channel] ?? 0));
      expect(Math.abs((difference?.[channel] ?? -9) - Math.min(255, 5 * differs))).toBeLessThan(3);
    }
  });
});

/** Number of the reference's frame that the left half of a picture shows. */
function likest(path: string): number {
  const left = `${path}.left.png`;
  const crop = ["-f", "png_pipe", "-i", path, "-vf", "crop=160:120:0:0", left];
  Bun.spawnSync(["ffmpeg", "-v", "error", ...crop]);
  const [shown = new Uint8Array()] = frames(left, "rgb24");
  const errors = frames(reference, "rgb24").map((frame) =>
    frame.reduce((sum, level, at) => sum + Math.abs(level - (shown[at] ?? 0)), 0),
  );
  return errors.indexOf(Math.min(...errors));
}

describe("what cannot be compared is refused, with what to give", () => {
  test("sound, a still picture, another shape", async () => {
    const sound = stage.make("sound.flac", ...sine(1));
    expect(measure(sound)).rejects.toThrow("The second file is sound alone");
    const still = stage.make("still.png", ...scene, "-frames:v", "1", "-update", "1");
    expect(measure(reference, figures, still)).rejects.toThrow("The reference is a still picture");
    const wide = stage.make("wide.mp4", "-i", reference, "-vf", "scale=160:90,setsar=1", ...x264);
    expect(measure(wide)).rejects.toThrow("different shapes, 160×120 and 160×90");
  });

  test("a picture that changes its size on the way", async () => {
    const ts = [...x264, "-f", "mpegts"];
    const pieces = ["160x120", "320x240"].map((size, at) =>
      readFileSync(
        stage.make(
          `piece-${at}.ts`,
          ...["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=25:duration=1`],
          ...[...ts, "-output_ts_offset", String(at)],
        ),
      ),
    );
    const changing = `${stage.folder}/changing.ts`;
    writeFileSync(changing, Buffer.concat(pieces));
    expect(measure(changing)).rejects.toThrow(
      "One of the two changes the size or the format of its picture after about 1.",
    );
  });
});
