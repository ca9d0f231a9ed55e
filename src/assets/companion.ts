/**
 * Companions: what is kept beside an asset for looking at it. Each is made from the asset's bytes when somebody first
 * asks for it, belongs to nobody's quota, and goes with the asset. `docs/decisions/0011-companions.md` says why.
 */

import type { StepWork } from "../media/description.ts";
import type { Expectation } from "../media/expectation.ts";
import type { SpriteGrid } from "../media/sprite-grid.ts";

/** A sheet of small pictures; the peaks of the sound; a small copy that every browser plays. */
export const companionKinds = ["sprite", "peaks", "proxy"] as const;
export type CompanionKind = (typeof companionKinds)[number];

/** `absent`: nobody asked for it yet. `none`: it cannot be made, `problem` says why. */
export const companionStates = ["absent", "wanted", "ready", "none"] as const;
export type CompanionState = (typeof companionStates)[number];

/** Of any kind; only sheets have facts so far. */
export type CompanionFacts = SpriteGrid | null;

export interface Companion {
  kind: CompanionKind;
  state: CompanionState;
  sizeBytes: number | null;
  facts: CompanionFacts;
  problem: string | null;
}

/** How a companion is made: one step, which leaves one file. */
export interface CompanionPlan {
  work: StepWork;
  expectation: Expectation;
  facts: CompanionFacts;
}

/** Key in storage; the asset's own bytes are stored under its id. */
export function companionKey(assetId: string, kind: CompanionKind): string {
  return `${assetId}.${kind}`;
}

/** What the bytes are; a proxy of sound alone is `audio/mp4`. */
export const companionTypes: Record<CompanionKind, string> = {
  sprite: "image/jpeg",
  peaks: "application/json",
  proxy: "video/mp4",
};
