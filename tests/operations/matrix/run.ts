/** One cell of the matrix: a source, an operation, what came of it. */
import { mkdtempSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { findOperation, parseParams, planFor } from "../../../src/operations/index.ts";
import { Refusal } from "../../../src/trouble.ts";
import { toolchain } from "../../support/toolchain.ts";
import { mediaOf } from "../known-media.ts";
import { work } from "../workshop.ts";
import { matrixCases } from "./cases.ts";
import type { MatrixCase } from "./expectations.ts";
import { look, type Seen } from "./look.ts";
import type { Source } from "./recipes.ts";
import { makeSource, sources } from "./sources.ts";

/** As it stands in the table. */
export interface Outcome {
  /** The sentence with which it is refused; null when it is done. */
  refused: string | null;
  /** What the job says of its result. */
  notes: string[];
}

function paramsOf({ params, paramsFor }: MatrixCase, source: Source): Record<string, unknown> {
  return paramsFor?.(source, params) ?? params;
}

/** Makes each source once. */
export class Ground {
  private readonly folder: string;
  private readonly paths = new Map<string, string>();
  private readonly found = new Map<string, Seen>();

  constructor(folder: string) {
    this.folder = folder;
  }

  path(source: Source): string {
    const path = this.paths.get(source.name) ?? makeSource(source, this.folder);
    this.paths.set(source.name, path);
    return path;
  }

  seen(source: Source): Seen {
    const seen = this.found.get(source.name) ?? look(this.path(source));
    this.found.set(source.name, seen);
    return seen;
  }

  inputs(each: MatrixCase, source: Source): string[] {
    const path = this.path(source);
    return each.inputs?.(path) ?? [path];
  }

  /** What the operation says before it begins. */
  async outcome(each: MatrixCase, source: Source): Promise<Outcome> {
    const operation = findOperation(each.operation);
    const inputs = await Promise.all(
      this.inputs(each, source).map(async (path) => ({
        name: basename(path),
        media: await mediaOf(path),
      })),
    );
    try {
      const params = parseParams(operation, paramsOf(each, source));
      const plan = planFor(operation, params, inputs, toolchain);
      return { refused: null, notes: plan.notes };
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause;
      return { refused: cause.message, notes: [] };
    }
  }

  /** Carries it out as a job does. @returns what is wrong with the result, as sentences */
  async faults(each: MatrixCase, source: Source): Promise<string[]> {
    const folder = mkdtempSync(join(this.folder, "cell-"));
    try {
      const params = paramsOf(each, source);
      const made = await work(folder, each.operation, params, this.inputs(each, source));
      return each.judge(made.paths, source, this.seen(source));
    } catch (cause) {
      return [`it fails: ${(cause as Error).message}`];
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
}

export type Cell = readonly [each: MatrixCase, source: Source];

export function allCells(): Cell[] {
  return sources.flatMap((source) => matrixCases.map((each): Cell => [each, source]));
}

/** Prime to the number of sources, so that the sample goes through all kinds of them. */
const stride = 7;

/** One source for each case: what is tried always. */
export function sampleCells(): Cell[] {
  return matrixCases.flatMap((each, index): Cell[] => {
    const source = sources[(index * stride + 4) % sources.length];
    return source === undefined ? [] : [[each, source]];
  });
}
