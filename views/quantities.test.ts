import { expect, test } from "bun:test";
import {
  bitRateText,
  countedText,
  durationText,
  frameRateText,
  sizeText,
  spanText,
  speedText,
} from "./quantities.ts";

const table: [string | null, string | null][] = [
  [sizeText(0), "0 B"],
  [sizeText(999), "999 B"],
  [sizeText(1000), "1.0 kB"],
  [sizeText(999_499), "999 kB"],
  [sizeText(999_500), "1.0 MB"],
  [sizeText(104_857_600), "105 MB"],
  [sizeText(5e15), "5.0 PB"],
  [sizeText(5e18), "5000 PB"],
  [durationText(0), "0.0 s"],
  [durationText(3.24), "3.2 s"],
  [durationText(9.96), "0:10"],
  [durationText(61.44), "1:01"],
  [durationText(3599.6), "1:00:00"],
  [durationText(3725), "1:02:05"],
  [countedText(600_000, "milliseconds"), "10 minutes"],
  [countedText(1500, "milliseconds"), "1,500 milliseconds"],
  [countedText(1, "milliseconds"), "1 millisecond"],
  [countedText(86_400, "seconds"), "1 day"],
  [countedText(5400, "seconds"), "90 minutes"],
  [countedText(720, "hours"), "30 days"],
  [countedText(36, "hours"), "36 hours"],
  [countedText(0, "days"), "0"],
  [countedText(10_000, null), "10,000"],
  [countedText(12_500_000, "bytes per second"), "12.5 MB per second"],
  [spanText(0.2), "less than a second"],
  [spanText(59.4), "59 s"],
  [spanText(75), "1 min 15 s"],
  [spanText(3720), "1 h 2 min"],
  [spanText(93_600), "1 d 2 h"],
  [bitRateText(13_650_000), "13.7 Mbit/s"],
  [bitRateText(128_000), "128 kbit/s"],
  [frameRateText("30000/1001"), "29.97 fps"],
  [frameRateText("25"), "25 fps"],
  [frameRateText("0/0"), null],
  [frameRateText("0/1"), null],
  [speedText(0.52), "0.5×"],
  [speedText(12.34), "12×"],
];

test("quantities read as a person writes them", () => {
  for (const [said, wanted] of table) expect<string | null>(said).toBe(wanted);
});
