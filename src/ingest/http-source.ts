/**
 * One GET over http or https, redirects included, each to an address that the gate has admitted. It goes through
 * node:http and never through `fetch`: that one reads file: and s3: too, follows proxies of the environment, and
 * resolves names once more after they were checked.
 */
import { type IncomingMessage, request as requestPlain } from "node:http";
import { request as requestSecure } from "node:https";
import ipaddr from "ipaddr.js";
import { product } from "../product.ts";
import { Refusal } from "../trouble.ts";
import type { Address, Gate } from "./gate.ts";
import { hostOf, parseLink } from "./link.ts";
import { connectionTrouble, LinkTrouble, statusTrouble } from "./link-trouble.ts";

/** Downloads of clouds and mirrors take two or three. */
const REDIRECTS_MAX = 5;

/** Cold storage takes some seconds to its first byte; who needs longer is tried again. */
const HEADERS_LIMIT_MS = 60_000;

/** A server that asks for more patience than this is tried again by hand. */
const WAIT_SECONDS_MAX = 120;

export interface SourceOptions {
  gate: Gate;
  signal: AbortSignal;
  /** The part that is wanted: from this byte on, as long as the file is the one of this validator. */
  from?: { byte: number; validator: string } | null;
  /** Authorities to believe besides those of the system (PEM); for tests. */
  authorities?: string;
}

export interface Source {
  /** Where the redirects led. */
  url: URL;
  /** 200 or 206; 416 when the part asked for is not there. */
  status: number;
  header(name: string): string | null;
  /** Bytes as they come; throws what the connection threw. */
  body: AsyncIterator<Uint8Array>;
  /** Ends the connection. */
  close(): void;
}

/** @throws LinkTrouble with what to do, the signal's reason */
export async function openSource(link: URL, options: SourceOptions): Promise<Source> {
  let url = link;
  for (let hops = 0; hops <= REDIRECTS_MAX; hops += 1) {
    const answer = await ask(url, url.origin === link.origin ? credentialsOf(link) : null, options);
    const status = answer.statusCode ?? 0;
    const location = answer.headers.location;
    if ([301, 302, 303, 307, 308].includes(status) && location !== undefined) {
      answer.destroy();
      url = redirected(url, location);
      continue;
    }
    if (status !== 200 && status !== 206 && status !== 416) {
      answer.destroy();
      throw statusTrouble(status, hostOf(url), waitSecondsOf(answer));
    }
    return {
      url,
      status,
      header: (name) => headerOf(answer, name),
      body: answer[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>,
      close: () => void answer.destroy(),
    };
  }
  throw new LinkTrouble(
    "link_failed",
    `The link leads from one address to the next, more than ${REDIRECTS_MAX} times.`,
    "Use the address of the file itself.",
  );
}

/** `Authorization` from the link; it goes to the server that the link names and to no other. */
function credentialsOf(link: URL): string | null {
  if (link.username === "" && link.password === "") return null;
  const plain = `${decoded(link.username)}:${decoded(link.password)}`;
  return `Basic ${Buffer.from(plain).toString("base64")}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The next address, read as strictly as the first. */
function redirected(from: URL, location: string): URL {
  const next = URL.parse(location, from.href);
  try {
    const url = parseLink(next?.href ?? location);
    url.username = "";
    url.password = "";
    return url;
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause;
    const where = next === null ? "an address that cannot be read" : `a ${next.protocol} address`;
    throw new LinkTrouble(
      "link_refused",
      `${hostOf(from)} sends Kinomill on to ${where}, and Kinomill does not follow.`,
      "Use a link that leads to the file itself over https.",
    );
  }
}

async function ask(
  url: URL,
  credentials: string | null,
  { gate, signal, from, authorities }: SourceOptions,
): Promise<IncomingMessage> {
  const addresses = await gate.admit(url);
  signal.throwIfAborted();
  const headers: Record<string, string> = {
    "user-agent": `${product.name}/${product.version}`,
    accept: "*/*",
    // The bytes of the file and nothing else: a packed answer has other offsets.
    "accept-encoding": "identity",
  };
  if (credentials !== null) headers["authorization"] = credentials;
  if (from) {
    headers["range"] = `bytes=${from.byte}-`;
    headers["if-range"] = from.validator;
  }
  const answer = await headersOf(url, headers, addresses, signal, authorities);
  const peer = answer.socket?.remoteAddress;
  if (peer === undefined || addresses.some(({ address }) => sameAddress(address, peer)))
    return answer;
  answer.destroy();
  throw new Error("invariant broken: a connection goes to an address that was checked");
}

function sameAddress(one: string, other: string): boolean {
  return ipaddr.process(one).toString() === ipaddr.process(other).toString();
}

/** Resolves with the head of the answer; the body has not been read. */
function headersOf(
  url: URL,
  headers: Record<string, string>,
  addresses: readonly Address[],
  signal: AbortSignal,
  authorities: string | undefined,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const host = hostOf(url);
  const secure = url.protocol === "https:";
  const request = (secure ? requestSecure : requestPlain)({
    method: "GET",
    host,
    port: url.port === "" ? (secure ? 443 : 80) : Number(url.port),
    path: url.pathname + url.search,
    headers: { host: url.host, ...headers },
    // A connection of its own, so that none is taken over from another check.
    agent: false,
    lookup: pinned(addresses),
    ...(secure ? { rejectUnauthorized: true, ...(authorities ? { ca: authorities } : {}) } : {}),
  });
  let began = false;
  const end = () => request.destroy(new Error("ended by Kinomill"));
  const late = setTimeout(end, HEADERS_LIMIT_MS);
  signal.addEventListener("abort", end, { once: true });
  request.on("response", (answer) => {
    began = true;
    clearTimeout(late);
    const done = () => signal.removeEventListener("abort", end);
    answer.once("close", done);
    resolve(answer);
  });
  request.on("error", (cause) => {
    // Once the answer has begun, whoever reads it hears of its end.
    if (began) return;
    clearTimeout(late);
    signal.removeEventListener("abort", end);
    reject(signal.aborted ? signal.reason : connectionTrouble(cause, host, false));
  });
  request.end();
  return promise;
}

type LookupDone = (error: Error | null, found: string | Address[], family?: number) => void;

/** Answers with what was checked, whatever the name would resolve to now. */
function pinned(addresses: readonly Address[]) {
  return (_host: string, options: { all?: boolean | undefined }, done: LookupDone) => {
    const [first] = addresses;
    if (options.all) done(null, [...addresses]);
    else if (first === undefined) done(new Error("no address"), "");
    else done(null, first.address, first.family);
  };
}

function headerOf(answer: IncomingMessage, name: string): string | null {
  const value = answer.headers[name];
  if (value === undefined) return null;
  // node:http reads header bytes as Latin-1; names of files are UTF-8 in practice.
  const text = Array.isArray(value) ? value.join(", ") : value;
  const utf8 = Buffer.from(text, "latin1").toString("utf8");
  return utf8.includes("\ufffd") ? text : utf8;
}

function waitSecondsOf(answer: IncomingMessage): number | null {
  const text = headerOf(answer, "retry-after");
  if (text === null) return null;
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(WAIT_SECONDS_MAX, Math.max(0, seconds)) : null;
}
