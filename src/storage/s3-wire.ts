/**
 * How requests reach an S3 server: by `fetch`, whose bodies the kernel copies straight from files, so that media does
 * not pass through this process. (The SDK's own handler was measured at 15 times the CPU time for 200 MB.) A server
 * that says nothing is given up after a while: the SDK by itself waits for ever.
 */
import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { Refusal } from "../trouble.ts";

/** No link that somebody means to keep videos over is slower: a part may take so much longer than silence may. */
const SLOWEST_BYTES_PER_SECOND = 128 * 1024;

/** Longest answer that is read whole: a list of a thousand keys has 400 kB. */
const ANSWER_MAX_BYTES = 8 * 1024 ** 2;

/** Thrown where the server said nothing for too long. */
export class Silence extends Error {
  override readonly name = "Silence";
}

export interface WireOptions {
  /** Milliseconds without an answer after which a request is given up. */
  silenceMs: number;
  /** PEM file of the authorities to trust; "" for those of the system. */
  caFile: string;
}

export interface WireRequest {
  method: string;
  url: string;
  headers?: Record<string, string>;
  body?: Blob | Uint8Array<ArrayBuffer> | string;
  /** Bytes of the body, where they take time to send. */
  bodyBytes?: number;
  signal?: AbortSignal | undefined;
}

/** An answer whose body is still to be read. */
export interface OpenAnswer {
  head: Response;
  /** Ends the reading of the body with this reason. */
  abandon(reason: unknown): void;
  /** Why the reading really ended: the asker's reason, ours, or what `fetch` says. */
  reasonOf(cause: unknown): unknown;
  /** To be called when nothing more is read. */
  close(): void;
}

export class Wire {
  readonly silenceMs: number;
  private readonly tls: { ca: string } | null;

  /** @throws Refusal 400 `bad_config` when the authorities cannot be read */
  constructor(options: WireOptions) {
    this.silenceMs = options.silenceMs;
    this.tls = options.caFile === "" ? null : { ca: readAuthorities(options.caFile) };
  }

  /**
   * Sends a request and resolves with the head of the answer.
   * @throws Silence, the signal's reason, what `fetch` throws
   */
  async open(request: WireRequest): Promise<OpenAnswer> {
    const ending = this.ending(request);
    try {
      const head = await fetch(request.url, this.initOf(request, ending.signal));
      ending.stopClock();
      const { abort, reasonOf, close } = ending;
      return { head, abandon: abort, reasonOf, close };
    } catch (cause) {
      ending.close();
      throw ending.reasonOf(cause);
    }
  }

  /** The same with the whole body, which is small. */
  async ask(request: WireRequest): Promise<{ head: Response; body: Uint8Array }> {
    const ending = this.ending(request);
    try {
      const head = await fetch(request.url, this.initOf(request, ending.signal));
      return { head, body: await readBounded(head) };
    } catch (cause) {
      throw ending.reasonOf(cause);
    } finally {
      ending.close();
    }
  }

  /** What ends a request: its asker, or the clock. */
  private ending({ signal, bodyBytes = 0 }: WireRequest) {
    signal?.throwIfAborted();
    const giveUp = new AbortController();
    const abort = (reason: unknown) => giveUp.abort(reason);
    const onAbort = () => abort(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    const limitMs = this.silenceMs + (bodyBytes / SLOWEST_BYTES_PER_SECOND) * 1000;
    const timer = setTimeout(() => abort(new Silence("no answer")), limitMs);
    const stopClock = () => clearTimeout(timer);
    const close = () => {
      stopClock();
      signal?.removeEventListener("abort", onAbort);
    };
    // `fetch` has its own words for an abort.
    const reasonOf = (cause: unknown) => (giveUp.signal.aborted ? giveUp.signal.reason : cause);
    return { signal: giveUp.signal, abort, stopClock, close, reasonOf };
  }

  private initOf({ method, headers, body }: WireRequest, signal: AbortSignal): BunFetchRequestInit {
    return {
      method,
      headers: { "accept-encoding": "identity", ...headers },
      ...(body === undefined ? {} : { body }),
      signal,
      // A server that sends us elsewhere is of another region, and the signature would not hold there.
      redirect: "manual",
      decompress: false,
      ...(this.tls === null ? {} : { tls: this.tls }),
    };
  }
}

async function readBounded(head: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of head.body ?? []) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > ANSWER_MAX_BYTES) throw new Error("the S3 server's answer is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function readAuthorities(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Refusal(400, "bad_config", `storage.s3.caFile cannot be read: ${reason}`);
  }
}

/** What the SDK asks a handler to send. */
interface SdkRequest {
  protocol: string;
  hostname: string;
  port?: number | undefined;
  method: string;
  path: string;
  query?: Record<string, string | (string | null)[] | null> | undefined;
  headers: Record<string, string>;
  body?: unknown;
}

/** Lets the SDK send its small requests over the wire. Files never go this way. */
export function sdkHandler(wire: Wire) {
  return {
    async handle(request: SdkRequest, options: { abortSignal?: unknown } = {}) {
      const { host: _, "content-length": __, ...headers } = request.headers;
      const signal = options.abortSignal instanceof AbortSignal ? options.abortSignal : undefined;
      const { head, body } = await wire.ask({
        method: request.method,
        url: urlOf(request),
        headers,
        ...(request.body === undefined ? {} : { body: request.body as string }),
        signal,
      });
      const answered = Object.fromEntries(head.headers as unknown as Iterable<[string, string]>);
      // As a stream, because only in one the SDK looks for an error under the status 200.
      const response = { statusCode: head.status, headers: answered, body: Readable.from([body]) };
      return { response: { ...response, reason: head.statusText } };
    },
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
    destroy: () => undefined,
    metadata: { handlerProtocol: "http/1.1" },
  };
}

function urlOf({ protocol, hostname, port, path, query }: SdkRequest): string {
  const pairs = Object.entries(query ?? {}).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) =>
      one === null ? escaped(name) : `${escaped(name)}=${escaped(one)}`,
    ),
  );
  const tail = pairs.length === 0 ? "" : `?${pairs.join("&")}`;
  return `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}${path}${tail}`;
}

/** As the signature has it (RFC 3986). */
function escaped(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
