/** A ladder as it is published: its files side by side under their names, with nothing against it in the rules. */
import { expect } from "bun:test";
import { copyFileSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { checkDash } from "../streaming/dash-rules.ts";
import { type CheckedLadder, checkHls } from "../streaming/hls-rules.ts";
import type { Made } from "./workshop.ts";

export interface PublishedLadder extends CheckedLadder {
  made: Made;
  folder: string;
  names: string[];
}

/** @param root a folder of the test, in which it gets one of its own */
export function publishLadder(made: Made, root: string): PublishedLadder {
  const names = made.plan.steps.flatMap(({ outputs }) => outputs.map(({ name }) => name));
  const folder = mkdtempSync(join(root, "published-"));
  for (const [index, from] of made.paths.entries()) {
    copyFileSync(from, join(folder, names[index] ?? ""));
  }
  const manifest = names.find((name) => name.endsWith(".mpd"));
  if (manifest !== undefined) expect(checkDash(folder, manifest).breaches).toEqual([]);
  const checked = checkHls(folder, names[0] ?? "");
  expect(checked.breaches).toEqual([]);
  return { ...checked, made, folder, names };
}
