/**
 * Hashes on threads of their own. Without the processor's SHA instructions a gibibyte takes three
 * seconds of hashing: on the main thread every page would wait behind an upload, and the upload behind
 * its own hash. One thread for each algorithm serves all: it starts with the first large object and then stays.
 */
import { assert } from "../trouble.ts";

export type Algorithm = "sha256" | "md5";

type Order = { hash: number; algorithm: Algorithm } & (
  | { block: SharedArrayBuffer; sizeBytes: number }
  /** Goes on from where another stands now. */
  | { from: number; block?: never; file?: never }
  | { file: FileRange; block?: never; from?: never }
  | { from?: never; block?: never; file?: never }
);

/** Bytes of a file, `end` not among them. */
interface FileRange {
  path: string;
  start: number;
  end: number;
}

/** What the thread could not do, told by its answer. */
interface Refused {
  failed: string;
}

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

/**
 * The hexadecimal digest of a part of a file, which the thread reads by itself: to hand over its blocks takes as long as
 * to hash them. @throws Error when the file cannot be read or ends before
 */
export function hashOfFile(algorithm: Algorithm, file: FileRange): Promise<string> {
  lastId += 1;
  return order({ hash: lastId, algorithm, file });
}

interface Thread {
  worker: Worker;
  /** It answers in the order in which it is asked. */
  waiting: Waiter[];
}

let lastId = 0;
const threads = new Map<Algorithm, Thread>();

function order(message: Order): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const thread = threads.get(message.algorithm) ?? start(message.algorithm);
  thread.waiting.push({ resolve, reject });
  // An idle thread must not keep a command of the command line from ending, a busy one must.
  thread.worker.ref();
  thread.worker.postMessage(message);
  return promise;
}

function start(algorithm: Algorithm): Thread {
  // From text, because a path to a second module would have to be known to the build as well.
  const source = new Blob([`(${threadMain})()`], { type: "text/javascript" });
  // Never revoked: "open" comes before the thread has read it (seen on a busy machine), and there is one.
  const url = URL.createObjectURL(source);
  const worker = new Worker(url, { smol: true });
  const waiting: Waiter[] = [];
  threads.set(algorithm, { worker, waiting });
  worker.addEventListener("message", ({ data }: MessageEvent<string | Refused>) => {
    const waiter = waiting.shift();
    assert(waiter !== undefined, "the hashing thread answers only what it was asked");
    if (waiting.length === 0) worker.unref();
    if (typeof data === "string") waiter.resolve(data);
    else waiter.reject(new Error(data.failed));
  });
  worker.addEventListener("error", ({ message }) => {
    threads.delete(algorithm);
    const cause = new Error(`The hashing thread ended: ${message}`);
    for (const waiter of waiting.splice(0)) waiter.reject(cause);
  });
  return { worker, waiting };
}

/** Runs on the thread, as text: it may refer to nothing outside itself. */
function threadMain(): void {
  const fs = process.getBuiltinModule("node:fs");
  // Small enough to stay in the processor's cache between being read and being hashed.
  const room = new Uint8Array(256 * 1024);
  const addFile = (hasher: Bun.CryptoHasher, { path, start, end }: FileRange) => {
    const file = fs.openSync(path, "r");
    try {
      for (let at = start; at < end; ) {
        const read = fs.readSync(file, room, 0, Math.min(room.byteLength, end - at), at);
        if (read === 0) throw new Error("the file became shorter while it was hashed");
        hasher.update(room.subarray(0, read));
        at += read;
      }
    } finally {
      fs.closeSync(file);
    }
  };
  const hashers = new Map<number, Bun.CryptoHasher>();
  const scope = globalThis as unknown as Worker;
  scope.onmessage = ({ data }: MessageEvent<Order>) => {
    const hasher = hashers.get(data.hash) ?? new Bun.CryptoHasher(data.algorithm);
    if (data.block !== undefined) {
      hashers.set(data.hash, hasher);
      hasher.update(new Uint8Array(data.block, 0, data.sizeBytes));
      scope.postMessage("");
    } else if (data.from !== undefined) {
      const other = hashers.get(data.from) ?? new Bun.CryptoHasher(data.algorithm);
      hashers.set(data.hash, other.copy());
      scope.postMessage("");
    } else if (data.file !== undefined) {
      try {
        addFile(hasher, data.file);
        scope.postMessage(hasher.digest("hex"));
      } catch (cause) {
        scope.postMessage({ failed: (cause as Error).message } satisfies Refused);
      }
    } else {
      hashers.delete(data.hash);
      scope.postMessage(hasher.digest("hex"));
    }
  };
}
