/** `kinomill run OPERATION INPUT… --estimate`: what it would do, take and make. Starts nothing. */
import { availableParallelism } from "node:os";
import { predictedWords, sentence } from "../../views/estimate.ts";
import { deviceTitle } from "../../views/job-words.ts";
import type { Config } from "../config.ts";
import { openFigures } from "../jobs/figures.ts";
import { type PlanPrediction, type Predicted, predictPlan } from "../jobs/prediction.ts";
import type { MediaInfo } from "../media/media.ts";
import type { Plan } from "../operations/operation.ts";
import type { Dispatch } from "../runners/dispatch.ts";
import { exitCodes } from "./exit.ts";

export interface Estimated {
  operation: string;
  plan: Plan;
  verify: "quick" | "full";
  /** Of the inputs that are no texts, by position. */
  media: readonly MediaInfo[];
  config: Config;
  dispatch: Dispatch;
  json: boolean;
}

/** Goes by what the server of this box has learned, where its data folder can be read. */
export function printEstimate(estimated: Estimated): number {
  const { operation, plan, media, config, dispatch, json } = estimated;
  using figures = openFigures(config.data);
  const predicted = predictPlan(plan, media, {
    cores: availableParallelism(),
    verify: estimated.verify,
    figures: figures.lookup,
    preview: (work) => dispatch.preview(work),
  });
  if (json) {
    const { steps, total } = predicted;
    console.log(
      JSON.stringify({ type: "estimate", operation, steps, notes: plan.notes, ...total }),
    );
  } else {
    for (const line of linesOf(plan, predicted)) console.log(line);
  }
  return exitCodes.done;
}

function linesOf(plan: Plan, { steps, total }: PlanPrediction): string[] {
  const width = Math.max(...steps.map(({ title }) => title.length));
  const rows = steps.map((step) => {
    return `${step.title.padEnd(width)}  ${deviceTitle(step.device)}, ${factsOf(step)}`;
  });
  return [...plan.notes, ...rows, `In all ${factsOf(total)}.`, sentence(total.basis)];
}

function factsOf(predicted: Predicted): string {
  const { seconds, bytes } = predictedWords(predicted);
  return bytes === null ? seconds : `${seconds}, ${bytes}`;
}
