/**
 * Room on the disk: a job starts when what it is expected to write fits above the reserve, beside what those that
 * run have still to write. Too little room is a wait and no failure.
 */
import { statfsSync } from "node:fs";

export interface RoomParts {
  /** Folder on the disk in question. */
  folder: string;
  /** Bytes that stay free. */
  reserveBytes: number;
  /** Free bytes of that disk; another one for tests. */
  freeBytes?: () => number;
  /** How far a running job is, 0–1. */
  shareDone(jobId: string): number;
}

/** What every job gets, however small it is thought to be: a header, a log, a block or two. */
const LEAST_BYTES = 4 * 1024 ** 2;

/** Guesses are wrong by as much now and then; what was seen to be needed is taken as it is. */
const GUESS_FACTOR = 1.5;

export class Room {
  private readonly parts: RoomParts;
  /** Bytes that running jobs were given. */
  private readonly given = new Map<string, number>();

  constructor(parts: RoomParts) {
    this.parts = parts;
  }

  /**
   * Why there is no room for a job, for a person; null when there is, and then it is taken until `giveBack`.
   * @param guessedBytes what it is thought to write
   * @param seenBytes what it was seen to need when the disk was full; null when that has not happened
   */
  take(jobId: string, guessedBytes: number, seenBytes: number | null): string | null {
    const needed = Math.max(LEAST_BYTES, guessedBytes * GUESS_FACTOR, seenBytes ?? 0);
    const room = this.roomBytes();
    if (needed > room) {
      return `It needs about ${sizeWords(needed)} on the disk, and ${sizeWords(Math.max(0, room))} are free for it. It starts by itself when there is room.`;
    }
    this.given.set(jobId, needed);
    return null;
  }

  /** What a job needs that has just filled the disk: half as much again as it was given. */
  afterFull(jobId: string): number {
    return Math.max(LEAST_BYTES, this.given.get(jobId) ?? 0) * GUESS_FACTOR;
  }

  giveBack(jobId: string): void {
    this.given.delete(jobId);
  }

  /** Free above the reserve, less what running jobs have still to write; may be negative. */
  roomBytes(): number {
    let owed = 0;
    for (const [jobId, bytes] of this.given) owed += bytes * (1 - this.parts.shareDone(jobId));
    return this.freeBytes() - this.parts.reserveBytes - owed;
  }

  private freeBytes(): number {
    const { folder, freeBytes } = this.parts;
    if (freeBytes !== undefined) return freeBytes();
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  }
}

function sizeWords(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return `${Math.ceil(bytes / 1e6)} MB`;
}
