import { expect, test } from "bun:test";
import type { Asset } from "../src/assets/asset.ts";
import { audio, media, video } from "../tests/operations/specimen.ts";
import { playabilityOf } from "./playability.ts";
import { player, playerKeys, playerScripts } from "./player.ts";

function asset(about: Parameters<typeof media>[0] = {}, change: Partial<Asset> = {}): Asset {
  const of = media(about);
  return {
    ...{ id: "as_1", ownerId: "us_1", name: "a <b>", state: "ready", kind: of.kind },
    ...{ sizeBytes: 1, sha256: "0".repeat(64), mimeType: "x/y", thumbnail: "none" },
    media: of,
    origin: { kind: "upload" },
    createdAt: "2026-01-01T00:00:00.000Z",
    expiresAt: null,
    ...change,
  };
}

const shown = (of: Asset) => String(player(of, { place: "main" }));
const plays = (about: Parameters<typeof media>[0]) => playabilityOf(media(about));

test("what every browser plays is in the element before any script, with its size", () => {
  expect(plays({})).toMatchObject({ plays: "yes", types: [] });
  expect(plays({ container: "webm", video: video({ codec: "vp9" }) }).plays).toBe("yes");
  expect(
    plays({ container: "wav", video: null, audio: [audio({ codec: "pcm_s24le" })] }).plays,
  ).toBe("yes");
  expect(shown(asset())).toContain(
    '<video playsinline preload="metadata" src="/api/v1/assets/as_1/content" width="1920" height="1080"',
  );
});

test("a browser is asked for what only some play, by the type of each stream", () => {
  const hevc = plays({ video: video({ codec: "hevc", bitDepth: 10 }) });
  expect(hevc.plays).toBe("ask");
  expect(hevc.types[0]).toBe('video/mp4; codecs="hvc1.2.4.L153.B0"');
  const deep = video({ profile: "High 10", bitDepth: 10, pixelFormat: "yuv420p10le" });
  expect(plays({ video: deep })).toMatchObject({ plays: "ask", because: "10-bit H.264" });
  expect(plays({ video: deep }).types[0]).toContain("avc1.6E0028");
  const dolby = plays({ audio: [audio({ codec: "ac3" })] });
  expect(dolby).toMatchObject({ plays: "ask", because: "Dolby Digital", sound: "Dolby Digital" });
  expect(dolby.types).toContain('video/mp4; codecs="ac-3"');
  expect(plays({ container: "mkv" })).toMatchObject({ plays: "ask" });
  expect(shown(asset({ container: "mkv" }))).not.toContain(" src=");
});

test("what no browser plays is not asked for", () => {
  expect(plays({ container: "mov", video: video({ codec: "prores" }) })).toMatchObject({
    ...{ plays: "no", because: "ProRes" },
  });
  expect(plays({ container: "avi" })).toMatchObject({ plays: "no", because: "AVI" });
  expect(plays({ audio: [audio({ codec: "dts" })] })).toMatchObject({ plays: "no" });
  const page = shown(asset({ container: "mov", video: video({ codec: "prores" }) }));
  expect(page).toContain("This browser cannot play ProRes.");
  expect(page).toContain('data-companions-address="/api/v1/assets/as_1/companions"');
});

test("moving pictures are shown as pictures, and need no script", () => {
  for (const container of ["gif", "webp", "apng", "avif"]) {
    const picture = asset({ container, video: video({ codec: container }) });
    expect(shown(picture)).toContain("<img ");
    expect(shown(picture)).not.toContain("<video");
    expect(playerScripts(picture)).toEqual([]);
    expect(playerKeys(picture)).toEqual([]);
  }
});

test("sound has its waveform as its main view, and no buttons for a picture", () => {
  const sound = asset({ kind: "audio", container: "mp3", video: null });
  expect(shown(sound)).toContain('class="track tall"');
  expect(shown(sound)).not.toContain("fullscreen");
});

test("the list of a ladder plays, and only its page loads hls.js; other text and data say what they are", () => {
  const playlist = asset(
    {},
    {
      ...{ kind: "text", media: null, name: "match.m3u8" },
      ...{ mimeType: "application/vnd.apple.mpegurl" },
      origin: { kind: "job", jobId: "jb_1", role: "main" },
    },
  );
  expect(shown(playlist)).toContain('data-ladder-address="/api/v1/jobs/jb_1/outputs/match.m3u8"');
  expect(playerScripts(playlist)).toContain("hls.js");
  expect(playerScripts(asset())).not.toContain("hls.js");
  const manifest = { ...playlist, name: "match.mpd", mimeType: "application/dash+xml" };
  expect(shown(manifest)).toContain("A player of DASH opens this stream");
  const text: Asset = { ...playlist, name: "a.vtt", mimeType: "text/vtt" };
  expect(shown(text)).toContain("This is a text file");
  const key: Asset = { ...text, kind: "data", mimeType: "application/octet-stream" };
  expect(shown(key)).toContain("for programs alone");
});

test("the clock says which timecode it is", () => {
  const titled = (frameRate: string, variableFrameRate = false) =>
    shown(asset({ video: video({ frameRate, variableFrameRate }) }));
  expect(titled("30000/1001")).toContain("drop-frame");
  expect(titled("24000/1001")).not.toContain("drop-frame");
  expect(titled("25/1", true)).toContain("at the average rate");
});
