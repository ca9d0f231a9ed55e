/** An asset: a media file that Kinomill keeps, with its probe result, owner and origin. */
import type { MediaInfo } from "../media/media.ts";

/** `binned`: deleted, and can be brought back for some days. */
export const assetStates = ["ready", "binned", "deleting"] as const;
export type AssetState = (typeof assetStates)[number];

/** `data` is what only programs read: encrypted media, a key. */
export const assetKinds = ["video", "audio", "image", "text", "data"] as const;
export type AssetKind = (typeof assetKinds)[number];

export type AssetOrigin =
  | { kind: "upload" }
  /** Fetched from a link, which is shown without what may be a secret. */
  | { kind: "import"; url: string }
  /** Made by a job: which one, and what it is to that job (`main`, `poster`, `sprite` …). */
  | { kind: "job"; jobId: string; role: string };

/** What becomes of a file that its owner has already: kept beside the other, or not stored a second time. */
export const whenEqual = ["keep", "reuse"] as const;
export type WhenEqual = (typeof whenEqual)[number];

export interface Asset {
  id: string;
  ownerId: string;
  /** As the user named it, in the form of `name.ts`: 1–255 bytes, no control characters, no slashes. */
  name: string;
  state: AssetState;
  kind: AssetKind;
  sizeBytes: number;
  /** Hexadecimal SHA-256 of the bytes. */
  sha256: string;
  mimeType: string;
  /** Null for text made by a job, for example a WebVTT index, and for data. */
  media: MediaInfo | null;
  origin: AssetOrigin;
  /** The picture that stands for it in lists: being made, there, or not possible (sound, text, data). */
  thumbnail: "wanted" | "ready" | "none";
  createdAt: string;
  /** When it goes into the bin by itself; null for never. */
  expiresAt: string | null;
  /** In the form of `labels.ts`; absent: none. */
  labels?: readonly string[];
  /** When it went into the bin; absent while it is not in there. */
  binnedAt?: string;
}

/** Key of the asset's picture in storage; its bytes are stored under its id. */
export function thumbnailKey(assetId: string): string {
  return `${assetId}.thumbnail`;
}

const mimeTypes: Record<string, { video: string; audio: string }> = {
  mp4: { video: "video/mp4", audio: "audio/mp4" },
  mov: { video: "video/quicktime", audio: "audio/mp4" },
  mkv: { video: "video/x-matroska", audio: "audio/x-matroska" },
  webm: { video: "video/webm", audio: "audio/webm" },
  avi: { video: "video/x-msvideo", audio: "audio/x-msvideo" },
  mpegts: { video: "video/mp2t", audio: "video/mp2t" },
  mpeg: { video: "video/mpeg", audio: "audio/mpeg" },
  flv: { video: "video/x-flv", audio: "video/x-flv" },
  asf: { video: "video/x-ms-wmv", audio: "audio/x-ms-wma" },
  mxf: { video: "application/mxf", audio: "application/mxf" },
  ogg: { video: "video/ogg", audio: "audio/ogg" },
  mp3: { video: "audio/mpeg", audio: "audio/mpeg" },
  aac: { video: "audio/aac", audio: "audio/aac" },
  wav: { video: "audio/wav", audio: "audio/wav" },
  flac: { video: "audio/flac", audio: "audio/flac" },
};

/** The Content-Type of a probed file. It comes from what the bytes are, never from the name. */
export function mimeTypeOf(media: MediaInfo): string {
  if (["gif", "png", "jpeg", "webp", "apng", "avif"].includes(media.container)) {
    return `image/${media.container}`;
  }
  const pair = mimeTypes[media.container];
  if (pair === undefined) return "application/octet-stream";
  return media.kind === "audio" ? pair.audio : pair.video;
}
