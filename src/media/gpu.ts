/**
 * One value for each GPU of the box, in words that a person understands: what `doctor`, the API and the
 * page say of it. Pure.
 */
import { codecTitles } from "./encoders.ts";
import type { GpuFault } from "./gpu-fault.ts";
import type { SkillVerdict } from "./gpu-probe.ts";
import { type GpuCodec, type GpuSkill, skillTitle } from "./gpu-skill.ts";
import type { Inventory, NvidiaGpu, Words } from "./nvidia-smi.ts";

/** One thing that a GPU can do, or why not. */
export interface GpuAbility extends GpuSkill {
  /** "HEVC 10 bit", "H.264 decoding". */
  title: string;
  /** `busy`: no free session or memory when it was tried; says nothing of what the GPU can do. */
  state: "can" | "cannot" | "busy";
  /** Why not, a sentence; null when it can. */
  because: string | null;
  /** What to do and type; null when it can, and when the hardware is like that. */
  remedy: string | null;
}

export interface GpuReport {
  /** `gpu:0`, by the index of now; the UUID is what stays. */
  id: string;
  uuid: string;
  /** "NVIDIA L4". */
  title: string;
  /** Null where nvidia-smi does not say. */
  driver: string | null;
  computeCapability: string | null;
  pciBusId: string | null;
  memoryTotalBytes: number | null;
  memoryUsedBytes: number | null;
  mig: boolean;
  /** Whether jobs run on it: it was tried, can do something, and is neither out of service nor left alone. */
  inService: boolean;
  /** Why it is out of service since a job failed on it; null when it is not. */
  suspended: Suspended | null;
  /** Empty until it was tried. */
  abilities: GpuAbility[];
  /** All of it in a sentence or two. */
  sentence: string;
}

export interface Suspended {
  /** What went wrong, a sentence. */
  because: string;
  remedy: string | null;
  /** When Kinomill tries it again by itself, ISO 8601 UTC. */
  tryAgainAt: string;
}

/** The GPUs of the box as they are known now. */
export interface GpuState {
  /** `looking`: the inventory, or the test of some GPU, is not done. */
  kind: "looking" | "found" | "none" | "trouble";
  /** For the person; "" when the GPUs speak for themselves. */
  sentence: string;
  /** What to do and type; null when nothing needs doing. */
  remedy: string | null;
  gpus: GpuReport[];
}

export const lookingState: GpuState = {
  kind: "looking",
  sentence: "Kinomill is still looking for GPUs.",
  remedy: null,
  gpus: [],
};

/** GPUs are tried with ffmpeg. */
export const waitingForFfmpeg: GpuState = {
  ...lookingState,
  sentence: "Kinomill looks for GPUs when ffmpeg is there.",
};

/** What is known of a GPU besides what nvidia-smi says. */
export interface GpuKnowledge {
  /** Null while it is not tried. */
  verdicts: SkillVerdict[] | null;
  /** For which it is out of service; null when it is in. */
  fault: GpuFault | null;
  /** When it is tried again, ISO 8601 UTC; null when it is in service. */
  tryAgainAt?: string | null;
  /** By the settings. */
  leftAlone: boolean;
}

export function gpuState(
  inventory: Inventory,
  knowledgeOf: (gpu: NvidiaGpu) => GpuKnowledge,
): GpuState {
  if (inventory.kind !== "gpus") {
    const { kind, reason, remedy } = inventory;
    return { kind, sentence: `${reason} Jobs are encoded on the CPU.`, remedy, gpus: [] };
  }
  const known = inventory.gpus.map((gpu) => ({ gpu, ...knowledgeOf(gpu) }));
  const gpus = known.map(({ gpu, ...knowledge }) => gpuReport(gpu, knowledge));
  // One that is out of service is known well enough.
  const done = known.every(
    ({ verdicts, fault, leftAlone }) => verdicts !== null || fault !== null || leftAlone,
  );
  return { kind: done ? "found" : "looking", sentence: "", remedy: null, gpus };
}

