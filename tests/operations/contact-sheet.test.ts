/** The stills and the contact sheet of `thumbnails`: each picture is of its time, and says so. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderGraph } from "../../src/media/graph.ts";
import { clockSource, secondOf } from "./clock-source.ts";
import { pixelAt, Rehearsal, run } from "./rehearsal.ts";
import { frames, type Made, work } from "./workshop.ts";

setDefaultTimeout(60_000);
const stage = new Rehearsal();
afterAll(() => stage.close());
const perform = (params: unknown, source: string) =>
  work(stage.folder, "thumbnails", params, [source]);

/** What is published, with its plan. */
function outputsOf({ plan, paths, media }: Made) {
  const declared = plan.steps.flatMap(({ outputs }) => outputs);
  return declared.map((output, index) => ({
    ...{ name: output.name, role: output.role, path: paths[index] ?? "" },
    video: media[index]?.video ?? null,
  }));
}

function pathOf(made: Made, role: string): string {
  const found = outputsOf(made).find((output) => output.role === role);
  if (found === undefined) throw new Error(`no ${role}`);
  return found.path;
}

function rendered({ plan }: Made, name: string) {
  const step = plan.steps.find((each) => each.name === name);
  if (step?.work.kind !== "render") throw new Error(`${name} renders`);
  return step.work.description;
}

const keyframesOnly = (made: Made, name: string) => rendered(made, name).inputs[0]?.keyframesOnly;

describe("stills", () => {
  test("are files of even distances, all there of a source with fewer frames", async () => {
    const source = clockSource(stage, "even.mp4", 33, 250);
    const made = await perform({ count: 3, countWidth: 32 }, source);
    for (const [index, { path, video }] of outputsOf(made).entries()) {
      expect([video?.width, video?.height]).toEqual([32, 18]);
      const second = secondOf(pixelAt(path, 16, 9));
      expect(Math.abs(second - Math.floor(11 * index + 5.5))).toBeLessThan(0.9);
    }
    expect(keyframesOnly(made, "stills")).toBeUndefined();
    const still = ["-f", "lavfi", "-i", "color=red:size=64x36:rate=25:duration=0.08"];
    const short = stage.make("short.mp4", ...still, "-c:v", "libx264", "-pix_fmt", "yuv420p");
    expect((await perform({ count: 4 }, short)).paths).toHaveLength(4);
  });

  test("decode keyframes alone where they are dense enough", async () => {
    const source = clockSource(stage, "long.mp4", 90, 125);
    const made = await perform({ count: 2 }, source);
    expect(keyframesOnly(made, "stills")).toBe(true);
    const taken = outputsOf(made).map(({ path }) => Math.round(secondOf(pixelAt(path, 16, 9))));
    expect(taken).toEqual([20, 65]);
  });
});

