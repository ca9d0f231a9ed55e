/** A step that finds something out: ffmpeg runs, and what it tells is kept as JSON. */
import { join } from "node:path";
import type { StepWork } from "../media/description.ts";
import type { Toolchain } from "../media/devices.ts";
import type { Likeness } from "../media/readings/likeness.ts";
import { type RunTexts, readers } from "../media/readings.ts";
import { type ScoreTarget, scoreWords } from "../media/target-search.ts";
import { assert, Failure } from "../trouble.ts";
import {
  type CarriedOut,
  GpuTrouble,
  type LocalConfig,
  type RanDescription,
  runDescription,
} from "./described-run.ts";
import { plainName, writeDurably } from "./job-files.ts";
import { knownLoudness, withMeasures } from "./measures.ts";
import type { AttemptRequest } from "./runner.ts";

/** Texts that are read whole: the peaks of a sound. */
const TEXT_MAX_BYTES = 256 * 1024 ** 2;

type Analysis = Extract<StepWork, { kind: "analyse" }>;

/** @throws Failure as a run does, and when ffmpeg did not say what was asked */
export async function analyse(
  local: { toolchain: Toolchain; config: LocalConfig },
  request: AttemptRequest,
  work: Analysis,
  folder: string,
): Promise<CarriedOut | null> {
  const { reading, file, facts = {} } = work;
  assert(plainName.test(file), `file name ${file} is plain`);
  const description = await withMeasures(request, work.description);
  const known = work.onlyIfLimited ? knownLoudness(description) : null;
  if (known !== null) {
    await writeReading(join(folder, file), known);
    const deviceReason = "Computed by Kinomill itself: a gain alone reaches the loudness";
    return { encoder: null, deviceReason, proof: null, placement: null };
  }
  const reader = readers[reading](facts);
  const done = await runTolerant(local, request, {
    ...{ description, folder, talks: true },
    onLine: (line) => reader.see?.(line) ?? false,
  });
  if (done === null) return null;
  const { stderr, broken, ...rest } = done;
  const found = await reader.finish({ stderr, broken, ...textsOf(folder) });
  await writeReading(join(folder, file), found);
  return work.tells === undefined
    ? rest
    : { ...rest, checks: [told(work.tells, found as Likeness)] };
}

function told({ metric, score: asked }: ScoreTarget, { score, frames }: Likeness): string {
  const reached = scoreWords(metric, score ?? Number.POSITIVE_INFINITY);
  return `The result has ${reached} over ${frames} frames of the samples; ${scoreWords(metric, asked)} was asked for`;
}

/** Where faults are looked for, media that ffmpeg gives up on is a finding. */
async function runTolerant(
  local: Parameters<typeof runDescription>[0],
  request: AttemptRequest,
  run: Parameters<typeof runDescription>[2],
): Promise<(RanDescription & { broken: string | null }) | null> {
  try {
    const done = await runDescription(local, request, run);
    return done && { ...done, broken: null };
  } catch (trouble) {
    const found = trouble instanceof Failure && !(trouble instanceof GpuTrouble);
    if (!found || !run.description.inspects) throw trouble;
    const { code, message, log } = trouble.report;
    if (code !== "media_undecodable" && code !== "encoder_failed") throw trouble;
    const deviceReason = "ffmpeg gave the media up, which is a finding";
    const nothing = { encoder: null, proof: null, placement: null };
    return { ...nothing, deviceReason, stderr: log, broken: message };
  }
}

/** The texts in a folder of a step. */
export function textsOf(folder: string): Pick<RunTexts, "text" | "lines" | "write"> {
  const pathOf = (name: string) => {
    assert(plainName.test(name), `file name ${name} is plain`);
    return join(folder, name);
  };
  return {
    text: async (name) => {
      const blob = Bun.file(pathOf(name));
      return (await blob.exists()) ? await blob.slice(0, TEXT_MAX_BYTES).text() : null;
    },
    lines: (name) => linesOf(pathOf(name)),
    write: (name, lines) => writeLines(pathOf(name), lines),
  };
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const file = Bun.file(path);
  if (!(await file.exists())) return;
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of file.stream()) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/** So much is put together before it is written, and others get their turn. */
const WRITE_CHARS = 256 * 1024;

async function writeLines(path: string, lines: Iterable<string>): Promise<void> {
  const writer = Bun.file(path).writer();
  let text = "";
  for (const line of lines) {
    text += `${line}\n`;
    if (text.length < WRITE_CHARS) continue;
    writer.write(text);
    await writer.flush();
    text = "";
  }
  writer.write(text);
  await writer.end();
}

async function writeReading(path: string, found: unknown): Promise<void> {
  await writeDurably(path, `${JSON.stringify(found, null, 1)}\n`);
}
