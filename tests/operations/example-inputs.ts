/** Which files an operation's example may be tried on, by kind: made from nothing but the number of inputs. */
import type { Operation } from "../../src/operations/operation.ts";

export const inputKinds = ["film", "image", "sound", "subtitles"] as const;
export type InputKind = (typeof inputKinds)[number];

/** Further files that a row of candidates has: the largest example joins a few. */
const furtherMax = 3;

/**
 * Rows of kinds, the likeliest first: a film, and then one, two or three further files of one kind; last
 * other files instead of the film. The first that the plan takes is the one to try.
 */
export function inputCandidates({ inputs: { min, max } }: Operation): InputKind[][] {
  const counts = Array.from({ length: furtherMax + 1 }, (_, index) => index);
  const rows = counts
    .filter((further) => further + 1 >= min && further + 1 <= max)
    .flatMap((further) =>
      (further === 0 ? (["film"] as const) : inputKinds).map((kind): InputKind[] => [
        "film",
        ...Array<InputKind>(further).fill(kind),
      ]),
    );
  const others = inputKinds.filter((kind) => kind !== "film" && min <= 1);
  return [...rows, ...others.map((kind): InputKind[] => [kind])];
}
