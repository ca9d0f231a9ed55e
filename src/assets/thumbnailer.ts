/**
 * The picture of each asset in lists. Made one at a time, behind everything else, from the queue that the
 * records themselves are: what a crash left wanted is made after the next start.
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../log.ts";
import type { RenderDescription } from "../media/description.ts";
import type { Device } from "../media/devices.ts";
import type { MediaInfo, VideoStream } from "../media/media.ts";
import type { Runner } from "../runners/runner.ts";
import type { Storage } from "../storage/storage.ts";
import { type Asset, thumbnailKey } from "./asset.ts";
import type { AssetRecords } from "./records.ts";

export interface ThumbnailerParts {
  records: AssetRecords;
  storage: Storage;
  runner: Runner;
  device: Device;
  log: Log;
  workFolder: string;
  /** Called when a picture is there. */
  onMade(asset: Asset): void;
}

/** Twice the width of a card, so that it is sharp on a dense screen. */
const THUMBNAIL_WIDTH = 480;
/** A tall phone video must not make a tall file. */
const THUMBNAIL_HEIGHT = 480;
const FILE = "thumbnail.jpg";
const STEP = "thumbnail";

export class Thumbnailer {
  private readonly parts: ThumbnailerParts;
  private readonly abort = new AbortController();
  private busy: Promise<void> | null = null;

  constructor(parts: ThumbnailerParts) {
    this.parts = parts;
  }

  /** Starts on what is wanted unless it is at it already. */
  wake(): void {
    if (this.busy !== null || this.abort.signal.aborted) return;
    this.busy = this.work().finally(() => {
      this.busy = null;
    });
  }

  async stop(): Promise<void> {
    this.abort.abort();
    await this.busy;
  }

  private async work(): Promise<void> {
    for (;;) {
      const asset = this.parts.records.nextThumbnailWanted();
      if (asset === null || this.abort.signal.aborted) return;
      const made = await this.make(asset).catch((cause: unknown) => {
        this.parts.log.warn({ err: cause, asset: asset.id }, "thumbnail");
        return false;
      });
      if (this.abort.signal.aborted) return;
      this.parts.records.setThumbnail(asset.id, made ? "ready" : "none");
      if (made) this.parts.onMade({ ...asset, thumbnail: "ready" });
    }
  }

  private async make(asset: Asset): Promise<boolean> {
    if (asset.media?.video == null) return false;
    const source = await this.parts.storage.hold(asset.id, this.abort.signal);
    if (source === null) return false;
    try {
      return await this.makeFrom(source.path, asset, asset.media, asset.media.video);
    } finally {
      source.release();
    }
  }

  private async makeFrom(
    source: string,
    asset: Asset,
    media: MediaInfo,
    video: VideoStream,
  ): Promise<boolean> {
    const jobFolder = join(this.parts.workFolder, asset.id);
    const { width, height } = thumbnailSize(video);
    await mkdir(jobFolder, { recursive: true, mode: 0o700 });
    try {
      const outcome = await this.parts.runner.run({
        device: this.parts.device,
        work: { kind: "render", description: thumbnailDescription(media, width, height) },
        assetPaths: [source],
        jobFolder,
        step: STEP,
        expectations: [
          {
            file: FILE,
            kind: "image",
            durationSeconds: null,
            video: { codec: "mjpeg", width, height },
            audioTracks: 0,
            audioCodecs: [],
          },
        ],
        verify: "quick",
        signal: this.abort.signal,
        onProgress: () => {},
      });
      const picture = outcome.kind === "done" ? outcome.outputs[0] : undefined;
      if (picture === undefined) {
        if (outcome.kind === "failed")
          this.parts.log.warn({ asset: asset.id, failure: outcome.report }, "thumbnail");
        return false;
      }
      await this.parts.storage.delete(thumbnailKey(asset.id));
      await this.parts.storage.adopt(thumbnailKey(asset.id), picture.path);
      return true;
    } finally {
      await rm(jobFolder, { recursive: true, force: true });
    }
  }
}

/** Fits the display size into the box, even and at least 2, never larger than the source. */
function thumbnailSize(video: VideoStream): { width: number; height: number } {
  const scale = Math.min(
    1,
    THUMBNAIL_WIDTH / video.displayWidth,
    THUMBNAIL_HEIGHT / video.displayHeight,
  );
  const even = (pixels: number) => Math.max(2, Math.round((pixels * scale) / 2) * 2);
  return { width: even(video.displayWidth), height: even(video.displayHeight) };
}

/** One frame at a tenth of the length: past black leaders and logos, and cheap to reach. */
function thumbnailDescription(media: MediaInfo, width: number, height: number): RenderDescription {
  const seekSeconds = (media.durationSeconds ?? 0) / 10;
  const stream = media.video?.index ?? 0;
  return {
    inputs: [
      {
        from: { asset: 0 },
        keyframesOnly: media.kind === "video",
        ...(media.kind === "image" ? { still: media.container } : {}),
        ...(seekSeconds > 0 ? { seekSeconds } : {}),
      },
    ],
    graph: [
      {
        from: { input: 0, stream },
        filters: [
          { filter: "scale", width, height },
          { filter: "setsar", ratio: "1/1" },
        ],
        to: "picture",
      },
    ],
    outputs: [
      {
        file: FILE,
        container: "image",
        video: {
          kind: "image",
          source: { pad: "picture" },
          codec: "jpeg",
          quality: 80,
          frames: 1,
        },
        audio: [],
        subtitles: [],
        metadataFrom: null,
        limitSeconds: null,
      },
    ],
    expectedSeconds: null,
  };
}
