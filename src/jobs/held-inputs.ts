/** The media of a job as files on this box, from before its first step until after its last. */
import type { HeldFile, Storage } from "../storage/storage.ts";
import { Failure } from "../trouble.ts";

export interface HeldInputs {
  /** Absolute, by position. */
  paths: string[];
  release(): void;
}

/** True when none of them has to be fetched first. */
export function areNear(storage: Pick<Storage, "isNear">, mediaIds: readonly string[]): boolean {
  return mediaIds.every((id) => storage.isNear(id));
}

/**
 * Holds all of them; what has to be fetched comes one after another, so that the first is there soonest.
 * @throws Failure `input_missing`, and what `Storage.hold` throws; none is held then
 */
export async function holdInputs(
  storage: Pick<Storage, "hold">,
  mediaIds: readonly string[],
  signal: AbortSignal,
): Promise<HeldInputs> {
  const held: HeldFile[] = [];
  const release = () => {
    for (const file of held) file.release();
  };
  try {
    for (const [index, id] of mediaIds.entries()) {
      const file = await storage.hold(id, signal);
      if (file === null) {
        throw new Failure("input_missing", `The job's input ${index + 1} is not there any more.`, {
          hint: "Upload it again and start a new job.",
        });
      }
      held.push(file);
    }
  } catch (cause) {
    release();
    throw cause;
  }
  return { paths: held.map(({ path }) => path), release };
}
