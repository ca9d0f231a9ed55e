import { describe, expect, test } from "bun:test";
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
