import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { cuttingOf, type PacketTime } from "./cutting.ts";

const frame = 0.04;

/** Groups of so many frames at 25 a second, decoded as I P b b P b b …; open ones lead with two b. */
function groups(count: number, length: number, open = false): PacketTime[] {
  const packets: PacketTime[] = [];
  for (let group = 0; group < count; group += 1) {
    const at = group * length;
    const order = [0];
    if (open && group > 0) order.push(-2, -1);
    const last = open && group < count - 1 ? length - 3 : length - 1;
    for (let next = 1; next <= last; next += 3) {
      const anchor = Math.min(next + 2, last);
      order.push(anchor, ...[next, next + 1].filter((each) => each < anchor));
    }
    for (const each of order) {
      const pts = Math.round((at + each) * frame * 1e6) / 1e6;
      packets.push({ pts, seconds: frame, key: each === 0, hidden: false });
    }
  }
  return packets;
}

describe("a cut", () => {
  test("copies from the first keyframe to the last place where nothing is pending", () => {
    const cutting = cuttingOf(groups(6, 25), { from: 0.5, seconds: 4.02 }, true);
    expect(cutting?.head).toEqual({ from: 0.52, seconds: 0.48 });
    expect(cutting?.copy?.from).toBe(1);
    expect(cutting?.frames).toBe(100);
    const encoded = 12 + Math.round((cutting?.tail?.seconds ?? 0) / frame);
    expect(encoded + (cutting?.copy?.packets ?? 0)).toBe(100);
  });

  test("copies nothing out of open groups, nor where an edit list hides something", () => {
    const asked = { from: 0.5, seconds: 4 };
    expect(cuttingOf(groups(6, 25, true), asked, true)?.copy).toBeNull();
    const hidden = groups(6, 25).map((packet, at) => ({ ...packet, hidden: at === 3 }));
    expect(cuttingOf(hidden, asked, true)?.copy).toBeNull();
  });

  test("keeps what is heard before the first frame of the file, and cuts no other span so", () => {
    const late = groups(6, 25).map((packet) => ({ ...packet, pts: packet.pts + 0.3 }));
    const cutting = cuttingOf(late, { from: 0.1, seconds: 3 }, true);
    expect(cutting?.bareSeconds).toBeCloseTo(0.2, 6);
    expect(cutting?.span.from).toBeCloseTo(0.1, 6);
    expect(cutting?.span.seconds).toBeCloseTo(3, 6);
    expect([cutting?.head, cutting?.copy?.from]).toEqual([null, 0.3]);
    expect(cuttingOf(late, { from: 0.1, seconds: 0.5 }, false)?.head?.from).toBe(0.3);
    // Less than a frame is how sound and picture begin in most files.
    expect(cuttingOf(late, { from: 0.28, seconds: 3 }, true)?.bareSeconds).toBe(0);
    expect(cuttingOf(late, { from: 1.31, seconds: 3 }, true)?.bareSeconds).toBe(0);
  });

  test("is none where no frame begins", () => {
    expect(cuttingOf(groups(2, 25), { from: 0.501, seconds: 0.01 }, true)).toBeNull();
    expect(cuttingOf([], { from: 0, seconds: 1 }, true)).toBeNull();
  });

  test("has its parts without a hole, and each frame once, wherever it is", () => {
    const packets = groups(8, 25);
    const time = fc.integer({ min: 0, max: 8_000 }).map((ms) => ms / 1000);
    fc.assert(
      fc.property(time, time, (one, other) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        const cutting = cuttingOf(packets, { from, seconds: to - from }, true);
        const wanted = packets.filter(({ pts }) => pts >= from - 1e-6 && pts < to - 1e-6).length;
        expect(cutting?.frames ?? 0).toBe(wanted);
        if (cutting === null) return;
        const { head, copy, tail, span } = cutting;
        const framesIn = (seconds = 0) => Math.round(seconds / frame);
        const all = framesIn(head?.seconds) + (copy?.packets ?? 0) + framesIn(tail?.seconds);
        expect(all).toBe(wanted);
        expect(framesIn(span.seconds)).toBe(wanted);
        if (copy !== null && head !== null)
          expect(head.from + head.seconds).toBeCloseTo(copy.from, 6);
      }),
      { numRuns: 500 },
    );
  });
});
