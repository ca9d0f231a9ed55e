/**
 * The settings while the server runs. Flags, environment and file of the host come first and lock what they say; below
 * them holds what an admin said on the page, and below that the default. Parts keep a section of `config` and read it
 * when they need it, so most changes hold at once; what must be done besides, a part does when it hears of a change.
 */
import type { Database } from "bun:sqlite";
import { type Clock, isoTime } from "../clock.ts";
import {
  type Config,
  type HostOrigin,
  type LoadedConfig,
  type Setting,
  setPath,
  settings,
  valueAt,
} from "../config.ts";
import type { Editable } from "../config-editable.ts";
import { configSchema, secretSettings } from "../config-schema.ts";
import { transaction } from "../database/transaction.ts";
import type { Log } from "../log.ts";
import { type FieldFault, Refusal } from "../trouble.ts";
import { type Actor, Acts } from "./acts.ts";
import { type SettingShape, shapeOf } from "./shape.ts";
import { editableSetting, type Ignored, layUnder, readStored, type Stored } from "./stored.ts";

/** One setting as it is now. */
export interface SettingState extends SettingShape {
  key: string;
  environmentName: string;
  sentence: string;
  /** Null: only the host says it. */
  editable: Editable | null;
  /** What holds now; of a secret only whether there is one. */
  value: unknown;
  origin: "default" | "page" | HostOrigin;
  default: unknown;
  /** What an admin said; undefined when nobody did or it is back to the default. It holds unless the host says more. */
  pageValue: unknown;
  /** Why what the page said does not hold although it is there. */
  ignored: Ignored["reason"] | null;
  /** What holds from the next start on, where it differs; undefined otherwise. */
  afterRestart: unknown;
  /** Of the last change on the page; null before the first. */
  changedAt: string | null;
  changedBy: string | null;
  revision: number;
}

export interface SettingsParts {
  database: Database;
  clock: Clock;
  log: Log;
  loaded: LoadedConfig;
}

type Listener = (keys: readonly string[]) => void;

export class Settings {
  /** Changes while the server runs. */
  readonly config: Config;
  readonly acts: Acts;
  /** Path of the file of settings, for the words of the page; null for none. */
  readonly file: string | null;
  private readonly parts: SettingsParts;
  private readonly listeners = new Set<Listener>();
  private readonly stored: Map<string, Stored>;
  private readonly ignored: Map<string, Ignored["reason"]>;

  constructor(parts: SettingsParts) {
    this.parts = parts;
    this.config = parts.loaded.config;
    this.file = parts.loaded.file;
    this.acts = new Acts(parts.database, parts.clock);
    const stored = readStored(parts.database);
    this.stored = new Map(stored.map((each) => [each.key, each]));
    const ignored = layUnder(parts.loaded, stored);
    this.ignored = new Map(ignored.map(({ key, reason }) => [key, reason]));
    for (const { key, reason } of ignored) {
      parts.log.warn({ setting: key, reason }, "what the page says of a setting does not hold");
    }
  }

  /** Counts changes over all settings. */
  get revision(): number {
    return Math.max(0, ...[...this.stored.values()].map(({ revision }) => revision));
  }

  /** Whether something was changed that holds only after a restart. */
  get restartNeeded(): boolean {
    return settings.some((setting) => this.afterRestart(setting) !== undefined);
  }

  /** Calls when settings have changed, with their keys. Returns how to stop that. */
  follow(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** All of them, in the order of the schema. */
  list(): SettingState[] {
    return settings.map((setting) => this.state(setting));
  }

  /**
   * Puts values in the place of those before; null is back to the default. All or none.
   * @param seenRevision of the list that the admin saw: refused when one of these settings was changed after it
   * @throws Refusal 422 `invalid_settings` with every fault, 412 `precondition_failed` naming who was faster
   */
  change(actor: Actor, wanted: Record<string, unknown>, seenRevision: number): SettingState[] {
    const checked = this.checked(wanted);
    const changed = transaction(this.parts.database, () => {
      this.refuseStale(Object.keys(checked), seenRevision);
      return Object.entries(checked).flatMap(([key, value]) => this.write(actor, key, value));
    });
    for (const stored of changed) this.take(stored);
    const keys = changed.map(({ key }) => key);
    if (keys.length > 0) {
      this.parts.log.info({ settings: keys, by: actor.name }, "settings were changed");
      for (const listener of this.listeners) listener(keys);
    }
    return this.list();
  }

  private state(setting: Setting): SettingState {
    const { key, environmentName, sentence, editable } = setting;
    const stored = this.stored.get(key);
    const pageValue = stored?.value;
    const ignored = this.ignored.get(key) ?? null;
    const host = this.parts.loaded.origins.get(key);
    return {
      ...{ key, environmentName, sentence, editable, ...shapeOf(setting) },
      value: shown(key, valueAt(this.config, key)),
      origin: host ?? (pageValue === undefined || ignored !== null ? "default" : "page"),
      default: setting.schema.parse(undefined),
      ...{ pageValue, ignored, afterRestart: this.afterRestart(setting) },
      changedAt: stored?.changedAt ?? null,
      changedBy: stored?.changedBy ?? null,
      revision: stored?.revision ?? 0,
    };
  }

  /** The value that the next start takes, where another one holds now. */
  private afterRestart({ key, schema, editable }: Setting): unknown {
    if (editable?.effect !== "restart" || this.parts.loaded.origins.has(key)) return undefined;
    const next = this.stored.get(key)?.value ?? schema.parse(undefined);
    return same(next, valueAt(this.config, key)) ? undefined : next;
  }

  /** The values as the schema has them; undefined for the default. */
  private checked(wanted: Record<string, unknown>): Record<string, unknown> {
    const faults: FieldFault[] = [];
    const checked: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(wanted)) {
      const setting = editableSetting(key);
      const locked = this.lock(key);
      const parsed = setting?.schema.safeParse(value);
      if (parsed === undefined) faults.push({ path: key, message: unknownWords(key) });
      else if (value === null) checked[key] = undefined;
      else if (locked !== null) faults.push({ path: key, message: locked });
      else if (parsed.success) checked[key] = parsed.data;
      else faults.push(...parsed.error.issues.map(({ message }) => ({ path: key, message })));
    }
    if (faults.length === 0) faults.push(...this.crossFaults(checked));
    if (faults.length === 0) return checked;
    const sentence = "The settings were not changed: see what is wrong with each.";
    throw new Refusal(422, "invalid_settings", sentence, { errors: faults });
  }

