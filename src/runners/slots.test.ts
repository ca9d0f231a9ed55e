import { beforeEach, describe, expect, test } from "bun:test";
import { ManualClock } from "../clock.ts";
import type { Device } from "../media/devices.ts";
import type { Need } from "./need.ts";
import { type GpuUse, type Reservation, type SlotLimits, Slots } from "./slots.ts";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

const cpu: Device = { id: "cpu", kind: "cpu", title: "CPU", slots: 2 };

function gpu(number: number, memoryTotalBytes: number | null = 24 * GIB): Device {
  return {
    ...{ id: `gpu:${number}`, kind: "gpu", title: `GPU ${number}`, slots: 3 },
    traits: {
      uuid: `GPU-${number}`,
      computeCapability: "8.9",
      memoryTotalBytes,
      skills: [{ work: "encode", codec: "h264", bitDepth: 8 }],
    },
  };
}

const onGpu: Need = { cpuThreads: 0, sessions: 1, decoders: 1, memoryBytes: 400 * MIB };
const fed: Need = { ...onGpu, cpuThreads: 2, decoders: 0 };
const chunk: Need = { cpuThreads: 1, sessions: 0, decoders: 0, memoryBytes: 0 };
const onCpu: Need = { cpuThreads: 4, sessions: 0, decoders: 0, memoryBytes: 0 };

let clock: ManualClock;
let uses: Map<string, GpuUse>;

function newSlots(limits: Partial<SlotLimits> = {}): Slots {
  return new Slots({
    clock,
    limits: {
      ...{
        cpuSlots: 2,
        cores: 8,
        jobsPerGpu: 3,
        memoryReserveBytes: 256 * MIB,
        yieldToOthers: false,
      },
      ...limits,
    },
    useOf: (uuid) => uses.get(uuid) ?? null,
  });
}

function taken(slots: Slots, device: Device, need: Need): Reservation {
  const found = slots.take(device, need);
  if ("sentence" in found) throw new Error(found.sentence);
  return found;
}

function refusal(slots: Slots, device: Device, need: Need): string {
  const found = slots.shortage(device, need);
  return found === null ? "fits" : `${found.kind}: ${found.sentence}`;
}

beforeEach(() => {
  clock = new ManualClock();
  uses = new Map();
});

describe("the CPU", () => {
  test("takes as many jobs as it has slots, and the next when one ends", () => {
    const slots = newSlots();
    const first = taken(slots, cpu, onCpu);
    taken(slots, cpu, onCpu);
    expect(refusal(slots, cpu, onCpu)).toBe("busy: All 2 slots of the CPU are at work.");
    slots.release(first);
    expect(refusal(slots, cpu, onCpu)).toBe("fits");
  });

  test("counts each rendition, and runs what is wider than itself alone", () => {
    const slots = newSlots();
    const ladder = { ...onCpu, cpuThreads: 20 };
    const one = taken(slots, cpu, onCpu);
    expect(refusal(slots, cpu, ladder)).toStartWith("busy");
    slots.release(one);
    taken(slots, cpu, ladder);
    expect(refusal(slots, cpu, onCpu)).toStartWith("busy");
  });

  test("feeds GPUs while its own slots are full, but not without end", () => {
    const slots = newSlots({ jobsPerGpu: 64 });
    taken(slots, cpu, onCpu);
    taken(slots, cpu, onCpu);
    for (let fourth = 0; fourth < 4; fourth += 1) taken(slots, gpu(0), fed);
    expect(refusal(slots, gpu(0), fed)).toStartWith("busy");
    expect(refusal(slots, gpu(0), onGpu)).toBe("fits");
  });

  test("shares its slots with what is only decoded on a GPU", () => {
    const slots = newSlots();
    taken(slots, gpu(0), { ...onCpu, decoders: 1, memoryBytes: 300 * MIB });
    taken(slots, cpu, onCpu);
    expect(refusal(slots, cpu, onCpu)).toStartWith("busy");
  });
});

describe("chunks of one thread", () => {
  test("run on as many cores as there are, and no more", () => {
    const slots = newSlots({ cpuSlots: 1, cores: 2 });
    taken(slots, cpu, chunk);
    expect(refusal(slots, cpu, chunk)).toBe("fits");
    taken(slots, cpu, chunk);
    expect(refusal(slots, cpu, chunk)).toBe("busy: The one slot of the CPU is at work.");
  });

  test("take no core of a job that has all of them", () => {
    const slots = newSlots({ cpuSlots: 1, cores: 4 });
    const job = taken(slots, cpu, onCpu);
    expect(refusal(slots, cpu, chunk)).toStartWith("busy");
    slots.release(job);
    expect(refusal(slots, cpu, chunk)).toBe("fits");
  });

  test("keep no wider job out for ever: it begins when one of them has ended", () => {
    const slots = newSlots({ cpuSlots: 1, cores: 2 });
    const [first] = [taken(slots, cpu, chunk), taken(slots, cpu, chunk)];
    expect(refusal(slots, cpu, onCpu)).toStartWith("busy");
    slots.release(first);
    const job = taken(slots, cpu, onCpu);
    expect(refusal(slots, cpu, chunk)).toStartWith("busy");
    slots.release(job);
    expect(refusal(slots, cpu, chunk)).toBe("fits");
  });
});

