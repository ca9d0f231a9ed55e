/**
 * Every hostile file to every use, counted by the kernel. The unguarded runs are the control: a detector
 * that saw no leak there would prove nothing by seeing none elsewhere.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { everything } from "../support/long-form.ts";
import { corpus } from "./corpus.ts";
import { Ground, uses } from "./ground.ts";
import { nameOf, type Seen, watch, wayLimitMs } from "./watch.ts";
import { trialsOf, type Way, wallLimitSeconds, ways } from "./ways.ts";

setDefaultTimeout(wayLimitMs);

const root = mkdtempSync(join(tmpdir(), "hostile-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const seen = {} as Record<Way, Seen>;
beforeAll(async () => {
  const ground = new Ground(root);
  for (const file of corpus) ground.plant(file);
  for (const way of ways) seen[way] = await watch(way, root);
}, ways.length * wayLimitMs);

test("there are at least forty hostile files, under names of their own, for all four uses", () => {
  expect(trialsOf("ours").length).toBeGreaterThanOrEqual(40 * uses.length);
  expect(new Set(corpus.map(({ name }) => name)).size).toBe(corpus.length);
});

/** `FILE USE` of what was opened, each once. */
function leaksOf(way: Way): string[] {
  return [...new Set(seen[way].leaks.map((leak) => leak.slice(0, leak.lastIndexOf(": "))))];
}

describe("ffmpeg as its manual says, without flags and without the fence,", () => {
  const claimed = corpus
    .filter(({ variant }) => variant !== true || everything)
    .flatMap(({ name, leaks = [] }) => leaks.map((use) => `${name} ${use}`));

  test.each(claimed)("leaks by %s", (name) => {
    expect(leaksOf("unguarded")).toContain(name);
  });

  test("leaks by no other file", () => {
    expect(leaksOf("unguarded").toSorted()).toEqual(claimed.toSorted());
  });

  test("reads what is secret: a neighbour's video, the system's users, a network", () => {
    const all = seen.unguarded.leaks.join("\n");
    expect(all).toContain(`hls-without-ending probe: ${root}/neighbour/hls-plain.ts`);
    expect(all).toContain("hls-master-to-passwd subtitles: /etc/passwd");
    expect(all).toContain(`attachment-above.mkv transcode: ${root}/neighbour/attached-above`);
    expect(all).toContain("hls-http.m3u8 transcode: AF_INET");
  });
});

/** Names that ffmpeg takes for something else; and ffprobe has no flag to write attachments. */
const readOtherwise = /[%*:]|^attachment-.* probe$/;

const guarded = [
  ["behind the fence alone, with careless flags,", "fence"],
  ["by Kinomill's own code, with flags and fence,", "ours"],
] as const;

describe.each(guarded)("%s", (_what, way) => {
  test("no file of others is opened, and no socket", () => {
    expect(seen[way].leaks).toEqual([]);
  });

  test("every file was put to every use, and was opened itself", () => {
    const wanted = trialsOf(way).map(({ label }) => label);
    expect(seen[way].reports.map(({ label }) => label).toSorted()).toEqual(wanted.toSorted());
    const unopened = wanted.filter((label) => !seen[way].opened.has(label)).map(nameOf);
    expect(unopened.filter((name) => !readOtherwise.test(name))).toEqual([]);
  });

  test("no run takes longer than its limit", () => {
    const slow = seen[way].reports.filter(({ seconds }) => seconds > wallLimitSeconds * 2);
    expect(slow.map(({ label, seconds }) => `${nameOf(label)} ${seconds}`)).toEqual([]);
  });
});

describe("what the kernel refused", () => {
  test("by Kinomill's own code is nothing: the flags kept ffmpeg from trying", () => {
    expect(seen.ours.tries).toEqual([]);
  });

  test("behind the fence alone is what leaks without it", () => {
    const files = corpus.filter(({ leaks = [], variant }) => leaks.length > 0 && !variant);
    // What is of the network leaves no trace: the filter of system calls answers before strace does.
    const local = files.filter(({ name }) => !/http|^session/.test(name));
    const tried = new Set(
      seen.fence.tries.map((line) => line.slice(0, line.lastIndexOf(" ", line.lastIndexOf(": ")))),
    );
    expect(local.map(({ name }) => name).filter((name) => !tried.has(name))).toEqual([]);
  });
});

describe("Kinomill says of each file", () => {
  const reports = () =>
    new Map(seen.ours.reports.map(({ label, ending }) => [nameOf(label), ending] as const));

  test("that it is not media, in a sentence, unless it is media all the same", () => {
    const wanted = trialsOf("ours").filter(({ use }) => use === "probe");
    for (const { file, label } of wanted) {
      const said = reports().get(nameOf(label)) ?? "";
      const expected = file.media === true ? /^done$/ : /^not_media: [A-Z].*\.$/;
      expect(said, nameOf(label)).toMatch(expected);
    }
  });

  test("what went wrong, in a sentence, when it is worked on all the same", () => {
    const odd = [...reports()].filter(
      ([, ending]) => ending !== "done" && !/^[a-z_]+: \w.{10,}\.$/.test(ending),
    );
    expect(odd).toEqual([]);
  });
});
