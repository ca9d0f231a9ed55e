/**
 * One commit for each turn of the event loop. What several askers want written in the same turn becomes
 * durable together: an fsync costs as much for sixteen of them as for one.
 */
import type { Database } from "bun:sqlite";
import { type Settled, transaction } from "./transaction.ts";

/**
 * Works that share one commit, at most: some tens of milliseconds in which nothing else is answered. What
 * waits beyond it has the next turn. Whoever asks waits for the answer, so their number bounds the list.
 */
const WORKS_PER_COMMIT_MAX = 1_000;

/** What is to be done about something that was written at the end of a turn, once it is known to be durable. */
export interface Effects {
  committed(): void;
  failed(): void;
}

interface Asked {
  work(): unknown;
  resolve(value: unknown): void;
  reject(cause: unknown): void;
}

/** Thrown to undo a turn. Made once: to make one costs as much as a statement. */
const threw = new Error("one of the works threw");

const noEffects: Effects = { committed: () => {}, failed: () => {} };

export class Commits {
  private readonly database: Database;
  private asked: Asked[] = [];
  private readonly closing: (() => Effects | null)[] = [];
  private readonly listeners = new Set<() => void>();
  private scheduled: NodeJS.Immediate | null = null;

  constructor(database: Database) {
    this.database = database;
  }

  /**
   * Runs `work` in this turn's transaction and resolves after its commit with what it returned. What it
   * throws undoes its own changes alone and rejects; a commit that fails rejects all of its turn. When another
   * work of the turn throws, `work` runs a second time: it has no effect but on the database.
   */
  run<T>(work: () => Settled<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.asked.push({ work, resolve: resolve as (value: unknown) => void, reject });
      this.schedule();
    });
  }

  /**
   * Has `work` run as the last of every turn's transaction, so that what it does about the others' changes
   * is written with them. It must not throw. Null: nothing follows.
   */
  atEnd(work: () => Effects | null): void {
    this.closing.push(work);
  }

  /** Asks for a turn although nobody has something to write: what was given to `atEnd` runs. */
  turn(): void {
    this.schedule();
  }

  /** Ends the turn now: all that was asked for is committed. Not to be called inside a transaction. */
  flush(): void {
    if (this.scheduled !== null) clearImmediate(this.scheduled);
    this.commit();
  }

  /** Called after each commit. Returns the end of the subscription. */
  onCommitted(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private schedule(): void {
    this.scheduled ??= setImmediate(() => this.commit());
  }

  private commit(): void {
    this.scheduled = null;
    const works = this.asked.splice(0, WORKS_PER_COMMIT_MAX);
    if (this.asked.length > 0) this.schedule();
    let turn: Turn;
    try {
      turn = this.together(works) ?? this.eachInItsPart(works);
    } catch (cause) {
      for (const { reject } of works) reject(cause);
      return;
    }
    for (const answer of turn.answers) answer();
    for (const { committed } of turn.effects) committed();
    for (const listener of [...this.listeners]) listener();
  }

  /** Null when one of them threw: nothing is written then. Parts would cost as much as the works themselves. */
  private together(works: readonly Asked[]): Turn | null {
    try {
      return this.write(() =>
        works.map(({ work, resolve }) => {
          let value: unknown;
          try {
            value = work();
          } catch {
            throw threw;
          }
          return () => resolve(value);
        }),
      );
    } catch (cause) {
      if (cause === threw) return null;
      throw cause;
    }
  }

  private eachInItsPart(works: readonly Asked[]): Turn {
    return this.write(() => works.map((asked) => this.carryOut(asked)));
  }

  private write(carryOut: () => (() => void)[]): Turn {
    const effects: Effects[] = [];
    try {
      return transaction(this.database, () => {
        const answers = carryOut();
        for (const work of this.closing) effects.push(work() ?? noEffects);
        return { answers, effects };
      });
    } catch (cause) {
      for (const { failed } of effects) failed();
      throw cause;
    }
  }

  /** Inside the transaction; the answer is given after the commit. */
  private carryOut({ work, resolve, reject }: Asked): () => void {
    try {
      const value = transaction(this.database, work as () => Settled<unknown>);
      return () => resolve(value);
    } catch (cause) {
      // A full disk ends the whole transaction, not this work alone: nothing of this turn is written.
      if (!this.database.inTransaction) throw cause;
      return () => reject(cause);
    }
  }
}

/** What follows from a turn that is committed. */
interface Turn {
  answers: (() => void)[];
  effects: Effects[];
}
