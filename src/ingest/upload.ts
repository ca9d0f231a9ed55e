/** An upload: a file on its way in, in one piece or in many. */

/** What the sender said of it: names and values; null for a name alone. */
export type UploadMetadata = Record<string, string | null>;

export interface Upload {
  id: string;
  ownerId: string;
  /** Of the asset that it becomes, in form. */
  name: string;
  metadata: UploadMetadata;
  lengthBytes: number;
  /** Bytes from here on belong to a piece whose checksum was not compared yet; null when there are none such. */
  uncheckedFrom: number | null;
  /** What it became; null until then. */
  assetId: string | null;
  createdAt: string;
  /** When the last byte came. */
  touchedAt: string;
}

export const uploadStates = ["receiving", "finishing", "complete"] as const;
/** `finishing`: all bytes are here, and Kinomill looks into them. */
export type UploadState = (typeof uploadStates)[number];

/** An upload as it stands now. */
export interface UploadReport extends Upload {
  state: UploadState;
  offsetBytes: number;
  /** A request works on it now. */
  active: boolean;
  /** When it is swept unless further bytes come. */
  expiresAt: string;
}
