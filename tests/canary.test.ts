/** A secret of its own is put in wherever one can be given; then it is looked for wherever something comes out. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Api, type Json } from "./api.ts";
import { Appliance, eventually, kinomill } from "./appliance.ts";
import { plainClip, slowClip } from "./clips.ts";
import { LinkServer, serves } from "./ingest/link-server.ts";

setDefaultTimeout(180_000);

const WAIT_MS = 120_000;

/** Each is found by what all have in common; what follows says which it was. */
const mark = "CaNaRy7";
const canaries = {
  bucket: `${mark}bucketKey`,
  passphrase: `${mark}passphrase`,
  receiver: `${mark}receiverKey`,
  linkPassword: `${mark}linkPassword`,
  linkQuery: `${mark}linkQuery`,
  password: `${mark}accountPassword`,
  wrongPassword: `${mark}wrongPassword`,
  environment: `${mark}fromTheEnvironment`,
};

let folder: string;
let appliance: Appliance;
let api: Api;
let server: LinkServer;
let job: string;
let cookie: string;
const argv = () => ["--data", appliance.dataFolder];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "canary-"));
  const [keyFile, certFile] = [join(folder, "server.key"), join(folder, "server.crt")];
  const openssl = [
    "openssl",
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-keyout",
    keyFile,
    "-out",
    certFile,
  ];
  openssl.push("-days", "30", "-subj", "/CN=x", "-addext", "subjectAltName=IP:127.0.0.1");
  expect(Bun.spawnSync([...openssl, "-passout", `pass:${canaries.passphrase}`]).exitCode).toBe(0);
  const data = join(folder, "data");
  const set = (name: string, stdin: string) =>
    kinomill(["secret", "set", name, "--data", data], { stdin });
  for (const [name, value] of [
    ["bucket", canaries.bucket],
    ["tls.passphrase", canaries.passphrase],
    ["dsn", `http://${canaries.receiver}@127.0.0.1:9/1`],
  ] as const) {
    const done = await set(name, value);
    expect([done.exitCode, done.stderr]).toEqual([0, ""]);
    expect(done.stdout).not.toContain(mark);
  }
  server = await LinkServer.start(serves(await Bun.file(plainClip()).bytes()));
  const environment = {
    KINOMILL_TLS_MODE: "files",
    KINOMILL_TLS_CERT_FILE: certFile,
    KINOMILL_TLS_KEY_FILE: keyFile,
    KINOMILL_STORAGE_S3_ENDPOINT: "http://127.0.0.1:9",
    KINOMILL_STORAGE_S3_BUCKET: "films",
    KINOMILL_STORAGE_S3_ACCESS_KEY_ID: "key",
    KINOMILL_STORAGE_S3_SECRET_ACCESS_KEY: "secret:bucket",
    KINOMILL_IMPORTS_ALLOW_PRIVATE: "127.0.0.1",
    KINOMILL_LOG_ERROR_DSN: "secret:dsn",
    KINOMILL_LOG_LEVEL: "debug",
    KINOMILL_LOG_SLOW_REQUEST_MS: "1",
    CANARY_OF_SOMEBODY: canaries.environment,
  };
  appliance = await Appliance.start({ folder, environment, scheme: "https" });
  const create = ["users", "create", "ann", "--role", "admin", "--password-stdin", ...argv()];
  expect((await kinomill(create, { stdin: canaries.password })).exitCode).toBe(0);
  const token = await kinomill(["tokens", "create", "--user", "ann", ...argv()]);
  api = new Api(appliance.url, token.stdout.trim());
  await give();
});

