import { expect, test } from "bun:test";
import timecodeJs from "./player/timecode.js" with { type: "text" };

interface Rate {
  perSecond: number;
  drops: number;
}
interface Timecode {
  rateOf(text: string | null): Rate | null;
  frameAt(seconds: number, rate: Rate): number;
  middleOf(frame: number, rate: Rate): number;
  timecodeOf(frame: number, rate: Rate): string;
  clockOf(seconds: number, how?: { tenths: boolean }): string;
  secondsOf(text: string | null): number | null;
}

/** As the page runs it: it leaves its words on the one name that all parts share. */
new Function(timecodeJs)();
const { timecode } = (globalThis as unknown as { kinomill: { timecode: Timecode } }).kinomill;

function rate(text: string): Rate {
  const found = timecode.rateOf(text);
  if (found === null) throw new Error(`no rate: ${text}`);
  return found;
}

test("drop-frame timecode keeps to the clock", () => {
  const ntsc = rate("30000/1001");
  const at = (frame: number) => timecode.timecodeOf(frame, ntsc);
  // SMPTE ST 12-1: the numbers 00 and 01 are left out at each minute but every tenth.
  expect([at(0), at(1799), at(1800), at(1801)]).toEqual([
    ...["00:00:00;00", "00:00:59;29", "00:01:00;02", "00:01:00;03"],
  ]);
  expect([at(17_981), at(17_982), at(17_983)]).toEqual([
    ...["00:09:59;29", "00:10:00;00", "00:10:00;01"],
  ]);
  expect(at(107_892)).toBe("01:00:00;00");
  const fast = rate("60000/1001");
  expect(timecode.timecodeOf(3_600, fast)).toBe("00:01:00;04");
  expect(timecode.timecodeOf(215_784, fast)).toBe("01:00:00;00");
});

test("no number is given twice, and none goes back, over a quarter of an hour", () => {
  const ntsc = rate("30000/1001");
  let before = "";
  for (let frame = 0; frame < 27_000; frame += 1) {
    const now = timecode.timecodeOf(frame, ntsc);
    expect(now > before).toBeTrue();
    before = now;
  }
});

test("other rates count plain frames, as many digits as they need", () => {
  expect(timecode.timecodeOf(24, rate("24000/1001"))).toBe("00:00:01:00");
  expect(timecode.timecodeOf(90_061, rate("25/1"))).toBe("01:00:02:11");
  expect(timecode.timecodeOf(239, rate("120/1"))).toBe("00:00:01:119");
  expect(timecode.timecodeOf(3, rate("1/1"))).toBe("00:00:03:0");
  expect([null, "0/0", "x", "25/0"].map((text) => timecode.rateOf(text))).toEqual([
    ...[null, null, null, null],
  ]);
});

test("each frame is found again from its middle and from its edge as files round it", () => {
  for (const text of ["24000/1001", "25/1", "30000/1001", "60/1", "120/1"]) {
    const of = rate(text);
    for (const frame of [0, 1, 2, 999, 54_321, 1_000_000]) {
      expect(timecode.frameAt(timecode.middleOf(frame, of), of)).toBe(frame);
      const edge = Math.floor((frame / of.perSecond) * 1e6) / 1e6;
      expect(timecode.frameAt(edge, of)).toBe(frame);
    }
  }
});

test("times are written and read as people write them", () => {
  expect([0, 59.96, 60, 3_725].map((seconds) => timecode.clockOf(seconds))).toEqual([
    ...["0:00", "0:59", "1:00", "1:02:05"],
  ]);
  expect(timecode.clockOf(61.25, { tenths: true })).toBe("1:01.2");
  const read = { "83.2": 83.2, "1:23": 83, "1:02:03.5": 3_723.5, "90s": 90, "1h2m3s": 3_723 };
  for (const [text, seconds] of Object.entries(read))
    expect(timecode.secondsOf(text)).toBe(seconds);
  for (const text of ["", null, "-3", "1:2:3:4", "NaN", "1e9", "<b>"]) {
    expect(timecode.secondsOf(text)).toBeNull();
  }
});
