/** Making something from one file and from several, over the whole site without a socket. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Furnished, furnish } from "../../tests/http/furnished.ts";
import { addFilm } from "../../tests/http/site.ts";
import { BULK_MAX } from "../jobs/job.ts";
import { operations } from "../operations/index.ts";
import { parameterFields } from "../operations/parameters.ts";
import { PLANNED_MAX } from "./estimates.ts";
import { formFields } from "./job-form.ts";

let home: Furnished;
let films: string[];

beforeAll(async () => {
  home = await furnish();
  films = [];
  for (const name of ["one.mp4", "two <b>.mp4", "שלום.mp4"]) {
    films.push(await addFilm(home.site, "ann", name));
  }
});

afterAll(() => home.site.close());

const htmx = { "hx-request": "true" };

/** A form in which a name may stand several times. */
function sendForm(path: string, fields: readonly (readonly [string, string])[], headers = htmx) {
  const body = new URLSearchParams(fields.map(([name, value]): [string, string] => [name, value]));
  return home.site.ask(path, {
    browser: "ann",
    method: "POST",
    body: body.toString(),
    headers: { ...headers, "content-type": "application/x-www-form-urlencoded" },
  });
}

const assets = (ids: readonly string[]) => ids.map((id) => ["asset", id] as const);
const jobsOf = (batch: string) =>
  home.site.parts.jobs.list({ ownerId: home.site.people.ann.id, limit: 50, after: null, batch });

test("no operation has a parameter of the name of a field that the form has besides", () => {
  for (const operation of operations) {
    const names = parameterFields(operation).map(({ path }) => path.split(".")[0] ?? "");
    expect(names.filter((name) => formFields.has(name))).toEqual([]);
  }
});

describe("the page", () => {
  const page = async (query: string) => {
    const response = await home.site.ask(`/make?${query}`, { browser: "ann" });
    return { status: response.status, body: await response.text() };
  };
  const query = () => films.map((id) => `asset=${id}`).join("&");

  test("shows the files, and each preset and operation with a sentence", async () => {
    const { status, body } = await page(query());
    expect(status).toBe(200);
    expect(body).toContain("Make something from 3 files");
    expect(body).toContain("two &lt;b&gt;.mp4");
    for (const { name } of operations) expect(body).toContain(`value="operation:${name}"`);
    expect(body).toContain('value="preset:ps_web-1080p"');
    expect(body).toContain("Plays everywhere: H.264 and stereo");
    expect(body).not.toContain('class="operation-form"');
  });

  test("greys what cannot take them, with the reason", async () => {
    const { body } = await page(query());
    expect(body).toMatch(
      /value="operation:measure" disabled="">.*?Takes 2 files at most\.<\/span>/s,
    );
    expect(body).not.toMatch(/value="operation:concat" disabled/);
  });

  test("opens with what its address names, unless that cannot take them", async () => {
    expect((await page(`${query()}&operation=reframe`)).body).toContain('id="form-reframe"');
    const preset = await page(`${query()}&preset=ps_vertical`);
    expect(preset.body).toMatch(/name="aspect"[^>]*value="9:16"/);
    expect((await page(`${query()}&operation=measure`)).body).not.toContain('id="form-measure"');
    expect((await page(`${query()}&operation=fry`)).status).toBe(200);
  });

  test("leaves out what is not there any more or is somebody else's, and says so", async () => {
    const { body } = await page(`asset=${films[0]}&asset=${home.places["others"]}&asset=as_gone`);
    expect(body).toContain("Make something from 1 file");
    expect(body).toContain("2 of the files are not there any more");
    expect(body).not.toContain("secret-of-bob");
    expect((await page("")).body).toContain("No files are chosen");
  });

  test("takes as many files as a call for many has jobs, in a form", async () => {
    const many = Array.from({ length: BULK_MAX + 1 }, (_, index) => `as_${index}`);
    const response = await sendForm("/make", assets(many), {} as typeof htmx);
    expect(response.status).toBe(422);
    const most = [...films, ...many].slice(0, BULK_MAX);
    const fits = await sendForm("/make", assets(most), {} as typeof htmx);
    expect(fits.status).toBe(200);
    expect(await fits.text()).toContain("Make something from 3 files");
  });
});

