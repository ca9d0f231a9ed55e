/**
 * Jobs that were done before: the same plan on the same bytes by the same ffmpeg and the same Kinomill, of the same
 * person. What they made was proven then and never changes, so a repeat takes it and is done at once.
 */
import type { Database } from "bun:sqlite";
import type { Asset } from "../assets/asset.ts";
import type { AssetRecords } from "../assets/records.ts";
import type { Plan } from "../operations/operation.ts";
import { product } from "../product.ts";
import { canonicalJson } from "./canonical-json.ts";

/** What an earlier job made. */
export interface Repeat {
  jobId: string;
  /** In the order of the plan's outputs; all of them are there. */
  assets: Asset[];
}

interface RepeatRow {
  job_id: string;
  asset_ids: string;
}

/**
 * By what a repeat is known.
 * @param fingerprints of the steps of the plan
 */
export function repeatKeyOf(plan: Plan, fingerprints: ReadonlyMap<string, string>): string {
  const prints = [...fingerprints];
  const outputs = plan.steps.flatMap((step) => step.outputs);
  const value = { prints, outputs, version: product.version, commit: product.commit };
  return new Bun.CryptoHasher("sha256").update(canonicalJson(value)).digest("hex");
}

export class Repeats {
  private readonly database: Database;
  private readonly records: Pick<AssetRecords, "find">;
  private readonly settings: { readonly reuse: boolean };

  /** @param settings.reuse false: nothing is taken from an earlier job; it may change */
  constructor(
    database: Database,
    records: Pick<AssetRecords, "find">,
    settings: { readonly reuse: boolean },
  ) {
    this.database = database;
    this.records = records;
    this.settings = settings;
  }

  /** What the same job of this owner made, if all of it is still there. */
  find(job: { ownerId: string; anew: boolean }, key: string): Repeat | null {
    if (!this.settings.reuse || job.anew) return null;
    const row = this.database
      .query<RepeatRow, [string, string]>(
        "SELECT job_id, asset_ids FROM repeat WHERE owner_id = ?1 AND key = ?2",
      )
      .get(job.ownerId, key);
    if (row === null) return null;
    const ids = JSON.parse(row.asset_ids) as string[];
    const assets = ids.flatMap((id) => this.records.find(job.ownerId, id) ?? []);
    return assets.length === ids.length ? { jobId: row.job_id, assets } : null;
  }

  /** Remembers what a job made; the newest of the same stands. Call it inside the caller's transaction. */
  note(job: { ownerId: string; jobId: string }, key: string, assets: readonly Asset[]): void {
    if (!this.settings.reuse) return;
    const ids = JSON.stringify(assets.map(({ id }) => id));
    this.database
      .query(
        "INSERT OR REPLACE INTO repeat (owner_id, key, job_id, asset_ids) VALUES (?1, ?2, ?3, ?4)",
      )
      .run(job.ownerId, key, job.jobId, ids);
  }
}
