/**
 * Presets: named parameters of one operation. Those that come with Kinomill are the same for everybody and
 * cannot be changed; others belong to one person.
 */
import type { Database } from "bun:sqlite";
import { type Clock, isoTime } from "../clock.ts";
import { transaction } from "../database/transaction.ts";
import { newId } from "../identity.ts";
import { findOperation, parseParams } from "../operations/index.ts";
import { laidOver } from "../operations/parameter-texts.ts";
import { builtInPresets } from "../operations/presets.ts";
import { assert, Refusal } from "../trouble.ts";

/** What a person says of a preset. */
export interface PresetWish {
  name: string;
  operation: string;
  /** As given; checked against the operation, but kept without its defaults. */
  params: Record<string, unknown>;
  /** Days after which what it makes goes into the bin; 0: never; null: as the settings say. Absent: as it was. */
  expireDays?: number | null | undefined;
}

export interface Preset extends PresetWish {
  id: string;
  expireDays: number | null;
  builtIn: boolean;
  /** Everybody may use it. */
  shared: boolean;
  /** Name of its owner, where it is somebody else's: it can be used and not changed. */
  sharedBy: string | null;
  /** Counts changes, from 1. */
  version: number;
  /** ISO 8601 UTC; null for those that come with Kinomill. */
  createdAt: string | null;
  updatedAt: string | null;
}

/** Presets of one person, at most: the list is shown whole. */
const PRESETS_PER_USER = 200;
/** Own ones and those that others share, at most. */
const LISTED_MAX = 1_000;
/** Characters (code points) of a name. */
const NAME_LIMIT = 64;
/** Bytes of the parameters as JSON: some thousand keyframes; more is no preset but a job. */
const PARAMS_LIMIT_BYTES = 256 * 1024;

const columns =
  "preset.id AS id, preset.name AS name, operation, params, version, expire_days AS expireDays, preset.created_at AS createdAt, updated_at AS updatedAt, shared, CASE WHEN owner_id = ?1 THEN NULL ELSE user.name END AS sharedBy";

/** `?1` is whoever asks. */
const source = "preset JOIN user ON user.id = preset.owner_id";

type Row = Omit<Preset, "params" | "builtIn" | "shared"> & { params: string; shared: number };

export class Presets {
  private readonly db: Database;
  private readonly clock: Clock;

  constructor(db: Database, clock: Clock) {
    this.db = db;
    this.clock = clock;
  }

  /**
   * Those that come with Kinomill, then this person's by name, then what others share.
   * @param operation only those of this one
   */
  list(ownerId: string, operation: string | null = null): Preset[] {
    const own = this.db
      .query<Row, [string, number]>(
        `SELECT ${columns} FROM ${source} WHERE owner_id = ?1 OR shared = 1
         ORDER BY owner_id <> ?1, preset.name LIMIT ?2`,
      )
      .all(ownerId, LISTED_MAX)
      .map(presetOf);
    const all = [...builtIns, ...own];
    return operation === null ? all : all.filter((preset) => preset.operation === operation);
  }

  /**
   * By id, or by name in any case; of two with one name this person's own, then one that is shared.
   * @throws Refusal 404 `no_such_preset`, also for another person's
   */
  get(ownerId: string, reference: string): Preset {
    const row = this.db
      .query<Row, [string, string]>(
        `SELECT ${columns} FROM ${source}
         WHERE (owner_id = ?1 OR shared = 1) AND (preset.id = ?2 OR preset.name = ?2)
         ORDER BY owner_id <> ?1, preset.id LIMIT 1`,
      )
      .get(ownerId, reference.normalize("NFC"));
    if (row !== null) return presetOf(row);
    const name = reference.toLowerCase();
    const found = builtIns.find(
      (each) => each.id === reference || each.name.toLowerCase() === name,
    );
    if (found !== undefined) return found;
    throw new Refusal(404, "no_such_preset", "There is no such preset.");
  }

