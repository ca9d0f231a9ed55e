import { describe, expect, test } from "bun:test";
import { audio, everything, media, video } from "../../tests/operations/specimen.ts";
import { chunkRun } from "../media/chunks.ts";
import type { RenderDescription } from "../media/description.ts";
import type { MediaInfo } from "../media/media.ts";
import type { Seams } from "../media/seams.ts";
import { assert } from "../trouble.ts";
import { parseParams, planFor } from "./index.ts";
import { ladder } from "./ladder.ts";
import type { Plan } from "./operation.ts";

const chunks = { seconds: 45, cores: 4 };

function plan(params: unknown, about: MediaInfo): Plan {
  const inputs = [{ name: "match.mp4", media: about }];
  return planFor(ladder, parseParams(ladder, params), inputs, { ...everything, chunks });
}

const twoHours = (about: Parameters<typeof video>[0] = {}) =>
  media({ durationSeconds: 7200, video: video(about), audio: [audio()] });

function seamsOf({ steps }: Plan) {
  const found = steps.flatMap(({ work }) => (work.kind === "seams" ? [work.wish] : []))[0];
  assert(found !== undefined, "it is made in chunks");
  return found;
}

function chunkOf({ steps }: Plan): RenderDescription {
  const found = steps.flatMap(({ work }) => (work.kind === "chunk" ? [work.description] : []))[0];
  assert(found !== undefined, "it is made in chunks");
  return found;
}

const kinds = ({ steps }: Plan) => new Set(steps.map(({ name }) => name.replace(/\d+$/, "N")));

describe("a ladder of two hours", () => {
  const made = plan({}, twoHours());

  test("is made in chunks, the sound apart, and packaged of what joins them", () => {
    expect([...kinds(made)]).toEqual([
      ...["encode-seams", "encode-sound", "encode-part-N", "encode", "package"],
    ]);
    expect(made.notes.join(" ")).not.toContain("one piece");
    const [, sound, part] = made.steps.map(({ title }) => title);
    expect([sound, part]).toEqual([
      "Encode the sound",
      "Encode 5 rungs of H.264, 1080p to 240p: part 1 of 200",
    ]);
    const join = made.steps.find(({ name }) => name === "encode");
    expect(join?.makes).toEqual(
      [1, 2, 3, 4, 5].map((at) => `rung-${at}.mp4`).concat("sound-1.mp4"),
    );
    assert(join?.work.kind === "join", "it joins");
    expect(join.work.taken).toEqual([
      { from: { step: "encode-sound", file: "sound-6.mp4" }, file: "sound-1.mp4" },
    ]);
    expect(join.work.description.outputs.map(({ file }) => file)).toEqual(
      (join.makes ?? []).slice(0, 5),
    );
  });

  test("is cut where segments begin, by the clock of its fastest rung", () => {
    expect(seamsOf(made)).toMatchObject({ clock: "1/30", everySlots: 120, fromZero: true });
    expect(seamsOf(made)).toMatchObject({ constantRate: true, leadOut: 12 });
    const film = plan({}, twoHours({ frameRate: "30000/1001" }));
    expect(seamsOf(film)).toMatchObject({ clock: "1001/30000", everySlots: 120 });
    const fast = plan({ segmentSeconds: 6 }, twoHours({ frameRate: "60000/1001" }));
    expect(seamsOf(fast)).toMatchObject({ clock: "1001/60000", everySlots: 360, leadOut: 12 });
    // Only x264 looks ahead so far.
    expect(seamsOf(plan({ codec: "hevc" }, twoHours())).leadOut).toBe(0);
  });

  test("of uneven times is cut by the even ones that it is brought to", () => {
    const uneven = plan({}, twoHours({ frameRate: "9973/333", variableFrameRate: true }));
    expect(seamsOf(uneven)).toMatchObject({
      ...{ clock: "1001/30000", everySlots: 120, constantRate: true },
    });
  });

  test("that is interlaced has frames beside each chunk for its deinterlacer", () => {
    expect(seamsOf(plan({}, twoHours({ interlaced: true }))).neighbours).toBe(2);
  });

  test("has no more chunks than segments", () => {
    const short = { ...twoHours(), durationSeconds: 30 };
    const cut = plan({ speed: "best", segmentSeconds: 10 }, short);
    expect(seamsOf(cut).chunks).toBeLessThanOrEqual(3);
  });

  const whole: [string, object, string][] = [
    ["with a bit rate", { rungs: [{ height: 360, bitRate: 500_000 }] }, "only one pass can do"],
  ];
  for (const [what, params, because] of whole) {
    test(`${what} stays in one piece, and a note says why`, () => {
      const left = plan(params, twoHours());
      expect([...kinds(left)]).toEqual(["encode", "package"]);
      expect(left.notes.join(" ")).toContain(because);
    });
  }
});

describe("a chunk of a ladder whose lower rungs have half the frames", () => {
  const half = {
    rungs: [
      { height: 720, frameRate: 60 },
      { height: 360, frameRate: 30 },
    ],
  };
  const description = chunkOf(plan(half, twoHours({ frameRate: "60/1" })));
  const times = { clock: "1/60", timeBase: "1/15360" } satisfies Partial<Seams>;
  const seam = {
    ...{ frames: 480, seekSeconds: 7.9, addTicks: 121_344, fromTick: 122_880, untilTick: 245_800 },
    ...{ firstSlot: 480, endSlot: 960, leadSlot: 972 },
  };
  const run = chunkRun(description, seam, times);

  /** What stands last before the encoder of an output. */
  function tail(index: number) {
    const source = run.outputs[index]?.video?.source;
    assert(source !== undefined && "pad" in source, "it is filtered");
    const chain = run.graph.find(({ to }) => to === source.pad);
    return chain?.filters.slice(-3);
  }

  test("has each rung cut by its own clock, at the same time", () => {
    expect(tail(0)).toEqual([
      { filter: "ticks", add: 0, clock: "1/60" },
      { filter: "window", fromTick: 480, untilTick: 972 },
      { filter: "ticks", add: -480 },
    ]);
    expect(tail(1)).toEqual([
      { filter: "ticks", add: 0, clock: "1/30" },
      { filter: "window", fromTick: 240, untilTick: 486 },
      { filter: "ticks", add: -240 },
    ]);
    const clocks = run.outputs.map(
      ({ video: encode }) => encode?.kind === "encode" && encode.clock,
    );
    expect(clocks).toEqual(["1/60", "1/30"]);
    const shares = run.outputs.map(
      ({ video: each }) => each?.kind === "encode" && each.bufferShare,
    );
    expect(shares).toEqual([0.6, 0.6]);
    const ticks = run.outputs.map(({ ticksPerSecond }) => ticksPerSecond);
    expect(ticks).toEqual(description.outputs.map(({ ticksPerSecond }) => ticksPerSecond));
  });

  test("is filled from zero on only where it is the first", () => {
    const starts = (graph: RenderDescription["graph"]) =>
      graph.flatMap(({ filters }) =>
        filters.flatMap((filter) => (filter.filter === "fps" ? [filter.startSeconds] : [])),
      );
    expect(starts(run.graph)).toEqual([undefined, undefined]);
    const beginning = { ...seam, seekSeconds: null, addTicks: 0, fromTick: null, firstSlot: 0 };
    expect(starts(chunkRun(description, beginning, times).graph)).toEqual([0, 0]);
  });
});
