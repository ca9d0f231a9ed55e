/** An asset: a media file that Kinomill keeps, with its probe result, owner and origin. */
import type { MediaInfo } from "../media/media.ts";

export const assetStates = ["ready", "deleting"] as const;
export type AssetState = (typeof assetStates)[number];

export type AssetOrigin =
  | { kind: "upload" }
  /** Made by a job: which one, and what it is to that job (`main`, `poster`, `sprite` …). */
  | { kind: "job"; jobId: string; role: string };

export interface Asset {
  id: string;
  ownerId: string;
  /** As the user named it: any text of 1–255 bytes without control characters or slashes. */
  name: string;
  state: AssetState;
  sizeBytes: number;
  sha256: string;
  mimeType: string;
  /** Null for text made by a job, for example a WebVTT index. */
  media: MediaInfo | null;
  origin: AssetOrigin;
  /** The picture that stands for it in lists: being made, there, or not possible (sound, text). */
  thumbnail: "wanted" | "ready" | "none";
  createdAt: string;
  expiresAt: string | null;
}