  /** Faults of values that do not go together. */
  private crossFaults(checked: Record<string, unknown>): FieldFault[] {
    const whole = structuredClone(this.config) as Record<string, unknown>;
    for (const [key, value] of Object.entries(checked)) setPath(whole, key, value);
    const parsed = configSchema.safeParse(whole);
    if (parsed.success) return [];
    return parsed.error.issues.map(({ path, message }) => ({ path: path.join("."), message }));
  }

  /** Why the page cannot change it; null when it can. */
  private lock(key: string): string | null {
    const origin = this.parts.loaded.origins.get(key);
    const name = settings.find((setting) => setting.key === key)?.environmentName;
    if (origin === "file") return `is set in ${this.file}: change it there`;
    if (origin === "environment") return `is set by ${name} in the environment: change it there`;
    return origin === "flag" ? "is set by a flag of the command that started the server" : null;
  }

  private refuseStale(keys: readonly string[], seenRevision: number): void {
    const later = keys.flatMap((key) => {
      const stored = this.stored.get(key);
      return stored !== undefined && stored.revision > seenRevision ? [stored] : [];
    });
    if (later.length === 0) return;
    const errors = later.map(({ key, changedBy, value }) => {
      const to = value === undefined ? "its default" : JSON.stringify(value);
      return { path: key, message: `was changed to ${to} by ${changedBy} meanwhile` };
    });
    const sentence =
      "Somebody else changed these settings meanwhile. Look at what they are now and repeat your change.";
    throw new Refusal(412, "precondition_failed", sentence, { errors });
  }

  /** Nothing when it is so already. */
  private write(actor: Actor, key: string, value: unknown): Stored[] {
    const before = this.stored.get(key)?.value;
    if (same(before, value)) return [];
    const { database, clock } = this.parts;
    const changedAt = isoTime(clock.nowMs());
    const row = database
      .query<{ revision: number }, [string, string | null, string, string]>(
        `INSERT INTO setting (key, value, revision, changed_at, changed_by)
         VALUES (?1, ?2, (SELECT coalesce(max(revision), 0) + 1 FROM setting), ?3, ?4)
         ON CONFLICT DO UPDATE SET value = excluded.value, revision = excluded.revision,
           changed_at = excluded.changed_at, changed_by = excluded.changed_by
         RETURNING revision`,
      )
      .get(key, value === undefined ? null : JSON.stringify(value), changedAt, actor.name);
    this.acts.note(actor, "setting.changed", key, {
      before: before ?? null,
      after: value ?? null,
    });
    const revision = row?.revision ?? 0;
    return [{ key, value, revision, changedAt, changedBy: actor.name }];
  }

  /** After the commit: what holds at once, holds. */
  private take(stored: Stored): void {
    const { key, value } = stored;
    this.stored.set(key, stored);
    this.ignored.delete(key);
    const setting = editableSetting(key);
    const locked = this.parts.loaded.origins.has(key);
    if (setting === null || locked || setting.editable?.effect !== "at once") return;
    setPath(this.config as Record<string, unknown>, key, value ?? setting.schema.parse(undefined));
  }
}

function shown(key: string, value: unknown): unknown {
  if (!secretSettings.has(key)) return value;
  return value === "" || value === undefined ? "" : "[secret]";
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function unknownWords(key: string): string {
  return settings.some((setting) => setting.key === key)
    ? "can be changed only in the file of settings, in the environment or by a flag"
    : "is no setting";
}
