/** The emulated GPU that operations are tried on. */
import type { Device } from "../../src/media/devices.ts";
import { gpuSkills } from "../../src/media/gpu-skill.ts";

/** What a probe would have found of an emulated L4: all that there is to do. */
export function emulatedGpu(uuid: string): Device {
  const skills = gpuSkills.filter(({ work, codec, bitDepth }) => {
    return !(work === "encode" && codec === "h264" && bitDepth === 10);
  });
  const traits = { uuid, computeCapability: "8.9", memoryTotalBytes: null, skills };
  return { id: "gpu:0", kind: "gpu", title: "NVIDIA L4", slots: 1, traits };
}