afterAll(async () => {
  await server?.close();
  await appliance?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function logIn(password: string): Promise<Response> {
  return fetch(`${appliance.url}/login`, {
    ...{ method: "POST", redirect: "manual", tls: { rejectUnauthorized: false } },
    body: new URLSearchParams({ name: "ann", password }),
  } as RequestInit);
}

/** The secrets of people, and work that goes on while is looked. */
async function give(): Promise<void> {
  cookie = (await logIn(canaries.password)).headers.get("set-cookie")?.split(";")[0] ?? "";
  expect((await logIn(canaries.wrongPassword)).status).toBe(401);
  const secret = `ann:${canaries.linkPassword}@127.0.0.1`;
  const link = `${server.url("/film.mp4").replace("127.0.0.1", secret)}?token=${canaries.linkQuery}`;
  const missing = link.replace("film.mp4", "absent.mp4").replace(/:\d+\//, ":9/");
  const taken = await api.post("/api/v1/assets/import", { urls: [link, missing] });
  expect(taken.status).toBe(202);
  await eventually("the film has come, and the other has failed", WAIT_MS, async () => {
    const { body } = await api.get("/api/v1/assets");
    return body.items.some(({ origin }: Json) => origin.kind === "import") ? true : null;
  });
  const film = await api.add(slowClip(), "slow.mp4");
  const params = { video: { codec: "h264" }, speed: "best" };
  job = (await api.start("transcode", [film.id], params)).id;
  await api.waitFor(job, "running", "succeeded");
}

/** Where a secret was found, by its name; empty when it is nowhere. */
function found(where: string, text: string | Uint8Array): string[] {
  const plain = typeof text === "string" ? text : Buffer.from(text).toString("latin1");
  const given = [
    ...Object.entries(canaries),
    ["token", api.token],
    ["cookie", cookie.split("=")[1] ?? "?"],
  ];
  return given.flatMap(([name, value = "?"]) =>
    plain.includes(value) ? [`${name} in ${where}`] : [],
  );
}

test("processes that work for the server know none", async () => {
  const leaks: string[] = [];
  const own = readFileSync(`/proc/${appliance.pid}/cmdline`);
  let children = 0;
  await eventually("a child is at work", WAIT_MS, async () => {
    for (const pid of descendants(appliance.pid)) {
      try {
        // Between vfork and exec a child shows the server's own memory: it is no program yet. This is
        // asked first, so that what is read next is of the program that the child became.
        const cmdline = readFileSync(`/proc/${pid}/cmdline`);
        if (cmdline.equals(own)) continue;
        leaks.push(...found("cmdline of a child", cmdline));
        leaks.push(...found("environ of a child", readFileSync(`/proc/${pid}/environ`)));
        children += 1;
      } catch {
        // It has ended meanwhile.
      }
    }
    return children > 0;
  });
  leaks.push(...found("cmdline of the server", own));
  leaks.push(...found("ps", Bun.spawnSync(["ps", "-ef"]).stdout));
  expect(leaks).toEqual([]);
});

function descendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  const own = children.trim().split(/\s+/).filter(Boolean).map(Number);
  return own.flatMap((child) => {
    try {
      return [child, ...descendants(child)];
    } catch {
      return [child];
    }
  });
}

test("no answer of the API, no page and no figure tells one", async () => {
  const tls = { rejectUnauthorized: false };
  const leaks: string[] = [];
  const document = (await api.get("/api/v1/openapi.json")).body as { paths: Record<string, Json> };
  const { items } = (await api.get("/api/v1/assets")).body;
  const ids: Record<string, string> = { jobs: job, assets: items[0].id };
  const paths = Object.entries(document.paths).flatMap(([path, methods]) => {
    const id = ids[path.split("/")[3] ?? ""] ?? "none";
    return "get" in methods && !/events|content/.test(path)
      ? [path.replaceAll(/\{\w+\}/g, id)]
      : [];
  });
  expect(paths.length).toBeGreaterThan(25);
  for (const path of paths) {
    const headers = { authorization: `Bearer ${api.token}` };
    const answer = await fetch(appliance.url + path, { headers, tls } as RequestInit);
    leaks.push(...found(path, JSON.stringify([...answer.headers]) + (await answer.text())));
  }
  const pages = [
    "/",
    "/jobs",
    `/jobs/${job}`,
    `/assets/${ids["assets"]}`,
    "/system",
    "/system/log",
  ];
  for (const path of [...pages, "/docs", "/bin", "/ui/imports", "/settings", "/nowhere"]) {
    const headers = { cookie, accept: "text/html" };
    const answer = await fetch(appliance.url + path, { headers, tls } as RequestInit);
    leaks.push(...found(path, await answer.text()));
  }
  expect(leaks).toEqual([]);
});

test("no bundle, no list of settings, no doctor and no backup holds one", async () => {
  const leaks: string[] = [];
  const log = join(appliance.folder, "server.log");
  for (const more of [[], ["--with-names"]]) {
    const target = join(folder, `bundle${more.length}.tar.gz`);
    const bundle = ["support-bundle", "-o", target, "--log", log, ...more, ...argv()];
    const done = await kinomill(bundle);
    expect([done.exitCode, done.stderr]).toEqual([0, ""]);
    expect(done.stdout).toContain("log.ndjson");
    const unpacked = Bun.spawnSync(["tar", "xzOf", target]).stdout;
    expect(unpacked.byteLength).toBeGreaterThan(5_000);
    leaks.push(...found(`support bundle ${more}`, unpacked));
    const again = await kinomill(bundle);
    expect(again.stderr).toContain("the file is there already");
  }
  const answer = await fetch(`${appliance.url}/api/v1/system/support-bundle?withNames=true`, {
    ...{ headers: { authorization: `Bearer ${api.token}` }, tls: { rejectUnauthorized: false } },
  } as RequestInit);
  const served = Bun.spawnSync(["tar", "xzOf", "-"], { stdin: await answer.bytes() }).stdout;
  expect(served.toString()).toContain('"msg":"listening"');
  leaks.push(...found("bundle of the server", served));
  for (const words of [
    ["config", "check", "--list"],
    ["doctor"],
    ["secret", "list"],
    ["secret", "list", "--json"],
  ]) {
    const { stdout, stderr } = await kinomill([...words, ...argv()]);
    leaks.push(...found(words.join(" "), stdout + stderr));
  }
  expect((await kinomill(["backup", "now", ...argv()])).exitCode).toBe(0);
  for (const name of readdirSync(join(appliance.dataFolder, "backups"), { recursive: true })) {
    const path = join(appliance.dataFolder, "backups", String(name));
    if (/sqlite/.test(path)) leaks.push(...found(String(name), readFileSync(path)));
  }
  expect(leaks).toEqual([]);
});

test("neither the database nor the log holds one, also not of a crash and of wrong settings", async () => {
  const leaks: string[] = [];
  const wrong = await kinomill(["serve", ...argv(), "--listen", "127.0.0.1:0"], {
    environment: {
      KINOMILL_STORAGE_KIND: canaries.bucket.slice(0, 3),
      KINOMILL_STORAGE_S3_SECRET_ACCESS_KEY: canaries.bucket.repeat(40),
      KINOMILL_TLS_PASSPHRASE: canaries.passphrase.repeat(100),
    },
  });
  expect(wrong.exitCode).toBe(2);
  leaks.push(...found("the words for wrong settings", wrong.stdout + wrong.stderr));
  process.kill(appliance.pid, "SIGABRT");
  await eventually("the server is gone", WAIT_MS, async () => appliance.ended);
  leaks.push(...found("the log", await appliance.log()));
  for (const name of readdirSync(appliance.dataFolder)) {
    if (!name.startsWith("kinomill.sqlite")) continue;
    leaks.push(...found(name, readFileSync(join(appliance.dataFolder, name))));
  }
  expect(leaks).toEqual([]);
  // That what is looked for would be found: the key opens what is kept.
  const list = await kinomill(["secret", "list", ...argv()]);
  expect(list.stdout).toContain("bucket");
});
