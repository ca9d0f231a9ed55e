/** Ten seconds tried out: the real ffmpeg, the real dispatch, and nothing left behind. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Asset } from "../src/assets/asset.ts";
import { systemClock } from "../src/clock.ts";
import { loadConfig } from "../src/config.ts";
import { type Trial, Trials } from "../src/jobs/trials.ts";
import { silentLog } from "../src/log.ts";
import { probe } from "../src/media/probe.ts";
import { noGpus, openBox } from "../src/runners/box.ts";
import { LocalRunner } from "../src/runners/local.ts";
import { Refusal } from "../src/trouble.ts";
import { plainClip } from "./clips.ts";
import { toolchain } from "./support/toolchain.ts";

setDefaultTimeout(180_000);

const tools = { ffmpegPath: "ffmpeg", ffprobePath: "ffprobe" };
const flags = { "storage.reserveBytes": 0, "ffmpeg.niceness": 0 };

let folder: string;
let trials: Trials;
let film: Asset;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kinomill-trials-"));
  const path = plainClip(30);
  const media = await probe(path, tools);
  film = {
    ...{ id: "as_film", ownerId: "us_ann", name: "match <b>.mp4", state: "ready", kind: "video" },
    ...{ sizeBytes: 1, sha256: "0".repeat(64), mimeType: "video/mp4", thumbnail: "none", media },
    ...{ origin: { kind: "upload" }, createdAt: "2026-01-01T00:00:00.000Z", expiresAt: null },
  } as Asset;
  const config = await loadConfig({ file: null, environment: {}, flags });
  const runner = new LocalRunner({ toolchain, config });
  const { dispatch } = openBox({
    ...{ config, clock: systemClock, runner, gpus: noGpus, toolchain: () => toolchain },
  });
  trials = new Trials({
    library: {
      get: (_owner, id) => {
        if (id !== film.id) throw new Refusal(404, "not_found", "There is no such file.");
        return film;
      },
      captionsOf: () => "",
    },
    storage: { hold: () => Promise.resolve({ path, release: () => undefined }) },
    ...{ dispatch, planContext: () => toolchain, clock: systemClock, log: silentLog() },
    folder: join(folder, "trials"),
  });
});

afterAll(async () => {
  await trials?.close();
  rmSync(folder, { recursive: true, force: true });
});

const ask = (operation: string, params: unknown, at: number | null = null, owner = "us_ann") =>
  trials.start(owner, { operation, params, inputs: [film.id] }, at);

async function ended(trial: Trial): Promise<Trial> {
  const deadline = performance.now() + 120_000;
  while (trial.state === "running") {
    if (performance.now() > deadline) throw new Error("the trial did not end in 120 s");
    await Bun.sleep(20);
  }
  return trial;
}

test("ten seconds around the middle are made as the whole would be, and lie beside those of the source", async () => {
  const trial = await ended(
    await ask("transcode", { video: { codec: "h264", quality: 30, maxHeight: 90 } }),
  );
  expect({ state: trial.state, error: trial.error }).toEqual({ state: "done", error: null });
  expect(trial.span).toEqual({ from: 10, to: 20 });
  expect(Math.round(trial.progressPercent)).toBe(100);
  const [made] = trial.made;
  expect(made?.media?.video?.height).toBe(90);
  expect(made?.media?.durationSeconds).toBeCloseTo(10, 0);
  expect(trial.part?.media?.durationSeconds).toBeCloseTo(10, 0);
  expect(trial.part?.media?.video?.codec).toBe("h264");
  expect(trial.deviceReason).toContain("CPU");
  expect(existsSync(made?.path ?? "")).toBe(true);
});

test("where the player stands decides; what was tried before is thrown away", async () => {
  const first = await ended(await ask("enhance", { sharpen: "light" }, 3));
  expect(first.span).toEqual({ from: 0, to: 10 });
  const path = first.made[0]?.path ?? "";
  expect(existsSync(path)).toBe(true);
  const second = await ended(await ask("animate", { width: 64, frameRate: 5 }, 29));
  expect(second.span).toEqual({ from: 20, to: 30 });
  expect(second.made[0]?.mimeType).toBe("image/gif");
  expect(existsSync(path)).toBe(false);
  expect(trials.find("us_ann", first.id)).toBeNull();
});

test("nobody else sees it, and away with it leaves nothing", async () => {
  const trial = await ask("transcode", { video: { quality: 90 }, speed: "best" });
  expect(trials.find("us_bob", trial.id)).toBeNull();
  await trials.end("us_bob", trial.id);
  expect(trials.find("us_ann", trial.id)).toBe(trial);
  // While it runs: its ffmpeg is ended.
  await trials.end("us_ann", trial.id);
  expect(trial.state).toBe("ended");
  expect(readdirSync(join(folder, "trials"))).toEqual([]);
});

describe("what cannot be tried is said before anything runs", () => {
  const refusal = async (operation: string, params: unknown) => {
    const cause = await ask(operation, params).catch((each: unknown) => each);
    return cause instanceof Refusal ? `${cause.code}: ${cause.message}` : String(cause);
  };

  test("an operation of which a part says nothing", async () => {
    expect(await refusal("check", {})).toContain("cannot_be_tried");
  });

  test("wrong parameters, as for the job", async () => {
    expect(await refusal("transcode", { video: { quality: 300 } })).toContain("invalid_params");
    expect(await refusal("transcode", { from: 100 })).toContain("unsuitable_input");
  });
});

test("a start throws away what a server before left", async () => {
  const left = join(folder, "trials", "tr_before", "made", "output.mp4");
  await Bun.write(left, "film");
  await trials.open();
  expect(existsSync(join(folder, "trials"))).toBe(false);
});
