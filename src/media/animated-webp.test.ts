import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toolchain } from "../../tests/support/toolchain.ts";
import { frameAsStill, mediaOfWebp, readAnimatedWebp } from "./animated-webp.ts";
import { decodeWebp } from "./decode-webp.ts";

const folder = mkdtempSync(join(tmpdir(), "animated-webp-"));
const moving = join(folder, "moving.webp");
const still = join(folder, "still.webp");
const tools = {
  ...{ toolchain, signal: AbortSignal.timeout(60_000), niceness: 0 },
  ...{ stallSeconds: 30, wallLimitSeconds: 60 },
};

function ffmpeg(...argv: string[]): void {
  const done = Bun.spawnSync(["ffmpeg", "-nostdin", "-v", "error", "-y", ...argv]);
  if (done.exitCode !== 0) throw new Error(done.stderr.toString());
}

beforeAll(() => {
  const half = "geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='if(lt(X,80),0,255)'";
  const picture = `testsrc2=size=160x120:rate=15:duration=1,format=rgba,${half}`;
  const webp = ["-c:v", "libwebp_anim", "-pix_fmt", "bgra"];
  ffmpeg("-f", "lavfi", "-i", picture, ...webp, "-loop", "3", moving);
  ffmpeg("-f", "lavfi", "-i", picture, "-frames:v", "1", "-c:v", "libwebp", still);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function readMoving() {
  const animation = await readAnimatedWebp(moving);
  if (animation === null) throw new Error("it is animated");
  return animation;
}

test("tells canvas, plays, transparency and every frame's time", async () => {
  const animation = await readMoving();
  expect(animation).toMatchObject({ width: 160, height: 120, alpha: true, plays: 3 });
  expect(animation.frames).toHaveLength(15);
  const media = mediaOfWebp(animation, 3000);
  expect(media).toMatchObject({ container: "webp", kind: "video" });
  // Fifteen times 66 or 67 milliseconds.
  expect(Math.abs((media.durationSeconds ?? 0) - 1)).toBeLessThan(0.002);
  expect(media.video?.variableFrameRate).toBe(false);
  expect(Math.abs(Number(media.video?.frameRate?.split("/")[0]) - 15_000)).toBeLessThan(30);
  expect(Math.abs((media.bitRate ?? 0) - 24_000)).toBeLessThan(50);
});

test("what is no animated WebP is somebody else's", async () => {
  expect(await readAnimatedWebp(still)).toBeNull();
  await Bun.write(join(folder, "short"), "RIFF");
  expect(await readAnimatedWebp(join(folder, "short"))).toBeNull();
});

test("a frame is a still of its own size, and all of them decode in one run", async () => {
  const animation = await readMoving();
  const [first] = animation.frames;
  if (first === undefined) throw new Error("it has frames");
  const alone = await frameAsStill(moving, first);
  expect(alone.readUInt32LE(4)).toBe(alone.length - 8);
  for (const mode of ["quick", "full"] as const) {
    const decoded = await decodeWebp({ path: moving, animation }, mode, tools);
    const which = mode === "full" ? "all" : "the first, middle and last of";
    const checks = [`Decoded ${which} 15 frames without an error`];
    expect(decoded).toEqual({ kind: "decoded", checks });
  }
});

test("a frame that does not decode is found", async () => {
  const bytes = readFileSync(moving);
  const { frames } = await readMoving();
  const last = frames.at(-1);
  if (last === undefined) throw new Error("it has frames");
  bytes.fill(0xff, last.offset + 8, last.offset + last.bytes);
  const path = join(folder, "broken.webp");
  await Bun.write(path, bytes);
  const animation = await readAnimatedWebp(path);
  if (animation === null) throw new Error("it is animated");
  const decoded = await decodeWebp({ path, animation }, "quick", tools);
  expect(decoded.kind).toBe("faulty");
});

test("a damaged one is refused with what is wrong", async () => {
  const whole = readFileSync(moving);
  const { frames } = await readMoving();
  const [first] = frames;
  if (first === undefined) throw new Error("it has frames");
  const broken = (change: (bytes: Buffer) => Buffer) => change(Buffer.from(whole));
  const cases: [words: string, bytes: Buffer][] = [
    ["its end is missing", broken((bytes) => bytes.subarray(0, bytes.length - 50))],
    [
      "is cut off",
      broken((bytes) => {
        bytes.writeUInt32LE(0x7f_ff_ff_ff, first.offset - 20);
        return bytes;
      }),
    ],
    [
      "a frame lies outside of the picture",
      broken((bytes) => {
        bytes.writeUIntLE(300, first.offset - 10, 3);
        return bytes;
      }),
    ],
    [
      "it holds not a single frame",
      broken((bytes) => {
        bytes.writeUInt32LE(first.offset - 24 - 8, 4);
        return bytes.subarray(0, first.offset - 24);
      }),
    ],
  ];
  for (const [words, bytes] of cases) {
    const path = join(folder, "damaged.webp");
    await Bun.write(path, bytes);
    await expect(readAnimatedWebp(path)).rejects.toThrow(words);
  }
});
