/**
 * How the S3 server is called: by the SDK's small requests and by URLs that it signs, each tried again while that can
 * help, and its troubles as refusals with a sentence.
 */
import type { S3Client } from "@aws-sdk/client-s3";
import type { Config } from "../config.ts";
import type { Refusal } from "../trouble.ts";
import { faultOf, refusalFor, type S3Fault, type S3Place } from "./s3-trouble.ts";
import { sdkHandler, Wire } from "./s3-wire.ts";

export type S3Settings = Config["storage"]["s3"];

export type Sdk = typeof import("@aws-sdk/client-s3");
type SdkCommand = import("@aws-sdk/client-s3").HeadObjectCommand;

/** First pause between two tries; each is twice the one before, up to the longest. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 3_000;
/** However quickly a server fails, it is asked no more often for one thing. */
const TRIES_MAX = 10;

export class S3Calls {
  readonly settings: S3Settings;
  readonly place: S3Place;
  readonly wire: Wire;
  private opened: Promise<{ sdk: Sdk; client: S3Client; publicClient: S3Client }> | null = null;

  /** @throws Refusal 400 `bad_config` */
  constructor(settings: S3Settings) {
    this.settings = settings;
    this.place = settings;
    const silenceMs = settings.timeoutSeconds * 1000;
    this.wire = new Wire({ silenceMs, caFile: settings.caFile });
  }

  /** Loads the SDK with the first request: an installation without S3 does not pay for it. */
  private open() {
    this.opened ??= (async () => {
      const sdk = await import("@aws-sdk/client-s3");
      const client = (endpoint: string) => newClient(sdk, this.settings, endpoint, this.wire);
      const { endpoint, publicEndpoint } = this.settings;
      const inner = client(endpoint);
      const outer = publicEndpoint === "" ? inner : client(publicEndpoint);
      return { sdk, client: inner, publicClient: outer };
    })();
    return this.opened;
  }

  /**
   * A URL for one command until it expires.
   * @param side whose address of the server stands in it
   */
  async sign(
    command: (sdk: Sdk) => object,
    side: "inner" | "public",
    expiresIn: number,
    nowMs: number,
  ): Promise<string> {
    const { sdk, client, publicClient } = await this.open();
    const { getSignedUrl } = await import("@aws-sdk/s3-request-presigner");
    const signer = side === "inner" ? client : publicClient;
    try {
      const signingDate = new Date(nowMs + client.config.systemClockOffset);
      return await getSignedUrl(signer, command(sdk) as never, { expiresIn, signingDate });
    } catch (cause) {
      const fault = faultOf(cause);
      throw fault === null ? cause : this.refusal(fault, "sign an address");
    }
  }

  /** Sends a command whose answer is wanted. @throws Refusal, the signal's reason */
  async must<Output>(
    doing: string,
    ask: (sdk: Sdk) => object,
    signal: AbortSignal | undefined,
  ): Promise<Output> {
    return (await this.send<Output>(doing, ask, signal, null)) as Output;
  }

  /** The same; faults that are `expected` give null. */
  send<Output>(
    doing: string,
    ask: (sdk: Sdk) => object,
    signal: AbortSignal | undefined,
    expected: ((fault: S3Fault) => boolean) | null,
  ): Promise<Output | null> {
    return this.tries(doing, signal, expected, async () => {
      const { sdk, client } = await this.open();
      const options = signal === undefined ? {} : { abortSignal: signal };
      // The commands differ in type alone.
      return (await client.send(ask(sdk) as SdkCommand, options)) as Output;
    });
  }

  /**
   * Tries until it goes well, cannot go well, or has been failing for as long as silence may last.
   * @param expected faults that are an answer: they give null
   * @throws Refusal, the signal's reason
   */
  async tries<T>(
    doing: string,
    signal: AbortSignal | undefined,
    expected: ((fault: S3Fault) => boolean) | null,
    work: () => Promise<T>,
  ): Promise<T | null> {
    const deadlineMs = performance.now() + this.wire.silenceMs;
    let pauseMs = FIRST_PAUSE_MS;
    for (let tried = 1; ; tried += 1) {
      try {
        return await work();
      } catch (cause) {
        signal?.throwIfAborted();
        const fault = faultOf(cause);
        if (fault === null) throw cause;
        if (expected?.(fault) === true) return null;
        const last = !fault.passing || tried >= TRIES_MAX || performance.now() > deadlineMs;
        if (last) throw this.refusal(fault, doing);
      }
      await pause(pauseMs * (0.75 + Math.random() / 2), signal);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }

  refusal(fault: S3Fault, doing: string): Refusal {
    return refusalFor(fault, this.place, doing);
  }
}

function newClient(sdk: Sdk, settings: S3Settings, endpoint: string, wire: Wire): S3Client {
  const { region, pathStyle, accessKeyId, secretAccessKey } = settings;
  return new sdk.S3Client({
    region,
    ...(endpoint === "" ? {} : { endpoint }),
    forcePathStyle: pathStyle,
    // Without keys the SDK looks where programs of AWS keep them: environment, files, the machine's role.
    ...(accessKeyId === "" ? {} : { credentials: { accessKeyId, secretAccessKey } }),
    // The checksums that the SDK adds by itself are refused by servers other than AWS.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // We try again ourselves, with what we know of the faults.
    maxAttempts: 1,
    requestHandler: sdkHandler(wire) as never,
  });
}

/** @throws the signal's reason */
export function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = () => {
    clearTimeout(timer);
    reject(signal?.reason);
  };
  const timer = setTimeout(() => {
    signal?.removeEventListener("abort", onAbort);
    resolve();
  }, delayMs);
  signal?.addEventListener("abort", onAbort, { once: true });
  return promise;
}
