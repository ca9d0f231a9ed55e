/** TLS of the server's own: a certificate that it makes, and given ones that change while people are connected. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { Appliance, eventually, kinomill } from "./appliance.ts";
import { plainClip } from "./clips.ts";

setDefaultTimeout(120_000);

const WAIT_MS = 60_000;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tls-files-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A certificate for the loopback, in the places that the settings name. */
function give(name: string): void {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
  const argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  argv.push("-nodes", "-keyout", key, "-out", cert, "-days", "30", "-subj", `/CN=${name}`);
  expect(Bun.spawnSync([...argv, "-addext", "subjectAltName=IP:127.0.0.1"]).exitCode).toBe(0);
  copyFileSync(key, join(folder, "server.key"));
  copyFileSync(cert, join(folder, "server.crt"));
}

/** Who answers there, by the subject of the certificate. */
function subjectAt(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host: hostname, port: Number(port), rejectUnauthorized: false },
      () => {
        resolve(String(socket.getPeerCertificate().subject?.CN));
        socket.destroy();
      },
    );
    socket.on("error", reject);
  });
}

/** What curl says to these arguments; exit code 28 is its deadline. */
async function curl(...argv: string[]): Promise<{ exitCode: number; output: string }> {
  const limit = ["--max-time", String(WAIT_MS / 1000)];
  const child = Bun.spawn(["curl", "--silent", ...limit, ...argv], { stderr: "ignore" });
  const output = await new Response(child.stdout).text();
  return { exitCode: await child.exited, output };
}

const insecure = { tls: { rejectUnauthorized: false } };

async function logIn(url: string, password: string): Promise<Response> {
  return await fetch(`${url}/login`, {
    ...insecure,
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ name: "ann", password }),
  });
}

test("a certificate of its own is trusted by who looks at it, and told by log and doctor", async () => {
  const environment = { KINOMILL_TLS_MODE: "self-signed" };
  await using appliance = await Appliance.start({ environment, scheme: "https" });
  const token = await appliance.token("ann", "admin");
  const ca = await Bun.file(join(appliance.dataFolder, "tls/self-signed.crt")).text();
  const answer = await fetch(`${appliance.url}/health`, { tls: { ca } });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("strict-transport-security")).toBeNull();
  const named = await fetch(appliance.url.replace("127.0.0.1", "localhost"), {
    ...{ tls: { ca }, redirect: "manual" },
  });
  expect(named.status).toBe(401);
  const login = await logIn(appliance.url, appliance.password);
  expect(login.headers.get("set-cookie")).toEndWith("; Secure");
  // What is no TLS gets an empty reply at once (docs/decisions/0015), and disturbs nobody.
  const plain = appliance.url.replace("https:", "http:");
  expect(await curl(plain)).toMatchObject({ exitCode: 52, output: "" });
  expect((await curl("--insecure", `${appliance.url}/health`)).output).toContain('"status":"ok"');

  const client = { KINOMILL_URL: appliance.url, KINOMILL_TOKEN: token };
  const trusting = {
    ...client,
    NODE_EXTRA_CA_CERTS: join(appliance.dataFolder, "tls/self-signed.crt"),
  };
  expect((await kinomill(["jobs", "list"], { environment: trusting })).exitCode).toBe(0);
  const stranger = await kinomill(["jobs", "list"], { environment: client });
  expect(stranger.exitCode).toBe(1);
  expect(stranger.stderr).toMatch(/certificate|self.signed/i);

  const { fingerprint } = JSON.parse(
    (await appliance.log()).split("\n").find((line) => line.includes("certificate is in use")) ??
      "{}",
  );
  const argv = ["--data", appliance.dataFolder, "--config", join(appliance.folder, "none.toml")];
  await Bun.write(join(appliance.folder, "none.toml"), `listen = "${new URL(appliance.url).host}"`);
  const doctor = await kinomill(["doctor", ...argv], { environment });
  expect(doctor.stdout).toContain(fingerprint);
  expect(doctor.stdout).toContain(`answers at ${new URL(appliance.url).host}`);
  const ready = await kinomill(["ready", "--wait", "30", ...argv], { environment });
  expect(ready.stdout).toContain("Kinomill is ready at https://");
});

describe("given files", () => {
  test("are taken anew when they change: nobody is refused, and who is connected goes on", async () => {
    give("first");
    const redirect = freePort();
    const environment = {
      KINOMILL_TLS_MODE: "files",
      KINOMILL_TLS_CERT_FILE: join(folder, "server.crt"),
      KINOMILL_TLS_KEY_FILE: join(folder, "server.key"),
      KINOMILL_TLS_REDIRECT_LISTEN: `127.0.0.1:${redirect}`,
    };
    await using appliance = await Appliance.start({ environment, scheme: "https" });
    const token = await appliance.token("ann", "admin");
    expect(await subjectAt(appliance.url)).toBe("first");
    const health = await fetch(`${appliance.url}/health`, insecure);
    expect(health.headers.get("strict-transport-security")).toBe("max-age=604800");

    const away = await fetch(`http://127.0.0.1:${redirect}/jobs?state=failed`, {
      redirect: "manual",
    });
    expect(away.status).toBe(307);
    expect(away.headers.get("location")).toBe(`${appliance.url}/jobs?state=failed`);
    const followed = await curl(
      ...["--insecure", "--location", `http://127.0.0.1:${redirect}/health`],
    );
    expect(followed).toMatchObject({ exitCode: 0 });
    expect(followed.output).toContain('"status":"ok"');
    const odd = await fetch(`http://127.0.0.1:${redirect}/`, {
      ...{ redirect: "manual", headers: { host: 'a"><script>' } },
    });
    expect([odd.status, odd.headers.get("location")]).toEqual([400, null]);

    const stream = await fetch(`${appliance.url}/api/v1/events`, {
      ...{ ...insecure, headers: { authorization: `Bearer ${token}` } },
    });
    const reader = stream.body?.getReader();
    await reader?.read();
    give("second");
    let refused = 0;
    await eventually("the other certificate is in use", WAIT_MS, async () => {
      refused += await fetch(`${appliance.url}/health`, insecure).then(
        () => 0,
        () => 1,
      );
      return (await subjectAt(appliance.url)) === "second";
    });
    expect(refused).toBe(0);
    // The stream of before still says what happens.
    const headers = { authorization: `Bearer ${token}` };
    const film = await Bun.file(plainClip()).bytes();
    const upload = await fetch(`${appliance.url}/api/v1/assets?name=x.mp4`, {
      ...{ ...insecure, method: "POST", headers, body: film },
    });
    expect(upload.status).toBe(201);
    let heard = "";
    await eventually("the stream tells of it", WAIT_MS, async () => {
      heard += new TextDecoder().decode((await reader?.read())?.value);
      return heard.includes("event: asset");
    });
    void reader?.cancel();
    expect(await appliance.end()).toBe(0);
  });

  test("that are of no use keep it from starting, with what to do", async () => {
    give("third");
    const environment = {
      KINOMILL_TLS_MODE: "files",
      KINOMILL_TLS_CERT_FILE: join(folder, "server.key"),
      KINOMILL_TLS_KEY_FILE: join(folder, "server.key"),
    };
    const data = join(folder, "data");
    const argv = ["serve", "--data", data, "--listen", "127.0.0.1:0"];
    const started = await kinomill(argv, { environment });
    expect(started.exitCode).toBe(2);
    expect(started.stderr).toContain("change tls.certFile and tls.keyFile round");
  });
});

function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop(true);
  return port;
}
