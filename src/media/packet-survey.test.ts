import { describe, expect, test } from "bun:test";
import { Surveyor } from "./packet-survey.ts";

type Packet = [pts: number | "N/A", dts: number | "N/A", flags?: string];

/** One stream of video on a clock of milliseconds that starts at 1000. */
function surveyOf(packets: Packet[], said = "", kind = "video") {
  const surveyor = new Surveyor(0.25);
  for (const [pts, dts, flags = "K_"] of packets) {
    surveyor.see(`packet,0,${pts},${dts},40,${flags}`);
  }
  surveyor.see(`stream,0,${kind},1/1000`);
  surveyor.see("format,1.000000,5.000000");
  const survey = surveyor.survey(said);
  const [stream] = survey.streams;
  if (stream === undefined) throw new Error("there is a stream");
  return { survey, stream };
}

const even = (count: number, step = 40): Packet[] =>
  Array.from({ length: count }, (_, index) => [1000 + index * step, 1000 + index * step]);

describe("a survey of packets", () => {
  test("counts from the start of the file, whatever order they come in", () => {
    const [a, b, c, d] = even(4) as [Packet, Packet, Packet, Packet];
    const { survey, stream } = surveyOf([a, d, b, c]);
    expect([stream.startSeconds, stream.endSeconds]).toEqual([0, 0.16]);
    expect(stream.rate).toBeCloseTo(25, 6);
    expect([stream.uneven, stream.gaps, survey.durationSeconds]).toEqual([false, [], 5]);
  });

  test("takes times of decoding where times of showing are left out", () => {
    const packets = even(50).map(([time], index): Packet => [index % 3 === 1 ? "N/A" : time, time]);
    const { stream } = surveyOf(packets);
    expect([stream.uneven, stream.timeless]).toEqual([false, 0]);
    expect(stream.rate).toBeCloseTo(25, 6);
  });

  test("finds what has no time, goes back, is damaged, or is cut off", () => {
    const packets = even(30);
    packets[3] = ["N/A", "N/A"];
    packets[10] = [1400, 100];
    packets[20] = [1800, 1800, "_C"];
    const { survey, stream } = surveyOf(packets, "[mov @ 0x1] stream 0, offset 0x2: partial file");
    expect([stream.timeless, stream.backwardsCount, survey.truncated]).toEqual([1, 1, true]);
    expect(stream.backwards[0]).toBeCloseTo(-0.9, 6);
    expect(stream.corrupt).toEqual([{ fromSeconds: 0.8, toSeconds: 0.8, frames: 1 }]);
  });

  test("has a hole where one packet comes late, and none where all are uneven", () => {
    const late = even(40).map(
      ([time, dts], index): Packet =>
        index < 20 ? [time, dts] : [Number(time) + 500, Number(dts) + 500],
    );
    const { stream } = surveyOf(late);
    expect(stream.gaps).toEqual([{ fromSeconds: 0.8, toSeconds: 1.3 }]);
    expect(stream.rate).toBeCloseTo(25, 6);
    const uneven = even(40).filter((_, index) => index % 5 !== 0 && index % 7 !== 0);
    expect(surveyOf(uneven).stream).toMatchObject({ uneven: true, gaps: [] });
  });
});
