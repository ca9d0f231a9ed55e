/** Downloads from the compiled server, by curl and by a browser: heads, parts, names, and several files as one zip. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Api, type Json } from "./api.ts";
import { Appliance } from "./appliance.ts";
import { logIn, openBrowser, openPage } from "./browser.ts";
import { plainClip, silentClip } from "./clips.ts";

setDefaultTimeout(180_000);

let appliance: Appliance;
let token: string;
let api: Api;
const oddName = `"ä" 'мяч' 50%;\\.mp4`;
let plain: Json;
let silent: Json;
let odd: Json;

beforeAll(async () => {
  appliance = await Appliance.start();
  token = await appliance.token("ann", "admin");
  api = new Api(appliance.url, token);
  plain = await api.add(plainClip(), "same.mp4");
  silent = await api.add(silentClip(), "same.mp4");
  odd = await api.add(plainClip(), oddName);
});
afterAll(() => appliance[Symbol.asyncDispose]());

async function run(...argv: string[]): Promise<{ exitCode: number; text: string }> {
  const child = Bun.spawn(argv, { stdout: "pipe", stderr: "pipe" });
  const text =
    (await new Response(child.stdout).text()) + (await new Response(child.stderr).text());
  return { exitCode: await child.exited, text };
}

const curl = (...argv: string[]) =>
  run("curl", "-sS", "--max-time", "60", "-H", `Authorization: Bearer ${token}`, ...argv);

const sha256 = (bytes: Uint8Array) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex");

/** The fields of a head as curl prints it, names in lower case. */
function fieldsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    Array.from(text.matchAll(/^([\w-]+): (.*?)\r?$/gm), ([, name = "", value = ""]) => [
      name.toLowerCase(),
      value,
    ]),
  );
}

describe("one file", () => {
  test("HEAD says on the wire what GET will send", async () => {
    const { text } = await curl("-I", `${appliance.url}/api/v1/assets/${plain.id}/content`);
    expect(text).toStartWith("HTTP/1.1 200");
    expect(fieldsOf(text)).toMatchObject({
      "content-length": String(plain.sizeBytes),
      "content-type": "video/mp4",
      "accept-ranges": "bytes",
      etag: `"${plain.sha256}"`,
      "x-content-type-options": "nosniff",
    });
  });

  test("goes on where curl broke off, and not with another file", async () => {
    const path = join(appliance.folder, "part.mp4");
    const whole = await Bun.file(plainClip()).bytes();
    await Bun.write(path, whole.subarray(0, 1000));
    const address = `${appliance.url}/api/v1/assets/${plain.id}/content`;
    expect((await curl("-C", "-", "-o", path, address)).exitCode).toBe(0);
    expect(sha256(await Bun.file(path).bytes())).toBe(plain.sha256);
    const other = await curl(
      "-D",
      "-",
      "-o",
      "/dev/null",
      "-H",
      'If-Range: "other"',
      "-H",
      "Range: bytes=9-",
      address,
    );
    expect(other.text).toStartWith("HTTP/1.1 200");
    const known = await curl(
      "-D",
      "-",
      "-o",
      "/dev/null",
      "-H",
      `If-None-Match: "x", W/"${plain.sha256}"`,
      address,
    );
    expect(known.text).toStartWith("HTTP/1.1 304");
    const beyond = await curl(
      "-D",
      "-",
      "-o",
      "/dev/null",
      "-H",
      "Range: bytes=999999999-",
      address,
    );
    expect(beyond.text).toStartWith("HTTP/1.1 416");
    expect(fieldsOf(beyond.text)["content-range"]).toBe(`bytes */${plain.sizeBytes}`);
  });

  test("keeps any name", async () => {
    const address = `${appliance.url}/api/v1/assets/${odd.id}/content?download=true`;
    const { text } = await curl("-I", address);
    const disposition = fieldsOf(text)["content-disposition"] ?? "";
    expect(disposition).toStartWith('attachment; filename="');
    const encoded = /filename\*=UTF-8''(\S+)$/.exec(disposition)?.[1] ?? "";
    expect(decodeURIComponent(encoded)).toBe(odd.name);
    // No quote ends the plain name early.
    expect(/filename="([^"]*)"; filename\*/.exec(disposition)).not.toBeNull();
  });
});

describe("several files", () => {
  test("come as one zip of exactly the length that HEAD says, with equal hashes", async () => {
    const address = `${appliance.url}/api/v1/assets/zip?id=${plain.id}&id=${silent.id}`;
    const { "content-length": length } = fieldsOf((await curl("-I", address)).text);
    const path = join(appliance.folder, "two.zip");
    expect((await curl("-o", path, address)).exitCode).toBe(0);
    expect(String(Bun.file(path).size)).toBe(length ?? "");
    expect((await run("unzip", "-t", path)).exitCode).toBe(0);
    const folder = join(appliance.folder, "two");
    expect((await run("unzip", "-q", path, "-d", folder)).exitCode).toBe(0);
    expect(sha256(await Bun.file(join(folder, "same.mp4")).bytes())).toBe(plain.sha256);
    expect(sha256(await Bun.file(join(folder, "same (2).mp4")).bytes())).toBe(silent.sha256);
  });

  test("in the browser: the chosen cards, and all outputs of a job", async () => {
    const job = await api.run("thumbnails", [plain.id], { sprite: { every: 1 } });
    expect(job.state).toBe("succeeded");
    const browser = await openBrowser();
    const { page, faults } = await openPage(browser, appliance.url);
    await logIn(page, appliance.password);
    const bar = page.locator("#selection");
    await page.locator(`#card-${plain.id}`).waitFor();
    expect(await bar.isVisible()).toBe(false);
    await page.locator(`#card-${plain.id} input`).check();
    await page.locator(`#card-${silent.id} input`).check();
    // Something comes in meanwhile: the grid is fetched anew, and what was chosen stays so.
    const grid = page.waitForResponse((response) => response.url().includes("/ui/library"));
    await api.add(plainClip(), "later.mp4");
    await grid;
    await page.locator(".card", { hasText: "later.mp4" }).waitFor();
    expect(await page.locator(".card-pick :checked").count()).toBe(2);
    const [chosen] = await Promise.all([
      page.waitForEvent("download"),
      bar.getByRole("button", { name: "Download" }).click(),
    ]);
    expect(chosen.suggestedFilename()).toBe("kinomill.zip");
    const listed = await run("unzip", "-Z1", await chosen.path());
    expect(listed.text.trim().split("\n").toSorted()).toEqual(["same (2).mp4", "same.mp4"]);
    await bar.getByRole("button", { name: "Choose none" }).click();
    await bar.waitFor({ state: "hidden" });

    await page.goto(`/jobs/${job.id}`);
    const [all] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "Download all as zip" }).click(),
    ]);
    const path = await all.path();
    expect((await run("unzip", "-t", path)).exitCode).toBe(0);
    const names = (await run("unzip", "-Z1", path)).text.trim().split("\n");
    expect(names).toHaveLength(job.outputs.length);
    expect(faults).toEqual([]);
    await browser.close();
  });
});
