import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseJunit, type Report, summaryLine } from "./junit.ts";

const source = `
import { describe, expect, test } from "bun:test";
describe('outer <&> "quoted"', () => {
  test("passes", () => {});
  test('fails > says "why"', () => expect("<skipped />").toBe("<failure>"));
  test.skip("is skipped", () => {});
  test.todo("is to do");
});
test.each([1, 2])("case %d", () => {});
`;

async function reportOf(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "junit-"));
  await Bun.write(join(folder, "planted.test.ts"), text);
  const report = join(folder, "report.xml");
  const argv = [process.execPath, "test", "--reporter=junit", `--reporter-outfile=${report}`];
  await Bun.spawn(argv, { cwd: folder, stdio: ["ignore", "ignore", "ignore"] }).exited;
  const xml = await Bun.file(report)
    .text()
    .catch(() => "");
  await rm(folder, { recursive: true });
  return xml;
}

test("counts what a real report of bun test says, name by name", async () => {
  const outcome = parseJunit(await reportOf(source));
  expect(outcome.passed).toBe(3);
  expect(outcome.failures).toEqual(['planted.test.ts: fails > says "why"']);
  expect(outcome.skipped).toEqual(["planted.test.ts: is skipped", "planted.test.ts: is to do"]);
  expect(summaryLine(outcome)).toBe("3 passed, 1 failed, 2 skipped");
});

test("no report counts as nothing run", () => {
  const nothing = { passed: 0, failures: [], skipped: [], files: new Set(), crashed: new Set() };
  expect(parseJunit("")).toEqual(nothing as unknown as Report);
});