describe("the form", () => {
  test("for several files is one for each, or one with all, as the operation can", async () => {
    const formOf = async (choice: string) =>
      await (await sendForm("/ui/make/form", [...assets(films), ["choice", choice]])).text();
    const transcode = await formOf("operation:transcode");
    expect(transcode).toContain("Start 3 jobs");
    expect(transcode.match(/name="asset"/g)?.length).toBe(3);
    expect(transcode).not.toContain('name="input"');
    const concat = await formOf("operation:concat");
    expect(concat).not.toContain('name="asset"');
    expect([...concat.matchAll(/name="input" value="(as_\w+)"/g)].map(([, id]) => id)).toEqual(
      films,
    );
    const overlay = await formOf("operation:overlay");
    expect(overlay).toContain('name="way" value="each" checked=""');
    expect(overlay).toContain('name="way" value="together"');
    expect(overlay).toContain("One job with all of them");
  });

  test("filled in with a preset keeps its files and their order", async () => {
    const [first = "", second = ""] = films;
    const response = await sendForm("/ui/make/form", [
      ...([
        ["operation", "concat"],
        ["preset", ""],
        ["input", second],
        ["input", first],
      ] as const),
    ]);
    const body = await response.text();
    expect([...body.matchAll(/name="input" value="(as_\w+)"/g)].map(([, id]) => id)).toEqual([
      second,
      first,
    ]);
  });
});

describe("the start", () => {
  test("for several files is one call: a job for each, shown together", async () => {
    const answer = await sendForm("/ui/jobs", [
      ...assets(films),
      ...([
        ["operation", "transcode"],
        ["video.maxHeight", "144"],
      ] as const),
    ]);
    expect(answer.status).toBe(204);
    const batch = /^\/jobs\?batch=(jb_\w+)$/.exec(answer.headers.get("hx-redirect") ?? "")?.[1];
    const { items } = jobsOf(batch ?? "");
    expect(items.map(({ inputs }) => inputs).sort()).toEqual(films.map((id) => [id]).sort());
    expect(items.every(({ params }) => JSON.stringify(params).includes("144"))).toBe(true);
  });

  test("gives every job the further files too", async () => {
    const [first = "", second = "", logo = ""] = films;
    const answer = await sendForm("/ui/jobs", [
      ...assets([first, second]),
      ...([
        ["way", "each"],
        ["further", logo],
        ["operation", "audio"],
        ["do", "mix"],
      ] as const),
    ]);
    // The films of this site have no sound: the plan says so, and of which file.
    expect(answer.status).toBe(422);
    expect(await answer.text()).toContain("one.mp4: ");
  });

  test("together is one job with all, in their order", async () => {
    const turned = films.toReversed();
    const answer = await sendForm("/ui/jobs", [
      ...turned.map((id) => ["input", id] as const),
      ["operation", "concat"],
    ]);
    const id = answer.headers.get("hx-redirect")?.slice("/jobs/".length) ?? "";
    expect(home.site.parts.jobs.get(home.site.people.ann.id, id).inputs).toEqual(turned);
  });

  test("that is sent twice starts its jobs once", async () => {
    const key = crypto.randomUUID();
    const form = [...assets(films), ["operation", "check"], ["form-key", key]] as const;
    const [first, second] = [await sendForm("/ui/jobs", form), await sendForm("/ui/jobs", form)];
    expect(second.headers.get("hx-redirect")).toBe(first.headers.get("hx-redirect"));
  });

  test("is all or nothing: a file that was deleted meanwhile is named, and nothing starts", async () => {
    const before = home.site.parts.jobs.list({
      ...{ ownerId: home.site.people.ann.id, limit: 1, after: null },
    }).items[0]?.id;
    const answer = await sendForm("/ui/jobs", [
      ...assets([...films, "as_gone"]),
      ["operation", "transcode"],
    ]);
    expect(answer.status).toBe(404);
    const after = home.site.parts.jobs.list({
      ...{ ownerId: home.site.people.ann.id, limit: 1, after: null },
    }).items[0]?.id;
    expect(after).toBe(before as string);
  });

  test("with a fault tells it beside its field, once, with the name of the first file", async () => {
    const answer = await sendForm("/ui/jobs", [
      ...assets(films),
      ...([
        ["operation", "transcode"],
        ["video.quality", "300"],
      ] as const),
    ]);
    expect(answer.status).toBe(422);
    const body = await answer.text();
    expect(body).toContain('data-path="video.quality"');
    expect(body).not.toContain("jobs.0");
    expect(body).not.toContain("counted from 0");
  });
});

