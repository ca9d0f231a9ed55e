/** The list of operations, and the three things that every caller does with one: find, parse, plan. */
import type { z } from "zod";
import { chunkReport } from "../media/chunks.ts";
import {
  descriptionOf,
  type InputRef,
  type OutputDescription,
  type StepWork,
} from "../media/description.ts";
import type { SoundChain } from "../media/graph.ts";
import { assert, Refusal } from "../trouble.ts";
import { animate } from "./animate.ts";
import { audio } from "./audio.ts";
import { captions } from "./captions.ts";
import { check } from "./check.ts";
import { inChunks } from "./chunking.ts";
import { clip } from "./clip.ts";
import { concat } from "./concat.ts";
import { cutout } from "./cutout.ts";
import { enhance } from "./enhance.ts";
import { faultsOf } from "./faults.ts";
import { withIndexRoom } from "./index-room.ts";
import { ladder } from "./ladder.ts";
import { measure } from "./measure.ts";
import { numberedName } from "./naming.ts";
import type { Operation, Plan, PlanContext, PlanInput, PlanText, StepOutput } from "./operation.ts";
import { overlay } from "./overlay.ts";
import { reframe } from "./reframe.ts";
import { thumbnails } from "./thumbnails.ts";
import { transcode } from "./transcode.ts";

/** Every operation; a new one is one file and one line here. */
export const operations: readonly Operation[] = [
  transcode,
  thumbnails,
  overlay,
  captions,
  reframe,
  audio,
  clip,
  concat,
  animate,
  cutout,
  enhance,
  measure,
  check,
  ladder,
];

/** @throws Refusal 404 `unknown_operation` that names those that there are. */
export function findOperation(name: string): Operation {
  const found = operations.find((operation) => operation.name === name);
  if (found !== undefined) return found;
  const known = operations.map((operation) => operation.name).join(", ");
  throw new Refusal(
    404,
    "unknown_operation",
    `There is no such operation. Kinomill can do: ${known}.`,
  );
}

/** All faults go into the list; a sentence with more than three is not read. */
const faultsInSentence = 3;

/**
 * The parameters with their defaults filled in. Parsing a result again gives the same result, so
 * stored parameters can be parsed as they are.
 * @throws Refusal 422 `invalid_params` with every fault of every field.
 */
export function parseParams<Schema extends z.ZodType>(
  operation: Operation<Schema>,
  value: unknown,
): z.output<Schema> {
  const result = operation.schema.safeParse(value ?? {});
  if (result.success) return result.data;
  const errors = faultsOf(result.error, value, operation.schema);
  const said = errors
    .slice(0, faultsInSentence)
    .map(({ path, message }) => (path === "" ? `the whole ${message}` : `${path} ${message}`));
  if (errors.length > said.length) said.push(`and ${errors.length - said.length} more`);
  throw new Refusal(
    422,
    "invalid_params",
    `The parameters of ${operation.name} are not right: ${said.join("; ")}.`,
    { errors },
  );
}

/**
 * The plan of an operation, held to what runners rely on. Pure, as plans are.
 * @param texts of captions, in the order in which they were given among the inputs
 * @throws Refusal 422 `unsuitable_input` from the operation, or for a wrong number of inputs.
 */
export function planFor<Schema extends z.ZodType>(
  operation: Operation<Schema>,
  params: z.output<Schema>,
  inputs: PlanInput[],
  context: PlanContext,
  texts: readonly PlanText[] = [],
): Plan {
  const { min, max } = operation.inputs;
  if (inputs.length < min || inputs.length > max) {
    const wanted = min === max ? `${min}` : `${min} to ${max}`;
    throw new Refusal(
      422,
      "unsuitable_input",
      `${operation.title} works on ${wanted} ${max === 1 ? "file" : "files"}, and ${inputs.length} were given.`,
    );
  }
  refuseTexts(operation, texts);
  refuseUnreadable(inputs);
  const whole = withOwnNames(operation.plan(params, inputs, context, texts));
  const { chunks } = context;
  const parts = chunks === undefined ? whole : inChunks(whole, inputs, chunks);
  const plan = withIndexRoom(
    parts,
    inputs.map(({ media }) => media),
  );
  checkPlan(plan, inputs.length);
  return plan;
}

/** Outputs lie side by side under their names: a second one of the same becomes "match 2.mp4". */
function withOwnNames(plan: Plan): Plan {
  const taken = new Set<string>();
  const own = (output: StepOutput): StepOutput => {
    let { name } = output;
    for (let number = 2; taken.has(name.toLowerCase()); number += 1) {
      name = numberedName(output.name, number);
    }
    taken.add(name.toLowerCase());
    return name === output.name ? output : { ...output, name };
  };
  return {
    ...plan,
    steps: plan.steps.map((step) => ({ ...step, outputs: step.outputs.map(own) })),
  };
}

