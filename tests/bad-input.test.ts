/** Whatever comes in: a sentence that a person understands, nothing lost, nothing half-made. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Api } from "./api.ts";
import { Appliance, eventually } from "./appliance.ts";
import {
  ffprobe,
  oddClip,
  plainClip,
  rotatedClip,
  silentClip,
  slowClip,
  soundOnly,
  tenBitClip,
  variableRateClip,
} from "./clips.ts";

let appliance: Appliance;
let ann: Api;
let bob: Api;

beforeAll(async () => {
  appliance = await Appliance.start();
  ann = new Api(appliance.url, await appliance.token("ann"));
  bob = new Api(appliance.url, await appliance.token("bob"));
});

afterAll(async () => {
  await appliance[Symbol.asyncDispose]();
});

/** Files below the storage folder: what an upload that was refused must not add to. */
function storedFiles(): string[] {
  return readdirSync(join(appliance.dataFolder, "storage"), {
    recursive: true,
    withFileTypes: true,
  })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);
}

/** A sentence: begins with a capital, ends with a full stop, and names no path of the host or internals. */
function expectSentence(text: string): void {
  expect(text).toMatch(/^[A-Z].{15,}\.$/s);
  expect(text).not.toMatch(/\/tmp\/|\/data\/|undefined|null|\bat \w+ \(|Error:/);
}

describe("an upload that is refused says why and leaves nothing", () => {
  const plain = () => Bun.file(plainClip()).bytes();
  const cases: [string, string, () => Promise<Uint8Array<ArrayBuffer>>][] = [
    ["text", "notes.mp4", async () => new TextEncoder().encode("Dear diary, ".repeat(50))],
    ["nothing at all", "empty.mp4", async () => new Uint8Array(0)],
    ["random bytes", "noise.mov", async () => crypto.getRandomValues(new Uint8Array(65_000))],
    ["an MP4 without its index", "cut.mp4", async () => (await plain()).slice(0, 9_000)],
    [
      "a playlist that calls itself a video",
      "list.mp4",
      async () =>
        new TextEncoder().encode(
          "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n",
        ),
    ],
  ];
  test.each(cases)("%s", async (_what, name, bytes) => {
    const before = storedFiles().length;
    const answer = await ann.upload(name, await bytes());
    expect(answer.status).toBe(422);
    expect(answer.headers.get("content-type")).toStartWith("application/problem+json");
    expect(answer.body.code).toMatch(/^[a-z_]+$/);
    expectSentence(answer.body.detail);
    expect(storedFiles().length).toBe(before);
  });
});

test("a name of 300 bytes with quotes, newlines and ../ becomes a clean name that comes back whole", async () => {
  const ugly = `../../etc/"quo'te"\n<b>${"ü".repeat(140)}.mp4`;
  const { body } = await ann.upload(ugly, await Bun.file(plainClip()).bytes());
  expect(body.name).toStartWith(`"quo'te" <b>ü`);
  expect(body.name).toEndWith(".mp4");
  expect(Buffer.byteLength(body.name)).toBeLessThanOrEqual(255);
  const content = await ann.call("HEAD", `/api/v1/assets/${body.id}/content?download=1`);
  const disposition = content.headers.get("content-disposition") ?? "";
  const encoded = disposition.slice(disposition.indexOf("UTF-8''") + "UTF-8''".length);
  expect(decodeURIComponent(encoded)).toBe(body.name);
  expect(disposition).not.toMatch(/[\r\n]/);
});

describe("media of every kind goes through transcode and is proven", () => {
  test("odd sizes become even", async () => {
    const asset = await ann.add(oddClip());
    const job = await ann.run("transcode", [asset.id]);
    expect(job.error).toBeNull();
    const { body } = await ann.get(`/api/v1/assets/${job.outputs[0]}`);
    expect([body.media.video.width % 2, body.media.video.height % 2]).toEqual([0, 0]);
    expect(body.media.video.pixelFormat).toBe("yuv420p");
  });

  test("a phone video stands upright afterwards", async () => {
    const asset = await ann.add(rotatedClip());
    expect(asset.media.video.rotation).not.toBe(0);
    expect(asset.media.video.displayWidth).toBe(180);
    const job = await ann.run("transcode", [asset.id], { video: { codec: "hevc" } });
    const { body } = await ann.get(`/api/v1/assets/${job.outputs[0]}`);
    const { displayWidth, displayHeight } = body.media.video;
    expect([displayWidth, displayHeight]).toEqual([180, 320]);
  });

  test("a variable frame rate keeps its length", async () => {
    const asset = await ann.add(variableRateClip());
    expect(asset.media.video.variableFrameRate).toBe(true);
    const job = await ann.run("transcode", [asset.id], { video: { quality: 40 } });
    expect(job.state).toBe("succeeded");
    const { body } = await ann.get(`/api/v1/assets/${job.outputs[0]}`);
    expect(Math.abs(body.media.durationSeconds - asset.media.durationSeconds)).toBeLessThan(0.1);
  });

  test("10 bit becomes 8 bit where H.264 is asked for", async () => {
    const asset = await ann.add(tenBitClip());
    expect(asset.media.video.bitDepth).toBe(10);
    const job = await ann.run("transcode", [asset.id], { video: { codec: "h264" } });
    const { body } = await ann.get(`/api/v1/assets/${job.outputs[0]}`);
    expect(body.media.video.bitDepth).toBe(8);
  });

  test("without sound", async () => {
    const job = await ann.run("transcode", [(await ann.add(silentClip())).id], {
      video: { quality: 30 },
    });
    const { body } = await ann.get(`/api/v1/assets/${job.outputs[0]}`);
    expect(body.media.audio).toEqual([]);
  });

  test("sound alone", async () => {
    const job = await ann.run("transcode", [(await ann.add(soundOnly())).id]);
    expect(job.state).toBe("succeeded");
    const { body } = await ann.get(`/api/v1/assets/${job.outputs[0]}`);
    expect(body.media.kind).toBe("audio");
  });
});

describe("a job that cannot be", () => {
  const cases: [string, unknown, number, string][] = [
    ["an unknown operation", { operation: "explode" }, 404, "unknown_operation"],
    ["an unknown parameter", { params: { colour: "red" } }, 422, "invalid_params"],
    ["a quality of 500", { params: { video: { quality: 500 } } }, 422, "invalid_params"],
    ["a text where a number belongs", { params: { from: "soon" } }, 422, "invalid_params"],
    ["a start after the end of the video", { params: { from: 900 } }, 422, "unsuitable_input"],
    ["no input", { inputs: [] }, 422, ""],
    ["an input that does not exist", { inputs: [`as_${"0".repeat(32)}`] }, 404, "not_found"],
    ["an input that is a path", { inputs: ["../../etc/passwd"] }, 404, ""],
    ["a key that the API does not know", { shell: "rm -rf /" }, 422, ""],
  ];
  test.each(cases)("%s", async (_what, change, status, code) => {
    const asset = await ann.add(plainClip());
    const request = {
      operation: "transcode",
      inputs: [asset.id],
      params: {},
      ...(change as object),
    };
    const answer = await ann.post("/api/v1/jobs", request);
    expect([answer.status, answer.body.code]).toEqual([
      status,
      code === "" ? answer.body.code : code,
    ]);
    expectSentence(answer.body.detail);
  });

  test("every fault of a request is named at once", async () => {
    const asset = await ann.add(plainClip());
    const { body } = await ann.post("/api/v1/jobs", {
      operation: "transcode",
      inputs: [asset.id],
      params: { video: { quality: -1, codec: "divx" }, colour: "red" },
    });
    const paths = body.errors.map((fault: { path: string }) => fault.path).join(" ");
    for (const path of ["video.quality", "video.codec", "colour"]) expect(paths).toContain(path);
  });
});

test("another user's asset and job do not exist", async () => {
  const asset = await ann.add(plainClip());
  const job = await ann.run("thumbnails", [asset.id]);
  for (const path of [`assets/${asset.id}`, `assets/${asset.id}/content`, `jobs/${job.id}`]) {
    expect((await ann.get(`/api/v1/${path}`)).status).toBe(200);
    expect((await bob.get(`/api/v1/${path}`)).status).toBe(404);
  }
  expect((await bob.call("DELETE", `/api/v1/assets/${asset.id}`)).status).toBe(404);
  expect((await bob.post(`/api/v1/jobs/${job.id}/cancel`, {})).status).toBe(404);
  const stolen = await bob.post("/api/v1/jobs", { operation: "transcode", inputs: [asset.id] });
  expect(stolen.status).toBe(404);
  expect((await bob.get("/api/v1/assets")).body.items).toEqual([]);
});

test("a file above the limit is refused early, and late when its size was not told", async () => {
  await using small = await Appliance.start({
    environment: { KINOMILL_UPLOADS_MAX_BYTES: "4096" },
  });
  const api = new Api(small.url, await small.token("ann"));
  const early = await api.upload("big.mp4", new Uint8Array(5000));
  expect([early.status, early.body.code]).toEqual([413, "too_large"]);
  expectSentence(early.body.detail);
  const chunks = new ReadableStream({
    pull(controller) {
      controller.enqueue(new Uint8Array(1024));
    },
  });
  const late = await fetch(`${small.url}/api/v1/assets?name=endless.mp4`, {
    method: "POST",
    body: chunks,
    headers: { Authorization: `Bearer ${api.token}` },
  }).then(
    (response) => response.status,
    () => 413,
  );
  expect(late).toBe(413);
  const files = await readdir(join(small.dataFolder, "storage"), {
    recursive: true,
    withFileTypes: true,
  });
  expect(files.filter((entry) => entry.isFile()).map(({ name }) => name)).toEqual([]);
});

test("a full disk refuses the upload with 507, keeps nothing of it, and works on once there is room", async () => {
  await using full = await Appliance.start({
    dataMount: "64m",
    environment: { KINOMILL_STORAGE_RESERVE_BYTES: "8388608" },
  });
  const api = new Api(full.url, await full.token("ann"));
  const before = await api.add(plainClip());
  const refused = await api.upload("huge.mp4", new Uint8Array(80 * 1024 * 1024));
  expect([refused.status, refused.body.code]).toEqual([507, "storage_full"]);
  expectSentence(refused.body.detail);
  expect((await api.get("/api/v1/assets")).body.items.length).toBe(1);
  await api.call("DELETE", `/api/v1/assets/${before.id}`);
  expect((await api.add(plainClip())).state).toBe("ready");
});

test("an asset is not deleted under a job that reads it", async () => {
  const asset = await ann.add(slowClip());
  const job = await ann.start("transcode", [asset.id], { video: { codec: "hevc" }, speed: "best" });
  const refused = await ann.call("DELETE", `/api/v1/assets/${asset.id}`);
  expect([refused.status, refused.body.code]).toEqual([409, "in_use"]);
  await ann.post(`/api/v1/jobs/${job.id}/cancel`, {});
  await eventually("the asset can go", 10_000, async () => {
    return (await ann.call("DELETE", `/api/v1/assets/${asset.id}`)).status === 204;
  });
});

test("what comes out is what the API says: an independent ffprobe agrees", async () => {
  const asset = await ann.add(plainClip());
  const job = await ann.run("transcode", [asset.id], {
    video: { codec: "vp9" },
    container: "webm",
  });
  const path = join(appliance.folder, "out.webm");
  await Bun.write(path, await ann.download(job.outputs[0]));
  const { body } = await ann.get(`/api/v1/assets/${job.outputs[0]}`);
  const { format, streams } = ffprobe(path);
  expect(streams.map(({ codec_name }) => codec_name)).toEqual(["vp9", "opus"]);
  expect(Number(format["size"])).toBe(body.sizeBytes);
  expect(new Bun.CryptoHasher("sha256").update(await Bun.file(path).bytes()).digest("hex")).toBe(
    body.sha256,
  );
});
