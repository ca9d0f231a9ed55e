/** The CPU and the GPUs, each with what it can do. */
import { sizeText } from "../../views/quantities.ts";
import { cpuDevice } from "../media/devices.ts";
import { type GpuReport, type GpuState, mendable } from "../media/gpu.ts";
import type { Box, Finding } from "./finding.ts";

export function cpuFindings({ config }: Pick<Box, "config">): Finding[] {
  const { title, slots } = cpuDevice(config.jobs.cpuSlots);
  const jobs = slots === 1 ? "one job" : `${slots} jobs`;
  const meaning = `${title}: ${jobs} at a time (jobs.cpuSlots).`;
  return [{ id: "devices.cpu", level: "ok", title: "CPU", meaning, remedy: null }];
}

/** Driver, libraries, device nodes, each GPU. Never a fault: without them Kinomill works on the CPU. */
export function gpuFindings({ kind, sentence, remedy, gpus }: GpuState): Finding[] {
  if (sentence === "") return gpus.flatMap(oneGpu);
  const level = kind === "trouble" ? "warning" : "ok";
  return [{ id: "gpus", level, title: "GPUs", meaning: sentence, remedy }];
}

/** One for the GPU and one for each thing that somebody could mend on it. */
function oneGpu(report: GpuReport): Finding[] {
  const { id, title, memoryTotalBytes, driver, sentence } = report;
  const facts = [
    title,
    ...(memoryTotalBytes === null ? [] : [sizeText(memoryTotalBytes)]),
    ...(driver === null ? [] : [`driver ${driver}`]),
  ].join(", ");
  const causes = mendable(report);
  // The sentence says it already when the whole GPU lacks it: then the remedy alone is added.
  const told = causes.find(({ reason }) => sentence.includes(reason));
  const whole = {
    ...{ id, title, meaning: `${facts}: ${sentence}` },
    level: told === undefined ? ("ok" as const) : ("warning" as const),
    remedy: told?.remedy ?? null,
  };
  const others = causes.filter((cause) => cause !== told);
  return [
    whole,
    ...others.map(({ titles, reason, remedy }, position): Finding => {
      const meaning = `${titles.join(", ")}: ${reason}`;
      return { id: `${id}.lacks-${position + 1}`, level: "warning", title, meaning, remedy };
    }),
  ];
}
