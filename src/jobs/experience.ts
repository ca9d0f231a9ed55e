/** What the box learns while it works: each step that is done tells how long it took and how large it became. */
import type { Clock } from "../clock.ts";
import type { StepWork } from "../media/description.ts";
import type { MediaInfo } from "../media/media.ts";
import type { Placement } from "../media/placement.ts";
import type { Plan, Step } from "../operations/operation.ts";
import type { Place } from "../runners/dispatch.ts";
import { onCpuByWish } from "../runners/places.ts";
import type { Proof } from "../runners/runner.ts";
import type { WorkFigures } from "./figures.ts";
import type { OnlyDevice } from "./job.ts";
import {
  modelOf,
  type PlanPrediction,
  placeOf,
  predictPlan,
  type Surroundings,
} from "./prediction.ts";
import type { DoneOutcome } from "./step-book.ts";

export interface ExperienceParts {
  figures: WorkFigures;
  clock: Clock;
  surroundings: Omit<Surroundings, "figures" | "verify">;
}

/** A step that runs. */
export interface Begun {
  place: Place;
  atMs: number;
  interruptions: number;
}

/** The work of a job, as far as experience goes by it. */
export interface KnownWork {
  plan: Plan;
  /** Of the inputs, by position. */
  media: readonly MediaInfo[];
  verify: "quick" | "full";
}

export class Experience {
  readonly surroundings: Omit<Surroundings, "verify">;
  private readonly parts: ExperienceParts;
  /** How often work was made to stand still. */
  private interruptions = 0;

  constructor(parts: ExperienceParts) {
    this.parts = parts;
    this.surroundings = { ...parts.surroundings, figures: parts.figures.lookup };
  }

  /** What a job is expected to take and to make, from here on. */
  predict({ plan, media, verify }: KnownWork, onlyOn: OnlyDevice | null = null): PlanPrediction {
    const { preview } = this.surroundings;
    const surroundings =
      onlyOn === null ? {} : { preview: (work: StepWork) => preview(work, onCpuByWish) };
    return predictPlan(plan, media, { ...this.surroundings, ...surroundings, verify });
  }

  /** Work stands still or goes on: what runs meanwhile tells nothing of its time. */
  interrupt(): void {
    this.interruptions += 1;
  }

  begin(place: Place): Begun {
    const atMs = this.parts.clock.monotonicMs();
    return { place, atMs, interruptions: this.interruptions };
  }

  /** Call it in the transaction that records the end of the step. */
  finish(begun: Begun, step: Step, { media, verify }: KnownWork, outcome: DoneOutcome): void {
    const { figures, clock } = this.parts;
    const { device, placement } = begun.place;
    const { cores } = this.surroundings;
    const place = placeOf(whatRan(placement, outcome.proof), { cores, verify });
    const undisturbed = begun.interruptions === this.interruptions;
    const seconds = undisturbed ? (clock.monotonicMs() - begun.atMs) / 1000 : null;
    const bytes = outcome.outputs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    figures.note({ work: step.work, media, place, device: modelOf(device) }, { seconds, bytes });
  }
}

/** ffmpeg decodes on the CPU by itself where NVDEC cannot: the proof says what really ran. */
function whatRan(placement: Placement, proof: Proof | null): Placement {
  if (proof === null || placement.decode !== "nvdec") return placement;
  return { ...placement, decode: proof.decoder === "NVDEC" ? "nvdec" : "cpu" };
}