export function gpuReport(gpu: NvidiaGpu, knowledge: GpuKnowledge): GpuReport {
  const { verdicts, fault, leftAlone } = knowledge;
  const abilities = (verdicts ?? []).map(toAbility);
  const { index, uuid, driver, computeCapability, pciBusId, mig } = gpu;
  return {
    ...{ id: `gpu:${index}`, uuid, title: gpu.name ?? "A GPU that does not say its name" },
    ...{ driver, computeCapability, pciBusId, mig },
    memoryTotalBytes: gpu.memoryTotalBytes,
    memoryUsedBytes: gpu.memoryUsedBytes,
    abilities,
    inService: !leftAlone && fault === null && abilities.some(({ state }) => state === "can"),
    suspended: suspendedOf(knowledge),
    sentence: sentenceOf(knowledge, abilities),
  };
}

function suspendedOf({ fault, tryAgainAt = null, leftAlone }: GpuKnowledge): Suspended | null {
  if (fault === null || tryAgainAt === null || leftAlone) return null;
  return { because: fault.sentence, remedy: fault.remedy, tryAgainAt };
}

function sentenceOf({ verdicts, fault, leftAlone }: GpuKnowledge, abilities: GpuAbility[]): string {
  if (leftAlone) return "Left alone, as the setting gpu.leaveAlone says.";
  if (fault !== null) {
    const remedy = fault.remedy === null ? "" : ` ${fault.remedy}`;
    return `Out of service since a job failed on it: ${fault.sentence} Jobs go elsewhere, and Kinomill tries it again by itself.${remedy}`;
  }
  return verdicts === null ? "Kinomill is still trying what it can do." : summary(abilities);
}

function toAbility({ skill, verdict }: SkillVerdict): GpuAbility {
  const common = { ...skill, title: skillTitle(skill), state: verdict.state };
  return verdict.state === "can"
    ? { ...common, because: null, remedy: null }
    : { ...common, because: verdict.reason, remedy: verdict.remedy };
}

/** "Ready for H.264, HEVC and AV1, the last two in 10 bit too." and the like. */
function summary(abilities: GpuAbility[]): string {
  const encode = abilities.filter(({ work }) => work === "encode");
  const able = (bitDepth: number): GpuCodec[] =>
    encode
      .filter((each) => each.bitDepth === bitDepth && each.state === "can")
      .map(({ codec }) => codec);
  const [eight, ten] = [able(8), able(10)];
  const decode = abilities.find(({ work }) => work === "decode")?.state;
  if (eight.length > 0) {
    const tenToo = ten.length === 0 ? "" : `; ${joined(ten)} in 10 bit too`;
    return `Ready for ${joined(eight)}${tenToo}.${decode === "cannot" ? " It does not decode." : ""}`;
  }
  const busy = encode.find(({ state }) => state === "busy");
  if (busy !== undefined) return `Busy, not tried: ${busy.because}`;
  const reason = encode[0]?.because ?? "It was not tried.";
  return `Cannot encode. ${reason}${decode === "can" ? " It can decode." : ""}`;
}

function joined(codecs: GpuCodec[]): string {
  const titles = codecs.map((codec) => codecTitles[codec]);
  const last = titles.pop() ?? "";
  return titles.length === 0 ? last : `${titles.join(", ")} and ${last}`;
}

/**
 * What somebody could mend, each cause once with the abilities that it takes away; without what the
 * hardware is like.
 */
export function mendable(report: GpuReport): (Words & { titles: string[] })[] {
  const lacking = report.abilities.filter(({ remedy }) => remedy !== null);
  const byCause = Map.groupBy(lacking, ({ because, remedy }) => `${because} ${remedy}`);
  return Array.from(byCause.values(), (group) => ({
    titles: group.map(({ title }) => title),
    reason: group[0]?.because ?? "",
    remedy: group[0]?.remedy ?? null,
  }));
}