function refuseTexts({ title, inputs }: Operation, texts: readonly PlanText[]): void {
  const { texts: most = 0 } = inputs;
  const [first] = texts;
  if (first === undefined || texts.length <= most) return;
  throw new Refusal(
    422,
    "unsuitable_input",
    most === 0
      ? `${first.name} is a text file, and ${title} works on media alone.`
      : `${title} takes ${most === 1 ? "one file" : `${most} files`} of captions, and ${texts.length} were given.`,
  );
}

/** What Kinomill itself has made and the ffmpeg of most machines cannot open again. */
function refuseUnreadable(inputs: readonly PlanInput[]): void {
  const found = inputs.find(({ media }) => media.container === "webp" && media.kind === "video");
  if (found === undefined) return;
  throw new Refusal(
    422,
    "unsuitable_input",
    "An input is an animated WebP, which ffmpeg cannot decode. Take the video that it was made of, or make an APNG of that first.",
  );
}

/** More steps than any plan needs, each of them a process: two hundred clips and their annotations. */
const maxSteps = 256;
/** Files that one job may publish: two days of sprite sheets are fewer. */
const maxOutputs = 256;

const stepName = /^[a-z0-9][a-z0-9-]{0,40}$/;
const plainFile = /^[a-z0-9][a-z0-9-]{0,60}\.[a-z0-9]{2,5}$/;

function checkPlan(plan: Plan, inputCount: number): void {
  assert(plan.steps.length > 0 && plan.steps.length <= maxSteps, `a plan has 1–${maxSteps} steps`);
  const earlier = new Map<string, Set<string>>();
  let outputs = 0;
  for (const step of plan.steps) {
    assert(stepName.test(step.name), `step name ${step.name} is plain`);
    assert(!earlier.has(step.name), `step name ${step.name} is unique`);
    for (const need of step.needs) assert(earlier.has(need), `${step.name} needs an earlier step`);
    const files = new Set<string>();
    for (const output of step.outputs) {
      assert(plainFile.test(output.file), `file name ${output.file} is plain`);
      assert(!files.has(output.file), `file ${output.file} is made once`);
      assert(output.expectation.file === output.file, `${output.file} has its expectation`);
      assert(Buffer.byteLength(output.name) <= 255, `the name of ${output.file} is ≤ 255 bytes`);
      files.add(output.file);
    }
    outputs += files.size;
    for (const file of step.makes ?? []) {
      assert(plainFile.test(file), `file name ${file} is plain`);
      files.add(file);
    }
    for (const { file } of [...(step.proves ?? []), ...(step.provesOfGpu ?? [])]) {
      assert(step.makes?.includes(file), `${file} is made before it is proven`);
    }
    checkInputs(step, earlier, inputCount);
    earlier.set(step.name, files);
  }
  assert(outputs > 0 && outputs <= maxOutputs, `a plan makes 1–${maxOutputs} files`);
}

function checkInputs(
  step: Plan["steps"][number],
  earlier: Map<string, Set<string>>,
  inputCount: number,
): void {
  for (const from of readsOf(step.work)) {
    if ("asset" in from) {
      assert(from.asset >= 0 && from.asset < inputCount, `${step.name} reads an input of the job`);
    } else {
      assert(step.needs.includes(from.step), `${step.name} needs the step that it reads`);
      assert(earlier.get(from.step)?.has(from.file), `${from.step} makes ${from.file}`);
    }
  }
}

/** Files of earlier steps whose figures go into a chain. */
function measuresOf({ filters }: SoundChain): InputRef[] {
  return filters.flatMap((filter) => {
    if (filter.filter !== "normalise") return [];
    return [filter.source, filter.tried].filter((ref) => ref !== undefined && "step" in ref);
  });
}

function qualityFigures({ video }: OutputDescription): InputRef[] {
  return video?.kind === "encode" && video.qualityFrom !== undefined ? [video.qualityFrom] : [];
}

/** Every file that a step reads, its candidates' included. */
function readsOf(work: StepWork): InputRef[] {
  if (work.kind === "survey") return [work.from];
  if (work.kind === "seams") return [work.wish.from];
  if (work.kind === "report") return work.of;
  if (work.kind === "package") {
    return [...work.ladder.pictures, ...work.ladder.sounds].map(({ from }) => from);
  }
  const descriptions =
    work.kind === "search"
      ? work.candidates.map(({ description }) => description)
      : [descriptionOf(work)].filter((description) => description !== null);
  const more: InputRef[] = work.kind === "chunk" ? [work.seams] : [];
  if (work.kind === "join") more.push(work.seams, ...joinedFiles(work));
  const described = descriptions.flatMap(({ inputs, outputs, reads = [], sound = [] }) => [
    ...inputs.map(({ from }) => from),
    ...inputs.flatMap(({ seekFrom }) => (seekFrom === undefined ? [] : [seekFrom])),
    ...outputs.flatMap(qualityFigures),
    ...reads,
    ...sound.flatMap(measuresOf),
  ]);
  return [...described, ...more];
}

function joinedFiles({ chunks, pictures, taken }: Extract<StepWork, { kind: "join" }>): InputRef[] {
  const made = chunks.flatMap((step) => [...pictures, chunkReport].map((file) => ({ step, file })));
  return [...made, ...taken.map(({ from }) => from)];
}
