/**
 * `kinomill run OPERATION INPUT… -o OUTPUT`: one operation here and now, without a server or a database.
 * It writes aside, next to the output, and moves the proven files into place at the end.
 */
import { existsSync, statSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, realpath, rename, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename, dirname, extname, join, resolve } from "node:path";
import { sizeText } from "../../views/quantities.ts";
import { systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import { ShownSteps } from "../jobs/step-book.ts";
import { type Finished, runSteps } from "../jobs/steps.ts";
import { captionText } from "../media/captions/file.ts";
import { descriptionOf } from "../media/description.ts";
import type { Toolchain } from "../media/devices.ts";
import { type GpuSkill, gpuSkills, isGpuCodec } from "../media/gpu-skill.ts";
import { Gpus } from "../media/gpus.ts";
import { probe } from "../media/probe.ts";
import { findOperation, parseParams, planFor } from "../operations/index.ts";
import type { Operation, Plan, PlanText } from "../operations/operation.ts";
import { laidOver, paramsFromTexts } from "../operations/parameter-texts.ts";
import { parameterFields } from "../operations/parameters.ts";
import { provingFor } from "../operations/proving.ts";
import { readJson } from "../operations/spoken.ts";
import { type BoxParts, noGpus, openBox } from "../runners/box.ts";
import type { Dispatch } from "../runners/dispatch.ts";
import { LocalRunner } from "../runners/local.ts";
import { type FailureReport, Refusal } from "../trouble.ts";
import { printEstimate } from "./estimate.ts";
import { exitCodes } from "./exit.ts";
import type { CommonOptions } from "./program.ts";
import { openProgressLine } from "./progress-line.ts";
import { configOf } from "./settings.ts";
import { toolchainOf } from "./tools.ts";

interface RunOptions extends CommonOptions {
  /** Needed unless nothing is made. */
  output?: string;
  estimate?: boolean;
  param: string[];
  params?: string;
  overwrite?: boolean;
  json?: boolean;
  device?: string;
}

export async function runOperation(
  name: string,
  inputs: string[],
  options: RunOptions,
): Promise<number> {
  const config = await configOf(options);
  // The reserve keeps a server's database writable; here the person decides about the disk.
  config.storage.reserveBytes = 0;
  const operation = findOperation(name);
  const params = parseParams(operation, await rawParams(operation, options));
  if (options.estimate !== true) requireOutput(options);
  const { films, texts } = captionsApart(inputs);
  const probing = lookAt(films, config);
  // An ffmpeg that is missing is told before what is wrong with a film.
  probing.catch(() => {});
  const toolchain = await toolchainOf(config);
  const planInputs = await probing;
  const chunks = { seconds: config.jobs.chunkSeconds, cores: availableParallelism() };
  const plan = planFor(operation, params, planInputs, { ...toolchain, chunks }, texts);
  const target = options.estimate ? null : await chooseTarget(plan, inputs, options);
  const gpus = await lookForGpus(plan, toolchain, config, options);
  const runner = new LocalRunner({ toolchain, config });
  const box = openBox({ config, clock: systemClock, runner, toolchain: () => toolchain, gpus });
  const { dispatch } = box;
  const verify = provingFor(operation, params, config.jobs.verify);
  try {
    if (target === null) {
      const media = planInputs.map((input) => input.media);
      return printEstimate({
        operation: name,
        plan,
        verify,
        media,
        config,
        dispatch,
        json: options.json ?? false,
      });
    }
    return await carryOut({ plan, verify, inputs: films, target, config, dispatch, options });
  } finally {
    await gpus.close();
  }
}

/** All films at once: each is mostly the start of a process. */
function lookAt(films: string[], { ffmpeg: { ffprobePath } }: Config) {
  return Promise.all(
    films.map(async (path) => ({
      name: basename(path),
      media: await probe(path, { ffprobePath }),
    })),
  );
}

/** Files of captions are read here, whatever their names, and come into the plan as texts. */
function captionsApart(inputs: string[]): { films: string[]; texts: PlanText[] } {
  const read = inputs.map((path) => ({ path, captions: captionText(path) }));
  return {
    films: read.flatMap(({ path, captions }) => (captions === null ? [path] : [])),
    texts: read.flatMap(({ path, captions }) =>
      captions === null ? [] : [{ name: basename(path), text: captions.text }],
    ),
  };
}

/** Nothing is asked of the GPUs when no step could use one, and only what the plan needs is tried. */
async function lookForGpus(
  plan: Plan,
  toolchain: Toolchain,
  config: Config,
  { device = "auto" }: RunOptions,
): Promise<BoxParts["gpus"] & { close(): Promise<void> }> {
  if (!["auto", "cpu"].includes(device)) {
    throw new Refusal(400, "bad_usage", `--device is auto or cpu, not ${device}.`);
  }
  const skills = skillsFor(plan);
  if (device === "cpu" || skills.length === 0) return { ...noGpus, close: async () => {} };
  const { leaveAlone, maxJobs } = config.gpu;
  const gpus = new Gpus({ leaveAlone, maxJobs, skills });
  await gpus.open(toolchain);
  return gpus;
}

/** Ten bits of a codec are tried only after eight. */
function skillsFor(plan: Plan): GpuSkill[] {
  const encodes = plan.steps.flatMap(({ work }) =>
    (descriptionOf(work)?.outputs ?? []).map(({ video }) => video),
  );
  const codecs = new Set(encodes.flatMap((video) => (video?.kind === "encode" ? video.codec : [])));
  if (![...codecs].some((codec) => isGpuCodec(codec))) return [];
  return gpuSkills.filter(({ work, codec }) => work === "decode" || codecs.has(codec));
}

/**
 * The file of `--params` with the texts of `--param` over it, and the container from the output's ending when
 * it was not given.
 */
async function rawParams(operation: Operation, options: RunOptions): Promise<unknown> {
  const file = options.params === undefined ? {} : await paramsOfFile(options.params);
  const texts = options.param.map((text): [string, string] => {
    const equals = text.indexOf("=");
    return [text.slice(0, equals), text.slice(equals + 1)];
  });
  const container = parameterFields(operation).find(({ path }) => path === "container");
  const ending = extname(options.output ?? "")
    .slice(1)
    .toLowerCase();
  const known =
    container?.kind === "select" && container.options.some(({ value }) => value === ending);
  const given = texts.some(([key]) => key === "container") || Object.hasOwn(file, "container");
  if (known && !given) texts.push(["container", ending]);
  return laidOver(file, paramsFromTexts(operation, texts));
}

/** No parameters are longer: a thousand keyframes are some 100 kB. */
const maxParamsBytes = 8 * 1024 ** 2;

async function paramsOfFile(path: string): Promise<Record<string, unknown>> {
  const refuse = (why: string) =>
    new Refusal(400, "bad_usage", `The parameters in ${path} cannot be read: ${why}`);
  const file = Bun.file(path);
  if (!(await file.exists())) throw refuse("there is no such file.");
  if (file.size > maxParamsBytes) throw refuse("the file is larger than any parameters are.");
  const value = readJson(await file.text());
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw refuse('it must hold one JSON object such as {"video": {"quality": 70}}.');
}

/** Where the outputs go: one file, or a folder for several. */
type Target = { kind: "file"; path: string } | { kind: "folder"; path: string };

/** Before any file is looked at: what is missing is the word on the command line. */
function requireOutput({ output }: RunOptions): string {
  if (output !== undefined) return output;
  const sentence =
    "Say with --output (-o) where the result goes, or --estimate to see what it would take.";
  throw new Refusal(400, "bad_usage", sentence);
}

async function chooseTarget(plan: Plan, inputs: string[], options: RunOptions): Promise<Target> {
  const output = requireOutput(options);
  const path = resolve(output);
  const outputs = plan.steps.flatMap((step) => step.outputs);
  // Outputs have an ending: a path without one is where they shall lie.
  const isFolder =
    output.endsWith("/") ||
    extname(path) === "" ||
    (existsSync(path) && statSync(path).isDirectory());
  const target: Target =
    isFolder || outputs.length > 1 ? { kind: "folder", path } : { kind: "file", path };
  const parent = dirname(path);
  if (target.kind === "folder") await mkdir(path, { recursive: true });
  else if (!existsSync(parent)) {
    throw new Refusal(
      400,
      "bad_usage",
      `There is no folder ${parent} to write into. Make it first.`,
    );
  }
  for (const { name } of outputs) {
    await refuseOverwrite(finalPath(target, name), inputs, options.overwrite ?? false);
  }
  return target;
}

function finalPath(target: Target, name: string): string {
  return target.kind === "file" ? target.path : join(target.path, name);
}

async function refuseOverwrite(path: string, inputs: string[], overwrite: boolean): Promise<void> {
  if (!existsSync(path)) return;
  const real = await realpath(path);
  const sources = await Promise.all(inputs.map((input) => realpath(input)));
  if (sources.includes(real)) {
    throw new Refusal(
      400,
      "bad_usage",
      `${path} is an input: Kinomill never writes over a source.`,
    );
  }
  if (!overwrite) {
    throw new Refusal(400, "bad_usage", `${path} exists. Choose another name, or say --overwrite.`);
  }
}

interface Work {
  plan: Plan;
  verify: "quick" | "full";
  inputs: string[];
  target: Target;
  config: Config;
  dispatch: Dispatch;
  options: RunOptions;
}

async function carryOut(work: Work): Promise<number> {
  const { plan, target, options } = work;
  const folder = target.kind === "file" ? dirname(target.path) : target.path;
  const jobFolder = await mkdtemp(join(folder, ".kinomill-"));
  const abort = new AbortController();
  const interrupt = () => abort.abort();
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  const line = openProgressLine(process.stderr);
  let stepTitle = "";
  const say = options.json
    ? (event: object) => console.log(JSON.stringify(event))
    : (_event: object) => {};
  try {
    const book = new ShownSteps(
      (changed) => {
        stepTitle = changed.title;
        say({ type: "step", ...changed });
        // What a step found out that makes no file: it is of use before the next one ends.
        const silent = plan.steps.find(({ name }) => name === changed.name)?.outputs.length === 0;
        if (silent && changed.state === "done" && !options.json) {
          line.clear();
          for (const check of changed.checks) console.error(check);
        }
      },
      (device, { sentence }) =>
        tellNote(`${device.title}: ${sentence} Going on elsewhere.`, options.json ?? false, say),
    );
    for (const note of plan.notes) tellNote(note, options.json ?? false, say);
    const outcome = await runSteps({
      plan,
      dispatch: work.dispatch,
      first: null,
      assetPaths: work.inputs.map((path) => resolve(path)),
      jobFolder,
      verify: work.verify,
      signal: abort.signal,
      book,
      onProgress: (progress) => {
        line.show(stepTitle, progress);
        say({ type: "progress", ...progress });
      },
    });
    line.clear();
    if (outcome.kind === "aborted") return exitCodes.interrupted;
    if (outcome.kind === "failed") return tellFailure(outcome.report, options.json ?? false, say);
    await moveIntoPlace(outcome.finished, target, options.json ?? false, say);
    return exitCodes.done;
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    await rm(jobFolder, { recursive: true, force: true });
  }
}

type Say = (event: object) => void;

function tellNote(note: string, json: boolean, say: Say): void {
  say({ type: "note", note });
  if (!json) console.error(note);
}

function tellFailure(report: FailureReport, json: boolean, say: Say): number {
  say({ type: "failed", error: report });
  if (!json) {
    console.error(`kinomill: ${report.message}`);
    if (report.hint !== "") console.error(report.hint);
    if (report.log !== "") console.error(report.log);
  }
  return exitCodes.failed;
}

async function moveIntoPlace(
  finished: readonly Finished[],
  target: Target,
  json: boolean,
  say: Say,
): Promise<void> {
  const outputs = [];
  for (const { declared, proven } of finished) {
    const path = finalPath(target, declared.name);
    await rename(proven.path, path).catch(async () => {
      await copyFile(proven.path, path);
    });
    outputs.push({ path, role: declared.role, sizeBytes: proven.sizeBytes, checks: proven.checks });
    if (!json) console.log(`${path}  ${sizeText(proven.sizeBytes)}`);
  }
  say({ type: "done", outputs });
}
