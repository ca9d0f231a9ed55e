/** An import: a file that is fetched from a link. It has the id of the asset that it will be. */
import type { WhenEqual } from "../assets/asset.ts";
import type { LinkFault } from "./link-trouble.ts";

/** `reused`: the owner had an equal file, and that one is used. */
export const importStates = ["waiting", "receiving", "failed", "reused"] as const;
export type ImportState = (typeof importStates)[number];

export interface Import {
  id: string;
  ownerId: string;
  /** As it was given, secrets included: never shown. */
  url: string;
  /** The secret part of the link cannot be read any more: its key is gone. `url` is what is shown then. */
  lost: boolean;
  name: string;
  /** Whether a person gave the name. */
  named: boolean;
  state: ImportState;
  ifExists: WhenEqual;
  /** The version of the file that has begun to arrive, as `If-Range` wants it; null when there is no telling. */
  validator: string | null;
  /** Null when the server has not said. */
  totalBytes: number | null;
  /** Bytes that survive a power cut. */
  durableBytes: number;
  error: LinkFault | null;
  /** The equal file that the owner had. */
  assetId: string | null;
  createdAt: string;
  finishedAt: string | null;
}

/** What a running import does at this moment. */
export interface ImportProgress {
  /** Whether bytes come, it waits to try again, or the whole file is looked into. */
  phase: "receiving" | "pausing" | "checking";
  receivedBytes: number;
  totalBytes: number | null;
  /** Of the last seconds; null while there is nothing to say. */
  bytesPerSecond: number | null;
}

/** An import as it is now. */
export interface ImportView {
  item: Import;
  /** Null when it does not run. */
  progress: ImportProgress | null;
}
