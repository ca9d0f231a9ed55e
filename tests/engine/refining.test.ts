/** `reframe` and `enhance` on an emulated GPU: filtered by the CPU, encoded by NVENC. */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import type { Device } from "../../src/media/devices.ts";
import { gpuSkills } from "../../src/media/gpu-skill.ts";
import { plainClip } from "../clips.ts";
import { enterBox, gpuBox } from "../gpu-box.ts";
import { frameTimes, Rehearsal } from "../operations/rehearsal.ts";
import { work } from "../operations/workshop.ts";

setDefaultTimeout(60_000);
const stage = new Rehearsal();
afterAll(() => stage.close());

function gpu(uuid: string): Device {
  const traits = { uuid, computeCapability: "8.9", memoryTotalBytes: null, skills: [...gpuSkills] };
  return { id: "gpu:0", kind: "gpu", title: "NVIDIA L4", slots: 1, traits };
}

const cases: [operation: string, params: object, encoders: (string | null)[]][] = [
  [
    "reframe",
    {
      aspect: "1:1",
      keyframes: [
        { time: 0, x: 0.3, zoom: 2 },
        { time: 2, x: 0.7 },
      ],
    },
    [null, "h264_nvenc"],
  ],
  ["reframe", { background: "blur", codec: "hevc" }, ["hevc_nvenc"]],
  ["reframe", { aspect: "1:1", speed: [{ from: 0.5, to: 1, factor: 0.5 }] }, ["h264_nvenc"]],
  ["enhance", { stabilise: {}, denoise: "light", sharpen: "light" }, [null, "h264_nvenc"]],
];

for (const [operation, params, encoders] of cases) {
  test(`${operation} ${JSON.stringify(params)}`, async () => {
    using box = gpuBox({ gpus: "twoL4" });
    using _inside = await enterBox(box);
    const made = await work(stage.folder, operation, params, [plainClip()], gpu(box.uuid(0)));
    expect(made.encoders).toEqual(encoders);
    expect(frameTimes(made.paths[0] ?? "").length).toBeGreaterThanOrEqual(50);
  });
}
