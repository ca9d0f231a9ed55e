/** Certificates: what is refused and in which words, what is made by ourselves, and when another takes its place. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import { ManualClock } from "../clock.ts";
import { loadConfig } from "../config.ts";
import { tlsFindings } from "../doctor/tls.ts";
import { localIpv4, localIpv6, passingIpv6 } from "../own-addresses.ts";
import { Refusal } from "../trouble.ts";
import { type Certificate, daysLeft, readCertificate } from "./certificate.ts";
import { CertificateKeeper } from "./keeper.ts";
import { readSelfSigned, selfSigned, selfSignedFiles } from "./self-signed.ts";

const DAY_MS = 86_400_000;
const NOW_MS = Date.UTC(2026, 5, 1);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tls-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const at = (name: string) => join(folder, name);

/** A certificate of openssl's for this name, with its key beside it. */
function make(name: string, days = 90, key: string[] = ["-nodes"]) {
  const [certFile, keyFile] = [at(`${name}.crt`), at(`${name}.key`)];
  const argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  argv.push(...key, "-keyout", keyFile, "-out", certFile, "-days", String(days));
  argv.push("-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`);
  const done = Bun.spawnSync(argv);
  if (done.exitCode !== 0) throw new Error(done.stderr.toString());
  return { certFile, keyFile, passphrase: "" };
}

function troubleOf(work: () => unknown): string {
  try {
    work();
  } catch (cause) {
    if (cause instanceof Refusal) return `${cause.code}: ${cause.message}`;
    throw cause;
  }
  return "none";
}

describe("given files", () => {
  test("are read with the names and the days that they have", () => {
    const found = readCertificate(make("films.example", 90));
    expect(found.names).toEqual(["films.example"]);
    expect(daysLeft(found, Date.now())).toBe(89);
    expect(found.fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  });

  test("with a passphrase are opened by it alone", () => {
    const locked = make("locked.example", 90, ["-passout", "pass:open sesame"]);
    expect(readCertificate({ ...locked, passphrase: "open sesame" }).keyText).toContain("PRIVATE");
    expect(troubleOf(() => readCertificate(locked))).toContain(
      "kinomill secret set tls.passphrase",
    );
    const wrong = { ...locked, passphrase: "CANARY" };
    expect(troubleOf(() => readCertificate(wrong))).toContain("passphrase does not open the key");
    expect(troubleOf(() => readCertificate(wrong))).not.toContain("CANARY");
    const absent = { ...locked, passphrase: "secret:tls" };
    expect(troubleOf(() => readCertificate(absent))).toContain("kinomill secret set tls");
  });

  test("that cannot be are refused with what to do", () => {
    const good = make("good.example");
    const other = make("other.example");
    writeFileSync(at("text"), "no certificate");
    const cases: [Partial<typeof good>, string][] = [
      [{ certFile: at("absent") }, "there is no such file"],
      [{ certFile: folder }, "it is a folder"],
      [{ certFile: at("text") }, "holds no certificate in PEM form"],
      [{ certFile: good.keyFile }, "change tls.certFile and tls.keyFile round"],
      [{ keyFile: at("text") }, "holds no private key in PEM form"],
      [{ keyFile: good.certFile }, "holds no private key in PEM form"],
      [{ keyFile: other.keyFile }, "does not belong to the certificate"],
    ];
    for (const [files, words] of cases) {
      const said = troubleOf(() => readCertificate({ ...good, ...files }));
      expect(said).toStartWith("bad_certificate: ");
      expect(said).toContain(words);
    }
  });
});

describe("a certificate of our own", () => {
  const names = ["localhost", "Box.local", "192.168.1.4", "fd00::1", "127.0.0.1"];
  const data = () => join(folder, "data");

  test("is made for names and addresses, kept privately, and used again", async () => {
    const made = await selfSigned(data(), names, NOW_MS);
    expect(made.names.slice(0, 3)).toEqual(["localhost", "box.local", "192.168.1.4"]);
    expect(daysLeft(made, NOW_MS)).toBe(397);
    expect(statSync(selfSignedFiles(data()).keyFile).mode & 0o777).toBe(0o600);
    expect(await selfSigned(data(), names.slice(1), NOW_MS + 360 * DAY_MS)).toEqual(made);
    const shown = Bun.spawnSync([
      "openssl",
      "x509",
      "-noout",
      "-text",
      "-in",
      selfSignedFiles(data()).certFile,
    ]);
    const text = shown.stdout.toString();
    for (const words of ["CA:FALSE", "Digital Signature", "TLS Web Server Authentication"]) {
      expect(text).toContain(words);
    }
  });

  test("is made anew in time, for a new name, and when the clock was wrong; its key stays", async () => {
    const first = await selfSigned(data(), names, NOW_MS);
    const late = await selfSigned(data(), names, NOW_MS + 368 * DAY_MS);
    expect(late.fingerprint).not.toBe(first.fingerprint);
    expect(late.keyText).toBe(first.keyText);
    const more = await selfSigned(data(), [...names, "10.0.0.9"], NOW_MS + 368 * DAY_MS);
    expect(more.names).toContain("10.0.0.9");
    const before = await selfSigned(data(), names, NOW_MS);
    expect(before.validFromMs).toBeLessThan(NOW_MS);
  });

  test("that is damaged is made anew, also when the plug was pulled between its files", async () => {
    const { certFile, keyFile } = selfSignedFiles(data());
    await selfSigned(data(), names, NOW_MS);
    for (const spoil of [
      () => writeFileSync(certFile, "half"),
      () => rmSync(certFile),
      () => writeFileSync(keyFile, readFileSync(make("x.example").keyFile)),
      () => writeFileSync(keyFile, ""),
    ]) {
      spoil();
      expect(readSelfSigned(data())).toBeNull();
      const again = await selfSigned(data(), names, NOW_MS);
      expect(readSelfSigned(data())?.fingerprint).toBe(again.fingerprint);
    }
  });
});

test("a keeper gives another certificate when the files have another, and never half of one", async () => {
  const files = make("first.example");
  const [next, expired] = [make("second.example"), make("third.example")];
  const lines: string[] = [];
  const log = pino({ level: "info" }, { write: (line: string) => void lines.push(line) });
  const clock = new ManualClock(Date.now());
  const keeper = await CertificateKeeper.open({
    ...{ source: { kind: "files", files }, clock, log, lookEveryMs: 5 },
  });
  const changes: Certificate[] = [];
  keeper.watch((each) => changes.push(each));
  const until = async (what: () => boolean) => {
    const deadline = performance.now() + 20_000;
    while (!what() && performance.now() < deadline) await Bun.sleep(5);
    expect(what()).toBe(true);
  };
  writeFileSync(files.certFile, readFileSync(next.certFile));
  await until(() => lines.some((line) => line.includes("does not belong")));
  expect([changes.length, keeper.current.names[0]]).toEqual([0, "first.example"]);
  writeFileSync(files.keyFile, readFileSync(next.keyFile));
  await until(() => changes.length === 1);
  expect(changes[0]?.names).toEqual(["second.example"]);
  rmSync(files.certFile);
  await until(() => lines.some((line) => line.includes("no such file")));
  clock.advance(100 * DAY_MS);
  writeFileSync(files.keyFile, readFileSync(expired.keyFile));
  writeFileSync(files.certFile, readFileSync(expired.certFile));
  await until(() => lines.some((line) => line.includes("has expired")));
  keeper.stop();
  // Each trouble is said once, however often is looked.
  expect(lines.filter((line) => line.includes("no such file"))).toHaveLength(1);
});

describe("the doctor", () => {
  async function finding(environment: Record<string, string>, nowMs = Date.now()) {
    const config = await loadConfig({ file: null, environment, flags: { data: folder } });
    const clock = new ManualClock(nowMs);
    const box = { config, clock, toolchain: null, asker: "command" as const, sinceMs: null };
    return tlsFindings({
      ...box,
      gpus: { kind: "none", gpus: [], sentence: "", remedy: null } as never,
    })[0];
  }
  const given = (name: string, days: number) => {
    const { certFile, keyFile } = make(name, days);
    return {
      KINOMILL_TLS_MODE: "files",
      KINOMILL_TLS_CERT_FILE: certFile,
      KINOMILL_TLS_KEY_FILE: keyFile,
    };
  };

  test("says how many days are left, and when they are few, over, or the name is another", async () => {
    expect(await finding({})).toBeUndefined();
    expect(await finding(given("a.example", 60))).toMatchObject({ level: "ok" });
    expect((await finding(given("a.example", 60)))?.meaning).toContain("a.example ends in 59 days");
    expect(await finding(given("a.example", 10))).toMatchObject({ level: "warning" });
    const over = await finding(given("a.example", 10), Date.now() + 20 * DAY_MS);
    expect(over).toMatchObject({ level: "fault" });
    expect(over?.meaning).toContain("has expired");
    const hosts = {
      ...given("*.example.org", 60),
      KINOMILL_HOSTS: "films.example.org,a.b.example.org",
    };
    const uncovered = await finding(hosts);
    expect(uncovered?.level).toBe("warning");
    expect(uncovered?.meaning).toContain("for a.b.example.org of");
    const wrong = { ...given("a.example", 60), KINOMILL_TLS_KEY_FILE: at("absent") };
    expect(await finding(wrong)).toMatchObject({ level: "fault" });
  });

  test("tells the fingerprint of a certificate of our own", async () => {
    const own = { KINOMILL_TLS_MODE: "self-signed" };
    expect((await finding(own))?.meaning).toContain("when the server starts");
    const { fingerprint } = await selfSigned(folder, ["localhost"], Date.now());
    expect((await finding(own))?.meaning).toContain(fingerprint);
  });
});

test("own addresses are read from the kernel's tables", () => {
  const trie = `        +-- 192.0.2.0/30 2 0 2
           |-- 192.0.2.0
              /24 link UNICAST
           |-- 192.0.2.2
              /32 host LOCAL
           |-- 192.0.2.255
              /32 link BROADCAST
`;
  expect(localIpv4(trie + trie)).toEqual(["192.0.2.2"]);
  const lines = `fd000000000000000000000000000002 04 40 00 80     eth0
20010db8000000000000000000000007 02 40 00 01     eth0
`;
  expect(localIpv6(lines)).toEqual([
    "fd00:0000:0000:0000:0000:0000:0000:0002",
    "2001:0db8:0000:0000:0000:0000:0000:0007",
  ]);
  expect(passingIpv6(lines)).toEqual(["2001:0db8:0000:0000:0000:0000:0000:0007"]);
});
