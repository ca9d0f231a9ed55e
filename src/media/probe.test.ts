import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ffmpeg, turnedCopy } from "../../tests/clips.ts";
import { Failure, Refusal } from "../trouble.ts";
import { probe } from "./probe.ts";

/** Makes its files with ffmpeg, on machines that are busy. */
setDefaultTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), "probe-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

const tools = { ffprobePath: "ffprobe" };
const picture = (seconds = 1) => ["-f", "lavfi", "-i", `testsrc2=s=64x48:r=25:d=${seconds}`];
const sound = (seconds = 1) => ["-f", "lavfi", "-i", `sine=d=${seconds}`];
const h264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];

function make(name: string, ...argv: string[]): string {
  const path = join(folder, name);
  ffmpeg(...argv, path);
  return path;
}

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function refusal(path: string): Promise<string> {
  const trouble = await probe(path, tools).catch((cause: unknown) => cause);
  expect(trouble).toBeInstanceOf(Refusal);
  const { status, code, message } = trouble as Refusal;
  expect([status, code]).toEqual([422, "not_media"]);
  expect(message).not.toContain(folder);
  return message;
}

describe("what a file is", () => {
  test("a plain video with sound, its chapters and languages", async () => {
    const chapters = write(
      "chapters.txt",
      ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=Anpfiff\n",
    );
    const path = make(
      "plain.mp4",
      ...[...picture(2), ...sound(2), "-i", chapters, "-map", "0", "-map", "1"],
      ...[...h264, "-c:a", "aac", "-metadata:s:a:0", "language=deu", "-map_chapters", "2"],
    );
    expect(await probe(path, tools)).toMatchObject({
      container: "mp4",
      kind: "video",
      durationSeconds: 2,
      video: {
        codec: "h264",
        width: 64,
        height: 48,
        frameRate: "25/1",
        variableFrameRate: false,
        bitDepth: 8,
        rotation: 0,
        hdr: null,
        index: 0,
      },
      audio: [{ codec: "aac", channels: 1, sampleRate: 44_100, language: "deu", index: 1 }],
      chapters: [{ startSeconds: 0, endSeconds: 1, title: "Anpfiff" }],
    });
  });

  test("a name with quotes, newlines and options is only a name", async () => {
    const path = make("plain2.mp4", ...picture(), ...h264);
    const odd = write("-i 'x';\n$(id) concat:a|b %d.mp4", readFileSync(path));
    expect((await probe(odd, tools)).kind).toBe("video");
  });

  test("a phone's video says which way up it is", async () => {
    const flat = make("flat.mp4", ...picture(), ...h264);
    const path = make("turned.mp4", ...turnedCopy(flat, 270));
    const { video } = await probe(path, tools);
    expect(video).toMatchObject({ rotation: 90, width: 64, displayWidth: 48, displayHeight: 64 });
  });

  test("a variable frame rate is seen, a constant one in Matroska's rough clock is not taken for one", async () => {
    const uneven = ["-vf", "select='not(eq(mod(n,7),3)+eq(mod(n,5),1))'", "-fps_mode", "vfr"];
    const vfr = make("vfr.mkv", ...picture(4), ...uneven, ...h264);
    expect((await probe(vfr, tools)).video?.variableFrameRate).toBeTrue();
    const ntsc = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=30000/1001:d=2"];
    const cfr = make("cfr.mkv", ...ntsc, ...h264);
    expect((await probe(cfr, tools)).video).toMatchObject({
      variableFrameRate: false,
      frameRate: "30000/1001",
    });
  });

  test("HDR10 with the mastering data that only frames carry", async () => {
    const x265 =
      "log-level=none:hdr10=1:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=1000,400";
    const path = make(
      "hdr.mp4",
      ...[...picture(0.2), "-c:v", "libx265", "-preset", "ultrafast"],
      ...["-pix_fmt", "yuv420p10le", "-x265-params", x265],
    );
    const { video } = await probe(path, tools);
    expect(video).toMatchObject({ hdr: "hdr10", bitDepth: 10, colorPrimaries: "bt2020" });
    expect(video?.hdrMetadata?.light).toEqual({ maxContentNits: 1000, maxAverageNits: 400 });
    expect(video?.hdrMetadata?.mastering?.maxNits).toBe(1000);
  });

  test("a song with a cover is sound", async () => {
    const cover = make("cover.png", ...picture(), "-frames:v", "1");
    const song = make(
      "song.mp3",
      ...["-i", cover, ...sound(2), "-map", "0", "-map", "1", "-c:v", "copy"],
      ...["-disposition:v", "attached_pic"],
    );
    expect(await probe(song, tools)).toMatchObject({
      container: "mp3",
      kind: "audio",
      video: null,
    });
  });

  test("stills have no length, animations have one", async () => {
    const kinds = await Promise.all(
      [
        make("still.png", ...picture(), "-frames:v", "1"),
        make("still.jpg", ...picture(), "-frames:v", "1"),
        make("still.webp", ...picture(), "-frames:v", "1"),
        make("still.gif", ...picture(), "-frames:v", "1"),
        make("moving.gif", ...picture()),
        make("moving.apng", ...picture(), "-f", "apng"),
      ].map(async (path) => {
        const { container, kind, durationSeconds } = await probe(path, tools);
        return [container, kind, durationSeconds];
      }),
    );
    expect(kinds).toEqual([
      ["png", "image", null],
      ["jpeg", "image", null],
      ["webp", "image", null],
      ["gif", "image", null],
      ["gif", "video", 1],
      ["apng", "video", 1],
    ]);
  });

  test("WebM and Matroska, told apart though both hold VP9", async () => {
    const vp9 = [...picture(0.4), "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"];
    expect((await probe(make("a.webm", ...vp9), tools)).container).toBe("webm");
    expect((await probe(make("a.mkv", ...vp9), tools)).container).toBe("mkv");
  });

  test("its length is measured when the file does not say it or only guesses", async () => {
    const streamed = make("live.webm", ...picture(2), "-c:v", "libvpx", "-live", "1", "-f", "webm");
    expect((await probe(streamed, tools)).durationSeconds).toBeCloseTo(2, 1);
    const raw = make("raw.aac", ...sound(3), "-c:a", "aac");
    const { durationSeconds } = await probe(raw, tools);
    expect(Math.abs((durationSeconds ?? 0) - 3)).toBeLessThan(0.1);
  });
});

