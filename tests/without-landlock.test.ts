/** A kernel without Landlock: nothing is taken in until the admin says so, and everybody is told why. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { Api } from "./api.ts";
import { Appliance, executable } from "./appliance.ts";
import { plainClip } from "./clips.ts";

const withoutLandlock = join(import.meta.dir, "support/without-landlock.ts");
const allow = { KINOMILL_UPLOADS_ALLOW_WITHOUT_SANDBOX: "true" };
const why = /^Uploads are refused: without Landlock .* uploads\.allowWithoutSandbox = true\.$/;

async function library(appliance: Appliance): Promise<string> {
  const login = await fetch(`${appliance.url}/login`, {
    method: "POST",
    redirect: "manual",
    headers: { Origin: appliance.url, "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ name: "ann", password: appliance.password }).toString(),
  });
  const cookie = login.headers.get("set-cookie")?.split(";")[0] ?? "";
  return (await fetch(`${appliance.url}/`, { headers: { Cookie: cookie } })).text();
}

test("an upload is refused with the reason and what to do, and the page says the same", async () => {
  await using appliance = await Appliance.start({ executable: withoutLandlock });
  const api = new Api(appliance.url, await appliance.token("ann"));
  const refused = await api.upload("film.mp4", await Bun.file(plainClip()).bytes());
  expect([refused.status, refused.body.code]).toEqual([503, "sandbox_missing"]);
  expect(refused.body.detail).toMatch(why);
  const headers = { "Tus-Resumable": "1.0.0", "Upload-Length": "10" };
  const begun = await api.call("POST", "/api/v1/uploads", { headers });
  expect([begun.status, begun.body.code]).toEqual([503, "sandbox_missing"]);
  expect((await api.get("/api/v1/assets")).body.items).toEqual([]);
  const page = await library(appliance);
  expect(page).toContain("Uploads are refused: without Landlock");
  expect(page).not.toMatch(/<button[^>]*\sdata-pick-files/);
});

test("the setting lets them in, and jobs run behind what is left of the fence", async () => {
  await using appliance = await Appliance.start({
    executable: withoutLandlock,
    environment: allow,
  });
  const api = new Api(appliance.url, await appliance.token("ann"));
  const asset = await api.add(plainClip());
  expect((await api.run("thumbnails", [asset.id])).state).toBe("succeeded");
  const { sandbox } = (await api.get("/api/v1/system")).body;
  expect(sandbox.layers.join()).not.toContain("Landlock");
  expect(sandbox.missing.join()).toContain("Landlock");
  const page = await library(appliance);
  expect(page).toMatch(/<button[^>]*\sdata-pick-files/);
  expect(page).not.toContain("Uploads are refused");
});

function doctor(program: string, environment: Record<string, string> = {}): string {
  const env = { ...process.env, ...environment };
  return Bun.spawnSync([program, "doctor"], { env, timeout: 30_000 }).stdout.toString();
}

test("doctor names it, and what the setting makes of it", () => {
  expect(doctor(withoutLandlock)).toMatch(/^poor {2}sandbox .*no Landlock.* Uploads are refused/m);
  const allowed = doctor(withoutLandlock, allow);
  expect(allowed).toMatch(/^poor {2}sandbox .*no Landlock.* Uploads are taken: /m);
  // The control: the same executable on the kernel as it is.
  expect(doctor(executable)).toMatch(/^ok {4}sandbox .*Landlock \d/m);
});
