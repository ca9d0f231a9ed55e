/** `enhance` with the real ffmpeg: each mending is measured on the picture, against what it was before. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { frameTimes, Rehearsal, x264 } from "./rehearsal.ts";
import { frames, work } from "./workshop.ts";

setDefaultTimeout(60_000);
const stage = new Rehearsal();
afterAll(() => stage.close());

/** So fine that what is measured is the filter and not the encoder. */
const fine = { effort: "fast", quality: 95 };
const lossless = ["-c:v", "ffv1", "-pix_fmt", "yuv420p"];

async function enhance(params: object, source: string) {
  const made = await work(stage.folder, "enhance", { ...fine, ...params }, [source]);
  const [path = ""] = made.paths;
  return { ...made, path, video: made.media.at(-1)?.video };
}

/** Where what is brighter than `floor` has its centre, on each frame. */
function markers(path: string, width: number, floor: number): { x: number; y: number }[] {
  return frames(path).map((frame) => {
    let [sum, x, y] = [0, 0, 0];
    for (const [index, value] of frame.entries()) {
      const weight = Math.max(0, value - floor);
      sum += weight;
      x += weight * ((index % width) + 0.5);
      y += weight * (Math.floor(index / width) + 0.5);
    }
    return { x: x / sum, y: y / sum };
  });
}

describe("stabilise", () => {
  /** How far a standing thing is from its middle place, as the root of the mean square. */
  const shaking = (path: string) => {
    const found = markers(path, 320, 215);
    const mean = (of: (at: { x: number; y: number }) => number) =>
      found.reduce((sum, at) => sum + of(at), 0) / found.length;
    const [x, y] = [mean((at) => at.x), mean((at) => at.y)];
    return Math.sqrt(mean((at) => (at.x - x) ** 2 + (at.y - y) ** 2));
  };

  test("takes more than half of the shaking out of a shot", async () => {
    const scene = "mandelbrot=s=400x320:start_scale=0.5,lutyuv=y=val*0.7,format=rgb24";
    const still = stage.make(
      "scene.png",
      ...["-f", "lavfi", "-i", scene, "-frames:v", "1", "-update", "1"],
    );
    const x = "40+8*sin(n*1.9)+6*sin(n*0.83+1)";
    const y = "40+7*sin(n*2.3+2)+5*cos(n*0.71)";
    const shaken = stage.make(
      "shaken.mp4",
      ...["-loop", "1", "-framerate", "25", "-t", "2", "-i", still, "-vf"],
      `drawbox=x=196:y=156:w=8:h=8:c=white:t=fill,crop=320:240:x='${x}':y='${y}':exact=1`,
      ...[...x264, "-crf", "8"],
    );
    const made = await enhance({ stabilise: {} }, shaken);
    expect(made.plan.steps.map(({ name }) => name)).toEqual(["shakes", "enhance"]);
    expect(frameTimes(made.path)).toHaveLength(50);
    expect(shaking(shaken)).toBeGreaterThan(5);
    expect(shaking(made.path)).toBeLessThan(shaking(shaken) / 2);
  });
});

describe("denoise", () => {
  const clean = stage.make(
    "clean.mkv",
    ...["-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=1,format=yuv420p,gblur=sigma=0.6"],
    ...lossless,
  );
  const noisy = stage.make("noisy.mkv", "-i", clean, "-vf", "noise=alls=9:allf=t", ...lossless);

  const psnr = (path: string) => {
    const wanted = frames(clean);
    let [sum, count] = [0, 0];
    for (const [index, frame] of frames(path).entries()) {
      const other = wanted[index] ?? new Uint8Array();
      count += frame.length;
      for (const [at, value] of frame.entries()) sum += (value - (other[at] ?? 0)) ** 2;
    }
    return 10 * Math.log10((255 ** 2 * count) / sum);
  };

  for (const [denoise, gain] of [
    ["light", 0.2],
    ["medium", 1],
    ["strong", 3],
  ] as const) {
    test(`${denoise} comes nearer to the clean source`, async () => {
      const { path } = await enhance({ denoise }, noisy);
      expect(psnr(path) - psnr(noisy)).toBeGreaterThan(gain);
    });
  }
});

