/**
 * What is taken of the box right now: CPU threads, and of each GPU its jobs, encode sessions, decoders
 * and memory. Counts and answers at once; who waits and for how long is decided elsewhere.
 */
import type { Clock } from "../clock.ts";
import type { Device } from "../media/devices.ts";
import { assert } from "../trouble.ts";
import { type Need, threadsPerSlot } from "./need.ts";

export interface SlotLimits {
  /** Jobs on the CPU at the same time, each of `threadsPerSlot`. */
  cpuSlots: number;
  /** Of the machine: work of one thread takes no more of them at once. */
  cores: number;
  jobsPerGpu: number;
  memoryReserveBytes: number;
  /** Take nothing of a GPU on which other programs encode. */
  yieldToOthers: boolean;
}

/** What was last seen of a GPU, all programs counted; null for what it does not say. */
export interface GpuUse {
  atMs: number;
  memoryUsedBytes: number | null;
  sessionCount: number | null;
}

export interface Reservation {
  device: Device;
  need: Need;
  takenAtMs: number;
  /** Whose it is; absent until its work begins. */
  occupant?: Occupant;
}

export interface Occupant {
  jobId: string;
  ownerId: string;
  /** Title of the step. */
  step: string;
}

/** A place that is taken, for people. */
export interface Seat {
  deviceId: string;
  /** Encode sessions and decoders of the GPU. */
  sessions: number;
  decoders: number;
  /** On the monotonic clock. */
  takenAtMs: number;
  /** Its job is paused, and lends what needs no memory to others. */
  lent: boolean;
  /** Null while its job fetches what it needs. */
  occupant: Occupant | null;
}

/**
 * Paused jobs that lend their places to others at the same time: each keeps its memory, so that a person who
 * pauses one after another would fill it up. Further ones keep their places.
 */
const LENT_MAX = 8;

/** Why something was not taken, in a plain sentence. `never`: not even when all is free. */
export interface Shortage {
  kind: "busy" | "never";
  sentence: string;
}

export interface DeviceUse {
  jobs: number;
  sessions: number;
  decoders: number;
  cpuThreads: number;
  memoryBytes: number;
}

/**
 * Work that feeds a GPU may take the CPU once more on top of what the CPU's own jobs take: a GPU that
 * waits for a CPU encode wastes more than two programs that share the cores do.
 */
const feedingOvercommit = 2;

/** Older than this a look at a GPU says little about who else uses it now: samples come every 2 s. */
const USE_FRESH_MS = 10_000;

/**
 * GeForce drivers limit the sessions of the whole system, and the number changes with the driver: what
 * was refused is believed for this long, then tried again.
 */
const SESSION_LIMIT_MEMORY_MS = 600_000;

export interface SlotsParts {
  clock: Clock;
  limits: SlotLimits;
  /** What was last seen of a GPU; null when it was never looked at. */
  useOf(uuid: string): GpuUse | null;
}

export class Slots {
  private readonly parts: SlotsParts;
  private readonly taken = new Set<Reservation>();
  /** Those of paused jobs: others may use the processor and the job's share of the GPU meanwhile. */
  private readonly lent = new Set<Reservation>();
  private sessionLimit: { sessions: number; learnedAtMs: number } | null = null;

  constructor(parts: SlotsParts) {
    this.parts = parts;
  }

  /** Takes what is needed, or says why not. */
  take(device: Device, need: Need): Reservation | Shortage {
    const shortage = this.shortage(device, need);
    if (shortage !== null) return shortage;
    const reservation = { device, need, takenAtMs: this.parts.clock.monotonicMs() };
    this.taken.add(reservation);
    return reservation;
  }

  /** Gives it back; once. */
  release(reservation: Reservation): void {
    this.lent.delete(reservation);
    assert(this.taken.delete(reservation), "what is released was taken");
  }

  /**
   * The job stands still: what needs no memory is others' until it goes on. Then it goes on at once, beside what
   * runs by then, and nothing more begins until there is room for that again.
   */
  lend(reservation: Reservation): void {
    if (this.taken.has(reservation) && this.lent.size < LENT_MAX) this.lent.add(reservation);
  }

  takeBack(reservation: Reservation): void {
    this.lent.delete(reservation);
  }

