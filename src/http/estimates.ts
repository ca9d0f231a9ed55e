/** What several jobs together would take and make, for the form that starts them. */
import type { EstimateView } from "../../views/estimate.ts";
import type { Estimate, Jobs } from "../jobs/jobs.ts";
import type { Range } from "../jobs/prediction.ts";
import type { JobRequest } from "../jobs/submission.ts";
import { assert, Refusal } from "../trouble.ts";

/** Jobs that are planned for one estimate: a tenth of a second or two; the rest is taken to be like them. */
export const PLANNED_MAX = 100;

/** Jobs that are planned before others have their turn. */
const AT_ONCE = 20;

/** @throws Refusal as one of the jobs would be refused, with `jobs.N` before its faults where there are several */
export async function estimateOfAll(
  jobs: Pick<Jobs, "estimate">,
  ownerId: string,
  requests: readonly JobRequest[],
): Promise<EstimateView> {
  const [only] = requests;
  if (only !== undefined && requests.length === 1)
    return { estimate: jobs.estimate(ownerId, only) };
  const planned = spread(requests, PLANNED_MAX);
  const estimates: Estimate[] = [];
  for (const [position, { request, index }] of planned.entries()) {
    if (position > 0 && position % AT_ONCE === 0) await Bun.sleep(0);
    estimates.push(placed(index, () => jobs.estimate(ownerId, request)));
  }
  const [first] = estimates;
  assert(first !== undefined, "a form asks for a job at least");
  const times = requests.length / planned.length;
  const sum = (of: (estimate: Estimate) => number) =>
    times * estimates.reduce((total, estimate) => total + of(estimate), 0);
  const range = (of: (estimate: Estimate) => Range): Range => ({
    low: sum((estimate) => of(estimate).low),
    high: sum((estimate) => of(estimate).high),
  });
  const estimate = {
    ...first,
    predictedSeconds: sum(({ predictedSeconds }) => predictedSeconds),
    predictedSecondsRange: range(({ predictedSecondsRange }) => predictedSecondsRange),
    predictedBytes: Math.round(sum(({ predictedBytes }) => predictedBytes)),
    predictedBytesRange: range(({ predictedBytesRange }) => predictedBytesRange),
  };
  return { estimate, together: { jobs: requests.length, planned: planned.length } };
}

/** So many of them, evenly over the whole. */
function spread(requests: readonly JobRequest[], most: number) {
  const step = Math.max(1, requests.length / most);
  const count = Math.min(most, requests.length);
  return Array.from({ length: count }, (_, position) => Math.floor(position * step)).flatMap(
    (index) => {
      const request = requests[index];
      return request === undefined ? [] : [{ request, index }];
    },
  );
}

function placed<Result>(index: number, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause;
    const { status, code, message } = cause;
    const own = cause.errors.length > 0 ? cause.errors : [{ path: "", message }];
    const errors = own.map((fault) => ({ ...fault, path: `jobs.${index}.${fault.path}` }));
    throw new Refusal(status, code, message, { errors });
  }
}
