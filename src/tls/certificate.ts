/** A certificate with its key: read from files, found to be what a server can use, and told of. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import ipaddr from "ipaddr.js";
import { Refusal } from "../trouble.ts";

/** What the server is given, and what is told of it. */
export interface Certificate {
  /** PEM: the certificate, then those between it and its authority. */
  certText: string;
  /** PEM, without a passphrase. */
  keyText: string;
  /** SHA-256 as browsers show it: "13:C4:…". */
  fingerprint: string;
  validFromMs: number;
  validToMs: number;
  /** DNS names and addresses, in lower case. */
  names: readonly string[];
}

export interface CertificateFiles {
  certFile: string;
  keyFile: string;
  passphrase: string;
}

const DAY_MS = 86_400_000;

/** Whole days until it ends; negative when it has ended. */
export function daysLeft({ validToMs }: Pick<Certificate, "validToMs">, nowMs: number): number {
  return Math.floor((validToMs - nowMs) / DAY_MS);
}

/** @throws Refusal 400 `bad_certificate` with what is wrong and what to do; one that has expired is read all the same */
export function readCertificate(files: CertificateFiles): Certificate {
  const certText = contentOf(files.certFile, "tls.certFile");
  const keyText = contentOf(files.keyFile, "tls.keyFile");
  const first = certificateOf(certText, files.certFile);
  const key = keyOf(keyText, files);
  if (!first.checkPrivateKey(key)) {
    throw bad(
      `The key ${files.keyFile} does not belong to the certificate ${files.certFile}. Give the two that were made together; the server's certificate must stand first in its file.`,
    );
  }
  return describe(first, certText, key.export({ type: "pkcs8", format: "pem" }).toString());
}

/** @param certText PEM; its first certificate is the server's */
export function describe(first: X509Certificate, certText: string, keyText: string): Certificate {
  return {
    certText,
    keyText,
    fingerprint: first.fingerprint256,
    validFromMs: Date.parse(first.validFrom),
    validToMs: Date.parse(first.validTo),
    names: namesOf(first),
  };
}

/** "DNS:box.local, IP Address:192.168.1.4" */
function namesOf({ subjectAltName = "" }: X509Certificate): string[] {
  return [...subjectAltName.matchAll(/(?:DNS|IP Address):([^,\s"]+)/g)].map(([, name = ""]) =>
    ipaddr.isValid(name) ? ipaddr.parse(name).toString() : name.toLowerCase(),
  );
}

function contentOf(path: string, setting: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const reasons: Record<string, string> = {
      ENOENT: "there is no such file",
      EACCES: "the server's user may not read it; as a service use credential:NAME",
      EISDIR: "it is a folder",
    };
    const reason = reasons[code ?? ""] ?? String((cause as Error).message);
    throw bad(`${setting} = ${path} cannot be read: ${reason}.`);
  }
}

function certificateOf(text: string, path: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch {
    const isKey = text.includes("PRIVATE KEY");
    throw bad(
      isKey
        ? `${path} holds a private key where the certificate should be: change tls.certFile and tls.keyFile round.`
        : `${path} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----).`,
    );
  }
}

function keyOf(text: string, { keyFile, passphrase }: CertificateFiles): KeyObject {
  if (passphrase.startsWith("secret:")) {
    const name = passphrase.slice("secret:".length);
    throw bad(
      `tls.passphrase names the secret ${name}, which is not there or cannot be opened. Set it: kinomill secret set ${name}`,
    );
  }
  try {
    return createPrivateKey(
      passphrase === "" ? { key: text } : { key: text, passphrase: Buffer.from(passphrase) },
    );
  } catch {
    const encrypted = /ENCRYPTED/.test(text);
    if (encrypted && passphrase === "") {
      throw bad(`The key ${keyFile} has a passphrase. Give it: kinomill secret set tls.passphrase`);
    }
    if (encrypted) throw bad(`The passphrase does not open the key ${keyFile}.`);
    throw bad(`${keyFile} holds no private key in PEM form (-----BEGIN PRIVATE KEY-----).`);
  }
}

function bad(sentence: string): Refusal {
  return new Refusal(400, "bad_certificate", sentence);
}
