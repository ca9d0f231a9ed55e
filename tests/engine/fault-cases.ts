/**
 * Everything that can go wrong between ffmpeg and a GPU, once: `faults.test.ts` makes each of them happen to
 * a real ffmpeg, and docs/devices.md tells people what they see and what Kinomill does.
 */
import type { FaultCase } from "./fault-case.ts";
import { driverCases, ordinaryCases, sickCases } from "./fault-cases-box.ts";
import { busyCases, decoderCases, encoderCases } from "./fault-cases-work.ts";

/** In groups, as the table has them. */
export const faultGroups: { title: string; cases: FaultCase[] }[] = [
  { title: "Busy", cases: busyCases },
  { title: "What the GPU cannot encode", cases: encoderCases },
  { title: "What the GPU cannot decode or filter", cases: decoderCases },
  { title: "The driver and its installation", cases: driverCases },
  { title: "A GPU or a driver in trouble", cases: sickCases },
  { title: "Not the GPU's doing", cases: ordinaryCases },
];
