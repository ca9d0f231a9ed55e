import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { CaptionFault, type Cue, maxCues, plainText } from "./cue.ts";
import { captionFormatOf, decodeText, readCaptions } from "./read.ts";
import { writeSubrip, writeWebvtt } from "./write.ts";

const times = "00:00:01,000 --> 00:00:02,000";

function fault(text: string): string {
  try {
    readCaptions(text);
  } catch (trouble) {
    if (trouble instanceof CaptionFault) return trouble.message;
    throw trouble;
  }
  throw new Error("it was read");
}

describe("captions", () => {
  test("are known by their beginning, and nothing else is any", () => {
    expect(captionFormatOf(`1\n${times}\nx`)).toBe("srt");
    expect(captionFormatOf(`\ufeff\r\n1\r\n${times}\r\nx`)).toBe("srt");
    expect(captionFormatOf("WEBVTT - x\n")).toBe("vtt");
    expect(captionFormatOf("[Script Info]\n")).toBe("ass");
    for (const text of ["", "1\n2\n", "WEBVTTX", "#EXTM3U\n", "ffconcat version 1.0\n", "<SAMI>"]) {
      expect(captionFormatOf(text)).toBeNull();
      expect(readCaptions(text)).toBeNull();
    }
  });

  test("have faults with their line", () => {
    expect(fault(`1\n${times}\nx\n\n2\n00:00:05,000 --> 00:00:04,000\ny`)).toBe(
      "Line 6 ends before it begins.",
    );
    expect(fault(`1\n${times}\nx\n\n2\n00:00:5 --> 00:00:06,000\ny`)).toStartWith(
      "Line 6 has times",
    );
    expect(fault(`1\n00:61:00,000 --> 00:62:00,000\nx`)).toContain("more than 59");
    expect(fault("WEBVTT\n\nfile /etc/passwd\n")).toContain("no times");
    expect(fault("[Script Info]\n[Events]\nDialogue: x\n")).toContain("Format line");
    const many = `${times}\nx\n`.repeat(maxCues + 1);
    expect(fault(many)).toContain(`beyond ${maxCues}`);
  });

  test("of SubRip may have blank lines, no numbers, and times in disorder", () => {
    const text = `00:00:03,000 --> 00:00:04,000\nlate\n\nmore\n\n7\n${times}\nearly\n`;
    expect(readCaptions(text)?.cues.map(plainText)).toEqual(["early", "late\n\nmore"]);
  });

  test("of ASS lose fonts, and drawings are no text", () => {
    const format = "Format: Layer, Start, End, Style, Text";
    const line = "Dialogue: 0,0:00:01.00,0:00:02.00,Default,";
    const text = `[Script Info]\nTitle: x\nPlayResX: 10\n[Fonts]\nfontname: a\n!!!\n[Events]\n${format}\n${line}{\\p1}m 0 0 l 1 1{\\p0}A, {\\i1}b\\Nc\n`;
    const found = readCaptions(text);
    expect(found?.cues.map(plainText)).toEqual(["A, b\nc"]);
    expect(found?.ass).not.toMatch(/Title|Fonts|!!!/);
    expect(found?.ass).toContain("PlayResX: 10");
  });

  test("may be in UTF-8, UTF-16 and Windows' Latin; what has zeros is no text", () => {
    const text = `1\n${times}\nÜber\n`;
    const latin = Uint8Array.from([...text].map((sign) => sign.charCodeAt(0)));
    const wide = new Uint8Array(Buffer.from(text, "utf16le"));
    const turned = new Uint8Array(Buffer.from(text, "utf16le").swap16());
    for (const bytes of [new TextEncoder().encode(text), latin, wide, turned]) {
      expect(decodeText(bytes)).toBe(text);
    }
    expect(decodeText(new Uint8Array([1, 2, 3, 0, 0, 5]))).toBeNull();
  });
});

test("what is written is read again as it was", () => {
  const words = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 40 })
    .filter(
      (text) =>
        /^[^\s<>{}&\\\d\p{Cc}\p{Zs}-][^<>{}&\\\p{Cc}]*$/u.test(text) && text === text.trim(),
    );
  const cue = fc.record({
    at: fc.integer({ min: 0, max: 90_000_000 }),
    lasts: fc.integer({ min: 1, max: 60_000 }),
    text: words,
    italic: fc.boolean(),
    bold: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(cue, { minLength: 1, maxLength: 8 }), (all) => {
      const cues = all
        .map(
          ({ at, lasts, text, italic, bold }): Cue => ({
            ...{ fromMs: at, toMs: at + lasts, place: null },
            spans: [{ text, italic, bold, underline: false, color: null }],
          }),
        )
        .toSorted((a, b) => a.fromMs - b.fromMs || a.toMs - b.toMs);
      expect(readCaptions(writeSubrip(cues))?.cues).toEqual(cues);
      expect(readCaptions(writeWebvtt(cues))?.cues).toEqual(cues);
    }),
  );
});

test("no text makes the reading fail in any other way than with a line", () => {
  const pieces = fc.constantFrom(
    "WEBVTT\n",
    "[Script Info]\n",
    "[Events]\n",
    "1\n",
    `${times}\n`,
    "\n",
  );
  const more = fc.constantFrom(
    "Format: Start, End, Text\n",
    "Dialogue: ",
    "<i>",
    "{\\an8}",
    "-->",
    "&#9;",
  );
  const texts = fc
    .array(fc.oneof(pieces, more, fc.string({ unit: "binary" })))
    .map((all) => all.join(""));
  fc.assert(
    fc.property(texts, (text) => {
      try {
        readCaptions(text);
      } catch (trouble) {
        expect(trouble).toBeInstanceOf(CaptionFault);
      }
    }),
    { numRuns: 3_000 },
  );
});
