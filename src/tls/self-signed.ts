/**
 * A certificate of this machine's own, for its names and addresses: kept in the data folder, made anew in time and when a
 * name comes that it does not have. Its key stays, so that who trusts the key need not look again.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  X509Certificate,
} from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ipaddr from "ipaddr.js";
import { type Certificate, daysLeft, describe } from "./certificate.ts";

/** Browsers refuse those that are valid for more than 825 days, authorities give 398 at most. */
const VALID_DAYS = 397;

/** Made anew so long before its end. */
export const RENEW_DAYS = 30;

/** A clock that is behind must not find it to be of tomorrow. */
const BEFORE_MS = 3600_000;

/** More would be an attack by host names. */
const NAMES_MAX = 100;

const DAY_MS = 86_400_000;

/** Where the two files lie. */
export function selfSignedFiles(dataFolder: string): { certFile: string; keyFile: string } {
  const folder = join(dataFolder, "tls");
  return { certFile: join(folder, "self-signed.crt"), keyFile: join(folder, "self-signed.key") };
}

/** The one that is there; null when there is none that can be used. */
export function readSelfSigned(dataFolder: string): Certificate | null {
  const { certFile, keyFile } = selfSignedFiles(dataFolder);
  try {
    const certText = readFileSync(certFile, "utf8");
    const keyText = readFileSync(keyFile, "utf8");
    const certificate = new X509Certificate(certText);
    if (!certificate.checkPrivateKey(createPrivateKey(keyText))) return null;
    return describe(certificate, certText, keyText);
  } catch {
    return null;
  }
}

/**
 * One that is good for all these names for some time: that which is there, or a new one.
 * @param wanted DNS names and addresses
 */
export async function selfSigned(
  dataFolder: string,
  wanted: readonly string[],
  nowMs: number,
): Promise<Certificate> {
  const names = [...new Set(wanted.map((name) => name.toLowerCase()))].slice(0, NAMES_MAX);
  const known = readSelfSigned(dataFolder);
  const has = new Set(known?.names.map(normal));
  const isGood =
    known !== null &&
    daysLeft(known, nowMs) >= RENEW_DAYS &&
    known.validFromMs <= nowMs &&
    names.every((name) => has.has(normal(name)));
  return isGood ? known : await make(dataFolder, known, names, nowMs);
}

/** An address in one form, whoever wrote it. */
function normal(name: string): string {
  return ipaddr.isValid(name) ? ipaddr.process(name).toString() : name;
}

async function make(
  dataFolder: string,
  known: Certificate | null,
  names: readonly string[],
  nowMs: number,
): Promise<Certificate> {
  const { certFile, keyFile } = selfSignedFiles(dataFolder);
  mkdirSync(join(dataFolder, "tls"), { recursive: true, mode: 0o700 });
  const keyText = known?.keyText ?? newKey();
  const certText = await sign(keyText, names, nowMs);
  // The key first: a certificate without its key is not taken for one.
  replace(keyFile, keyText);
  replace(certFile, certText);
  return describe(new X509Certificate(certText), certText, keyText);
}

function newKey(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

async function sign(keyText: string, names: readonly string[], nowMs: number): Promise<string> {
  // Loaded where one is made: it takes longer than the rest of a start.
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await cryptoKeys(keyText, algorithm);
  const alternatives = names.map((value) => {
    return { type: ipaddr.isValid(value) ? ("ip" as const) : ("dns" as const), value };
  });
  const serverAuthentication = "1.3.6.1.5.5.7.3.1";
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    // A positive number: the first bit is not set.
    serialNumber: `01${randomBytes(15).toString("hex")}`,
    name: "CN=Kinomill, O=Kinomill of this network",
    notBefore: new Date(nowMs - BEFORE_MS),
    notAfter: new Date(nowMs + VALID_DAYS * DAY_MS),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([serverAuthentication]),
      new x509.SubjectAlternativeNameExtension(alternatives),
    ],
  });
  return made.toString("pem");
}

async function cryptoKeys(
  keyText: string,
  algorithm: { name: string; namedCurve: string },
): Promise<CryptoKeyPair> {
  const { subtle } = crypto;
  const secret = createPrivateKey(keyText).export({ type: "pkcs8", format: "der" });
  const open = createPublicKey(keyText).export({ type: "spki", format: "der" });
  return {
    privateKey: await subtle.importKey("pkcs8", secret, algorithm, false, ["sign"]),
    publicKey: await subtle.importKey("spki", open, algorithm, true, ["verify"]),
  };
}
