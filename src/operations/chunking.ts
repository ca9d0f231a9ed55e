/**
 * A long encode in chunks: a step that encodes a picture for minutes becomes one that looks up where to cut,
 * many that encode a chunk each, one for the sound, and one that joins them. So a pulled plug costs a chunk,
 * and a long film uses every device. What comes out is what one pass makes. Pure.
 */
import { descriptionOf, type RenderDescription } from "../media/description.ts";
import { expectedWorkSeconds, onCpu } from "../media/expected-work.ts";
import type { MediaInfo } from "../media/media.ts";
import { segmentSecondsOf } from "./chunk-seams.ts";
import { whyInOnePiece } from "./chunkable.ts";
import { chunkThreads, cutStep } from "./chunked-steps.ts";
import type { Plan, PlanInput, Step } from "./operation.ts";
import { rateNumber } from "./picture.ts";

/** How long encodes are cut, on this box. */
export interface ChunkWish {
  /** Seconds of work of one chunk; 0: nothing is cut. */
  seconds: number;
  /** Cores of the machine. */
  cores: number;
  /** For tests: seconds of film in a chunk, however long they take. */
  filmSeconds?: number;
}

/** A step is cut when it takes so many times as long as a chunk: 60 s at the usual 45. */
const longFactor = 4 / 3;

/** Steps of one film; of longer ones the chunks grow. With what stands around them a plan holds them. */
const maxChunks = 200;

/** Fewer frames are not worth the start of a process. */
const leastFrames = 8;

/** The plan with its long encodes cut, and notes on those that are not. */
export function inChunks(plan: Plan, inputs: readonly PlanInput[], wish: ChunkWish): Plan {
  if (wish.seconds === 0) return plan;
  const media = inputs.map((input) => input.media);
  const notes = new Set(plan.notes);
  const steps = plan.steps.flatMap((step) => {
    const count = chunkCount(step, media, wish);
    if (count < 2) return [step];
    const because = whyInOnePiece(step, media);
    if (because === null) return cutStep(step, media, count);
    notes.add(`It is encoded in one piece, because ${because}. Interrupted, it begins anew.`);
    return [step];
  });
  return { steps, notes: [...notes] };
}

/** Of how many chunks a step would be made; 1 when it is not worth it. */
function chunkCount({ work }: Step, media: readonly MediaInfo[], wish: ChunkWish): number {
  const description = descriptionOf(work);
  const lasts = description?.expectedSeconds ?? null;
  if (description === null || lasts === null || !encodesPicture(description)) return 1;
  const rate = rateNumber(media[0]?.video?.frameRate ?? null) ?? 0;
  const segment = segmentSecondsOf(description);
  const segments = segment === null ? maxChunks : Math.floor(lasts / segment);
  const most = Math.min(maxChunks, segments, Math.floor((lasts * rate) / leastFrames));
  if (wish.filmSeconds !== undefined) return Math.min(most, Math.ceil(lasts / wish.filmSeconds));
  const whole = expectedWorkSeconds(work, media, onCpu(wish.cores));
  if (whole <= wish.seconds * longFactor) return 1;
  const threads = chunkThreads(description);
  const parallel = Math.max(1, Math.floor(wish.cores / threads));
  const inAll = expectedWorkSeconds(work, media, onCpu(threads));
  // The last ones end together when each place has as many as the others.
  const rounds = Math.ceil(inAll / (parallel * wish.seconds));
  return Math.min(most, rounds * parallel);
}

function encodesPicture({ outputs }: RenderDescription): boolean {
  return outputs.some(({ video }) => video?.kind === "encode" || video?.kind === "animation");
}
