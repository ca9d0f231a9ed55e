/** After an attempt ended: what the next one must know, and what the person reads. Pure. */
import type { Device } from "../media/devices.ts";
import type { GpuFault } from "../media/gpu-fault.ts";
import type { FailureReport } from "../trouble.ts";
import type { Place } from "./dispatch.ts";
import type { History } from "./places.ts";
import type { AttemptOutcome } from "./runner.ts";

/** Times that a busy GPU is asked again before the CPU does the work: with the delays, half a minute. */
export const BUSY_MAX = 5;

/** Attempts at one step in all: four GPUs, each with and without its decoder, and the CPU. */
export const ATTEMPTS_MAX = 9;

/** What the attempt failed of, in the words of the GPU's fault instead of ffmpeg's exit code. */
export function faultReport(device: Device, report: FailureReport, fault: GpuFault): FailureReport {
  const message = `${device.title}: ${fault.sentence}`;
  return { ...report, message, hint: fault.remedy ?? "", retryable: true };
}

/** What the next attempt must know. */
export function afterFault(
  history: History,
  { device }: Place,
  fault: GpuFault,
  busyTimes: number,
): History {
  const sentences = [...history.sentences, `${device.title}: ${fault.sentence}`].slice(
    -ATTEMPTS_MAX,
  );
  const next = { ...history, sentences };
  const excluded = new Set([...history.excluded, device.traits?.uuid ?? ""]);
  switch (fault.reaction) {
    case "later":
      return busyTimes <= BUSY_MAX ? next : { ...next, cpuOnly: true };
    case "cpu":
      return { ...next, cpuOnly: true };
    case "cpu-decode": {
      const { avoided } = history;
      // The same fault again, with the part already on the CPU: this GPU cannot.
      const news =
        (fault.avoid.decode && !avoided.decode) || (fault.avoid.filters && !avoided.filters);
      if (!news) return { ...next, excluded };
      const both = {
        decode: avoided.decode || fault.avoid.decode,
        filters: avoided.filters || fault.avoid.filters,
      };
      return { ...next, avoided: both };
    }
    case "other-gpu":
    case "device-out":
      return { ...next, excluded };
  }
}

/** What the person reads: where it ran, and why not on the GPU that was to do it. */
export function withWhy(outcome: AttemptOutcome, place: Place, history: History): AttemptOutcome {
  if (outcome.kind !== "done") return outcome;
  const before = history.sentences.join(" ");
  const why = place.why === "" ? before : place.why;
  if (why === "") return outcome;
  return { ...outcome, deviceReason: `${outcome.deviceReason.replace(/\.$/, "")}. ${why}` };
}