describe("a contact sheet", () => {
  const wish = { columns: 3, rows: 2, width: 620, gap: 5, background: "#3050c0" };
  /** Left and top of a picture of it: 200 px wide, 112 high. */
  const corner = (index: number, header = 0) => ({
    x: 5 + (index % 3) * 205,
    y: header + 5 + Math.floor(index / 3) * 117,
  });

  for (const format of ["jpeg", "png"]) {
    test(`has pictures of the whole video in ${format}, with gaps of the colour asked for`, async () => {
      const source = clockSource(stage, "sheet.mp4", 63, 250);
      const params = { format, quality: 95, sheet: { ...wish, timecodes: false } };
      const made = await perform(params, source);
      expect(outputsOf(made).map(({ name }) => name)).toEqual([
        `sheet sheet.${format === "jpeg" ? "jpg" : format}`,
      ]);
      const path = pathOf(made, "sheet");
      const { width, height } = outputsOf(made)[0]?.video ?? {};
      expect([width, height]).toEqual([620, 239]);
      for (let index = 0; index < 6; index += 1) {
        const { x, y } = corner(index);
        const second = secondOf(pixelAt(path, x + 100, y + 56));
        expect(Math.abs(second - Math.floor(5.25 + 10.5 * index))).toBeLessThan(0.9);
        if (format !== "png") continue;
        for (const [dx, dy] of [
          [-3, 50],
          [50, -3],
        ] as const) {
          expect(pixelAt(path, x + dx, y + dy)).toEqual([0x30, 0x50, 0xc0]);
        }
      }
    });
  }

  /** The sheet with the same stamps, their texts read from files: what it must look like. */
  function stampedByHand(made: Made, source: string, seconds: readonly number[], times: string[]) {
    const graph = renderGraph(rendered(made, "sheet").graph);
    const options = /drawtext=((?:[^,\\]|\\.)*)/.exec(graph)?.[1] ?? "";
    const chains = times.map((time, index) => {
      const file = join(stage.folder, "time.txt".replace("time", time.replaceAll(":", "")));
      // ffmpeg puts a blank where a minus would be.
      writeFileSync(file, ` ${time}`);
      const stamp = options
        .replace("expansion=normal", "expansion=none")
        .replace(/text=%\{[^}]*\}/, `textfile=${file}`);
      return `[${index}:v]trim=end_frame=1,scale=200:112,format=rgb24,drawtext=${stamp}[p${index}]`;
    });
    const inputs = seconds.flatMap((second) => ["-ss", String(second), "-i", source]);
    const pads = times.map((_, index) => `[p${index}]`).join("");
    const tile = `${pads}concat=n=${times.length},tile=3x2:padding=5:margin=5:color=#3050c0`;
    const path = join(stage.folder, "by-hand.png");
    run([...inputs, "-filter_complex", `${chains.join(";")};${tile}`, "-frames:v", "1", path]);
    return frames(path, "rgb24")[0] ?? new Uint8Array();
  }

  function differing(a: Uint8Array, b: Uint8Array): number {
    if (a.length !== b.length) throw new Error(`${a.length} bytes and ${b.length}`);
    return a.reduce((sum, value, at) => sum + (Math.abs(value - (b[at] ?? 0)) > 24 ? 1 : 0), 0);
  }

  for (const [what, length, seconds] of [
    ["decoded whole: its moment", 63, [5.25, 15.75, 26.25, 36.75, 47.25, 57.75]],
    ["at keyframes: the keyframe's own", 150, [10, 35, 60, 85, 110, 135]],
  ] as const) {
    test(`says under each picture when it is shown; ${what}`, async () => {
      const source = clockSource(stage, `stamped-${length}.mp4`, length, 125);
      const made = await perform({ format: "png", sheet: wish }, source);
      expect(keyframesOnly(made, "sheet") ?? false).toBe(length === 150);
      const sheet = frames(pathOf(made, "sheet"), "rgb24")[0] ?? new Uint8Array();
      const texts = seconds.map((second) => {
        const minutes = String(Math.floor(second / 60)).padStart(2, "0");
        return `00:${minutes}:${(second % 60).toFixed(3).padStart(6, "0")}`;
      });
      expect(differing(sheet, stampedByHand(made, source, seconds, texts))).toBeLessThan(50);
      // One digit that is wrong in each would be seen.
      const wrong = texts.map((text) =>
        text.replace(/\d(?=\.)/, (digit) => String((Number(digit) + 4) % 10)),
      );
      expect(differing(sheet, stampedByHand(made, source, seconds, wrong))).toBeGreaterThan(200);
    });
  }

  test("has a header with any title and the facts, and the pictures below it", async () => {
    const source = clockSource(stage, "head.mp4", 63, 250);
    const title = String.raw`It's {\b1}100 %: "a, b; [c]" \N مرحبا 🎬 ‮x`;
    const sheet = { ...wish, timecodes: false, header: "facts", title };
    const made = await perform({ format: "png", sheet }, source);
    const path = pathOf(made, "sheet");
    const height = outputsOf(made)[0]?.video?.height ?? 0;
    const header = height - 239;
    expect(header).toBeGreaterThan(20);
    for (let index = 0; index < 6; index += 1) {
      const { x, y } = corner(index, header);
      const second = secondOf(pixelAt(path, x + 100, y + 56));
      expect(Math.abs(second - Math.floor(5.25 + 10.5 * index))).toBeLessThan(0.9);
    }
    const bare = await perform(
      { format: "png", sheet: { ...sheet, header: "title", title: "x" } },
      source,
    );
    const inked = (file: string, rows: number) => {
      const pixels = frames(file, "rgb24")[0] ?? new Uint8Array();
      let count = 0;
      for (let at = 0; at < rows * 620 * 3; at += 3) count += (pixels[at] ?? 0) > 0xa0 ? 1 : 0;
      return count;
    };
    expect(inked(path, header)).toBeGreaterThan(800);
    expect(inked(pathOf(bare, "sheet"), 20)).toBeGreaterThan(5);
    expect(inked(pathOf(bare, "sheet"), 20)).toBeLessThan(100);
    expect(renderGraph(rendered(made, "sheet").graph)).not.toContain("100");
  });
});
