/** Holds the architecture of `docs/architecture.md`. Each rule is also shown a violation that it must find. */
import { describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assetStates } from "../../src/assets/asset.ts";
import { sampleConfig } from "../../src/config.ts";
import { jobStates, stepStates, stepTransitions, transitions } from "../../src/jobs/job.ts";
import { arrows, busyViews, importsOf, impureOperations, partOf, wrongArrows } from "./imports.ts";
import * as rules from "./rules.ts";
import { checkedWords, diagram } from "./states.ts";
import { isProduct, readTree, root } from "./tree.ts";

const tree = await readTree();
const textOf = (path: string) => tree.find((file) => file.path === path)?.text ?? "";
const planted = (path: string, text = "") => [{ path, text }];

describe("imports", () => {
  test("point one way, as the table says", () => {
    expect(wrongArrows(tree)).toEqual([]);
  });

  test("any other arrow is found, however it is written", () => {
    const found = (path: string, text: string) => wrongArrows(planted(path, text)).length;
    expect(found("src/jobs/a.ts", 'import { b } from "../http/b.ts";')).toBe(1);
    expect(found("src/jobs/a.ts", 'import type {\n  B,\n} from "../accounts/b.ts";')).toBe(1);
    expect(found("src/media/a.ts", 'export * from "../assets/b.ts";')).toBe(1);
    expect(found("src/clock.ts", 'import "./log.ts";')).toBe(1);
    expect(found("src/http/a.ts", 'const b = await import("../commands/b.ts");')).toBe(1);
    expect(found("src/commands/a.ts", 'import { b } from "../main.ts";')).toBe(1);
    expect(found("src/runners/a.ts", 'import { b } from "../../views/b.ts";')).toBe(1);
    expect(found("src/novel/a.ts", 'import { b } from "../clock.ts";')).toBe(1);
    expect(found("src/jobs/a.test.ts", 'import { b } from "../http/b.ts";')).toBe(0);
    expect(found("src/jobs/a.ts", 'import { z } from "zod";\nimport { b } from "./b.ts";')).toBe(0);
  });

  test("every part stands in the table, and the table has no cycle", () => {
    const parts = new Set(tree.filter(isProduct).map(({ path }) => partOf(path) ?? path));
    expect([...parts].filter((part) => arrows[part] === undefined)).toEqual([]);
    const reaches = (from: string, to: string): boolean =>
      (arrows[from] ?? []).some((next) => next === to || reaches(next, to));
    expect(Object.keys(arrows).filter((part) => reaches(part, part))).toEqual([]);
  });

  test("every import of the product is seen", () => {
    const scanner = new Bun.Transpiler({ loader: "ts" });
    for (const file of tree.filter(isProduct)) {
      const seen = importsOf(file).map(({ to }) => to.split("/").at(-1));
      const code = file.text.replace(/^#!.*/, "");
      const meant = scanner.scanImports(code).map(({ path }) => path.split("/").at(-1));
      expect(meant.filter((name) => !seen.includes(name))).toEqual([]);
    }
  });

  test("operations use nothing that reaches out", () => {
    expect(impureOperations(tree)).toEqual([]);
  });

  test("an operation that reaches out is found, also through others", () => {
    const a = (text: string) => planted("src/operations/a.ts", text);
    expect(impureOperations(a("const t = Date.now();")).length).toBe(1);
    expect(impureOperations(a('import { readFileSync } from "node:fs";')).length).toBe(1);
    expect(impureOperations(a("// Date.now() is for others.\n")).length).toBe(0);
    const far = [
      ...a('import { b } from "../media/b.ts";'),
      ...planted("src/media/b.ts", 'import { c } from "./c.ts";'),
      ...planted("src/media/c.ts", "export const c = () => Bun.spawn([]);"),
    ];
    expect(impureOperations(far)).toEqual([
      "src/media/c.ts is used by operations, but reaches out: Bun.",
    ]);
    const typed = far.with(0, {
      path: "src/operations/a.ts",
      text: 'import type { B } from "../media/b.ts";',
    });
    expect(impureOperations(typed)).toEqual([]);
  });

  test("views know the shapes of what they draw, and nothing that works", () => {
    expect(busyViews(tree)).toEqual([]);
    const view = (text: string) => busyViews(planted("views/a.ts", text)).length;
    expect(view('import { queue } from "../src/jobs/queue.ts";')).toBe(1);
    expect(view('import type { Job } from "../src/jobs/queue.ts";')).toBe(0);
    expect(view('import { jobStates } from "../src/jobs/job.ts";')).toBe(0);
  });
});

describe("files", () => {
  test("are no longer than one idea", () => {
    expect(rules.longFiles(tree)).toEqual([]);
    expect(rules.longFiles(planted("src/a.ts", "x;\n".repeat(401))).length).toBe(1);
    expect(rules.longFiles(planted("src/a.ts", "x;\n".repeat(400))).length).toBe(0);
  });

  test("are named by domain words", () => {
    expect(rules.emptyNames(tree)).toEqual([]);
    for (const name of ["utils.ts", "string-helpers.ts", "types/a.ts", "job-manager.ts"]) {
      expect(rules.emptyNames(planted(`src/jobs/${name}`)).length).toBe(1);
    }
    expect(rules.emptyNames(planted("src/http/mime-type.ts")).length).toBe(1);
    expect(rules.emptyNames(planted("src/jobs/queue.ts")).length).toBe(0);
  });

  test("hold functions of at most 70 lines, by the linter's rule", async () => {
    const folder = await mkdtemp(join(tmpdir(), "architecture-"));
    const { vcs: _, ...config } = JSON.parse(textOf("biome.json")) as Record<string, unknown>;
    await Bun.write(join(folder, "biome.json"), JSON.stringify(config));
    const lint = async (lines: number) => {
      const body = "  console.assert(true);\n".repeat(lines);
      await Bun.write(join(folder, "src/planted.ts"), `export function planted() {\n${body}}\n`);
      const argv = [join(root, "node_modules/.bin/biome"), "lint", "--max-diagnostics=200", "src"];
      const run = Bun.spawnSync(argv, { cwd: folder });
      return run.stdout.toString() + run.stderr.toString();
    };
    expect(await lint(80)).toContain("noExcessiveLinesPerFunction");
    expect(await lint(60)).not.toContain("noExcessiveLinesPerFunction");
    await rm(folder, { recursive: true });
  });

  test("name no registry host and no path of one machine", () => {
    expect(rules.strayPlacesIn(tree)).toEqual([]);
    const stray = [["see ", "work", "shared"].join("/"), ["", "root", ".cache"].join("/")];
    for (const text of [...stray, ["https://registry", "npmjs", "org"].join(".")]) {
      expect(rules.strayPlacesIn(planted("docs/a.md", text)).length).toBe(1);
    }
    expect(rules.strayPlacesIn(planted("docs/a.md", "the /jobs route, .work/x")).length).toBe(0);
  });
});

describe("one place for", () => {
  test("reading the environment", () => {
    expect(rules.environmentReaders(tree)).toEqual([]);
    for (const text of ["process.env", "Bun.env.HOME", 'import { env } from "node:process";']) {
      expect(rules.environmentReaders(planted("src/log.ts", `${text}\n`)).length).toBe(1);
    }
  });

  test("starting processes", () => {
    expect(rules.spawners(tree)).toEqual([]);
    for (const text of [
      'Bun.spawn(["ffprobe"]);',
      'import { execFile } from "node:child_process";',
      'import { $ } from "bun";',
    ]) {
      expect(rules.spawners(planted("src/media/probe.ts", text)).length).toBe(1);
      expect(rules.spawners(planted("src/media/ffmpeg.ts", text)).length).toBe(0);
    }
  });

  test("calling C functions", () => {
    expect(rules.foreignCallers(tree)).toEqual([]);
    const text = 'import { dlopen } from "bun:ffi";';
    expect(rules.foreignCallers(planted("src/media/probe.ts", text)).length).toBe(1);
    expect(rules.foreignCallers(planted("src/systemd/notify.ts", text)).length).toBe(1);
  });

  test("settings: the sample file is what the schema says", () => {
    expect(textOf("docs/kinomill.sample.toml")).toBe(sampleConfig());
  });

  test("states: the database checks the words of the code", () => {
    const sql = tree
      .filter(({ path }) => /^src\/database\/migrations\/.*\.sql$/.test(path))
      .map(({ text }) => text)
      .join("\n");
    expect(checkedWords(sql, "job", "state")).toEqual([...jobStates]);
    expect(checkedWords(sql, "asset", "state")).toEqual([...assetStates]);
    expect(checkedWords(sql, "step", "state")).toEqual([...stepStates]);
    const narrowed = sql.replaceAll("state = 'waiting' OR ", "").replaceAll("'binned', ", "");
    expect(checkedWords(narrowed, "job", "state")).not.toEqual([...jobStates]);
    expect(checkedWords(narrowed, "asset", "state")).not.toEqual([...assetStates]);
  });

  test("states: the diagram shows every state and every move of the code, and no other", () => {
    const drawn = diagram(textOf("docs/states.md"));
    const sorted = (moves: readonly { from: string; to: string; by: string }[]) =>
      moves.map(({ from, to, by }) => `${from} --> ${to} : ${by}`).sort();
    expect(sorted(drawn.moves)).toEqual(sorted(transitions));
    expect(drawn.states.sort()).toEqual([...jobStates].sort());
    const step = diagram(textOf("docs/states.md"), 2);
    expect(sorted(step.moves)).toEqual(sorted(stepTransitions));
    expect(step.states.sort()).toEqual([...stepStates].sort());
    const other = "```mermaid\nstateDiagram-v2\n  queued --> running : claim, steal\n  lost\n```";
    expect(diagram(other)).toEqual({
      states: ["queued", "running", "lost"],
      moves: [
        { from: "queued", to: "running", by: "claim" },
        { from: "queued", to: "running", by: "steal" },
      ],
    });
  });
});

describe("pins", () => {
  test("every dependency is one exact version", () => {
    expect(rules.loosePins(textOf("package.json"))).toEqual([]);
    const loose = JSON.stringify({ dependencies: { zod: "^4.0.0", pino: "1.2.3", a: "latest" } });
    expect(rules.loosePins(loose).length).toBe(2);
  });

  test("the scripts fetch the Bun that package.json names", () => {
    const scripts = tree.filter(({ path }) => path.startsWith("script/"));
    expect(scripts.length).toBeGreaterThan(3);
    expect(rules.otherBuns(textOf("package.json"), scripts)).toEqual([]);
    const old = planted("script/build", "PATH=.tools/bun-1.0.0:$PATH");
    expect(rules.otherBuns(textOf("package.json"), old).length).toBe(1);
  });
});
