/**
 * SHA-256 on a thread of its own. Without the processor's SHA instructions a gibibyte takes three
 * seconds of hashing: on the main thread every page would wait behind an upload, and the upload behind
 * its own hash. One thread serves all: it starts with the first large object and then stays.
 */
import { assert } from "../trouble.ts";

export type Algorithm = "sha256" | "md5";

type Order = { hash: number; algorithm: Algorithm } & (
  | { block: SharedArrayBuffer; sizeBytes: number }
  /** Goes on from where another stands now. */
  | { from: number; block?: never }
  | { from?: never; block?: never }
);

interface Waiter {
  resolve(digest: string): void;
  reject(cause: Error): void;
}

/** One hash that is computed on the thread. */
export class ThreadedHash {
  private readonly id: number;
  private readonly algorithm: Algorithm;

  constructor(algorithm: Algorithm = "sha256") {
    this.algorithm = algorithm;
    lastId += 1;
    this.id = lastId;
  }

  /** Adds the first `sizeBytes` of the block. The block is the thread's until the promise resolves. */
  async update(block: SharedArrayBuffer, sizeBytes: number): Promise<void> {
    await order({ hash: this.id, algorithm: this.algorithm, block, sizeBytes });
  }

  /** Another hash of the same bytes, which go on differently. */
  async fork(): Promise<ThreadedHash> {
    const other = new ThreadedHash(this.algorithm);
    await order({ hash: other.id, algorithm: this.algorithm, from: this.id });
    return other;
  }

  /** The hexadecimal digest. Ends the hash, also one that nobody wants any more: call it once. */
  digest(): Promise<string> {
    return order({ hash: this.id, algorithm: this.algorithm });
  }
}

let lastId = 0;
let thread: Worker | null = null;
/** The thread answers in the order in which it is asked. */
const waiting: Waiter[] = [];

function order(message: Order): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  thread ??= start();
  waiting.push({ resolve, reject });
  // An idle thread must not keep a command of the command line from ending, a busy one must.
  thread.ref();
  thread.postMessage(message);
  return promise;
}

function start(): Worker {
  // From text, because a path to a second module would have to be known to the build as well.
  const source = new Blob([`(${threadMain})()`], { type: "text/javascript" });
  // Never revoked: "open" comes before the thread has read it (seen on a busy machine), and there is one.
  const url = URL.createObjectURL(source);
  const worker = new Worker(url, { smol: true });
  worker.addEventListener("message", ({ data }: MessageEvent<string>) => {
    const waiter = waiting.shift();
    assert(waiter !== undefined, "the hashing thread answers only what it was asked");
    if (waiting.length === 0) worker.unref();
    waiter.resolve(data);
  });
  worker.addEventListener("error", ({ message }) => {
    thread = null;
    const cause = new Error(`The hashing thread ended: ${message}`);
    for (const waiter of waiting.splice(0)) waiter.reject(cause);
  });
  return worker;
}

/** Runs on the thread, as text: it may refer to nothing outside itself. */
function threadMain(): void {
  const hashers = new Map<number, Bun.CryptoHasher>();
  const scope = globalThis as unknown as Worker;
  scope.onmessage = ({ data }: MessageEvent<Order>) => {
    const hasher = hashers.get(data.hash) ?? new Bun.CryptoHasher(data.algorithm);
    if (data.block !== undefined) {
      hashers.set(data.hash, hasher);
      hasher.update(new Uint8Array(data.block, 0, data.sizeBytes));
      scope.postMessage("");
    } else if (data.from !== undefined) {
      const other = hashers.get(data.from) ?? new Bun.CryptoHasher("sha256");
      hashers.set(data.hash, other.copy());
      scope.postMessage("");
    } else {
      hashers.delete(data.hash);
      scope.postMessage(hasher.digest("hex"));
    }
  };
}
