/** Presets over HTTP and in the form: who sees which, what may be changed, and jobs that name one. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Furnished, furnish, tableFor } from "../../tests/http/furnished.ts";
import type { AskOptions } from "../../tests/http/site.ts";

let home: Furnished;

const small = { name: "Small", operation: "transcode", params: { video: { maxHeight: 240 } } };

beforeAll(async () => {
  home = await furnish();
  const { presets } = home.site.parts;
  const { ann, bob } = home.site.people;
  home.places["mine"] = presets.create(ann.id, small).id;
  home.places["doomed"] = presets.create(ann.id, { ...small, name: "Doomed" }).id;
  home.places["theirs"] = presets.create(bob.id, { ...small, name: "Bob's secret" }).id;
});

afterAll(() => home.site.close());

const table = tableFor(() => home);
const base = "/api/v1/presets";
const ask = (path: string, options: AskOptions) => home.site.ask(`${base}${path}`, options);

async function bodyOf(response: Response): Promise<Record<string, unknown>> {
  return (await response.json()) as Record<string, unknown>;
}

table("reading", [
  {
    name: "the list has those that come with Kinomill and one's own",
    path: base,
    as: "ann",
    status: 200,
    has: ['"Web MP4 1080p"', '"Small"', '"builtIn":true', '"builtIn":false'],
    lacks: ["secret"],
  },
  {
    name: "of one operation",
    path: `${base}?operation=thumbnails`,
    as: "ann",
    status: 200,
    has: ['"Thumbnails"'],
    lacks: ["Small", "Web MP4"],
  },
  {
    name: "one, with the tag of its version",
    path: `${base}/{mine}`,
    as: "ann",
    status: 200,
    has: ['"maxHeight":240'],
    answers: { etag: '"1"' },
  },
  { name: "one that comes with Kinomill", path: `${base}/ps_web-720p`, as: "bob", status: 200 },
  {
    name: "another person's is not there",
    path: `${base}/{theirs}`,
    as: "ann",
    status: 404,
    has: ["no_such_preset"],
    lacks: ["secret"],
  },
  { name: "a broken escape is no id", path: `${base}/%E0%A4%A`, as: "ann", status: 404 },
]);

table("saving", [
  {
    name: "gives the preset, its place and its tag",
    path: base,
    as: "ann",
    json: { ...small, name: " Tiny " },
    status: 201,
    has: ['"name":"Tiny"', '"version":1'],
    answers: { etag: '"1"', location: /^\/api\/v1\/presets\/ps_/ },
  },
  {
    name: "a name of one's own again is taken, in whatever case",
    path: base,
    as: "ann",
    json: { ...small, name: "SMALL" },
    status: 409,
    has: ["name_taken"],
  },
  {
    name: "so is one that comes with Kinomill",
    path: base,
    as: "ann",
    json: { ...small, name: "web mp4 720P" },
    status: 409,
    has: ["name_taken"],
  },
  {
    name: "another person's name is free",
    path: base,
    as: "ann",
    json: { ...small, name: "Bob's secret" },
    status: 201,
  },
  {
    name: "parameters that the operation refuses are refused, with their path",
    path: base,
    as: "ann",
    json: { ...small, name: "Wrong", params: { video: { maxHeight: 1 } } },
    status: 422,
    has: ["invalid_params", '"video.maxHeight"'],
  },
  {
    name: "an operation that there is not",
    path: base,
    as: "ann",
    json: { ...small, name: "Wrong", operation: "divx" },
    status: 404,
    has: ["unknown_operation"],
  },
  ...["", "  ", "a\nb", "x".repeat(65), "\u202egnp"].map((name) => ({
    name: `the name ${JSON.stringify(name).slice(0, 12)} is refused`,
    path: base,
    as: "ann" as const,
    json: { ...small, name },
    status: 422,
    has: ["invalid_name"],
  })),
  { name: "without a login", path: base, json: small, status: 401 },
]);

const put = { method: "PUT", as: "ann" as const, json: { ...small, name: "Smaller" } };
const tag = (value: string) => ({ headers: { "if-match": value } });

table("replacing", [
  { ...put, name: "needs If-Match", path: `${base}/{mine}`, status: 428 },
  {
    ...{ ...put, ...tag('"7"') },
    name: "of a version that is not the present one is refused",
    path: `${base}/{mine}`,
    status: 412,
    has: ["precondition_failed"],
  },
  {
    ...put,
    ...tag("W/1"),
    name: "a tag of another kind fits none",
    path: `${base}/{mine}`,
    status: 412,
  },
  {
    ...{ ...put, ...tag('"1"') },
    name: "of the present one gives the next",
    path: `${base}/{mine}`,
    status: 200,
    has: ['"Smaller"', '"version":2'],
    answers: { etag: '"2"' },
  },
  {
    ...{ ...put, ...tag('"1"') },
    name: "the same once more is refused: it has changed since",
    path: `${base}/{mine}`,
    status: 412,
  },
  {
    ...{ ...put, ...tag('"2"'), json: { ...small, name: "doomed" } },
    name: "by the name of another",
    path: `${base}/{mine}`,
    status: 409,
    has: ["name_taken"],
  },
  { ...put, ...tag('"1"'), name: "another person's", path: `${base}/{theirs}`, status: 404 },
  {
    ...{ ...put, ...tag('"1"') },
    name: "what comes with Kinomill stays",
    path: `${base}/ps_web-720p`,
    status: 403,
    has: ["read_only"],
  },
  {
    ...{ ...put, ...tag('"2"') },
    name: "goes by id, not by name",
    path: `${base}/Smaller`,
    status: 404,
  },
]);

const gone = { method: "DELETE", as: "ann" as const };

table("deleting", [
  { ...gone, name: "another person's", path: `${base}/{theirs}`, status: 404 },
  { ...gone, name: "what comes with Kinomill", path: `${base}/ps_gif`, status: 403 },
  { ...gone, ...tag('"3"'), name: "an old version", path: `${base}/{doomed}`, status: 412 },
  { ...gone, ...tag('"1"'), name: "takes it away", path: `${base}/{doomed}`, status: 204 },
  { ...gone, name: "only once", path: `${base}/{doomed}`, status: 404 },
]);

const jobs = { path: "/api/v1/jobs", as: "ann" as const };

table("a job with a preset", [
  {
    ...{ ...jobs, json: { preset: "ps_web-720p", inputs: ["{film}"] } },
    name: "takes operation and parameters from it",
    status: 202,
    has: ['"operation":"transcode"', '"maxHeight":720'],
  },
  {
    ...{
      ...jobs,
      json: { preset: "web mp4 720p", inputs: ["{film}"], params: { video: { quality: 80 } } },
    },
    name: "is found by name, and its own parameters lie over the preset's",
    status: 202,
    has: ['"maxHeight":720', '"quality":80'],
  },
  {
    ...{ ...jobs, json: { preset: "ps_web-720p", operation: "thumbnails", inputs: ["{film}"] } },
    name: "of another operation is refused",
    status: 422,
    has: ["wrong_preset", '"path":"preset"'],
  },
  {
    ...{ ...jobs, json: { preset: "{theirs}", inputs: ["{film}"] } },
    name: "of another person is refused",
    status: 404,
    has: ["no_such_preset"],
  },
  {
    ...{ ...jobs, json: { preset: "ps_web-720p", inputs: ["{film}"], params: { nonsense: 1 } } },
    name: "is held to the operation's schema",
    status: 422,
    has: ['"nonsense"'],
  },
  {
    ...{ ...jobs, json: { inputs: ["{film}"] } },
    name: "or an operation is needed",
    status: 422,
    has: ['"operation"', "is missing, and so is a preset"],
  },
  {
    name: "can be estimated",
    path: "/api/v1/jobs/estimate",
    as: "ann",
    json: { preset: "Thumbnails", inputs: ["{film}"] },
    status: 200,
    has: ['"operation":"thumbnails"'],
  },
]);

describe("an idempotency key", () => {
  test("gives the same job though the preset has changed since", async () => {
    const { presets } = home.site.parts;
    const { ann } = home.site.people;
    const preset = presets.create(ann.id, { ...small, name: "Changing" });
    const request = () =>
      home.site.ask("/api/v1/jobs", {
        as: "ann",
        json: { preset: "Changing", inputs: [home.places["film"]] },
        headers: { "idempotency-key": "preset-1" },
      });
    const first = await bodyOf(await request());
    presets.replace(ann.id, preset.id, 1, { ...small, name: "Changing", params: {} });
    const again = await request();
    expect([again.status, (await bodyOf(again))["id"]]).toEqual([202, first["id"]]);
  });
});

describe("in the form", () => {
  const press = (path: string, form: Record<string, string>) =>
    home.site.ask(path, { browser: "ann", headers: { "hx-request": "true" }, form });
  const fields = () => ({
    operation: "transcode",
    input: home.places["film"] ?? "",
    "video.maxHeight": "144",
    "video.codec": "hevc",
  });
  const kept = (name: string) => home.site.parts.presets.get(home.site.people.ann.id, name);

  test("what stands there is saved, and the bar has it chosen", async () => {
    const saved = await press("/ui/presets", { ...fields(), "preset-name": "From <the> form" });
    expect(saved.status).toBe(200);
    const body = await saved.text();
    const preset = kept("From <the> form");
    expect(preset.params).toEqual({ video: { maxHeight: 144, codec: "hevc" } });
    expect(body).toContain(`<option value="${preset.id}" selected="">From &lt;the&gt; form`);
    expect(body).toContain('name="preset-version" value="1"');
  });

  test("choosing it fills the form in", async () => {
    const preset = kept("From <the> form");
    const form = { choice: `preset:${preset.id}`, asset: home.places["film"] ?? "" };
    const body = await (await home.site.ask("/ui/make/form", { browser: "ann", form })).text();
    expect(body).toMatch(/name="video\.maxHeight"[^>]*value="144"/);
    expect(body).toContain('<option value="hevc" selected="">');
  });

  test("changes are saved over the version that was seen, and refused over a later one", async () => {
    const preset = kept("From <the> form");
    const change = { ...fields(), "preset-name": "From the form", "preset-version": "1" };
    expect((await press(`/ui/presets/${preset.id}`, change)).status).toBe(200);
    expect(kept("From the form").version).toBe(2);
    const late = await press(`/ui/presets/${preset.id}`, change);
    expect([late.status, await late.text()]).toEqual([
      409,
      expect.stringContaining("changed on another page"),
    ]);
    const gone = await press(`/ui/presets/${preset.id}/delete`, change);
    expect(gone.status).toBe(409);
    const now = { ...change, "preset-version": "2" };
    const deleted = await press(`/ui/presets/${preset.id}/delete`, now);
    expect([deleted.status, await deleted.text()]).toEqual([
      200,
      expect.stringContaining("Deleted."),
    ]);
    expect(() => kept("From the form")).toThrow("no such preset");
  });

  test("faults of values and of the name go to the form", async () => {
    const wrong = { ...fields(), "preset-name": "Wrong", "video.maxHeight": "1" };
    const value = await press("/ui/presets", wrong);
    expect([value.status, await value.text()]).toEqual([
      422,
      expect.stringContaining('data-path="video.maxHeight"'),
    ]);
    const name = await press("/ui/presets", { ...fields(), "preset-name": "" });
    expect([name.status, await name.text()]).toEqual([
      422,
      expect.stringContaining('data-path="name"'),
    ]);
  });

  test("a choice of no preset is no parameter of the job", async () => {
    const started = await press("/ui/jobs", { ...fields(), preset: "ps_gif", "preset-name": "x" });
    expect([started.status, started.headers.get("hx-redirect")]).toEqual([
      204,
      expect.stringMatching(/^\/jobs\/jb_/),
    ]);
  });
});

test("a person has no more than 200", async () => {
  const { presets } = home.site.parts;
  const { bob } = home.site.people;
  const have = presets.list(bob.id).filter(({ builtIn }) => !builtIn).length;
  for (let made = have; made < 200; made += 1) {
    presets.create(bob.id, { ...small, name: `number ${made}` });
  }
  const refused = await ask("", { as: "bob", json: { ...small, name: "one more" } });
  expect([refused.status, (await bodyOf(refused))["code"]]).toEqual([409, "too_many_presets"]);
});