  /** Whether the need would fit now; takes nothing. */
  shortage(device: Device, need: Need): Shortage | null {
    const cpu = this.cpuShortage(need);
    if (device.traits === undefined) return cpu;
    return this.gpuShortage(device, device.traits.uuid, need) ?? cpu;
  }

  /** What is taken of a device; of the CPU also the part that feeds GPUs. */
  use(device: Pick<Device, "id">): DeviceUse {
    const mine = [...this.taken].filter((each) => each.device.id === device.id);
    const total = (part: keyof Need) => mine.reduce((sum, { need }) => sum + need[part], 0);
    return {
      jobs: mine.length,
      sessions: total("sessions"),
      decoders: total("decoders"),
      cpuThreads: total("cpuThreads"),
      memoryBytes: total("memoryBytes"),
    };
  }

  /** Every place that is taken, the longest first. */
  seats(): Seat[] {
    return Array.from(this.taken, (each) => ({
      deviceId: each.device.id,
      sessions: each.need.sessions,
      decoders: each.need.decoders,
      takenAtMs: each.takenAtMs,
      lent: this.lent.has(each),
      occupant: each.occupant ?? null,
    }));
  }

  /** Whether anything runs on a GPU. */
  get gpusAtWork(): boolean {
    return [...this.taken].some(({ device }) => device.traits !== undefined);
  }

  /**
   * The driver refused a session, and what asked for it gave its place back. What runs at this moment is
   * all that the driver allows; at least one, or nothing would ever be tried again.
   */
  noteSessionLimit(): void {
    const running = this.sessions() + this.foreignSessionsOfAll();
    this.sessionLimit = {
      sessions: Math.max(1, running),
      learnedAtMs: this.parts.clock.monotonicMs(),
    };
  }

  /** Sessions that the driver allows on the whole system, as far as that was learned. */
  get learnedSessionLimit(): number | null {
    const { sessionLimit } = this;
    if (sessionLimit === null) return null;
    const age = this.parts.clock.monotonicMs() - sessionLimit.learnedAtMs;
    return age > SESSION_LIMIT_MEMORY_MS ? null : sessionLimit.sessions;
  }

  /** Encode sessions of other programs on a GPU, when it was looked at lately. */
  foreignSessions(uuid: string): number {
    const use = this.freshUse(uuid);
    if (use?.sessionCount == null) return 0;
    const ours = this.on(uuid).reduce((sum, { need }) => sum + need.sessions, 0);
    return Math.max(0, use.sessionCount - ours);
  }

  private foreignSessionsOfAll(): number {
    const uuids = new Set([...this.taken].flatMap(({ device }) => device.traits?.uuid ?? []));
    return [...uuids].reduce((sum, uuid) => sum + this.foreignSessions(uuid), 0);
  }

  private sessions(): number {
    return [...this.taken].reduce((sum, { need }) => sum + need.sessions, 0);
  }

  private on(uuid: string): Reservation[] {
    return [...this.taken].filter(({ device }) => device.traits?.uuid === uuid);
  }

  private freshUse(uuid: string): GpuUse | null {
    const use = this.parts.useOf(uuid);
    const fresh = use !== null && this.parts.clock.monotonicMs() - use.atMs <= USE_FRESH_MS;
    return fresh ? use : null;
  }

  /**
   * What is encoded on the CPU shares its slots, wherever it is decoded. What feeds an encoder of a GPU
   * comes on top, and what is wider than the CPU runs alone rather than never.
   */
  private cpuShortage(need: Need): Shortage | null {
    const { cpuSlots } = this.parts.limits;
    if (need.cpuThreads === 0 || this.fitsCpu(need)) return null;
    const sentence =
      cpuSlots === 1
        ? "The one slot of the CPU is at work."
        : `All ${cpuSlots} slots of the CPU are at work.`;
    return { kind: "busy", sentence };
  }

