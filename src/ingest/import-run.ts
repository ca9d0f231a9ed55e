/** One import from its first byte to the asset: attempts, each of which goes on where the one before broke off. */
import type { Library } from "../assets/library.ts";
import { cleanName } from "../assets/name.ts";
import type { Clock } from "../clock.ts";
import { Refusal } from "../trouble.ts";
import type { BucketLinks, Place } from "./bucket-links.ts";
import { Checkpoints } from "./checkpoints.ts";
import type { Gate } from "./gate.ts";
import { openSource, type Source } from "./http-source.ts";
import type { Import, ImportProgress } from "./import.ts";
import { faultOf, storageFull, tookTooLong, tooLarge } from "./import-faults.ts";
import type { ImportRows } from "./import-rows.ts";
import { bucketScheme, hostOf, nameOfDisposition, shownLink } from "./link.ts";
import { connectionTrouble, type LinkFault, LinkTrouble } from "./link-trouble.ts";
import { type Pace, paced, pause } from "./pace.ts";
import { PartFile } from "./part-file.ts";
import { SpeedWindow } from "./speed-window.ts";
import { declaredBytes, goesOn, refuseNoFile, strongValidator } from "./version.ts";

/** Attempts in a row that bring nothing new: with the pauses between them some four minutes. */
const TRIES_MAX = 8;

/** The pause before another attempt doubles up to this. */
const PAUSE_MAX_MS = 60_000;

/** Less than this in an attempt is no progress: a server that cuts each connection at once is given up. */
const PROGRESS_BYTES = 64 * 1024;

/** How often the free space is looked at. */
const SPACE_CHECK_BYTES = 64 * 1024 ** 2;

export interface ImportLimits {
  maxBytes: number;
  /** Of one import, all attempts together. */
  limitSeconds: number;
  pace: Pace;
  /** Before the second attempt; doubled for each further one. */
  pauseMs: number;
}

export interface RunParts {
  rows: ImportRows;
  gate: Gate;
  buckets: BucketLinks | null;
  library: Pick<Library, "adopt" | "admit" | "equalOf">;
  clock: Clock;
  limits: ImportLimits;
  /** Path of the part on this box. */
  path: string;
  /** Bytes that may still come, what other imports will need taken off. */
  freeBytes(): Promise<number>;
  onProgress(): void;
  authorities?: string;
}

export type RunOutcome =
  | { kind: "done" }
  | { kind: "failed"; fault: LinkFault; cause: unknown }
  /** Stopped or cancelled: the signal's reason says which. */
  | { kind: "interrupted" };

export class ImportRun {
  readonly progress: ImportProgress;
  private readonly parts: RunParts;
  private readonly item: Import;
  private readonly link: URL;
  private readonly signal: AbortSignal;
  private readonly speed: SpeedWindow;

  constructor(parts: RunParts, item: Import, signal: AbortSignal) {
    this.parts = parts;
    this.item = { ...item };
    this.link = new URL(item.url);
    this.signal = signal;
    this.speed = new SpeedWindow(parts.clock);
    this.progress = {
      phase: "receiving",
      receivedBytes: item.durableBytes,
      totalBytes: item.totalBytes,
      bytesPerSecond: null,
    };
  }

  /** Never rejects: what went wrong is the outcome. */
  async run(): Promise<RunOutcome> {
    const { limitSeconds } = this.parts.limits;
    const limit = AbortSignal.timeout(limitSeconds * 1000);
    try {
      await this.work(AbortSignal.any([this.signal, limit]));
      return { kind: "done" };
    } catch (cause) {
      if (this.signal.aborted) return { kind: "interrupted" };
      const fault = limit.aborted ? tookTooLong(limitSeconds) : faultOf(cause);
      return { kind: "failed", fault, cause };
    }
  }

  private async work(signal: AbortSignal): Promise<void> {
    const part = await PartFile.open(this.parts.path, this.item.durableBytes);
    let known: Awaited<ReturnType<PartFile["finish"]>> | null = null;
    try {
      await this.receive(part, signal);
      this.tell("checking");
      known = await part.finish();
    } finally {
      const durableBytes = await part.close();
      // Also of what is whole: should storage not take it now, another try need not fetch it again.
      this.parts.rows.noteDurable(this.item.id, durableBytes);
    }
    await this.keep(known);
  }

  /** Makes the asset of the whole file, or finds that there is one. */
  private async keep(known: { sizeBytes: number; sha256: string }): Promise<void> {
    const { rows, library, path } = this.parts;
    const { id, ownerId, name, ifExists } = this.item;
    const equal = ifExists === "reuse" ? library.equalOf(ownerId, known.sha256) : null;
    if (equal !== null) {
      rows.noteReused(id, equal.id);
      return;
    }
    const origin = { kind: "import" as const, url: shownLink(this.link) };
    await library.adopt({ id, ownerId, name, path, known, origin }, () => rows.remove(id));
  }

