/**
 * Brings objects from the storage before into the one of now, while the server serves. Each is read whole on arrival and
 * must have the SHA-256 that was recorded of it; its old copy goes a while later. A restart goes on where it was.
 */
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Storage } from "../storage/storage.ts";
import { Failure, Refusal } from "../trouble.ts";
import type { MoveFault, ObjectPlaces, ObjectThere } from "./object-places.ts";

export interface MigrationParts {
  places: ObjectPlaces;
  here: Storage;
  there: Storage;
  clock: Clock;
  log: Log;
}

export interface MigrationReport {
  state: "moving" | "stopped" | "done";
  from: Storage["kind"];
  to: Storage["kind"];
  left: { objects: number; bytes: number };
  /** Moved since the server started. */
  moved: { objects: number; bytes: number };
  /** What could not be moved, at most so many; a new start tries it again. */
  faults: MoveFault[];
}

const FAULTS_TOLD_MAX = 50;

/** Objects that are looked up at once. */
const PAGE = 100;

/** Longer than any address for reading is valid, and than the answers that were begun before the move. */
const OLD_COPY_KEPT_MS = 60 * 60_000;

/** How often old copies are looked for. */
const CLEAR_EVERY_MS = 60_000;

export class Migration {
  private readonly parts: MigrationParts;
  private abort: AbortController | null = null;
  private run: Promise<void> = Promise.resolve();
  private tick: Timer | null = null;
  private clearing: Promise<void> = Promise.resolve();
  private readonly moved = { objects: 0, bytes: 0 };

  constructor(parts: MigrationParts) {
    this.parts = parts;
  }

  /** Goes on with what was being moved when the server ended, and clears old copies. */
  open(): void {
    this.tick = setInterval(() => this.clearSoon(), CLEAR_EVERY_MS);
    this.clearSoon();
    if (this.parts.places.moving) this.start();
  }

  async close(): Promise<void> {
    if (this.tick !== null) clearInterval(this.tick);
    this.abort?.abort();
    await Promise.all([this.run, this.clearing]);
  }

  /** Starts to move what is left; those with a fault are tried again. */
  start(): void {
    if (this.abort !== null) return;
    const abort = new AbortController();
    this.abort = abort;
    this.parts.places.moving = true;
    this.parts.places.forgetFaults();
    this.run = this.moveAll(abort.signal)
      .then(() => {
        if (!abort.signal.aborted) this.parts.places.moving = false;
      })
      .catch((cause: unknown) => this.parts.log.error({ err: cause }, "move of storage"))
      .finally(() => {
        this.abort = null;
      });
  }

  /** Stops after the object that is under way, which is given up. */
  async stop(): Promise<void> {
    this.parts.places.moving = false;
    this.abort?.abort();
    await this.run;
  }

  report(): MigrationReport {
    const { places, here, there } = this.parts;
    const left = places.left();
    return {
      state: this.abort !== null ? "moving" : left.objects === 0 ? "done" : "stopped",
      from: there.kind,
      to: here.kind,
      left,
      moved: { ...this.moved },
      faults: places.faults(FAULTS_TOLD_MAX),
    };
  }

  private async moveAll(signal: AbortSignal): Promise<void> {
    const { places, log } = this.parts;
    let after = "";
    for (;;) {
      const page = places.next(after, PAGE);
      for (const object of page) {
        if (signal.aborted) return;
        await this.moveOne(object, signal).catch((cause: unknown) => {
          if (signal.aborted) return;
          log.warn({ err: cause, key: object.key }, "an object could not be moved");
          places.noteFault(object.key, faultOf(cause));
        });
        after = object.key;
      }
      if (page.length < PAGE) return;
    }
  }

  private async moveOne(
    { key, sizeBytes, sha256 }: ObjectThere,
    signal: AbortSignal,
  ): Promise<void> {
    const { places, here, there } = this.parts;
    const file = await there.hold(key, signal);
    if (file === null) return await this.takeAsMoved({ key, sizeBytes, sha256 }, signal);
    try {
      // A move that was broken off: only the row says that an object is here.
      await here.delete(key);
      const stored = await here.adopt(key, file.path);
      const arrived = await hashOf(here, key, signal);
      const wanted = sha256 ?? stored.sha256;
      if (arrived !== wanted || (sizeBytes !== null && stored.sizeBytes !== sizeBytes)) {
        await here.delete(key);
        throw new MoveTrouble("Its bytes are not those that were recorded of it.");
      }
      if (places.noteMoved(key)) {
        this.moved.objects += 1;
        this.moved.bytes += stored.sizeBytes;
      } else await here.delete(key);
    } finally {
      file.release();
    }
  }

  /** It is not there any more: the database was brought back from a backup of before its move. */
  private async takeAsMoved({ key, sha256 }: ObjectThere, signal: AbortSignal): Promise<void> {
    const { places, here, there } = this.parts;
    const arrived = await hashOf(here, key, signal);
    if (arrived === null || (sha256 !== null && arrived !== sha256)) {
      throw new MoveTrouble(`It is not in the storage before (${there.kind}).`);
    }
    places.noteMoved(key);
  }

  private clearSoon(): void {
    this.clearing = this.clearing
      .then(() => this.clearOld())
      .catch((cause: unknown) => this.parts.log.warn({ err: cause }, "old copies stay for now"));
  }

  /** Removes old copies that nobody reads any more. */
  private async clearOld(): Promise<void> {
    const { places, there, clock } = this.parts;
    const before = clock.nowMs() - OLD_COPY_KEPT_MS;
    for (const key of places.movedBefore(before, PAGE)) {
      await there.delete(key);
      places.forget(key);
    }
  }
}

class MoveTrouble extends Error {
  override readonly name = "MoveTrouble";
}

function faultOf(cause: unknown): string {
  const told = [MoveTrouble, Refusal, Failure].some((kind) => cause instanceof kind);
  return told ? (cause as Error).message : "It could not be read or written; the log says more.";
}

/** Reads the object where it is now; null when it is not there. */
async function hashOf(storage: Storage, key: string, signal: AbortSignal): Promise<string | null> {
  const body = await storage.open(key);
  if (body === null) return null;
  const hash = new Bun.CryptoHasher("sha256");
  const stream = body instanceof Blob ? body.stream() : body;
  for await (const chunk of stream) {
    signal.throwIfAborted();
    hash.update(chunk);
  }
  return hash.digest("hex");
}