  /**
   * @throws Refusal 422 `invalid_name`, `invalid_params`; 404 `unknown_operation`; 409 `name_taken`,
   * `too_many_presets`
   */
  create(ownerId: string, wish: PresetWish): Preset {
    const kept = checked(wish);
    const id = newId("preset");
    return transaction(this.db, () => {
      this.refuseTakenName(ownerId, kept.name, null);
      if (this.mine(ownerId).length >= PRESETS_PER_USER) {
        const sentence = `There are ${PRESETS_PER_USER} presets of yours already. Delete one first.`;
        throw new Refusal(409, "too_many_presets", sentence);
      }
      this.db
        .query(
          `INSERT INTO preset (id, owner_id, name, operation, params, created_at, updated_at, expire_days)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7)`,
        )
        .run(
          ...([id, ownerId, kept.name, kept.operation, kept.params] as const),
          ...([isoTime(this.clock.nowMs()), wish.expireDays ?? null] as const),
        );
      return this.get(ownerId, id);
    });
  }

  /**
   * Puts the wish in the place of the version that was seen. Null when it has changed since.
   * @throws Refusal 404 `no_such_preset`, 403 `read_only`, and those of `create`
   */
  replace(ownerId: string, id: string, version: number, wish: PresetWish): Preset | null {
    const before = this.own(ownerId, id);
    const { expireDays = before.expireDays } = wish;
    const kept = checked(wish);
    return transaction(this.db, () => {
      this.refuseTakenName(ownerId, kept.name, id);
      const { changes } = this.db
        .query(
          `UPDATE preset SET name = ?4, operation = ?5, params = ?6, updated_at = ?7,
             expire_days = ?8, version = version + 1
           WHERE id = ?1 AND owner_id = ?2 AND version = ?3`,
        )
        .run(
          ...([id, ownerId, version, kept.name, kept.operation, kept.params] as const),
          ...([isoTime(this.clock.nowMs()), expireDays] as const),
        );
      return changes === 1 ? this.get(ownerId, id) : null;
    });
  }

  /**
   * @param version only this one; null for whichever it is. False when it has changed since.
   * @throws Refusal 404 `no_such_preset`, 403 `read_only`
   */
  delete(ownerId: string, id: string, version: number | null): boolean {
    this.own(ownerId, id);
    const { changes } = this.db
      .query("DELETE FROM preset WHERE id = ?1 AND owner_id = ?2 AND version = ifnull(?3, version)")
      .run(id, ownerId, version);
    return changes === 1;
  }

  /**
   * Operation and parameters of a request that names a preset: its own parameters lie over the preset's,
   * objects field by field, lists and values as a whole.
   * @throws Refusal 404 `no_such_preset`, 422 `wrong_preset` when it is one of another operation
   */
  applied(
    ownerId: string,
    request: { preset: string; operation?: string | undefined; params: unknown },
  ): { operation: string; params: unknown; expireDays: number | null } {
    const preset = this.get(ownerId, request.preset);
    if (request.operation !== undefined && request.operation !== preset.operation) {
      const message = `is a preset of ${preset.operation}, not of ${request.operation}`;
      throw new Refusal(422, "wrong_preset", `The preset ${preset.name} ${message}.`, {
        errors: [{ path: "preset", message }],
      });
    }
    const over = request.params ?? {};
    if (typeof over !== "object" || Array.isArray(over)) {
      return { operation: preset.operation, params: over, expireDays: preset.expireDays };
    }
    const params = laidOver(preset.params, over as Record<string, unknown>);
    return { operation: preset.operation, params, expireDays: preset.expireDays };
  }

  /**
   * Keeps all of them or none; one takes the place of another of the same name. Refused with the name of the first that
   * cannot be kept.
   * @throws Refusal as `create`
   */
  takeAll(ownerId: string, wishes: readonly PresetWish[]): void {
    transaction(this.db, () => {
      for (const wish of wishes) this.takeOne(ownerId, wish);
    });
  }

