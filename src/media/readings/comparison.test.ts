/** What is made of the notes of a comparison: hours of them. */
import { expect, test } from "bun:test";
import { reportMeasure } from "../reports/measure.ts";
import { type Comparison, ComparisonReader } from "./comparison.ts";

const at = "0x55d0c8a0";
const rate = 60;

/** Of a film of so many frames, one of which is bad. */
async function compared(frames: number, bad: number, facts: Record<string, number> = {}) {
  const reader = new ComparisonReader({ peak: 255, worst: 3, ...facts });
  for (let frame = 0; frame < frames; frame += 1) {
    const tick = Math.round((frame * 1e6) / rate);
    const note = (name: string, key: string, value: string | number, pts = tick) => {
      reader.see(`[metadata@${name} @ ${at}] frame:${frame}    pts:${pts}       pts_time:0`);
      reader.see(`[metadata@${name} @ ${at}] ${key}=${value}`);
    };
    note("reference", "seen", 1);
    note("second", "seen", 1);
    const ssim = frame === bad ? 0.5 : 0.99;
    note("ssim", "lavfi.ssim.All", ssim);
    note("ssimy", "lavfi.ssim.Y", ssim);
    note("mse", "lavfi.psnr.mse_avg", frame === bad ? 900 : 1);
    note("msey", "lavfi.psnr.mse.y", 1);
  }
  const written = { lines: 0, last: "" };
  const found = await reader.finish({
    ...{ stderr: "", broken: null, text: async () => null },
    async *lines() {},
    write: async (_, lines) => {
      for (const line of lines) {
        written.lines += 1;
        written.last = line;
      }
    },
  });
  return { found: found as Comparison, written };
}

test("the report of half an hour is small, and the series has every frame", async () => {
  const frames = 30 * 60 * rate;
  const { found, written } = await compared(frames, 70_000, { series: 1 });
  expect(found.frames).toBe(frames);
  expect(found.worst[0]?.seconds).toBeCloseTo(70_000 / rate, 4);
  expect(found.worst[0]?.referenceSeekSeconds).toBeCloseTo(69_999.5 / rate, 4);
  expect(found.spread.ssim).toMatchObject({ lowest: 0.5, median: 0.99 });
  expect(found.outline.seconds.length).toBeLessThanOrEqual(2000);
  expect(Math.min(...found.outline.ssim.map((value) => value ?? 1))).toBe(0.5);
  expect(written.lines).toBe(frames + 1);
  expect(written.last).toBe(
    `${frames - 1},${((frames - 1) / rate).toFixed(6)},,0.99,0.99,48.1308,48.1308`,
  );
  const about = {
    ...{ judgedBy: "ssim", vmafModel: null, remarks: [] },
    reference: {},
    second: {},
  };
  const { data, text } = reportMeasure(about, [found]);
  expect(JSON.stringify(data).length + text.length).toBeLessThan(200_000);
});

test("by order the frames count, and the times of the reference are told", async () => {
  const { found } = await compared(100, 40, { byOrder: 1, byPsnr: 1, worst: 1 });
  expect(found.worst).toHaveLength(1);
  expect(found.worst[0]?.seconds).toBeCloseTo(40 / rate, 5);
  expect(found.worst[0]?.secondSeekSeconds).toBeCloseTo(39.5 / rate, 5);
});
