/** Every operation's example on an emulated GPU, by the real ffmpeg with its NVENC code: what it encodes, where. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { descriptionOf } from "../../src/media/description.ts";
import { isGpuCodec } from "../../src/media/gpu-skill.ts";
import { operations } from "../../src/operations/index.ts";
import type { Plan } from "../../src/operations/operation.ts";
import { enterBox, gpuBox } from "../gpu-box.ts";
import { toolchain } from "../support/toolchain.ts";
import { emulatedGpu } from "./emulated.ts";
import type { InputKind } from "./example-inputs.ts";
import { exampleOf, names } from "./example-plan.ts";
import { fillShelf } from "./shelf.ts";
import { work } from "./workshop.ts";

setDefaultTimeout(180_000);

/** Operations whose example encodes no film. */
const withoutNvenc: Record<string, string> = {
  thumbnails: "single pictures are made by the CPU",
  audio: "sound is work for the CPU",
  animate: "animations are made by the CPU",
  check: "a report is made, and no film",
  measure: "a report is made, and no film",
};

let folder: string;
let shelf: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "emulated-"));
  shelf = join(folder, "shelf");
  mkdirSync(shelf);
  await fillShelf(shelf);
});

afterAll(() => rmSync(folder, { recursive: true }));

/** The second film of a page is another file. */
function pathOf(kind: InputKind, index: number, kinds: readonly InputKind[]): string {
  const again = kinds.indexOf(kind) < index;
  return join(shelf, again && kind === "film" ? "match-2.mov" : names[kind]);
}

/** Numbers of the steps that encode a film in a codec that NVENC has. */
function encodingSteps({ steps }: Plan): number[] {
  return steps.flatMap(({ work: done }, index) => {
    const outputs = descriptionOf(done)?.outputs ?? [];
    const encodes = outputs.some(
      ({ video }) => video?.kind === "encode" && isGpuCodec(video.codec),
    );
    return encodes ? [index] : [];
  });
}

describe("on an emulated L4", () => {
  test.each(operations.map((operation) => [operation.name, operation] as const))(
    "the example of %s",
    async (name, operation) => {
      using box = gpuBox({ gpus: "twoL4" });
      using _inside = await enterBox(box);
      const example = exampleOf(operation, toolchain);
      const kinds = example?.inputs ?? [];
      const device = emulatedGpu(box.uuid(0));
      const made = await work(folder, name, operation.example, kinds.map(pathOf), device);
      expect(made.paths.length).toBeGreaterThan(0);
      const encoding = encodingSteps(made.plan);
      if (name in withoutNvenc) {
        expect(encoding).toEqual([]);
        expect(box.logEvents().filter(({ ev }) => ev === "open")).toEqual([]);
        return;
      }
      // An operation that encodes no film says so in `withoutNvenc`.
      expect(encoding.length).toBeGreaterThan(0);
      for (const index of encoding) expect(made.encoders[index]).toEndWith("_nvenc");
      expect(box.logEvents().some(({ ev }) => ev === "init")).toBe(true);
    },
  );
});
