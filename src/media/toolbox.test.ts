import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../tests/support/processes.ts";
import { Failure, Refusal } from "../trouble.ts";
import type { Toolchain } from "./devices.ts";
import { Toolbox } from "./toolbox.ts";
import { ToolchainMemory } from "./toolchain-memory.ts";

let folder: string;
let paths: { ffmpegPath: string; ffprobePath: string };
let memory: ToolchainMemory;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "toolbox-"));
  paths = { ffmpegPath: join(folder, "ffmpeg"), ffprobePath: join(folder, "ffprobe") };
  for (const path of Object.values(paths)) copyFileSync("/bin/true", path);
  memory = new ToolchainMemory(join(folder, "toolchain.json"), paths);
});

afterEach(() => rmSync(folder, { recursive: true }));

const found = (version: string): Toolchain => ({
  ...paths,
  ...{ version, release: { major: 5, minor: 1 }, encoders: new Set(["libx264"]) },
  ...{ decoders: new Set(["h264"]), filters: new Set(["scale"]), hwaccels: new Set() },
});

/** A toolbox whose looks answer as told, one after another, the last one for ever. */
function toolbox(...answers: (Toolchain | "broken")[]) {
  let looks = 0;
  const ready: string[] = [];
  const box = new Toolbox(
    () => {
      const answer = answers[Math.min(looks, answers.length - 1)];
      looks += 1;
      if (answer === undefined || answer === "broken") {
        return Promise.reject(new Failure("tool_missing", "It does not answer."));
      }
      return Promise.resolve(answer);
    },
    memory,
    1,
  );
  return {
    box,
    ready,
    looks: () => looks,
    open: () => box.open((each) => ready.push(each.version)),
  };
}

describe("the ffmpeg of this box", () => {
  test("is looked at before anything begins, and remembered for the next start", async () => {
    const first = toolbox(found("5.1"));
    await first.open();
    expect([first.ready, first.looks()]).toEqual([["5.1"], 1]);
    const second = toolbox(found("5.1"));
    const opened = second.open();
    expect([second.ready, second.looks()]).toEqual([["5.1"], 0]);
    const remembered = second.box.toolchain();
    expect(remembered).toEqual(found("5.1"));
    await opened;
    await until("it is looked at again", () => (second.looks() > 0 ? true : null));
    // Plans that were made for it stand: it is the same value.
    expect(second.box.toolchain()).toBe(remembered);
    expect(second.ready).toEqual(["5.1"]);
    second.box.close();
  });

  test("is another one once it was looked at behind, should its libraries have changed", async () => {
    memory.keep(found("5.1"));
    const { box, open, ready } = toolbox(found("7.1"));
    await open();
    expect(box.toolchain().version).toBe("5.1");
    await until("it is seen", () => (box.toolchain().version === "7.1" ? true : null));
    expect([ready, memory.recall()?.version]).toEqual([["5.1"], "7.1"]);
    box.close();
  });

  test("is not remembered when a program is another file, is gone, or what was kept is no use", () => {
    memory.keep(found("5.1"));
    expect(memory.recall()).toEqual(found("5.1"));
    const kept = readFileSync(join(folder, "toolchain.json"));
    writeFileSync(paths.ffprobePath, "another");
    expect(memory.recall()).toBeNull();
    memory.keep(found("5.1"));
    expect(memory.recall()?.version).toBe("5.1");
    writeFileSync(join(folder, "toolchain.json"), kept.subarray(0, 40));
    expect(memory.recall()).toBeNull();
    memory.keep(found("5.1"));
    rmSync(paths.ffmpegPath);
    expect(memory.recall()).toBeNull();
  });

  test("that once does not answer in time is kept; one that is gone is told", async () => {
    memory.keep(found("5.1"));
    const { box, open, looks } = toolbox("broken");
    await open();
    await until("it was asked", () => (looks() === 1 ? true : null));
    expect(box.state.kind).toBe("ready");
    box.close();
    const gone = toolbox("broken");
    await gone.open();
    rmSync(paths.ffmpegPath);
    await until("it is told", () => (gone.box.state.kind === "missing" ? true : null));
    expect(() => gone.box.toolchain()).toThrow(Refusal);
    gone.box.close();
  });

  test("is looked for at once when somebody asks, and begins the work as ever", async () => {
    const { box, open, ready, looks } = toolbox("broken", found("5.1"));
    await box.lookNow();
    expect(looks()).toBe(0);
    await open();
    expect([box.state.kind, ready]).toEqual(["missing", []]);
    await box.lookNow();
    expect([box.state.kind, ready, looks()]).toEqual(["ready", ["5.1"], 2]);
    box.close();
    await box.lookNow();
    expect(looks()).toBe(2);
  });
});
