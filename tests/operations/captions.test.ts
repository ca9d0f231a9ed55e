/** `captions` with the real ffmpeg: what is burnt is seen in its time alone, what is embedded comes out again. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCaptions } from "../../src/media/captions/read.ts";
import { ffmpeg, ffprobe } from "../clips.ts";
import { enterBox, gpuBox } from "../gpu-box.ts";
import { emulatedGpu } from "./emulated.ts";
import { packetHashes } from "./rehearsal.ts";
import { type Box, frames, mean, work } from "./workshop.ts";

setDefaultTimeout(90_000);
const folder = mkdtempSync(join(tmpdir(), "captions-"));
afterAll(() => rmSync(folder, { recursive: true }));

const [width, height] = [320, 240];
const video = join(folder, "film.mp4");
ffmpeg(
  ...["-f", "lavfi", "-i", `color=0x404040:s=${width}x${height}:r=25:d=4`],
  ...["-f", "lavfi", "-i", "sine=r=48000:d=4", "-c:a", "aac"],
  ...["-c:v", "libx264", "-preset", "ultrafast", "-qp", "4", "-pix_fmt", "yuv420p", video],
);

/** Without sound: a sound's first samples lie before zero, and Matroska moves all tracks by so much. */
const silent = join(folder, "silent.mp4");
ffmpeg("-i", video, "-an", "-c", "copy", silent);

const srt = `1
00:00:00,400 --> 00:00:01,200
<i>Where</i> are you: "here"?
Second line, with \\N and {braces}

2
00:00:02,000 --> 00:00:02,800
<b>GOAL</b> ünïcödé 😀 שלום

3
00:00:03,000 --> 00:00:03,400
Last
`;
const vtt = `WEBVTT

00:00:00.400 --> 00:00:01.200
<i>Where</i> are &lt;you&gt; &amp; me

00:00:02.000 --> 00:00:02.800
<b>GOAL</b> 😀
`;
const ass = `[Script Info]
ScriptType: v4.00+
PlayResX: 320
PlayResY: 240

[Fonts]
fontname: evil.ttf
!!!!!!!!!!!!

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Up,DejaVu Sans,30,&H00FFFFFF,&H00FFFFFF,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,0,0,8,10,10,10,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:00.40,0:00:01.20,Up,,0,0,0,,{\\i1}High{\\i0} up
Dialogue: 0,0:00:02.00,0:00:02.80,Up,,0,0,0,,Again
`;

