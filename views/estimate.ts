/** What a job is expected to take and to make, in words: beside the button that starts it, and afterwards. */
import type { Estimate } from "../src/jobs/jobs.ts";
import type { Predicted } from "../src/jobs/prediction.ts";
import { type Html, html } from "./html.ts";
import { sizeText, spanText } from "./quantities.ts";
import { texts } from "./texts/texts.ts";

const words = texts.estimate;

/** What the form shows: an estimate, or why there is none. */
export type EstimateView =
  | {
      estimate: Estimate;
      /** Of several jobs: how many, and of how many of them the rest was reckoned. */
      together?: { jobs: number; planned: number };
    }
  | { refusal: string };

/**
 * Stands beside the button of the form of an operation, and asks anew half a second after a field has changed.
 * It keeps its height: nothing moves when the answer comes.
 */
export function estimatePlace(): Html {
  return html`<div class="estimate" id="operation-estimate" role="status" hx-post="/ui/jobs/estimate" hx-trigger="load, input from:'closest form' delay:500ms, change from:'closest form' delay:500ms" hx-swap="innerHTML" hx-sync="this:replace" hx-status:4xx="swap:none" hx-status:5xx="swap:none"><p>&nbsp;</p></div>`;
}

/** `POST /ui/jobs/estimate` */
export function estimateInside(view: EstimateView): Html {
  if ("refusal" in view) return html`<p class="muted" hx-ignore>${view.refusal}</p>`;
  const { estimate, together } = view;
  const { seconds, bytes } = predictedWords(estimate);
  const device = words.on(estimate.device);
  return html`<p><strong>${capital(seconds)}</strong> ${device}${bytes === null ? null : html`, <strong>${bytes}</strong>`}</p>
<p class="muted">${together === undefined ? null : words.together(together)} ${sentence(estimate.basis)} ${words.ahead(estimate.queuedAhead)}</p>`;
}

export function sentence(clause: string): string {
  return `${capital(clause)}.`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "about 12 s (5 s to 25 s)" and "about 3.1 MB (2.0 MB to 5.0 MB)"; no bytes where nothing is made. */
export function predictedWords(predicted: Predicted): { seconds: string; bytes: string | null } {
  const { predictedSeconds, predictedSecondsRange, predictedBytes, predictedBytesRange } =
    predicted;
  return {
    seconds: between(predictedSeconds, predictedSecondsRange, spanText),
    bytes: predictedBytes === 0 ? null : between(predictedBytes, predictedBytesRange, sizeText),
  };
}

function between(
  likely: number,
  { low, high }: { low: number; high: number },
  spoken: (value: number) => string,
): string {
  const [least, middle, most] = [spoken(low), spoken(likely), spoken(high)];
  const about = /^\d/.test(middle) ? words.about(middle) : middle;
  if (most === middle) return about;
  return `${about} ${/^\d/.test(least) ? words.between(least, most) : words.upTo(most)}`;
}
