import { expect, test } from "bun:test";
import type { Asset } from "../src/assets/asset.ts";
import { media, video } from "../tests/operations/specimen.ts";
import { playbackWarning, player } from "./player.ts";

function asset(container: string, codec: string): Asset {
  return {
    ...{ id: "as_1", ownerId: "us_1", name: "a <b>", state: "ready", kind: "video" },
    ...{ sizeBytes: 1, sha256: "0".repeat(64), mimeType: "x/y", thumbnail: "none" },
    media: media({ container, video: video({ codec }), audio: [] }),
    origin: { kind: "upload" },
    createdAt: "2026-01-01T00:00:00.000Z",
    expiresAt: null,
  };
}

test("moving pictures are shown as pictures, films as films", () => {
  for (const container of ["gif", "webp", "apng", "avif"]) {
    const shown = asset(container, container);
    expect(String(player(shown, "main"))).toContain("<img ");
    expect(String(player(shown, "main"))).not.toContain("<video");
    expect(playbackWarning(shown)).toBeNull();
  }
  expect(String(player(asset("mp4", "h264"), "main"))).toContain("<video");
  expect(playbackWarning(asset("avi", "mpeg4"))).toContain("Browsers often cannot play");
});

test("the playlist of a ladder says where a player opens it; other text and data say what they are", () => {
  const playlist: Asset = {
    ...asset("mp4", "h264"),
    ...{ kind: "text", media: null, name: "match.m3u8" },
    ...{ mimeType: "application/vnd.apple.mpegurl" },
    origin: { kind: "job", jobId: "jb_1", role: "main" },
  };
  expect(String(player(playlist, "main"))).toContain('href="/api/v1/jobs/jb_1/outputs/match.m3u8"');
  const text: Asset = { ...playlist, mimeType: "text/vtt" };
  expect(String(player(text, "main"))).toContain("This is a text file");
  const key: Asset = { ...text, kind: "data", mimeType: "application/octet-stream" };
  expect(String(player(key, "main"))).toContain("for programs alone");
});
