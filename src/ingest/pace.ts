/** Reads a body and ends one that hardly comes: a server that drips bytes would hold a place for ever. */
import { LinkTrouble } from "./link-trouble.ts";

export interface Pace {
  /** Milliseconds over which the speed is judged. */
  windowMs: number;
  bytesPerSecondMin: number;
}

const late = Symbol("late");

/**
 * The chunks of a body as they come. Only the time counts in which we wait for the sender: a slow disk of ours is not
 * his.
 * @throws LinkTrouble `link_slow`, what the body throws
 */
export async function* paced(
  body: AsyncIterator<Uint8Array>,
  { windowMs, bytesPerSecondMin }: Pace,
  host: string,
): AsyncGenerator<Uint8Array> {
  let waitedMs = 0;
  let cameBytes = 0;
  let coming = body.next();
  for (;;) {
    const begunMs = performance.now();
    const next = await Promise.race([coming, after(windowMs - waitedMs, coming)]);
    waitedMs += performance.now() - begunMs;
    if (next === late || waitedMs >= windowMs) {
      if (cameBytes < (bytesPerSecondMin * windowMs) / 1000) {
        // Nobody waits for it any more.
        coming.catch(() => undefined);
        throw tooSlow(host, windowMs);
      }
      [waitedMs, cameBytes] = [0, 0];
    }
    if (next === late) continue;
    if (next.done) return;
    cameBytes += next.value.byteLength;
    yield next.value;
    coming = body.next();
  }
}

function after(delayMs: number, unless: Promise<unknown>): Promise<typeof late> {
  const { promise, resolve } = Promise.withResolvers<typeof late>();
  const timer = setTimeout(() => resolve(late), Math.max(1, delayMs));
  const clear = () => clearTimeout(timer);
  unless.then(clear, clear);
  return promise;
}

function tooSlow(host: string, windowMs: number): LinkTrouble {
  return new LinkTrouble(
    "link_slow",
    `${host} sent hardly anything for ${Math.round(windowMs / 1000)} seconds.`,
    "Try again later: what has arrived is kept for a day.",
    { retryable: true },
  );
}

/** Waits, unless the signal ends it: then it rejects with the signal's reason. */
export function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = () => {
    clearTimeout(timer);
    reject(signal.reason);
  };
  const timer = setTimeout(() => {
    signal.removeEventListener("abort", stop);
    resolve();
  }, durationMs);
  signal.addEventListener("abort", stop, { once: true });
  return promise;
}