function file(name: string, text: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const best = { quality: 100, speed: "fast" } as const;
const span = (from: number, count: number) => Array.from({ length: count }, (_, at) => from + at);

/** Frames in which something bright stands in a part of the picture. */
function seen(all: Uint8Array[], top: number, bottom: number): number[] {
  return all.flatMap((frame, index) => {
    const part = frame.subarray(top * width, bottom * width);
    return part.some((level) => level > 180) ? [index] : [];
  });
}

describe("burnt captions", () => {
  const wanted = [...span(10, 20), ...span(50, 20), ...span(75, 10)];

  test("of SubRip are on screen in their times and nowhere else", async () => {
    const { paths } = await work(folder, "captions", { ...best }, [video, file("a.srt", srt)]);
    const all = frames(paths[0] ?? "");
    expect(all).toHaveLength(100);
    expect(seen(all, 120, height)).toEqual(wanted);
    expect(seen(all, 0, 120)).toEqual([]);
    const corner: Box = [0, 200, 10, 40];
    expect(all.every((frame) => Math.abs((mean(frame, width, corner)[0] ?? 0) - 0x40) < 3)).toBe(
      true,
    );
  });

  test("as text, of WebVTT, where the style says", async () => {
    const style = { position: "top", color: "#ffff00", background: { opacity: 1 } };
    const { paths } = await work(folder, "captions", { ...best, text: vtt, style }, [video]);
    const all = frames(paths[0] ?? "");
    expect(seen(all, 0, 120)).toEqual([...span(10, 20), ...span(50, 20)]);
    expect(seen(all, 120, height)).toEqual([]);
    const frame = frames(paths[0] ?? "", "rgb24")[15] ?? new Uint8Array();
    const pixels = Array.from({ length: width * height }, (_, at) =>
      frame.subarray(at * 3, at * 3 + 3),
    );
    const yellow = pixels.filter(([r = 0, g = 0, b = 0]) => r > 200 && g > 200 && b < 110);
    expect(yellow.length).toBeGreaterThan(50);
    expect(pixels.some(([, , b = 0]) => b > 200)).toBe(false);
  });

  test("of ASS keep their own look, unless a style is given", async () => {
    const path = file("a.ass", ass);
    const own = await work(folder, "captions", { ...best }, [video, path]);
    const all = frames(own.paths[0] ?? "");
    expect(seen(all, 0, 60)).toEqual([...span(10, 20), ...span(50, 20)]);
    expect(seen(all, 120, height)).toEqual([]);
    expect(
      readFileSync(join(own.paths[0] ?? "", "../../texts/captions.ass"), "utf8"),
    ).not.toContain("evil");
    const ours = await work(folder, "captions", { ...best, style: {} }, [video, path]);
    expect(seen(frames(ours.paths[0] ?? ""), 120, height)).toEqual([
      ...span(10, 20),
      ...span(50, 20),
    ]);
  });

  test("may be of any of the usual encodings", async () => {
    const text = "1\n00:00:00,400 --> 00:00:01,200\nÜber größe\n";
    const latin = Uint8Array.from([...text].map((sign) => sign.charCodeAt(0)));
    const wide = new Uint8Array([0xff, 0xfe, ...new Uint8Array(Buffer.from(text, "utf16le"))]);
    const pictures: string[] = [];
    for (const bytes of [new TextEncoder().encode(text), latin, wide]) {
      const path = file("odd.srt", bytes);
      const { paths } = await work(folder, "captions", { ...best }, [video, path]);
      pictures.push(Buffer.from(frames(paths[0] ?? "")[15] ?? []).toString("base64"));
    }
    expect(new Set(pictures).size).toBe(1);
  });

  test("are encoded by NVENC where there is a GPU", async () => {
    using box = gpuBox({ gpus: "twoL4" });
    using _inside = await enterBox(box);
    const device = emulatedGpu(box.uuid(0));
    const { encoders } = await work(folder, "captions", { text: srt }, [video], device);
    expect(encoders).toEqual([null, "h264_nvenc"]);
  });
});

describe("embedded captions", () => {
  // What ffmpeg converts loses braces and what looks like a line break of ASS; what it copies does not.
  const plain = srt.replace(", with \\N and {braces}", "");
  const containers = [
    ["mp4", "mov_text", "deu"],
    ["mov", "mov_text", "ger"],
    ["mkv", "subrip", "deu"],
    ["webm", "webvtt", "deu"],
  ] as const;
  for (const [container, codec, code] of containers) {
    test(`in ${container} are ${codec} with their language, and come out as they went in`, async () => {
      const params = { action: "embed", container, language: "deu", speed: "fast" };
      const made = await work(folder, "captions", params, [video, file("in.srt", plain)]);
      const [path = ""] = made.paths;
      const track = ffprobe(path).streams.find(({ codec_type }) => codec_type === "subtitle");
      const picture = ffprobe(path).streams.find(({ codec_type }) => codec_type === "video");
      expect(track).toMatchObject({ codec_name: codec, tags: { language: code } });
      expect(Number(ffprobe(path).format["duration"])).toBeCloseTo(4, 0);
      if (container !== "webm") {
        // Picture and sound are what they were.
        expect(packetHashes(path, "0:v")).toBe(packetHashes(video, "0:v"));
        expect(packetHashes(path, "0:a")).toBe(packetHashes(video, "0:a"));
      }
      for (const format of ["srt", "vtt"]) {
        const out = await work(folder, "captions", { action: "extract", format }, [path]);
        const text = readFileSync(out.paths[0] ?? "", "utf8");
        expect(readCaptions(text)?.format).toBe(format as "srt");
        const start = Number(ffprobe(path).format["start_time"]);
        const shiftMs = Math.round((Number(picture?.["start_time"]) - start) * 1000);
        const cues = readCaptions(plain)?.cues.map(({ fromMs, toMs, ...cue }) => ({
          ...{ fromMs: fromMs + shiftMs, toMs: toMs + shiftMs, ...cue },
        }));
        expect(readCaptions(text)?.cues).toEqual(cues ?? []);
        expect(out.plan.steps[0]?.outputs[0]?.name).toBe(`output ${code}.${format}`);
      }
    });
  }

  test("as SubRip in Matroska and WebVTT in WebM come out to the letter", async () => {
    for (const [container, format, text] of [
      ["mkv", "srt", srt],
      ["webm", "vtt", vtt],
    ] as const) {
      const params = { action: "embed", container, text, speed: "fast" };
      const { paths } = await work(folder, "captions", params, [silent]);
      const out = await work(folder, "captions", { action: "extract", format }, paths);
      expect(readFileSync(out.paths[0] ?? "", "utf8").trim()).toBe(
        text.replaceAll("00:00:0", format === "vtt" ? "00:0" : "00:00:0").trim(),
      );
    }
  });

  test("of ASS keep their looks in Matroska", async () => {
    const params = { action: "embed", container: "mkv", text: ass };
    const { paths } = await work(folder, "captions", params, [video]);
    const out = await work(folder, "captions", { action: "extract", format: "ass" }, paths);
    const text = readFileSync(out.paths[0] ?? "", "utf8");
    expect(text).toContain("Style: Up,DejaVu Sans,30");
    expect(text).toContain("{\\i1}High{\\i0} up");
    expect(text).not.toContain("evil");
  });

  test("stand beside those that were there, and all come out", async () => {
    const first = await work(
      folder,
      "captions",
      { action: "embed", container: "mkv", text: srt, language: "eng" },
      [silent],
    );
    const second = await work(
      folder,
      "captions",
      { action: "embed", container: "mkv", text: vtt, language: "deu" },
      first.paths,
    );
    const out = await work(folder, "captions", { action: "extract" }, second.paths);
    expect(out.plan.steps[0]?.outputs.map(({ name }) => name)).toEqual([
      "output deu.srt",
      "output eng.srt",
    ]);
    expect(readFileSync(out.paths[1] ?? "", "utf8").trim()).toBe(srt.trim());
  });

  test("that are later than the video do not make it longer", async () => {
    const late = `${srt}\n4\n00:01:00,000 --> 00:01:02,000\nToo late\n`;
    const params = { action: "embed", container: "mkv", text: late };
    const { paths, plan } = await work(folder, "captions", params, [video]);
    expect(Number(ffprobe(paths[0] ?? "").format["duration"])).toBeLessThan(4.2);
    expect(plan.notes.join()).toContain("1 caption begins after the video's end");
  });
});
