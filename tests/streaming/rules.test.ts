/** The validators have teeth: a ladder that passes, broken in one way each, is found out. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { picture, run, sine, x264 } from "../operations/rehearsal.ts";
import { work } from "../operations/workshop.ts";
import { checkDash } from "./dash-rules.ts";
import { checkHls } from "./hls-rules.ts";
import { parseXml } from "./xml.ts";

setDefaultTimeout(120_000);

const root = mkdtempSync(join(tmpdir(), "rules-test-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folder = "";

beforeAll(async () => {
  const film = join(root, "film.mp4");
  run([...picture("160x90", 2), ...sine(2), ...x264, "-c:a", "aac", film]);
  const rungs = [{ height: 90 }, { height: 64, bitRate: 50_000 }];
  const made = await work(root, "ladder", { format: "both", segmentSeconds: 1, rungs }, [film]);
  folder = dirname(made.paths[0] ?? "");
  expect(basename(made.paths[0] ?? "")).toBe("film.m3u8");
});

let copies = 0;

/** A copy of the ladder with one file changed. */
function broken(file: string, change: (text: string) => string): string {
  copies += 1;
  const copy = join(root, `copy-${copies}`);
  cpSync(folder, copy, { recursive: true });
  const before = readFileSync(join(copy, file), "latin1");
  const after = change(before);
  expect(after).not.toBe(before);
  writeFileSync(join(copy, file), after, "latin1");
  return copy;
}

const replaced = (pattern: RegExp | string, by: string) => (text: string) =>
  text.replace(pattern, by);

describe("HLS", () => {
  test("as it was made nothing is wrong with it", () => {
    expect(checkHls(folder, "film.m3u8").breaches).toEqual([]);
  });

  const cases: [file: string, change: (text: string) => string, words: string][] = [
    ["film.m3u8", replaced("#EXTM3U\n", ""), "first line"],
    ["film.m3u8", replaced(/BANDWIDTH=\d+/, "BANDWIDTH=1000"), "was measured"],
    ["film.m3u8", replaced(/AVERAGE-BANDWIDTH=\d+/, "AVERAGE-BANDWIDTH=9"), "was measured"],
    ["film.m3u8", replaced(/,CODECS="[^"]+"/, ""), "codecs"],
    ["film.m3u8", replaced(/RESOLUTION=\d+x\d+/, "RESOLUTION=big"), "right form"],
    ["film.m3u8", replaced('AUDIO="audio"', 'AUDIO="other"'), "there is a group"],
    ["film.m3u8", replaced(/,FRAME-RATE=[\d.]+/, ""), "FRAME-RATE"],
    ["film.m3u8", replaced("DEFAULT=YES,AUTOSELECT=YES", "DEFAULT=YES,AUTOSELECT=NO"), "default"],
    ["film-90p.m3u8", replaced("#EXT-X-ENDLIST\n", ""), "ENDLIST"],
    ["film-90p.m3u8", replaced("TARGETDURATION:1", "TARGETDURATION:3"), "one target duration"],
    ["film-90p.m3u8", replaced("VERSION:7", "VERSION:3"), "version 3 is too low"],
    ["film-90p.m3u8", replaced(/#EXTINF:1\.0+/, "#EXTINF:1.2"), "EXTINF says 1.2"],
    ["film-90p.m3u8", replaced(/BYTERANGE:(\d+)@/, "BYTERANGE:9$1@"), "behind"],
    ["film-90p.m3u8", replaced(/#EXT-X-MAP[^\n]*\n/, ""), "EXT-X-MAP"],
    ["film-90p.m3u8", replaced(/BYTERANGE="(\d+)@0"/, 'BYTERANGE="1$1@0"'), "ftyp and moov"],
    ["film-90p-keyframes.m3u8", replaced(/:(\d+)@/, ":1$1@"), "a keyframe has"],
    ["film-64p.mp4", replaced("moof", "free"), "holds fragments"],
  ];
  for (const [file, change, words] of cases) {
    test(`${words}: found in ${file}`, () => {
      const { breaches } = checkHls(broken(file, change), "film.m3u8");
      expect(breaches.join("\n")).toContain(words);
    });
  }
});

describe("DASH", () => {
  test("as it was made nothing is wrong with it", () => {
    expect(checkDash(folder, "film.mpd").breaches).toEqual([]);
  });

  const cases: [change: (text: string) => string, words: string][] = [
    [replaced("isoff-on-demand:2011", "isoff-live:2011"), "profile"],
    [replaced(/minBufferTime="[^"]+"/, 'minBufferTime="soon"'), "minBufferTime"],
    [replaced('subsegmentAlignment="true"', 'subsegmentAlignment="false"'), "aligned"],
    [replaced(/bandwidth="\d+"/, 'bandwidth="1000"'), "plays at its bandwidth"],
    [replaced(/indexRange="(\d+)-/, 'indexRange="1$1-'), "sidx"],
    [replaced(/id="64p"/, 'id="90p"'), "one of its own"],
    [replaced(/mediaPresentationDuration="[^"]+"/, 'mediaPresentationDuration="PT9S"'), "as long"],
    [replaced(/( *<Role[^>]*>\n)([\s\S]*?)( *<\/AdaptationSet>)/, "$2$1$3"), "schema's order"],
  ];
  for (const [change, words] of cases) {
    test(`${words}: found`, () => {
      const { breaches } = checkDash(broken("film.mpd", change), "film.mpd");
      expect(breaches.join("\n")).toContain(words);
    });
  }

  test("what is no XML is no manifest", () => {
    for (const text of ["<a><b></a>", '<a x="1" x="2"/>', "<a>&nothing;</a>", "<a/><b/>", "<a"]) {
      expect(() => parseXml(text)).toThrow();
    }
  });
});
