/** An upload whose bytes go from the sender straight into the bucket, in parts. */

export const directUploadStates = ["receiving", "finishing", "complete", "refused"] as const;
/** `finishing`: all parts are there and are put together and looked into. `refused`: it became no asset, and is gone. */
export type DirectUploadState = (typeof directUploadStates)[number];

/** Why it became no asset. */
export interface DirectUploadProblem {
  status: number;
  code: string;
  detail: string;
}

export interface DirectUpload {
  id: string;
  ownerId: string;
  /** Of the asset that it becomes, in form. */
  name: string;
  /** What the sender said of the file's age, to know it again; "" for nothing. */
  modified: string;
  sizeBytes: number;
  /** Of each part but the last. */
  partBytes: number;
  /** Id of the asset that it becomes; there is none before it is complete. */
  key: string;
  /** The bucket's name for the parts. */
  partsId: string;
  state: DirectUploadState;
  problem: DirectUploadProblem | null;
  createdAt: string;
  /** When addresses were asked for last. */
  touchedAt: string;
}

export function partCount({ sizeBytes, partBytes }: DirectUpload): number {
  return Math.ceil(sizeBytes / partBytes);
}

/** Bytes that a part has; parts are counted from 1. */
export function partSize(upload: DirectUpload, part: number): number {
  return Math.min(upload.partBytes, upload.sizeBytes - (part - 1) * upload.partBytes);
}