  private fitsCpu(need: Need): boolean {
    const { own, narrow: narrowLimit } = this.cpuThreads();
    const threads = (among: (each: Need) => boolean) =>
      [...this.taken]
        .filter((each) => !this.lent.has(each) && among(each.need))
        .reduce((sum, each) => sum + each.need.cpuThreads, 0);
    const fits = (used: number, limit: number) => used + Math.min(need.cpuThreads, limit) <= limit;
    if (need.sessions > 0)
      return fits(
        threads(() => true),
        own * feedingOvercommit,
      );
    const encodes = (each: Need) => each.sessions === 0;
    if (isNarrow(need)) {
      // Beside a wide job where another wide one could be too, though the cores have no thread to spare.
      const beside = threads((each) => encodes(each) && isNarrow(each));
      return fits(beside, narrowLimit) && fits(threads(encodes), own);
    }
    // One chunk after the other takes the thread that came free: whoever needs four of them would wait for
    // ever. So chunks that still run are passed over, when one place of theirs is free.
    const narrow = threads((each) => encodes(each) && isNarrow(each));
    return (
      narrow < narrowLimit &&
      fits(
        threads((each) => encodes(each) && !isNarrow(each)),
        own,
      )
    );
  }

  /** How many of its kind the CPU takes side by side when nothing else runs; at least one. */
  cpuAtOnce(need: Need): number {
    // Wide ones may share the cores, and none of them is done sooner for it.
    if (!isNarrow(need)) return 1;
    return Math.max(1, Math.floor(this.cpuThreads().narrow / Math.max(1, need.cpuThreads)));
  }

  /** Threads that the CPU's own jobs may take, and that those of them may which are narrow. */
  private cpuThreads(): { own: number; narrow: number } {
    const { cpuSlots, cores } = this.parts.limits;
    const own = cpuSlots * threadsPerSlot;
    return { own, narrow: Math.min(own, cores) };
  }

  private gpuShortage(device: Device, uuid: string, need: Need): Shortage | null {
    const { jobsPerGpu, yieldToOthers } = this.parts.limits;
    if (yieldToOthers && this.freshUse(uuid) === null) {
      const sentence = `Kinomill is looking whether other programs encode on ${device.title}.`;
      return { kind: "busy", sentence };
    }
    if (yieldToOthers && this.foreignSessions(uuid) > 0) {
      const sentence = `Another program encodes on ${device.title}, and the settings say to yield to it.`;
      return { kind: "busy", sentence };
    }
    if (this.on(uuid).filter((each) => !this.lent.has(each)).length >= jobsPerGpu) {
      const sentence = `${device.title} is at work on ${jobsPerGpu === 1 ? "a job" : `${jobsPerGpu} jobs`}, as many as the settings allow.`;
      return { kind: "busy", sentence };
    }
    return this.sessionShortage(need) ?? this.memoryShortage(device, uuid, need);
  }

  private sessionShortage(need: Need): Shortage | null {
    const limit = this.learnedSessionLimit;
    if (limit === null || need.sessions === 0) return null;
    if (need.sessions > limit) {
      const sentence = `It needs ${need.sessions} encode sessions, and the driver of this machine allows ${limit}.`;
      return { kind: "never", sentence };
    }
    if (this.sessions() + this.foreignSessionsOfAll() + need.sessions <= limit) return null;
    const sentence = `All ${limit} encode sessions that the driver allows on this machine are taken.`;
    return { kind: "busy", sentence };
  }

  private memoryShortage(device: Device, uuid: string, need: Need): Shortage | null {
    const total = device.traits?.memoryTotalBytes ?? null;
    if (total === null || need.memoryBytes === 0) return null;
    const usable = total - this.parts.limits.memoryReserveBytes;
    if (need.memoryBytes > usable) {
      const sentence = `It needs about ${gigabytes(need.memoryBytes)} of memory, and ${device.title} has ${gigabytes(usable)} for it.`;
      return { kind: "never", sentence };
    }
    if (this.memoryInUse(uuid) + need.memoryBytes <= usable) return null;
    const sentence = `${device.title} has too little free memory now: the job needs about ${gigabytes(need.memoryBytes)}.`;
    return { kind: "busy", sentence };
  }

  /** By the last look, and what was begun since it; without a look, our own estimates. */
  private memoryInUse(uuid: string): number {
    const use = this.freshUse(uuid);
    const seen = use?.memoryUsedBytes ?? null;
    const unseen = this.on(uuid).filter(
      ({ takenAtMs }) => seen === null || use === null || takenAtMs > use.atMs,
    );
    const estimated = unseen.reduce((sum, { need }) => sum + need.memoryBytes, 0);
    return (seen ?? 0) + estimated;
  }
}

/** Less than a slot: a chunk, sound, a copy. */
function isNarrow({ cpuThreads }: Need): boolean {
  return cpuThreads < threadsPerSlot;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
