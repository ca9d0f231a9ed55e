/** What this box learned of its own work, in the database: see `media/work-figures.ts`. */
import type { Database } from "bun:sqlite";
import { type Clock, isoTime } from "../clock.ts";
import { openToRead } from "../database/open.ts";
import { transaction } from "../database/transaction.ts";
import {
  type Figure,
  type FigureMeasure,
  type Figures,
  guessOf,
  kindsOf,
  learned,
  type PlacedWork,
} from "../media/work-figures.ts";

/**
 * Kinds that are kept: some twenty for each way to work that a box really uses; past it the one that was not
 * met for longest goes. Half a megabyte.
 */
export const FIGURES_MAX = 2000;

export class WorkFigures {
  private readonly database: Database;
  private readonly clock: Clock;
  private readonly kept: number;

  constructor(database: Database, clock: Clock, kept = FIGURES_MAX) {
    this.database = database;
    this.clock = clock;
    this.kept = kept;
  }

  readonly lookup: Figures = (measure, kind) => findFigure(this.database, measure, kind);

  /**
   * Learns from a step that was done.
   * @param actual seconds of work without waiting, and bytes of its outputs; null where they tell nothing
   */
  note(placed: PlacedWork, actual: Record<FigureMeasure, number | null>): void {
    transaction(this.database, () => {
      this.noteOne(placed, "seconds", actual.seconds);
      this.noteOne(placed, "bytes", actual.bytes);
      this.makeRoom();
    });
  }

  private noteOne(placed: PlacedWork, measure: FigureMeasure, actual: number | null): void {
    const guessed = guessOf(placed, measure);
    if (actual === null || actual <= 0 || guessed <= 0) return;
    const write = this.database.query(
      `INSERT INTO work_figure (measure, kind, count, mean, variance, updated_at)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6)
       ON CONFLICT (measure, kind) DO UPDATE SET count = excluded.count, mean = excluded.mean,
         variance = excluded.variance, updated_at = excluded.updated_at`,
    );
    const now = isoTime(this.clock.nowMs());
    for (const kind of kindsOf(placed, measure)) {
      const { count, mean, variance } = learned(this.lookup(measure, kind), actual, guessed);
      write.run(measure, kind, count, mean, variance, now);
    }
  }

  private makeRoom(): void {
    this.database
      .query(
        `DELETE FROM work_figure WHERE (measure, kind) IN (
           SELECT measure, kind FROM work_figure ORDER BY updated_at
           LIMIT max(0, (SELECT count(*) FROM work_figure) - ?1))`,
      )
      .run(this.kept);
  }
}

/**
 * The figures of a data folder for reading alone, beside the server that writes them; none where there is no
 * folder, where it may not be read, or where it is an older one's.
 */
export function openFigures(dataFolder: string): { lookup: Figures } & Disposable {
  const database = openToRead(dataFolder);
  const lookup: Figures = (measure, kind) => {
    try {
      return database === null ? null : findFigure(database, measure, kind);
    } catch {
      return null;
    }
  };
  return { lookup, [Symbol.dispose]: () => database?.close() };
}

function findFigure(database: Database, measure: FigureMeasure, kind: string): Figure | null {
  return database
    .query<Figure, [string, string]>(
      "SELECT count, mean, variance FROM work_figure WHERE measure = ?1 AND kind = ?2",
    )
    .get(measure, kind);
}
