/**
 * How `nvidia-smi --query-gpu` is asked and read. Drivers differ in the fields that they know, and one
 * unknown field fails the whole call.
 */
import { type Answer, consultTool } from "./ffmpeg.ts";

/** Times that a refused field is left out; more of them are unknown on no driver that encodes. */
const ATTEMPTS_MAX = 6;

export interface GpuAnswer {
  answer: Answer;
  /** The fields that were asked for in the end, in the order of the cells. */
  fields: readonly string[];
}

/**
 * Asks for these fields of every GPU, and again without those that the driver does not know.
 * Never rejects.
 * @param fallback what is asked for when the driver refuses without naming a field
 */
export async function askGpus(
  tool: string,
  wanted: readonly string[],
  fallback: readonly string[],
  options: { limitMs: number; signal?: AbortSignal },
): Promise<GpuAnswer> {
  let fields = wanted;
  for (let attempt = 1; ; attempt += 1) {
    const argv = [`--query-gpu=${fields.join(",")}`, "--format=csv,noheader,nounits"];
    const answer = await consultTool(tool, argv, options);
    const fewer = attempt <= ATTEMPTS_MAX ? withoutRefused(fields, fallback, answer) : null;
    if (fewer === null) return { answer, fields };
    fields = fewer;
  }
}

/** The query with fewer fields when this driver knows one of them not (exit code 2); null when it does. */
export function withoutRefused(
  fields: readonly string[],
  fallback: readonly string[],
  answer: Answer,
): readonly string[] | null {
  if (answer.kind !== "exited" || answer.code !== 2) return null;
  const refused = /Field "([^"]+)" is not a valid field/.exec(answer.stdout + answer.stderr)?.[1];
  const fewer = fields.filter((field) => field !== refused);
  if (fewer.length < fields.length) return fewer;
  return fields === fallback ? null : fallback;
}

export interface GpuRow {
  uuid: string;
  /** What the GPU says to this field; null when it says nothing, or was not asked. */
  value(field: string): string | null;
}

/** Rows that hold a UUID; everything else that nvidia-smi prints is passed over. */
export function gpuRows(text: string, fields: readonly string[]): GpuRow[] {
  return text.split("\n").flatMap((line) => {
    const cells = line.split(",").map((cell) => cell.trim());
    const value = (field: string) => plainValue(cells[fields.indexOf(field)]);
    const uuid = value("uuid");
    if (cells.length !== fields.length || !uuid?.startsWith("GPU-")) return [];
    return [{ uuid, value }];
  });
}

/** "[N/A]", "[Not Supported]", "[GPU is lost]", "[Unknown Error]", "N/A" and "ERR!" are no values. */
function plainValue(cell: string | undefined): string | null {
  if (cell === undefined || cell === "" || /^(\[.*\]|N\/A|ERR!)$/.test(cell)) return null;
  return cell;
}

export function wholeNumber(text: string | null): number | null {
  return text !== null && /^\d+$/.test(text) ? Number(text) : null;
}

/** With or without decimals, as power has them. */
export function plainNumber(text: string | null): number | null {
  return text !== null && /^\d+(\.\d+)?$/.test(text) ? Number(text) : null;
}