  private takeOne(ownerId: string, wish: PresetWish): void {
    const name = wish.name.normalize("NFC").trim().toLowerCase();
    const known = this.mine(ownerId).find((preset) => preset.name.toLowerCase() === name);
    try {
      if (known === undefined) this.create(ownerId, wish);
      else this.replace(ownerId, known.id, known.version, wish);
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause;
      const { status, code, errors } = cause;
      throw new Refusal(status, code, `“${wish.name}”: ${cause.message}`, { errors });
    }
  }

  /** Those of this person alone. */
  mine(ownerId: string): Preset[] {
    return this.list(ownerId).filter(({ builtIn, sharedBy }) => !builtIn && sharedBy === null);
  }

  /** Whether everybody may use it. @throws Refusal 404 `no_such_preset`, 403 `read_only` */
  share(ownerId: string, id: string, shared: boolean): Preset {
    this.own(ownerId, id);
    this.db
      .query("UPDATE preset SET shared = ?3 WHERE id = ?1 AND owner_id = ?2")
      .run(id, ownerId, shared ? 1 : 0);
    return this.get(ownerId, id);
  }

  private own(ownerId: string, id: string): Preset {
    const preset = this.get(ownerId, id);
    if (preset.sharedBy !== null) {
      const sentence = "This preset is somebody else's. Save one of your own.";
      throw new Refusal(403, "read_only", sentence);
    }
    if (preset.builtIn) {
      const sentence = "This preset comes with Kinomill and stays as it is. Save one of your own.";
      throw new Refusal(403, "read_only", sentence);
    }
    // Changing goes by id alone: a name may have gone to another preset meanwhile.
    if (preset.id !== id) throw new Refusal(404, "no_such_preset", "There is no such preset.");
    return preset;
  }

  private refuseTakenName(ownerId: string, name: string, exceptId: string | null): void {
    const taken = [...builtIns, ...this.mine(ownerId)].find(
      (preset) => preset.name.toLowerCase() === name.toLowerCase() && preset.id !== exceptId,
    );
    if (taken === undefined) return;
    throw new Refusal(409, "name_taken", "There is a preset of that name. Choose another name.");
  }
}

const builtIns: readonly Preset[] = builtInPresets.map((preset) => ({
  ...preset,
  ...{ builtIn: true, version: 1, expireDays: null, createdAt: null, updatedAt: null },
  ...{ shared: false, sharedBy: null },
}));

function presetOf({ params, shared, ...row }: Row): Preset {
  const value: unknown = JSON.parse(params);
  assert(typeof value === "object" && value !== null, "a preset's parameters are an object");
  return { ...row, params: value as Record<string, unknown>, builtIn: false, shared: shared === 1 };
}

/** The wish as it is kept. */
function checked({ name, operation, params }: PresetWish): {
  name: string;
  operation: string;
  params: string;
} {
  parseParams(findOperation(operation), params);
  const json = JSON.stringify(params);
  if (Buffer.byteLength(json) > PARAMS_LIMIT_BYTES) {
    const message = `are longer than ${PARAMS_LIMIT_BYTES} bytes`;
    throw new Refusal(422, "invalid_params", `The parameters of a preset ${message}.`, {
      errors: [{ path: "params", message }],
    });
  }
  return { name: checkedName(name), operation, params: json };
}

/** Control characters, broken surrogates, line ends, and marks that turn the direction of what follows. */
const unprintable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

function checkedName(text: string): string {
  const name = text.normalize("NFC").trim();
  const length = [...name].length;
  if (length >= 1 && length <= NAME_LIMIT && !unprintable.test(name)) return name;
  const message = `must have 1 to ${NAME_LIMIT} characters, without control characters or line ends`;
  throw new Refusal(422, "invalid_name", `The name of a preset ${message}.`, {
    errors: [{ path: "name", message }],
  });
}
