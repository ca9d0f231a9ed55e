/** What a support bundle holds, and what not. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { addFilm, openSite, type SiteRig } from "../../tests/http/site.ts";
import { packBundle, type SupportFacts, supportFiles } from "./bundle.ts";
import { scrub } from "./scrub.ts";

let rig: SiteRig;

beforeAll(async () => {
  rig = await openSite();
  const film = await addFilm(rig, "ann", "Our secret wedding.mp4");
  const asked = { operation: "transcode", inputs: [film], params: {} };
  const job = (await (await rig.ask("/api/v1/jobs", { as: "ann", json: asked })).json()) as {
    id: string;
  };
  const error = {
    code: "media_undecodable",
    message: 'ffmpeg cannot read "Our secret wedding.mp4" of ann',
    hint: "",
    retryable: false,
    log: "    title           : My private title\n[h264 @ 0x55d0] error while decoding MB 3 4\nOur secret wedding.mp4: broken",
  };
  rig.database
    .query("UPDATE job SET state = 'failed', error = ?2, finished_at = created_at WHERE id = ?1")
    .run(job.id, JSON.stringify(error));
});
afterAll(() => rig.close());

const line = (facts: object) => JSON.stringify({ time: "t", level: "info", msg: "said", ...facts });

const facts = (more: Partial<SupportFacts> = {}): SupportFacts => ({
  ...{ config: rig.parts.config, clock: rig.clock, database: rig.database, findings: [] },
  originOf: (key) => (key === "listen" ? "flag" : "default"),
  log: [
    line({ peer: "203.0.113.9", request: "rq_1", name: "Our secret wedding.mp4" }),
    line({ err: { message: "Our secret wedding.mp4 CANARY-value kmt_0123456789abcdef" } }),
    "no JSON: CANARY-value",
  ],
  ...{ selfTest: null, secrets: ["CANARY-value"], withNames: false },
  ...more,
});

async function contents(more: Partial<SupportFacts> = {}) {
  const files = await supportFiles(facts(more));
  const text = files.map(({ name, text }) => `== ${name}\n${text}`).join("\n");
  const of = (name: string) => files.find((file) => file.name === name)?.text ?? "";
  return { files, text, of };
}

describe("a bundle", () => {
  test("holds facts, and says first what it holds", async () => {
    const { files, of } = await contents();
    expect(files.map(({ name }) => name)).toEqual([
      ...["README.txt", "versions.json", "doctor.json", "settings.json", "file-systems.json"],
      ...["database.json", "jobs.json", "failures.json", "log.ndjson"],
    ]);
    for (const { name } of files.slice(1)) expect(of("README.txt")).toContain(name);
    const settings = JSON.parse(of("settings.json")) as { key: string; origin: string }[];
    expect(settings.find(({ key }) => key === "listen")?.origin).toBe("flag");
    expect(JSON.parse(of("database.json")).rows.job).toBe(1);
    expect(JSON.parse(of("file-systems.json"))[0]).toMatchObject({ what: "data" });
    const [failure] = JSON.parse(of("failures.json"));
    expect(failure).toMatchObject({ operation: "transcode", error: { code: "media_undecodable" } });
    expect(failure.error.log).toEqual(["[h264 @ 0x55d0] error while decoding MB 3 4"]);
  });

  test("names neither files nor people, and no secret", async () => {
    const { text } = await contents();
    for (const word of [
      "wedding",
      "private title",
      "203.0.113.9",
      "CANARY",
      "kmt_0123",
      "of ann",
    ]) {
      expect(text.toLowerCase()).not.toContain(word.toLowerCase());
    }
    expect(text).toContain("rq_1");
  });

  test("names them where it is asked to, and no secret all the same", async () => {
    const { text } = await contents({ withNames: true });
    for (const word of ["Our secret wedding.mp4", "My private title", "203.0.113.9"]) {
      expect(text).toContain(word);
    }
    for (const word of ["CANARY", "kmt_0123"]) expect(text).not.toContain(word);
  });

  test("is made without a database and without a log, and is never large", async () => {
    const long = Array.from({ length: 60_000 }, (_, at) =>
      line({ request: `rq_${at}`.padEnd(40) }),
    );
    const { files, of } = await contents({ database: null, log: long });
    expect(of("log.ndjson").length).toBeLessThan(2_100_000);
    expect(of("log.ndjson")).toEndWith('"request":"rq_59999                                "}\n');
    expect((await packBundle(files, "x")).length).toBeLessThan(1_000_000);
    expect((await contents({ log: { missing: "there is none" } })).of("log.ndjson")).toBe(
      "there is none\n",
    );
  });

  test("is an archive that tar reads", async () => {
    const { files } = await contents();
    const bytes = await packBundle(files, "bundle");
    const child = Bun.spawn(["tar", "tzf", "-"], {
      stdin: new Blob([Buffer.from(bytes)]),
      stdout: "pipe",
    });
    const names = (await new Response(child.stdout).text()).trim().split("\n");
    expect(names.sort()).toEqual(files.map(({ name }) => `bundle/${name}`).sort());
  });
});

test("forms of secrets are known wherever they stand", () => {
  const clean = (text: string) => scrub(text, { secrets: [], names: null });
  for (const [text, rest] of [
    ["Authorization: Bearer abcdefgh.ijkl", "Authorization: Bearer [secret]"],
    ["kmt_abcdefghijklmnop", "[token]"],
    ["https://ann:pw@host.example/a?sig=1", "https://[secret]@host.example/a?[left out]"],
    ["password=hunter22 next", "password=[secret] next"],
    ['{"token":"abc"}', '{"token":"[secret]"}'],
    ["-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----", "[key]"],
    ["kinomill_session=abc; x", "kinomill_session=[secret]; x"],
  ] as const) {
    expect(clean(text)).toBe(rest);
  }
  const names = (text: string) => scrub(text, { secrets: ['q"uote'], names: ["Ann B"] });
  expect(
    names('{"a":"q\\"uote Ann B Ann%20B ann@x.example 10.1.2.3 127.0.0.1 2001:db8:0:1::7"}'),
  ).toBe('{"a":"[secret] [name] [name] [address] [address] 127.0.0.1 [address]"}');
});

describe("over HTTP", () => {
  const path = "/api/v1/system/support-bundle";

  test("admins get it, members and strangers do not", async () => {
    const answer = await rig.ask(path, { as: "ann" });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/gzip");
    expect(answer.headers.get("content-disposition")).toBe('attachment; filename="bundle.tar.gz"');
    expect((await rig.ask(path, { as: "bob" })).status).toBe(403);
    expect((await rig.ask(path)).status).toBe(401);
  });

  test("one is made at a time", async () => {
    const answers = await Promise.all([rig.ask(path, { as: "ann" }), rig.ask(path, { as: "ann" })]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 429]);
    expect((await rig.ask(path, { as: "ann" })).status).toBe(200);
  });
});