describe("what is not media is refused with the reason:", () => {
  test("an empty file", async () => {
    expect(await refusal(write("empty.mp4", ""))).toContain("empty (0 bytes)");
  });

  test("text and noise", async () => {
    expect(await refusal(write("text.mp4", "Dear diary,\n".repeat(500)))).toContain("no video");
    const noise = Uint8Array.from({ length: 200_000 }, (_, index) => (index * 2654435761) >>> 13);
    await refusal(write("noise.mp4", noise));
    await refusal(write("noise", noise));
  });

  test("an MP4 that is cut off", async () => {
    const whole = readFileSync(make("whole.mp4", ...picture(), ...h264));
    const cut = write("cut.mp4", whole.subarray(0, whole.length / 2));
    expect(await refusal(cut)).toContain("cut off");
  });

  test("a playlist and a picture with links, whatever they are called", async () => {
    const playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/hostname\n";
    expect(await refusal(write("playlist", playlist))).toContain("playlist");
    const svg =
      '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>';
    await refusal(write("drawing.svg", svg));
    await refusal(write("drawing", svg));
  });

  test("a codec that we do not decode, by its name", async () => {
    const path = make("magic.avi", ...picture(), "-c:v", "magicyuv");
    expect(await refusal(path)).toContain("magicyuv");
  });

  test("a header without anything behind it", async () => {
    const wav = readFileSync(make("sound.wav", ...sound()));
    await refusal(write("header.wav", wav.subarray(0, 44)));
    const mkv = make("nothing.mkv", ...picture(), ...h264, "-frames:v", "0");
    expect(await refusal(mkv)).not.toBe("");
    const mp4 = make(
      "nothing.mp4",
      ...[...picture(), ...h264, "-t", "0", "-movflags", "+empty_moov+frag_keyframe"],
    );
    await refusal(mp4);
  });

  test("an animated WebP, which this ffmpeg cannot decode", async () => {
    expect(await refusal(make("moving.webp", ...picture()))).toContain("animated WebP");
  });

  test("a folder", async () => {
    mkdirSync(join(folder, "folder.mp4"));
    expect(await refusal(join(folder, "folder.mp4"))).toContain("not a file");
  });
});

describe("what is missing is told apart:", () => {
  test("the file", async () => {
    const trouble = await probe(join(folder, "absent.mp4"), tools).catch((cause: unknown) => cause);
    expect((trouble as Failure).report.code).toBe("input_missing");
  });

  test("the tool", async () => {
    const path = make("some.mp4", ...picture(), ...h264);
    const trouble = await probe(path, { ffprobePath: "/nowhere/ffprobe" }).catch((cause) => cause);
    expect(trouble).toBeInstanceOf(Failure);
    expect((trouble as Failure).report).toMatchObject({ code: "tool_missing" });
  });
});
