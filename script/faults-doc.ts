/**
 * Writes docs/faults.md from the catalogue of faults and from what their tests counted:
 *   bun script/faults-doc.ts               runs the tests of faults, then writes the page
 *   bun script/faults-doc.ts REPORT        takes the counts of a run that had FAULTS_REPORT=REPORT; a fault that is
 *                                          not in it keeps what the page says
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type FaultEntry, faults } from "../tests/faults/catalogue.ts";
import type { FaultCounts } from "../tests/faults/count.ts";

const root = resolve(import.meta.dir, "..");
export const pagePath = join(root, "docs/faults.md");

type Counted = FaultCounts & { id: string };

/** Half an hour: the short forms take some minutes on a busy machine. */
const RUN_LIMIT_MS = 1_800_000;

/** What each fault is and must stand on the page word for word, whatever was counted. */
export function promiseRow({ what, promise, injected, test }: FaultEntry): string {
  return `| ${what} | ${promise} | ${injected} | \`${test}\` |`;
}

function countRow({ what, control }: FaultEntry, counted: Counted): string {
  const { rounds, acknowledged, lost, doubled, falsified, recoverySeconds } = counted;
  const recovery = recoverySeconds == null ? "" : `${recoverySeconds.toFixed(1)} s`;
  const cells = [what, rounds, acknowledged, lost, doubled, falsified, recovery];
  return `| ${cells.join(" | ")} | ${control} Seen: ${counted.control}. |`;
}

/** The row that a page has for a fault under its counts. */
function rowOn(page: string, { what }: FaultEntry): string[] {
  const counted = page.slice(page.indexOf("\n## What was counted"));
  return counted.split("\n").filter((line) => line.split("|")[1]?.trim() === what);
}

/**
 * @param counts the last count of each fault
 * @param before the page as it was: a fault that was not counted has the figures that stand there
 */
export function faultsPage(counts: readonly Counted[], before: string): string {
  const last = new Map(counts.map((each) => [each.id, each]));
  const counted = faults.flatMap((fault) => {
    const found = last.get(fault.id);
    return found === undefined ? rowOn(before, fault) : [countRow(fault, found)];
  });
  return `# Faults

What Kinomill promises when something breaks, how that is made to happen, and what was counted. The page is made
by \`bun script/faults-doc.ts\` from the tests themselves; \`script/test\` runs each fault a few times,
\`script/test --full\` many times. The real server, the real ffmpeg, real disks and real signals are used; a stand-in is
named where there is one.

## The promises

| when | what is promised | how it is made to happen | test |
| --- | --- | --- | --- |
${faults.map(promiseRow).join("\n")}

## What was counted

Acknowledged are files and jobs that the server had answered with success. Lost is what was missing afterwards, doubled what
was there twice or belonged to nobody, falsified what was there and wrong. The control is the same with the
protection or the fault taken away: it shows that the test can see a difference.

| when | times | acknowledged | lost | doubled | falsified | work went on after | control |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |
${counted.join("\n")}
`;
}

async function countNow(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "faults-"));
  const report = join(folder, "report.jsonl");
  const files = [...new Set(faults.map(({ test }) => `./${test}`))];
  const child = Bun.spawn(["bun", "test", "--timeout=60000", ...files], {
    cwd: root,
    env: { ...process.env, FAULTS_REPORT: report },
    stdio: ["ignore", "inherit", "inherit"],
    timeout: RUN_LIMIT_MS,
  });
  const exitCode = await child.exited;
  const text = await Bun.file(report).text();
  await rm(folder, { recursive: true });
  if (exitCode !== 0)
    throw new Error("a fault was not survived: see above; the page stays as it is");
  return text;
}

if (import.meta.main) {
  const [path] = process.argv.slice(2);
  const text = path === undefined ? await countNow() : await Bun.file(path).text();
  const counts = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Counted);
  await Bun.write(pagePath, faultsPage(counts, await Bun.file(pagePath).text()));
}
