/** What the steps of a long encode do that is made in chunks. */
import type { RenderDescription, StepFileRef } from "./description.ts";
import type { SeamWish } from "./seams.ts";

export type ChunkWork =
  /** Looks up where a picture is cut into chunks, by its packets; the `Seams` are kept as `file`. */
  | { kind: "seams"; wish: SeamWish; file: string }
  /**
   * Encodes one chunk of a picture, its part of every output. `description` says how all of it would be
   * encoded, without sound; `seams` where the chunk lies. It is number `number`, from 0 on, of `of`.
   */
  | {
      kind: "chunk";
      description: RenderDescription;
      seams: StepFileRef;
      number: number;
      of: number;
    }
  /**
   * Joins the chunks of those steps without encoding. `pictures` are the files of each, one for each output; as
   * many inputs at the end of `description` stand for the lists of them, which are written only then.
   */
  | ({ kind: "join"; description: RenderDescription; seams: StepFileRef } & ChunkFiles);

/**
 * `chunk` says how each is encoded, for those that another encoder made; `taken` are files of earlier steps that
 * become outputs as they are, under these names.
 */
type ChunkFiles = {
  chunks: string[];
  pictures: string[];
  chunk: RenderDescription;
  taken: TakenFile[];
};

export interface TakenFile {
  from: StepFileRef;
  file: string;
}
