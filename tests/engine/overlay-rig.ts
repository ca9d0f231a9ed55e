/** Films and stills of plain colours, laid over one another on an emulated GPU, and looked at by their pixels. */
import { expect } from "bun:test";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/config.ts";
import type {
  InputDescription,
  OutputDescription,
  RenderDescription,
  VideoEncode,
} from "../../src/media/description.ts";
import type { Device } from "../../src/media/devices.ts";
import { dialectOf } from "../../src/media/dialect.ts";
import type { Expectation } from "../../src/media/expectation.ts";
import { gpuSkills } from "../../src/media/gpu-skill.ts";
import type { FilterChain } from "../../src/media/graph.ts";
import { type Avoided, placeOn } from "../../src/media/placement.ts";
import { probe } from "../../src/media/probe.ts";
import { LocalRunner } from "../../src/runners/local.ts";
import { needOf } from "../../src/runners/need.ts";
import { clip, ffmpeg } from "../clips.ts";
import { type BoxName, enterBox, gpuBox } from "../gpu-box.ts";
import { toolchain } from "../support/toolchain.ts";

const flags = { "storage.reserveBytes": 0, "ffmpeg.niceness": 0 };
const config = await loadConfig({ file: null, environment: {}, flags });
export const { overlayCudaPads } = dialectOf(toolchain.release);

/** Of all runs; whoever imports this removes it. */
export const root = mkdtempSync(join(tmpdir(), "engine-overlay-"));

/** Five frames of one colour. */
export function film(color: string, size: string, ...more: string[]): string {
  const encoder = more.length > 0 ? more : ["-c:v", "libx264", "-pix_fmt", "yuv420p"];
  return clip(`${color}-${size}${more.at(-1) ?? ""}.mkv`, (path) =>
    ffmpeg("-f", "lavfi", "-i", `color=c=${color}:s=${size}:r=5:d=1`, ...encoder, path),
  );
}

/** A picture: its left half one colour, its right half that colour seen through by half. */
export function still(color: string, size: string): string {
  const half = `geq=r=r(X\\,Y):g=g(X\\,Y):b=b(X\\,Y):a=if(lt(X\\,W/2)\\,255\\,128)`;
  return clip(`${color}-${size}.png`, (path) =>
    ffmpeg(
      ...["-f", "lavfi", "-i", `color=c=${color}:s=${size},format=rgba,${half}`],
      ...["-frames:v", "1", "-update", "1", path],
    ),
  );
}

function gpuOf(gpus: BoxName, uuid: string): Device {
  const computeCapability = gpus === "h200" ? "9.0" : "8.9";
  const skills = gpuSkills.filter(({ work }) => work === "decode" || gpus !== "h200");
  const traits = { uuid, computeCapability, memoryTotalBytes: null, skills };
  return { id: "gpu:0", kind: "gpu", title: gpus, slots: 1, traits };
}

async function inputOf(path: string, index: number): Promise<InputDescription> {
  const { video } = await probe(path, toolchain);
  if (video === null) throw new Error(`${path} has a picture`);
  const { codec, pixelFormat, bitDepth, width, height } = video;
  const picture = { codec, pixelFormat, bitDepth, width, height, rotation: 0, interlaced: false };
  const png = path.endsWith(".png");
  return { from: { asset: index }, picture, ...(png ? { still: "png" } : {}) };
}

export interface Rendition {
  pad: string;
  width: number;
  height: number;
  more?: Partial<VideoEncode>;
}

function outputOf({ pad, width, height, more }: Rendition): OutputDescription {
  return {
    ...{ file: `${pad}.mkv`, container: "mkv", audio: [], subtitles: [] },
    ...{ metadataFrom: null, limitSeconds: null },
    video: {
      ...{ kind: "encode", source: { pad }, codec: "h264", rate: { quality: 90 }, speed: "fast" },
      ...{ pixelFormat: "yuv420p", gopFrames: 5, width, height },
      color: { primaries: null, transfer: null, space: null, range: null },
      ...more,
    },
  };
}

export interface Work {
  sources: string[];
  graph: FilterChain[];
  renditions: Rendition[];
  gpus?: BoxName;
  avoided?: Avoided;
}

let jobs = 0;

export async function render({ sources, graph, renditions, gpus = "twoL4", avoided }: Work) {
  using box = gpuBox({ gpus });
  using _inside = await enterBox(box);
  const description: RenderDescription = {
    inputs: await Promise.all(sources.map(inputOf)),
    graph,
    outputs: renditions.map(outputOf),
    expectedSeconds: 1,
  };
  const jobFolder = join(root, `job-${++jobs}`);
  mkdirSync(jobFolder);
  const device = gpuOf(gpus, box.uuid(0));
  const work = { kind: "render", description } as const;
  const expectations = renditions.map(
    ({ pad, width, height }): Expectation => ({
      ...{ file: `${pad}.mkv`, kind: "video", durationSeconds: 1 },
      ...{ video: { codec: "h264", width, height }, audioTracks: 0, audioCodecs: [] },
    }),
  );
  const outcome = await new LocalRunner({ toolchain, config }).run({
    ...{ device, work, assetPaths: sources, jobFolder, step: "render", expectations },
    ...(avoided === undefined ? {} : { avoided }),
    ...{ verify: "full", signal: new AbortController().signal, onProgress: () => {} },
  });
  if (outcome.kind !== "done" || outcome.proof === null) throw new Error(JSON.stringify(outcome));
  const events = box.logEvents();
  const count = (name: string) => events.filter(({ ev }) => ev === name).length;
  const { proof, deviceReason, outputs } = outcome;
  const need = needOf(work, placeOn(description, { device, toolchain }, avoided));
  return { proof, deviceReason, outputs, need, events, count };
}

/** The red, green and blue of pixels of the second frame of a file. */
export function pixelsOf(path: string, width: number) {
  const argv = ["-i", path, "-vf", "select=eq(n\\,1)", "-frames:v", "1", "-pix_fmt", "rgb24"];
  const done = Bun.spawnSync(["ffmpeg", "-v", "error", ...argv, "-f", "rawvideo", "-"]);
  return (x: number, y: number) => [...done.stdout.subarray((y * width + x) * 3).subarray(0, 3)];
}

export function near(found: number[], wanted: number[]): boolean {
  return found.every((value, index) => Math.abs(value - (wanted[index] ?? -99)) <= 14);
}

export const red = [255, 0, 0];
export const blue = [0, 0, 255];
export const purple = [128, 0, 128];
export const input = (index: number) => ({ input: index, stream: 0 });

/** A picture of 64×32 at 100, 60 over a film of one width. */
export function expectLaid(path: string, width: number): void {
  const at = pixelsOf(path, width);
  const looks: [x: number, y: number, color: number[]][] = [
    ...(
      [
        [102, 62, blue],
        [128, 88, blue],
        [136, 62, purple],
        [161, 89, purple],
      ] as const
    ).map(([x, y, color]): [number, number, number[]] => [x, y, color]),
    [96, 70, red],
    [168, 70, red],
    [110, 56, red],
    [110, 96, red],
  ];
  for (const [x, y, color] of looks) {
    const found = at(x, y);
    expect({ x, y, found: near(found, color) ? color : found }).toEqual({ x, y, found: color });
  }
}
