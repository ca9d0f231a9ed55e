/** The certificate: whose it is, and for how long. */
import { type Certificate, daysLeft, readCertificate } from "../tls/certificate.ts";
import { SOON_DAYS } from "../tls/keeper.ts";
import { readSelfSigned, selfSignedFiles } from "../tls/self-signed.ts";
import { Refusal } from "../trouble.ts";
import type { Box, Finding } from "./finding.ts";

const common = { id: "tls", title: "TLS" };

export function tlsFindings(box: Box): Finding[] {
  const { mode } = box.config.tls;
  if (mode === "off") return [];
  return mode === "files" ? [givenFinding(box)] : [selfSignedFinding(box)];
}

function selfSignedFinding({ config, clock, asker }: Box): Finding {
  const certificate = readSelfSigned(config.data);
  if (certificate === null) {
    const meaning = "The certificate of this machine's own is made when the server starts.";
    return { ...common, level: "ok", meaning, remedy: null };
  }
  const { certFile } = selfSignedFiles(config.data);
  const where = asker === "command" ? ` Programs can trust ${certFile}.` : "";
  const meaning = `The certificate is this machine's own, so browsers warn of it once. It is the right one when its SHA-256 fingerprint is ${certificate.fingerprint}. It ends ${inDays(certificate, clock.nowMs())} and is made anew before.${where}`;
  return { ...common, level: "ok", meaning, remedy: null };
}

function givenFinding({ config, clock, asker }: Box): Finding {
  let certificate: Certificate;
  try {
    certificate = readCertificate(config.tls);
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause;
    const detail =
      asker === "command" ? cause.message : "The certificate of the settings cannot be used.";
    const remedy =
      "Put a certificate and its key there, then: kinomill doctor — a running server goes on with the one before until it stops.";
    return { ...common, level: "fault", meaning: detail, remedy };
  }
  const days = daysLeft(certificate, clock.nowMs());
  if (days < 0) {
    const meaning = `The certificate has expired ${inDays(certificate, clock.nowMs())}: browsers refuse it.`;
    const remedy = "Renew it and put it in its place; the server takes it within a minute.";
    return { ...common, level: "fault", meaning, remedy };
  }
  const left = `The certificate for ${certificate.names.slice(0, 3).join(", ")} ends ${inDays(certificate, clock.nowMs())}.`;
  if (days < SOON_DAYS) {
    const remedy =
      "Renew it, and see why the program that should does not: for certbot, sudo certbot renew";
    return { ...common, level: "warning", meaning: left, remedy };
  }
  const uncovered = config.hosts.filter((host) => !covers(certificate.names, host.toLowerCase()));
  if (uncovered.length > 0) {
    const meaning = `${left} It does not hold for ${uncovered.join(", ")} of the setting hosts: browsers warn there.`;
    const remedy = "Get one that has these names too, or take them out of hosts.";
    return { ...common, level: "warning", meaning, remedy };
  }
  return { ...common, level: "ok", meaning: left, remedy: null };
}

/** `*.example.com` stands for one name below it. */
function covers(names: readonly string[], host: string): boolean {
  return names.includes(host) || names.includes(host.replace(/^[^.]+/, "*"));
}

function inDays(certificate: Certificate, nowMs: number): string {
  const days = daysLeft(certificate, nowMs);
  const date = new Date(certificate.validToMs).toISOString().slice(0, 10);
  if (days < 0) return `on ${date}`;
  return days === 1 ? `in one day, on ${date}` : `in ${days} days, on ${date}`;
}
