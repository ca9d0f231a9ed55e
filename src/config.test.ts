import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { loadConfig } from "./config.ts";

const load = (environment: Record<string, string>) =>
  loadConfig({ file: null, environment, flags: {} });

describe("what widens the fence", () => {
  test("is nothing by default", async () => {
    const { passEnvironment, sandboxRead, sandboxWrite } = (await load({})).ffmpeg;
    expect({ passEnvironment, sandboxRead, sandboxWrite }).toEqual({
      passEnvironment: [],
      sandboxRead: [],
      sandboxWrite: [],
    });
  });

  test("comes from the environment as lists with colons", async () => {
    const { ffmpeg } = await load({
      KINOMILL_FFMPEG_PASS_ENVIRONMENT: "NVFAKE_*:DISPLAY",
      KINOMILL_FFMPEG_SANDBOX_READ: "/opt/fonts:/opt/lib",
      KINOMILL_FFMPEG_SANDBOX_WRITE: "/var/cache/nv",
    });
    expect(ffmpeg.passEnvironment).toEqual(["NVFAKE_*", "DISPLAY"]);
    expect(ffmpeg.sandboxRead).toEqual(["/opt/fonts", "/opt/lib"]);
    expect(ffmpeg.sandboxWrite).toEqual(["/var/cache/nv"]);
  });

  test.each([
    ["KINOMILL_FFMPEG_PASS_ENVIRONMENT", "*"],
    ["KINOMILL_FFMPEG_PASS_ENVIRONMENT", "A*B"],
    ["KINOMILL_FFMPEG_SANDBOX_READ", "fonts"],
    ["KINOMILL_FFMPEG_SANDBOX_READ", "/opt/.."],
    ["KINOMILL_FFMPEG_SANDBOX_WRITE", "/"],
  ])("is refused when it takes the fence away or says nothing: %s=%s", async (name, value) => {
    await expect(load({ [name]: value })).rejects.toMatchObject({ code: "bad_config" });
  });
});

describe("a file that systemd hands over", () => {
  const fileOf = async (value: string, environment: Record<string, string> = {}) => {
    const config = await load({
      KINOMILL_STORAGE_S3_SECRET_ACCESS_KEY_FILE: value,
      ...environment,
    });
    return config.storage.s3.secretAccessKeyFile;
  };

  test("is named credential:NAME, and any other value is a path", async () => {
    const directory = { CREDENTIALS_DIRECTORY: "/run/credentials/kinomill.service" };
    expect(await fileOf("credential:s3", directory)).toBe(
      "/run/credentials/kinomill.service/kinomill_s3",
    );
    expect(await fileOf("credential:s3")).toBe("/etc/kinomill/credentials/s3");
    expect(await fileOf("/etc/s3", directory)).toBe("/etc/s3");
  });

  test("cannot be anywhere else", async () => {
    for (const name of ["", "../shadow", "a/b", ".hidden", "x".repeat(300)]) {
      await expect(fileOf(`credential:${name}`)).rejects.toMatchObject({ code: "bad_config" });
    }
  });
});

describe("storage in a bucket", () => {
  const s3 = { KINOMILL_STORAGE_KIND: "s3" };

  test("needs the name of the bucket", async () => {
    await expect(load(s3)).rejects.toMatchObject({
      code: "bad_config",
      errors: [{ path: "storage.s3.bucket" }],
    });
    const { storage } = await load({ ...s3, KINOMILL_STORAGE_S3_BUCKET: "films" });
    expect(storage.s3).toMatchObject({ bucket: "films", pathStyle: true, timeoutSeconds: 30 });
  });

  test.each([
    ["ENDPOINT", "s3.example.com"],
    ["ENDPOINT", "https://key:secret@s3.example.com"],
    ["ENDPOINT", "https://s3.example.com/path"],
    ["PREFIX", "films"],
    ["PREFIX", "/films/"],
    ["BUCKET", "a/b"],
    ["PART_BYTES", "1000"],
  ])("refuses %s = %s", async (name, value) => {
    const wrong = {
      ...s3,
      KINOMILL_STORAGE_S3_BUCKET: "films",
      [`KINOMILL_STORAGE_S3_${name}`]: value,
    };
    await expect(load(wrong)).rejects.toMatchObject({ code: "bad_config" });
  });

  test("tells no secret in a fault, whichever setting is wrong", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "kinomill-config-")), "config.toml");
    await Bun.write(file, '[storage.s3]\nsecretAccessKey = "hush-hush"\nnothing = 1\n');
    const refused = loadConfig({ file, environment: {}, flags: {} });
    await expect(refused).rejects.toMatchObject({ code: "bad_config" });
    const sentence = await refused.catch((cause: Error) => cause.message);
    expect(sentence).toContain("[secret]");
    expect(sentence).not.toContain("hush-hush");
    rmSync(dirname(file), { recursive: true });
  });
});
