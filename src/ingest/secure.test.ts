import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { importGround } from "../../tests/ingest/import-ground.ts";
import { filmBytes } from "../../tests/ingest/import-rig.ts";
import type { Resolve } from "./gate.ts";

const { openRig, closeAll } = importGround();
afterEach(closeAll);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kinomill-tls-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Pair {
  key: string;
  cert: string;
}

/** A key and a certificate for a name, signed by itself. @param dates first and last, as openssl writes them */
async function certificateFor(name: string, dates = ["20200101000000Z", "20991231000000Z"]) {
  const at = (end: string) => join(folder, `${name}.${end}`);
  const [from = "", until = ""] = dates;
  await Bun.write(at("index"), "");
  await Bun.write(at("serial"), "01");
  await Bun.write(
    at("cnf"),
    `[ca]
default_ca = own
[own]
new_certs_dir = ${folder}
database = ${at("index")}
serial = ${at("serial")}
default_md = sha256
policy = any
x509_extensions = names
[any]
commonName = supplied
[names]
subjectAltName = DNS:${name}
`,
  );
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  openssl(
    "req",
    ...curve,
    "-nodes",
    "-keyout",
    at("key"),
    "-out",
    at("csr"),
    "-subj",
    `/CN=${name}`,
  );
  openssl(
    ...["ca", "-selfsign", "-batch", "-notext", "-config", at("cnf"), "-keyfile", at("key")],
    ...["-in", at("csr"), "-out", at("pem"), "-startdate", from, "-enddate", until],
  );
  return { key: await Bun.file(at("key")).text(), cert: await Bun.file(at("pem")).text() };
}

function openssl(...argv: string[]): void {
  const done = Bun.spawnSync(["openssl", ...argv]);
  if (done.exitCode !== 0) throw new Error(`openssl ${argv.join(" ")}: ${done.stderr}`);
}

const resolve: Resolve = async () => [{ address: "127.0.0.1", family: 4 }];

async function withServer(tls: Pair, work: (port: number) => Promise<void>): Promise<void> {
  const server = Bun.serve({ port: 0, tls, fetch: () => new Response(filmBytes(1000)) });
  try {
    await work(server.port ?? 0);
  } finally {
    await server.stop(true);
  }
}

test("a server with a good certificate is fetched from, by its name and at the address that was checked", async () => {
  const pair = await certificateFor("good.test");
  await withServer(pair, async (port) => {
    const rig = await openRig({ gate: { resolve }, authorities: pair.cert });
    const asset = await rig.ready(await rig.add(`https://good.test:${port}/film.mp4`));
    expect(asset.sizeBytes).toBe(1000);
    const fault = await rig.fault(`https://other.test:${port}/film.mp4`);
    expect(fault).toMatchObject({ code: "link_certificate", retryable: false });
    expect(fault.message).toBe(
      "The connection to other.test cannot be trusted: its certificate is for another name.",
    );
  });
});

test("a certificate that nobody vouches for is refused, whatever the environment says", async () => {
  const before = process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
  process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
  try {
    await withServer(await certificateFor("self.test"), async (port) => {
      const rig = await openRig({ gate: { resolve } });
      const fault = await rig.fault(`https://self.test:${port}/film.mp4`);
      expect(fault.code).toBe("link_certificate");
      expect(fault.message).toContain("signed by itself only");
    });
  } finally {
    if (before === undefined) delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    else process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = before;
  }
});

test("an expired certificate is refused and says so", async () => {
  const pair = await certificateFor("old.test", ["20200101000000Z", "20200201000000Z"]);
  await withServer(pair, async (port) => {
    const rig = await openRig({ gate: { resolve }, authorities: pair.cert });
    const fault = await rig.fault(`https://old.test:${port}/film.mp4`);
    expect([fault.code, fault.message]).toEqual([
      "link_certificate",
      "The connection to old.test cannot be trusted: its certificate has expired.",
    ]);
  });
});

test("https to a server that speaks http, and the other way round, end in a sentence", async () => {
  const plain = Bun.serve({ port: 0, fetch: () => new Response(filmBytes(10)) });
  const rig = await openRig({ gate: { resolve } });
  const fault = await rig.fault(`https://plain.test:${plain.port}/film.mp4`);
  expect(fault.message).toContain("plain.test");
  expect(["link_certificate", "link_unreachable"]).toContain(fault.code);
  await plain.stop(true);
  await withServer(await certificateFor("tls.test"), async (port) => {
    const other = await rig.fault(`http://tls.test:${port}/film.mp4`);
    expect(["link_failed", "link_unreachable"]).toContain(other.code);
  });
});
