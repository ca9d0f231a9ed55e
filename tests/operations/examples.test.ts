/** Every command line that the documents show is run as it stands there, by the compiled executable. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, symlinkSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { operations } from "../../src/operations/index.ts";
import { executable } from "../appliance.ts";
import { fillShelf } from "./shelf.ts";
import { commandsIn, type ShownCommand, shownCommands } from "./shown-commands.ts";

/** The slowest example encodes all of the film several times, on two busy cores. */
const LIMIT_MS = 180_000;
setDefaultTimeout(LIMIT_MS);

const shown = await shownCommands();

/** What is not for a folder of files, and where it is run instead. */
const elsewhere: Record<string, string> = {
  backup: "tests/backups.test.ts",
  expose: "tests/expose.test.ts",
  import: "tests/imports.test.ts",
  ready: "tests/ready.test.ts",
  restore: "tests/backups.test.ts",
  serve: "tests/browser.test.ts and every test that starts an appliance",
  storage: "tests/storage-move.test.ts and tests/retention.test.ts",
  tokens: "tests/command-line.test.ts",
};

let folder: string;
let shelf: string;
let cache: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "examples-"));
  shelf = join(folder, "shelf");
  cache = join(folder, "cache");
  await mkdir(shelf);
  await fillShelf(shelf);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

let runs = 0;

/** As a reader does it, in a folder with the files that the pages name, and `kinomill` on the path. */
async function follow({ command, json }: ShownCommand) {
  const place = join(folder, `reader-${++runs}`);
  await mkdir(join(place, "bin"), { recursive: true });
  symlinkSync(executable, join(place, "bin/kinomill"));
  const output = / -o (\S+)/.exec(command)?.[1];
  for (const file of readdirSync(shelf)) {
    if (file !== output) symlinkSync(join(shelf, file), join(place, file));
  }
  if (json !== null) await Bun.write(join(place, "params.json"), json);
  const before = new Set(readdirSync(place));
  const child = Bun.spawn(["bash", "-c", `set -eu\n${command}`], {
    cwd: place,
    // What a command finds out about the ffmpeg it keeps there for the next, as readers have it.
    env: { PATH: `${place}/bin:${process.env["PATH"]}`, HOME: place, XDG_CACHE_HOME: cache },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT_MS,
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  const exitCode = await child.exited;
  const made = new Bun.Glob("**/*").scanSync(place);
  const files = [...made].filter((path) => !before.has(path.split("/")[0] ?? path));
  return { exitCode, stdout, stderr, files: files.map((path) => join(place, path)), output };
}

/** `kinomill run` of a page of an operation, and what the page says that it makes. */
async function promised(place: string): Promise<string[] | null> {
  const [document = ""] = place.split(":");
  if (!/^docs\/operations\/[a-z-]+\.md$/.test(document)) return null;
  const text = await Bun.file(join(import.meta.dir, "../..", document)).text();
  const [, table] = text.split("## What the example makes");
  const rows = table?.matchAll(/^\| `[^|]+ \| ([^|]+) \|/gm);
  return rows === undefined ? null : Array.from(rows, ([, name = ""]) => name.trim());
}

/** Rungs of a ladder are as many and as large as the film that they are made of: each file of one once. */
function withoutLines(names: readonly string[]): string[] {
  return [...new Set(names.map((name) => name.replace(/-\d+p(?=[-.])/, "-LINESp")))].toSorted();
}

/** What several pages show is run once: what they say behind `#` is not part of it. */
const runnable = [
  ...Map.groupBy(
    shown.filter(({ command }) => !(commandOf(command) in elsewhere)),
    ({ command, json }) =>
      `${command.replace(/\s+#.*$/, "")} ${command.includes(".json") ? json : ""}`,
  ).values(),
].flatMap(([first, ...others]): [string, ShownCommand][] => {
  if (first === undefined) return [];
  const places = [first, ...others].map(({ place }) => place);
  return [[`${first.command} (${places.join(", ")})`, first]];
});

function commandOf(command: string): string {
  return command.split(/\s+/)[1] ?? "";
}

describe("the documents show", () => {
  test.each(runnable)("%s", async (_, each) => {
    const { exitCode, stdout, stderr, files, output } = await follow(each);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.any(String) });
    if (commandOf(each.command) !== "run") {
      expect(stdout).not.toBe("");
      return;
    }
    const names = (await promised(each.place)) ?? [output ?? ""];
    // One file is written under the name that was asked for.
    const wanted = names.length === 1 ? [output ?? ""] : names;
    expect(withoutLines(files.map((path) => basename(path)))).toEqual(withoutLines(wanted));
    for (const path of files) expect(Bun.file(path).size).toBeGreaterThan(0);
  });

  test("nothing that is run nowhere", () => {
    for (const tests of Object.values(elsewhere)) {
      const [first = ""] = tests.split(" ");
      expect(existsSync(join(import.meta.dir, "../..", first))).toBe(true);
    }
  });

  test("a run of every operation", () => {
    const ran = new Set(shown.map(({ command }) => /^kinomill run (\S+)/.exec(command)?.[1]));
    const missing = operations.map(({ name }) => name).filter((name) => !ran.has(name));
    // bun script/operation-docs.ts writes the page with the command.
    expect(missing).toEqual([]);
  });
});

test("a command is found whole, with the JSON before it, in any fenced block", () => {
  const text = [
    ...["# Page", "kinomill is a word here", "```json", '{"a": 1}', "```", "```sh"],
    ...["dist/kinomill run clip a.mov \\", "  -p b=c", "echo kinomill", "```"],
    ...["```", "$ kinomill doctor", "```"],
  ].join("\n");
  expect(commandsIn("page.md", text)).toEqual([
    { place: "page.md:8", command: "kinomill run clip a.mov    -p b=c", json: '{"a": 1}' },
    { place: "page.md:12", command: "kinomill doctor", json: '{"a": 1}' },
  ]);
});