describe("a GPU", () => {
  test("takes as many jobs as the settings allow; another one is counted by itself", () => {
    const slots = newSlots({ jobsPerGpu: 1 });
    taken(slots, gpu(0), onGpu);
    expect(refusal(slots, gpu(0), onGpu)).toBe(
      "busy: GPU 0 is at work on a job, as many as the settings allow.",
    );
    expect(refusal(slots, gpu(1), onGpu)).toBe("fits");
  });

  test("leaves the reserve of its memory to others", () => {
    const slots = newSlots({ jobsPerGpu: 64 });
    const small = gpu(0, 2 * GIB);
    for (let fourth = 0; fourth < 4; fourth += 1) taken(slots, small, onGpu);
    // 4 × 400 MiB and 400 more are 2000 of the 1792 MiB that are not reserved.
    expect(refusal(slots, small, onGpu)).toStartWith("busy: GPU 0 has too little free memory now");
    expect(refusal(slots, small, { ...onGpu, memoryBytes: 2 * GIB })).toBe(
      "never: It needs about 2.1 GB of memory, and GPU 0 has 1.9 GB for it.",
    );
  });

  test("is not overfilled when other programs hold its memory, by a look that is not too old", () => {
    const slots = newSlots();
    uses.set("GPU-0", { atMs: clock.monotonicMs(), memoryUsedBytes: 23 * GIB, sessionCount: 0 });
    expect(refusal(slots, gpu(0), { ...onGpu, memoryBytes: GIB })).toStartWith("busy");
    clock.advance(11_000);
    expect(refusal(slots, gpu(0), { ...onGpu, memoryBytes: GIB })).toBe("fits");
  });

  test("counts what was begun since the look on top of it, and what the look saw only once", () => {
    const slots = newSlots({ jobsPerGpu: 64 });
    const large = { ...onGpu, memoryBytes: 10 * GIB };
    taken(slots, gpu(0), large);
    clock.advance(1);
    uses.set("GPU-0", { atMs: clock.monotonicMs(), memoryUsedBytes: 10 * GIB, sessionCount: 1 });
    expect(refusal(slots, gpu(0), large)).toBe("fits");
    clock.advance(1);
    taken(slots, gpu(0), large);
    expect(refusal(slots, gpu(0), large)).toStartWith("busy");
  });

  test("is left to a program that encodes on it, when the settings say so", () => {
    const slots = newSlots({ yieldToOthers: true });
    expect(refusal(slots, gpu(0), onGpu)).toStartWith("busy: Kinomill is looking");
    const look = (sessionCount: number) =>
      uses.set("GPU-0", { atMs: clock.monotonicMs(), memoryUsedBytes: 0, sessionCount });
    look(1);
    expect(refusal(slots, gpu(0), onGpu)).toStartWith("busy: Another program encodes on GPU 0");
    look(0);
    taken(slots, gpu(0), onGpu);
    // Its own session is no other program's.
    look(1);
    expect(refusal(slots, gpu(0), onGpu)).toBe("fits");
  });
});

describe("the sessions that a driver allows", () => {
  test("are learned from its refusal, for all GPUs together, and a ladder of five takes five", () => {
    const slots = newSlots({ jobsPerGpu: 64 });
    taken(slots, gpu(0), { ...onGpu, sessions: 5 });
    taken(slots, gpu(1), { ...onGpu, sessions: 2 });
    const refused = taken(slots, gpu(1), onGpu);
    slots.release(refused);
    slots.noteSessionLimit();
    expect(slots.learnedSessionLimit).toBe(7);
    expect(refusal(slots, gpu(2), onGpu)).toBe(
      "busy: All 7 encode sessions that the driver allows on this machine are taken.",
    );
    expect(refusal(slots, gpu(2), { ...onGpu, sessions: 8 })).toStartWith("never: It needs 8");
  });

  test("count those of other programs", () => {
    const slots = newSlots();
    const first = taken(slots, gpu(0), onGpu);
    uses.set("GPU-0", { atMs: clock.monotonicMs(), memoryUsedBytes: 0, sessionCount: 3 });
    const refused = taken(slots, gpu(0), onGpu);
    slots.release(refused);
    slots.noteSessionLimit();
    slots.release(first);
    expect(slots.learnedSessionLimit).toBe(3);
  });

  test("are asked anew after ten minutes: the driver may have been changed", () => {
    const slots = newSlots();
    const refused = taken(slots, gpu(0), onGpu);
    slots.release(refused);
    slots.noteSessionLimit();
    expect(slots.learnedSessionLimit).toBe(1);
    clock.advance(600_001);
    expect(slots.learnedSessionLimit).toBeNull();
  });
});

test("giving something back twice is a mistake of ours", () => {
  const slots = newSlots();
  const reservation = taken(slots, cpu, onCpu);
  slots.release(reservation);
  expect(() => slots.release(reservation)).toThrow("what is released was taken");
});

test("seats tell who sits where, since when, and what a paused job lends", () => {
  const slots = newSlots();
  const place = slots.take(gpu(0), onGpu) as Reservation;
  clock.advance(5_000);
  slots.take(cpu, onCpu);
  const occupant = { jobId: "jb_1", ownerId: "us_1", step: "Encode" };
  place.occupant = occupant;
  const begun = { takenAtMs: clock.monotonicMs() - 5_000, sessions: 1, decoders: 1 };
  expect(slots.seats()).toEqual([
    { deviceId: "gpu:0", ...begun, lent: false, occupant },
    {
      ...{ deviceId: "cpu", takenAtMs: clock.monotonicMs(), sessions: 0, decoders: 0 },
      ...{ lent: false, occupant: null },
    },
  ]);
  slots.lend(place);
  expect(slots.seats()[0]?.lent).toBe(true);
  slots.release(place);
  expect(slots.seats().map(({ deviceId }) => deviceId)).toEqual(["cpu"]);
});