describe("sharpen", () => {
  const soft = stage.make(
    "soft.mkv",
    ...["-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=0.4,format=yuv420p,gblur=sigma=1.2"],
    ...lossless,
  );
  /** Mean of squared differences between neighbours. */
  const gradients = (path: string) => {
    const [frame = new Uint8Array()] = frames(path);
    let sum = 0;
    for (let at = 1; at < frame.length; at += 1) {
      if (at % 320 > 0) sum += ((frame[at] ?? 0) - (frame[at - 1] ?? 0)) ** 2;
    }
    return sum / frame.length;
  };

  test("makes edges steeper, the more the stronger it is", async () => {
    const energies = [gradients(soft)];
    for (const sharpen of ["light", "medium", "strong"]) {
      energies.push(gradients((await enhance({ sharpen }, soft)).path));
    }
    for (const [index, energy] of energies.entries()) {
      expect(energy).toBeGreaterThan((energies[index - 1] ?? 0) * 1.05);
    }
  });
});

describe("upscale", () => {
  const small = stage.make(
    "small.mp4",
    ...["-f", "lavfi", "-i", "testsrc2=s=162x90:r=5:d=1", ...x264],
  );

  const cases: [object, [number, number]][] = [
    [{}, [324, 180]],
    [{ factor: 3 }, [486, 270]],
    [{ factor: 4 }, [648, 360]],
    [{ height: 200 }, [360, 200]],
  ];
  for (const [upscale, size] of cases) {
    test(`${JSON.stringify(upscale)} makes ${size.join("×")} of 162×90`, async () => {
      const { video } = await enhance({ upscale }, small);
      expect([video?.width, video?.height]).toEqual(size);
    });
  }

  test("counts the shown size of narrow pixels", async () => {
    const narrow = stage.make(
      "narrow.mp4",
      ...["-f", "lavfi", "-i", "testsrc2=s=90x90:r=5:d=1,setsar=16/9", ...x264],
    );
    const { video } = await enhance({ upscale: { factor: 2 } }, narrow);
    expect(video).toMatchObject({ width: 320, height: 180, sampleAspectRatio: "1:1" });
  });
});

describe("frameRate", () => {
  test("makes frames in which things are half way", async () => {
    const ground = "color=c=0x303030:s=320x120:r=25:d=1.2,drawgrid=w=32:h=32:c=gray";
    const box = "color=c=white:s=24x24:r=25:d=1.2";
    const source = stage.make(
      "box.mp4",
      ...["-f", "lavfi", "-i", `${ground}[g];${box}[b];[g][b]overlay=x=20+4*n:y=48`],
      ...[...x264, "-crf", "8"],
    );
    const { path, plan } = await enhance({ frameRate: 50 }, source);
    expect(plan.notes.join(" ")).toContain("very slow");
    const before = markers(source, 320, 190);
    const after = markers(path, 320, 190);
    expect(before).toHaveLength(30);
    expect(after).toHaveLength(60);
    expect(frameTimes(path).map((time) => Math.round(time * 50))).toEqual(
      Array.from({ length: 60 }, (_, index) => index),
    );
    const start = before[0]?.x ?? 0;
    // The very last ones have nothing behind them to go to.
    for (const [index, { x }] of after.slice(0, 58).entries()) {
      expect(Math.abs(x - (start + 2 * index))).toBeLessThan(1);
    }
  });
});

describe("deinterlace", () => {
  test("takes the combs out of what is interlaced", async () => {
    const moving = "color=c=black:s=320x240:r=50:d=1[g];color=c=white:s=40x160:r=50:d=1[b]";
    const fields = stage.make(
      "fields.mp4",
      ...["-f", "lavfi", "-i", `${moving};[g][b]overlay=x=4*n:y=40,interlace`],
      ...[...x264, "-flags", "+ilme+ildct", "-x264opts", "tff=1", "-crf", "8"],
    );
    /** How much lines differ from the line above, and not from the one above that. */
    const combs = (path: string) => {
      const frame = frames(path)[10] ?? new Uint8Array();
      let sum = 0;
      for (let at = 60 * 320; at < 180 * 320; at += 1) {
        const [line = 0, above = 0, second = 0] = [frame[at], frame[at - 320], frame[at - 640]];
        sum += Math.max(0, Math.abs(line - above) - Math.abs(line - second));
      }
      return sum;
    };
    const { path, video } = await enhance({}, fields);
    expect(video?.interlaced).toBe(false);
    expect(combs(fields)).toBeGreaterThan(10_000);
    expect(combs(path)).toBeLessThan(combs(fields) / 10);
  });
});
