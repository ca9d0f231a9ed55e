/** `kinomill ready`: what scripts and supervisors ask. */
import { expect, test } from "bun:test";
import { Appliance, kinomill } from "./appliance.ts";

test("a server whose parts all work is ready, as soon as it is", async () => {
  await using appliance = await Appliance.start();
  const { exitCode, stdout } = await kinomill(["ready", "--url", appliance.url, "--wait", "60"]);
  expect([exitCode, stdout]).toEqual([0, `Kinomill is ready at ${appliance.url}\n`]);
}, 120_000);

test("a server without ffmpeg is not, and the reason is a sentence", async () => {
  await using appliance = await Appliance.start({
    environment: { KINOMILL_FFMPEG_PATH: "/nowhere/ffmpeg" },
  });
  const { exitCode, stderr } = await kinomill(["ready", "--url", appliance.url, "--wait", "1"]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("ffmpeg");
  // It says so too to whoever reads the address of the settings.
  const listen = appliance.url.slice("http://".length);
  const environment = { KINOMILL_LISTEN: listen };
  expect((await kinomill(["ready"], { environment })).exitCode).toBe(1);
}, 120_000);

test("nobody, another program and a wrong word", async () => {
  const other = Bun.serve({ port: 0, fetch: () => Response.json({ status: "ok" }) });
  const url = `http://127.0.0.1:${other.port}`;
  const asked = await kinomill(["ready", "--url", url]);
  expect([asked.exitCode, asked.stderr]).toEqual([
    1,
    `kinomill: What answers at ${url} is not Kinomill.\n`,
  ]);
  await other.stop(true);
  const nobody = await kinomill(["ready", "--url", url]);
  expect(nobody.exitCode).toBe(1);
  expect(nobody.stderr).toContain(`No server answers at ${url}`);
  expect((await kinomill(["ready", "--wait", "soon"])).exitCode).toBe(2);
}, 60_000);
