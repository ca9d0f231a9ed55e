/** `kinomill import`: a server fetches files from links, and this waits until they are there. */
import { sizeText } from "../../views/quantities.ts";
import type { WhenEqual } from "../assets/asset.ts";
import { Refusal } from "../trouble.ts";
import { exitCodes } from "./exit.ts";
import { openProgressLine, type ProgressLine } from "./progress-line.ts";
import { ask, type ServerOptions } from "./server-call.ts";

export interface ImportOptions extends ServerOptions {
  name?: string;
  ifExists: WhenEqual;
  /** `--no-wait` makes it false. */
  wait: boolean;
  json?: boolean;
}

/** How often the server is asked: a person sees it move, and it costs the server nothing. */
const ASK_EVERY_MS = 500;

/** What of an asset or an import the command line shows. */
interface Shown {
  id: string;
  name: string;
  state: string;
  sizeBytes: number | null;
  receivedBytes?: number;
  progressPercent?: number | null;
  bytesPerSecond?: number | null;
  etaSeconds?: number | null;
  phase?: string | null;
  duplicateOf?: string | null;
  error?: { message: string; hint: string } | null;
}

export async function importLinks(urls: string[], options: ImportOptions): Promise<number> {
  const begun = await begin(urls, options);
  if (!options.wait) {
    for (const item of begun) print(item, options);
    return exitCodes.done;
  }
  const line = openProgressLine(process.stderr);
  let failures = 0;
  for (const { id } of begun) {
    const ended = await endOf(id, options, line);
    line.clear();
    if (ended.state !== "ready") failures += 1;
    print(ended, options);
  }
  return failures === 0 ? exitCodes.done : exitCodes.failed;
}

async function begin(urls: string[], options: ImportOptions): Promise<Shown[]> {
  const { name, ifExists } = options;
  const [first = ""] = urls;
  if (urls.length === 1) {
    const body = { url: first, ifExists, ...(name === undefined ? {} : { name }) };
    return [await ask<Shown>(options, "POST", "/assets/import", body)];
  }
  if (name !== undefined) {
    throw new Refusal(400, "bad_usage", "--name names one file: give one link with it.");
  }
  const body = { urls, ifExists };
  return (await ask<{ items: Shown[] }>(options, "POST", "/assets/import", body)).items;
}

/** Asks until it is an asset or has failed. How long that takes the server limits (imports.limitSeconds). */
async function endOf(id: string, options: ImportOptions, line: ProgressLine): Promise<Shown> {
  for (;;) {
    const item = await ask<Shown>(options, "GET", `/assets/${encodeURIComponent(id)}`);
    if (item.state !== "importing") return item;
    line.show(stepText(item), {
      percent: item.progressPercent ?? null,
      etaSeconds: item.etaSeconds ?? null,
      ...{ speed: null, frame: null, fps: null, outputSeconds: null, sizeBytes: null },
    });
    await Bun.sleep(ASK_EVERY_MS);
  }
}

function stepText({ name, phase, receivedBytes, bytesPerSecond }: Shown): string {
  const speed = bytesPerSecond ? `${sizeText(bytesPerSecond)}/s  ` : "";
  const doing = phase === "receiving" ? sizeText(receivedBytes ?? 0) : (phase ?? "");
  return `${speed}${doing}  ${name}`;
}

function print(item: Shown, options: ImportOptions): void {
  if (options.json) {
    console.log(JSON.stringify(item));
    return;
  }
  if (item.error) {
    console.error(`kinomill: ${item.name}: ${item.error.message} ${item.error.hint}`.trim());
    return;
  }
  const size = item.sizeBytes === null ? "" : `  ${sizeText(item.sizeBytes)}`;
  const twin = item.duplicateOf ? `  (the same bytes as ${item.duplicateOf})` : "";
  console.log(`${item.id}  ${item.state.padEnd(10)}${item.name}${size}${twin}`);
}
