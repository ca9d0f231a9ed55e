/** Where a step could run on this box, best first, and why not on a GPU. Pure. */
import { descriptionOf, type StepWork } from "../media/description.ts";
import type { Device, Toolchain } from "../media/devices.ts";
import { isGpuCodec } from "../media/gpu-skill.ts";
import {
  type Avoided,
  nothingAvoided,
  type Placement,
  placeOn,
  usesGpu,
} from "../media/placement.ts";
import { type Need, needOf } from "./need.ts";

export interface Choice {
  device: Device;
  placement: Placement;
  need: Need;
}

/** What earlier attempts at a step showed. */
export interface History {
  avoided: Avoided;
  /** UUIDs of GPUs that this step does not try again. */
  excluded: ReadonlySet<string>;
  /** True when no GPU of this box can do it. */
  cpuOnly: boolean;
  /** True when a person wants no GPU: it does not wait for one. */
  byWish: boolean;
  /** What went wrong, one sentence for each attempt: "NVIDIA L4: its encoder failed." */
  sentences: readonly string[];
}

export const noHistory: History = {
  avoided: nothingAvoided,
  excluded: new Set(),
  cpuOnly: false,
  byWish: false,
  sentences: [],
};

/** For work that a person wants on the CPU. */
export const onCpuByWish: History = {
  ...noHistory,
  cpuOnly: true,
  byWish: true,
  sentences: ["Somebody asked for the CPU."],
};

export interface Choices {
  /** GPUs that can take a part of the work; those that encode before those that only decode. */
  gpus: Choice[];
  cpu: Choice;
  /** Why none of the GPUs encodes it, when there are some; "" when there are none or one does. */
  because: string;
}

export function choicesFor(
  work: StepWork,
  box: { cpu: Device; gpus: readonly Device[]; toolchain: Toolchain },
  history: History,
): Choices {
  const place = (device: Device): Choice => {
    const placement = placementOf(work, device, box.toolchain, history.avoided);
    return { device, placement, need: needOf(work, placement) };
  };
  const open = history.cpuOnly
    ? []
    : box.gpus.filter(({ traits }) => traits !== undefined && !history.excluded.has(traits.uuid));
  const placed = open.map(place);
  const able = placed.filter(({ placement }) => usesGpu(placement));
  const encoding = able.filter(({ placement }) => placement.encode === "nvenc");
  // When none encodes: why the first does not, be it that it decodes.
  const first = encoding.length > 0 ? undefined : placed[0];
  const because = first === undefined ? "" : whyNot(first);
  return { gpus: encoding.length > 0 ? encoding : able, cpu: place(box.cpu), because };
}

function whyNot({ device, placement }: Choice): string {
  const { because } = placement;
  return because === "" ? "" : `${device.title}: ${because.replace(/\.$/, "")}.`;
}

function placementOf(work: StepWork, device: Device, toolchain: Toolchain, avoided: Avoided) {
  const description = descriptionOf(work);
  if (description !== null) {
    return placeOn(description, { device, toolchain }, avoided);
  }
  return { decode: null, filters: null, encode: null, because: "" };
}

/** Whether the step encodes a picture in a codec that NVENC knows on some GPU. */
export function wantsGpu(work: StepWork): boolean {
  const outputs = descriptionOf(work)?.outputs ?? [];
  return outputs.some(({ video }) => video?.kind === "encode" && isGpuCodec(video.codec));
}

/** Where a step would go. */
export interface Preview {
  device: Device;
  reason: string;
  placement: Placement;
  /** Steps like it that run there side by side: of GPUs one on each, for they share its encoders. */
  atOnce: number;
}
