import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { video } from "../../tests/operations/specimen.ts";
import { type Box, fitInto, gopFramesOf, keptColor, rateNumber, rateText } from "./picture.ts";

const sizes: [shown: [number, number], box: Box, frame: [number, number]][] = [
  [[1920, 1080], { fit: "inside", maxHeight: 720 }, [1280, 720]],
  [[1920, 1080], { fit: "inside", maxHeight: 480 }, [854, 480]],
  [[1920, 1080], { fit: "inside", maxWidth: 1000, maxHeight: 1000 }, [1000, 562]],
  [[1080, 1920], { fit: "inside", maxHeight: 720 }, [406, 720]],
  [[320, 180], { fit: "inside", maxHeight: 1080 }, [320, 180]],
  [[321, 181], { fit: "inside" }, [320, 180]],
  [[1920, 1080], { fit: "inside", maxHeight: 719 }, [1278, 718]],
  [[1, 1], { fit: "inside" }, [2, 2]],
  [[10_000, 20], { fit: "inside", maxWidth: 100 }, [100, 2]],
  [[1920, 1080], { fit: "pad", maxWidth: 1080, maxHeight: 1080 }, [1080, 1080]],
  [[320, 180], { fit: "pad", maxWidth: 1080, maxHeight: 1080 }, [1080, 1080]],
  [[1920, 1080], { fit: "crop", maxWidth: 607, maxHeight: 1080 }, [606, 1080]],
  [[320, 180], { fit: "crop", maxWidth: 1080, maxHeight: 1080 }, [180, 180]],
];
for (const [[width, height], box, frame] of sizes) {
  test(`${width}×${height} ${JSON.stringify(box)} becomes ${frame.join("×")}`, () => {
    const fitted = fitInto(video({ width, height }), box);
    expect([fitted.frame.width, fitted.frame.height]).toEqual(frame);
  });
}

test("every frame is even, within the box, never larger than the source, and of its shape", () => {
  const side = fc.integer({ min: 2, max: 8000 });
  const box = fc.integer({ min: 16, max: 8192 });
  fc.assert(
    fc.property(side, side, box, box, (width, height, maxWidth, maxHeight) => {
      for (const fit of ["inside", "crop"] as const) {
        const { frame, filters } = fitInto(video({ width, height }), { fit, maxWidth, maxHeight });
        expect([frame.width % 2, frame.height % 2]).toEqual([0, 0]);
        expect(frame.width).toBeLessThanOrEqual(Math.max(2, Math.min(width, maxWidth)));
        expect(frame.height).toBeLessThanOrEqual(Math.max(2, Math.min(height, maxHeight)));
        const scale = filters.find((step) => step.filter === "scale");
        expect(scale?.width ?? 0).toBeLessThanOrEqual(width);
        expect(scale?.height ?? 0).toBeLessThanOrEqual(height);
        const shape = fit === "crop" ? maxWidth / maxHeight : width / height;
        // Two pixels of rounding on each side.
        expect(Math.abs(frame.width - frame.height * shape)).toBeLessThanOrEqual(2 + 2 * shape);
      }
    }),
  );
});

describe("frame rates", () => {
  const rates: [number, string][] = [
    [25, "25"],
    [29.97, "30000/1001"],
    [23.976, "24000/1001"],
    [59.94, "60000/1001"],
    [119.88, "120000/1001"],
    [12.5, "12500/1000"],
    [1, "1"],
  ];
  for (const [rate, text] of rates) {
    test(`${rate} is ${text}`, () => expect(rateText(rate)).toBe(text));
  }

  test("what is no rate is none", () => {
    expect([null, "", "0/0", "25/0", "x", "0"].map(rateNumber)).toEqual(Array(6).fill(null));
    expect(rateNumber("30000/1001")).toBeCloseTo(29.97, 3);
  });

  test("keyframes come every four seconds, within what encoders like", () => {
    expect([25, null, 0.1, 240].map(gopFramesOf)).toEqual([100, 100, 1, 600]);
  });
});

describe("colour tags", () => {
  const none = { colorPrimaries: null, colorTransfer: null, colorSpace: null, colorRange: null };

  test("are kept where the source has them", () => {
    const tags = { colorPrimaries: "bt470bg", colorTransfer: "bt709", colorSpace: "smpte170m" };
    expect(keptColor(video(tags))).toEqual({
      primaries: "bt470bg",
      transfer: "bt709",
      space: "smpte170m",
      range: "tv",
    });
  });

  test("are what players assume for the size where it has none", () => {
    expect(keptColor(video(none)).space).toBe("bt709");
    expect(keptColor(video({ ...none, width: 640, height: 480 })).space).toBe("smpte170m");
    expect(keptColor(video({ ...none, width: 720, height: 576 })).space).toBe("bt470bg");
    expect(keptColor(video({ ...none, width: 64, height: 64, pixelFormat: "rgb24" })).space).toBe(
      "bt709",
    );
  });

  test("that ffmpeg does not know never reach it", () => {
    const odd = video({ colorPrimaries: "x:y", colorTransfer: "log316", colorSpace: "gbr,a=b" });
    expect(keptColor(odd)).toEqual({
      primaries: "bt709",
      transfer: "bt709",
      space: "bt709",
      range: "tv",
    });
  });
});