  private async receive(part: PartFile, signal: AbortSignal): Promise<void> {
    let mostBytes = part.sizeBytes;
    let inVain = 0;
    for (;;) {
      try {
        await this.attempt(part, signal);
        return;
      } catch (cause) {
        signal.throwIfAborted();
        const came = part.sizeBytes >= mostBytes + PROGRESS_BYTES;
        mostBytes = Math.max(mostBytes, part.sizeBytes);
        inVain = came ? 1 : inVain + 1;
        const trouble = cause instanceof LinkTrouble && cause.fault.retryable ? cause : null;
        if (trouble === null || inVain >= TRIES_MAX) throw cause;
        this.tell("pausing");
        await pause(this.pauseMs(inVain, trouble.waitSeconds), signal);
      }
    }
  }

  private pauseMs(inVain: number, waitSeconds: number | null): number {
    const own = Math.min(PAUSE_MAX_MS, this.parts.limits.pauseMs * 2 ** (inVain - 1));
    return Math.max(own, (waitSeconds ?? 0) * 1000);
  }

  private async attempt(part: PartFile, signal: AbortSignal): Promise<void> {
    const { item } = this;
    if (part.sizeBytes > 0 && part.sizeBytes === item.totalBytes) return;
    if (part.sizeBytes > 0 && item.validator === null) await part.restart();
    const from =
      part.sizeBytes === 0 || item.validator === null
        ? null
        : { byte: part.sizeBytes, validator: item.validator };
    const { url, ...place } = await this.place();
    const source = await openSource(url, { ...place, signal, from });
    try {
      const host = hostOf(source.url);
      if (source.status === 200) await this.begin(source, part, host);
      else if (
        from === null ||
        source.status === 416 ||
        !goesOn(source, { ...from, totalBytes: item.totalBytes })
      ) {
        // It cannot go on with this one, whatever it said before: the next attempt asks for all of it.
        item.validator = null;
        throw connectionTrouble(null, host, true);
      } else refuseNoFile(source, host);
      await this.pour(source, part, host, signal);
    } finally {
      source.close();
    }
  }

  /** Where the link leads, asked for with each attempt: a signed address holds for some hours. */
  private async place(): Promise<Place> {
    const { gate, buckets, authorities } = this.parts;
    if (this.link.protocol !== bucketScheme) {
      return { url: this.link, gate, ...(authorities === undefined ? {} : { authorities }) };
    }
    if (buckets !== null) return await buckets.placeOf(this.link);
    throw new Refusal(422, "link_refused", "The storage of this server is no bucket any more.");
  }

  /** The whole file comes, from its start. */
  private async begin(source: Source, part: PartFile, host: string): Promise<void> {
    refuseNoFile(source, host);
    const { item } = this;
    const totalBytes = declaredBytes(source);
    if (totalBytes !== null) await this.refuseTooMuch(totalBytes);
    if (part.sizeBytes > 0) await part.restart();
    if (!item.named) item.name = this.nameFrom(source);
    item.totalBytes = totalBytes;
    item.validator = strongValidator(source);
    this.parts.rows.noteVersion(item.id, item);
  }

  private nameFrom(source: Source): string {
    const given = nameOfDisposition(source.header("content-disposition"));
    return given === null ? this.item.name : cleanName(given);
  }

  private async refuseTooMuch(bytes: number): Promise<void> {
    const { limits, library } = this.parts;
    if (bytes > limits.maxBytes) throw tooLarge(limits.maxBytes);
    await library.admit(bytes, this.item.ownerId);
    if (bytes > (await this.parts.freeBytes())) throw storageFull();
  }

  private async pour(
    source: Source,
    part: PartFile,
    host: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { maxBytes, pace } = this.parts.limits;
    const checkpoints = new Checkpoints(part, (bytes) =>
      this.parts.rows.noteDurable(this.item.id, bytes),
    );
    let nextSpaceCheck = part.sizeBytes + SPACE_CHECK_BYTES;
    try {
      for await (const chunk of this.chunksOf(source, pace, host, signal)) {
        if (part.sizeBytes + chunk.byteLength > maxBytes) throw tooLarge(maxBytes);
        await part.take(chunk);
        this.noteReceived(part.sizeBytes);
        if (part.sizeBytes < nextSpaceCheck) continue;
        nextSpaceCheck = part.sizeBytes + SPACE_CHECK_BYTES;
        if ((await this.parts.freeBytes()) <= 0) throw storageFull();
      }
    } finally {
      await checkpoints.stop();
    }
    const { totalBytes } = this.item;
    if (totalBytes !== null && part.sizeBytes !== totalBytes) {
      // More than was declared is another file than the one that was begun.
      if (part.sizeBytes > totalBytes) this.item.validator = null;
      throw connectionTrouble(null, host, true);
    }
  }

  private async *chunksOf(source: Source, pace: Pace, host: string, signal: AbortSignal) {
    try {
      for await (const chunk of paced(source.body, pace, host)) yield chunk;
    } catch (cause) {
      signal.throwIfAborted();
      throw cause instanceof LinkTrouble ? cause : connectionTrouble(cause, host, true);
    }
  }

  private noteReceived(bytes: number): void {
    this.progress.receivedBytes = bytes;
    this.progress.totalBytes = this.item.totalBytes;
    this.progress.bytesPerSecond = this.speed.note(bytes);
    this.tell("receiving");
  }

  private tell(phase: ImportProgress["phase"]): void {
    this.progress.phase = phase;
    if (phase !== "receiving") this.progress.bytesPerSecond = null;
    this.parts.onProgress();
  }
}
