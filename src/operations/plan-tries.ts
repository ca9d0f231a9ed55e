/** Plans that make one file in several ways become one that tries them. Pure. */
import { assert } from "../trouble.ts";
import { bytesWords } from "./fit-words.ts";
import { outputName } from "./naming.ts";
import type { Plan } from "./operation.ts";

/**
 * One plan of several that differ in their last step alone, which tries them in their order.
 * @param name of the input, after which the one output is called
 */
export function planTries(
  ways: readonly { title: string; plan: Plan }[],
  maxBytes: number,
  name: string,
): Plan {
  const lasts = ways.map(({ title, plan }) => ({ title, ...lastOf(plan) }));
  const [first] = lasts;
  const [way] = ways;
  assert(first !== undefined && way !== undefined, "there is a first try");
  const { step, output, ending } = first;
  const candidates = lasts.map(({ title, work }) => {
    const { outputs, ...description } = work.description;
    const limited = outputs.map((each) => ({ ...each, limitBytes: maxBytes + 1 }));
    return { title, description: { ...description, outputs: limited } };
  });
  const { expectation } = output;
  const otherSizes = lasts.slice(1).flatMap((last) => last.output.expectation.video ?? []);
  const video = expectation.video === null ? null : { ...expectation.video, otherSizes };
  const within = bytesWords(maxBytes);
  return {
    steps: [
      ...way.plan.steps.slice(0, -1),
      {
        ...step,
        title: `${step.title}${lasts.length > 1 ? " or less" : ""}, within ${within}`,
        work: { kind: "search", candidates, file: output.file, maxBytes, orLast: false },
        outputs: [
          {
            ...{ ...output, name: outputName(name, within, ending) },
            expectation: { ...expectation, video },
          },
        ],
      },
    ],
    notes: way.plan.notes,
  };
}

function lastOf({ steps }: Plan) {
  const step = steps.at(-1);
  const output = step?.outputs[0];
  const ending = output?.file.split(".").at(-1);
  assert(step !== undefined && output !== undefined && ending !== undefined, "it makes a file");
  const { work } = step;
  assert(work.kind === "render", "the last step renders");
  return { step, output, ending, work };
}