describe("ten seconds tried out", () => {
  const begin = async (more: readonly (readonly [string, string])[]) =>
    await sendForm("/ui/tries", [...assets(films.slice(0, 1)), ...more]);

  test("stand in a panel that fetches itself, for nobody else, until they are thrown away", async () => {
    const answer = await begin([
      ["operation", "transcode"],
      ["video.quality", "40"],
    ]);
    expect(answer.status).toBe(200);
    const address = /hx-get="(\/ui\/tries\/tr_\w+)"/.exec(await answer.text())?.[1] ?? "";
    const look = (browser: "ann" | "bob") => home.site.ask(address, { browser, headers: htmx });
    expect((await look("ann")).status).toBe(200);
    expect((await look("bob")).status).toBe(404);
    const files = await home.site.ask(`${address}/files/0`, { browser: "ann" });
    expect(files.status).toBe(404);
    const end = (browser: "ann" | "bob") =>
      home.site.ask(address, { method: "DELETE", browser, headers: htmx });
    await end("bob");
    expect((await look("ann")).status).toBe(200);
    expect((await end("ann")).status).toBe(204);
    expect((await look("ann")).status).toBe(404);
  });

  test("are refused beside the field, as the start is", async () => {
    const wrong = await begin([
      ["operation", "transcode"],
      ["video.quality", "300"],
    ]);
    expect([wrong.status, await wrong.text()]).toEqual([
      422,
      expect.stringContaining('data-path="video.quality"'),
    ]);
    const never = await begin([["operation", "check"]]);
    expect([never.status, await never.text()]).toEqual([
      422,
      expect.stringContaining("cannot be tried"),
    ]);
  });
});

describe("the estimate", () => {
  const estimate = async (ids: readonly string[], more: readonly (readonly [string, string])[]) =>
    await (await sendForm("/ui/jobs/estimate", [...assets(ids), ...more])).text();

  test("of several is their sum", async () => {
    const more = [
      ["operation", "transcode"],
      ["video.maxHeight", "144"],
    ] as const;
    const three = await estimate(films, more);
    expect(three).toContain("All 3 jobs, one after another.");
    const { jobs } = home.site.parts;
    const ownerId = home.site.people.ann.id;
    const params = { video: { maxHeight: 144 } };
    const one = jobs.estimate(ownerId, {
      operation: "transcode",
      inputs: films.slice(0, 1),
      params,
    });
    const seconds = Math.round(one.predictedSeconds * 3);
    expect(three).toContain(seconds < 1 ? "Less than a second" : `${seconds} s`);
  });

  test("of more than are planned for it says so", async () => {
    const many: string[] = [];
    for (let number = 0; number <= PLANNED_MAX; number += 1) {
      many.push(await addFilm(home.site, "ann", `film ${number}.mp4`));
    }
    const told = await estimate(many, [["operation", "transcode"]]);
    expect(told).toContain(`All ${many.length} jobs`);
    expect(told).toContain(`reckoned from ${PLANNED_MAX} of them`);
  });

  test("names the file that cannot be worked on so", async () => {
    const told = await estimate(films, [["operation", "audio"]]);
    expect(told).toContain("one.mp4: ");
  });
});
