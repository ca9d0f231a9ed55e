/** A link that a person gave: what is taken for one, how it is shown, and the name that it suggests. */
import { Refusal } from "../trouble.ts";

/** Signed links of clouds have some two thousand characters. */
export const LINK_LENGTH_MAX = 8_192;

/** Below 1024 these two alone serve files; above, what browsers too refuse to speak HTTP to, and databases. */
const webPorts = new Set([80, 443]);
const FREE_PORTS_FROM = 1024;
const foreignPorts = new Set([
  ...[
    1433, 1521, 1719, 1720, 1723, 2049, 2375, 2379, 2380, 3306, 3389, 3659, 4045, 4190, 5060, 5061,
  ],
  ...[
    5432, 5671, 5672, 6000, 6379, 6443, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 9042, 9092,
  ],
  ...[10080, 10250, 11211, 27017],
]);

/** What is fetched from anywhere. */
const webSchemes = ["https:", "http:"];

/** Besides, where the storage is a bucket. */
export const bucketScheme = "s3:";

/** @returns the schemes of links that an importer takes */
export function schemesFor(withBuckets: boolean): string[] {
  return withBuckets ? [...webSchemes, bucketScheme] : webSchemes;
}

/**
 * Reads a link. The reading is the only one: what is checked is what is connected to.
 * @param schemes those that are taken
 * @throws Refusal 422 `bad_link`, `link_refused` with a sentence
 */
export function parseLink(text: string, schemes: readonly string[] = webSchemes): URL {
  const trimmed = text.trim();
  const url = trimmed.length <= LINK_LENGTH_MAX ? URL.parse(trimmed) : null;
  if (url === null) {
    const what = "This is not a link that Kinomill can read.";
    throw new Refusal(
      422,
      "bad_link",
      `${what} Copy the whole address, with https:// at its start.`,
    );
  }
  if (!schemes.includes(url.protocol)) {
    const scheme = url.protocol.slice(0, 32);
    throw new Refusal(
      422,
      "link_refused",
      `Kinomill fetches from https:// and http:// addresses, not from ${scheme}`,
    );
  }
  if (url.hostname === "") throw new Refusal(422, "bad_link", "This link names no server.");
  url.hash = "";
  return url;
}

export function portOf(url: URL): number {
  if (url.port !== "") return Number(url.port);
  return url.protocol === "https:" ? 443 : 80;
}

/** Whether files are fetched from this port of a server that anybody can reach. */
export function portIsOpen(port: number): boolean {
  return webPorts.has(port) || (port >= FREE_PORTS_FROM && !foreignPorts.has(port));
}

/** The host without brackets, as it is resolved and connected to. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1");
}

/** The link without what may be a secret: name and password, and all behind the question mark. */
export function shownLink(url: URL): string {
  const query = url.search === "" ? "" : "?…";
  return `${url.protocol}//${url.host}${url.pathname}${query}`;
}

/** A name for the file, by the end of the path. */
export function nameOfLink(url: URL): string {
  const last = url.pathname.split("/").findLast((part) => part !== "");
  if (last === undefined) return hostOf(url);
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

/** The name that a server gives a file (RFC 6266: filename* before filename); null when it gives none. */
export function nameOfDisposition(header: string | null): string | null {
  if (header === null) return null;
  const extended = /(?:^|;)\s*filename\*\s*=\s*"?utf-8'[^']*'([^;"\s]+)/i.exec(header)?.[1];
  if (extended !== undefined) {
    try {
      return decodeURIComponent(extended);
    } catch {
      // Not what it says it is: the plain one may be better.
    }
  }
  const plain = /(?:^|;)\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i.exec(header);
  const name = plain?.[1]?.replaceAll(/\\(.)/g, "$1") ?? plain?.[2] ?? "";
  return name === "" ? null : name;
}
