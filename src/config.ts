/**
 * The values of the settings. They come from, weakest first: the defaults of the schema, the page (`settings/` lays them
 * over), a TOML file, `KINOMILL_*` in the environment, flags of the command line.
 */
import { resolve } from "node:path";
import { z } from "zod";
import type { Editable } from "./config-editable.ts";
import { configSchema, secretSettings } from "./config-schema.ts";
import type { Environment } from "./environment.ts";
import { credentialPath } from "./systemd/credentials.ts";
import { Refusal } from "./trouble.ts";

export { secretSettings };

export type Config = z.output<typeof configSchema>;

/** One leaf of the schema, for the sample file, the documentation and the environment. */
export interface Setting {
  /** Dotted key as in the TOML file, for example `jobs.cpuSlots`. */
  key: string;
  /** `KINOMILL_JOBS_CPU_SLOTS`. */
  environmentName: string;
  sentence: string;
  schema: z.ZodType;
  /** Null: only the host says it. */
  editable: Editable | null;
}

/** Who on the host said a value; everything else is the page's, or the default. */
export type HostOrigin = "file" | "environment" | "flag";

/** The configuration of the host, and where its values come from. */
export interface LoadedConfig {
  config: Config;
  /** By key of the setting; those that the host says nothing of are not there. */
  origins: ReadonlyMap<string, HostOrigin>;
  /** Path of the file that was read. */
  file: string | null;
}

export const settings: readonly Setting[] = listSettings(configSchema, []);

function listSettings(schema: z.ZodType, path: string[]): Setting[] {
  const inner = unwrap(schema);
  if (!(inner instanceof z.ZodObject)) {
    const key = path.join(".");
    const words = path.flatMap((part) => part.split(/(?=[A-Z])/));
    const environmentName = `KINOMILL_${words.join("_").toUpperCase()}`;
    const editable = (schema.meta()?.["editable"] ?? null) as Editable | null;
    return [{ key, environmentName, sentence: schema.description ?? "", schema, editable }];
  }
  return Object.entries(inner.shape as Record<string, z.ZodType>).flatMap(([name, child]) =>
    listSettings(child, [...path, name]),
  );
}

function unwrap(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault
    ? unwrap(schema.unwrap() as z.ZodType)
    : schema;
}

export interface ConfigSources {
  /** Path of a TOML file, or null for none. */
  file: string | null;
  environment: Environment;
  /** Settings by dotted key from flags of the command line. */
  flags: Record<string, unknown>;
}

/** The same without where the values come from. @throws Refusal as `readConfig` */
export async function loadConfig(sources: ConfigSources): Promise<Config> {
  return (await readConfig(sources)).config;
}

/**
 * Puts the sources of the host together.
 * @throws Refusal 400 `bad_config` whose `errors` name every fault at once: key, value, what is allowed.
 */
export async function readConfig(sources: ConfigSources): Promise<LoadedConfig> {
  const merged: Record<string, unknown> = sources.file === null ? {} : await readFile(sources.file);
  const origins = new Map<string, HostOrigin>();
  for (const { key } of settings) {
    if (valueAt(merged, key) !== undefined) origins.set(key, "file");
  }
  const unknownNames = mergeEnvironment(merged, sources.environment, origins);
  for (const [key, value] of Object.entries(sources.flags)) {
    if (value === undefined) continue;
    setPath(merged, key, value);
    origins.set(key, "flag");
  }
  findCredentials(merged, sources.environment["CREDENTIALS_DIRECTORY"]);
  const parsed = configSchema.safeParse(merged, { reportInput: true });
  const faults = unknownNames.map((name) => ({
    path: name,
    message: `no such setting; the settings are listed by "kinomill config check --list"`,
  }));
  if (!parsed.success) faults.push(...parsed.error.issues.map(describeFault));
  if (faults.length > 0 || !parsed.success) {
    const lines = faults.map((fault) => `  ${fault.path}: ${fault.message}`).join("\n");
    throw new Refusal(400, "bad_config", `The configuration has faults:\n${lines}`, {
      errors: faults,
    });
  }
  const config = { ...parsed.data, data: resolve(parsed.data.data) };
  return { config, origins, file: sources.file };
}

/** Files of the settings may be secrets that systemd hands to the service. */
function findCredentials(tree: Record<string, unknown>, directory: string | undefined): void {
  for (const { key } of settings.filter((setting) => setting.key.endsWith("File"))) {
    const value = valueAt(tree, key);
    if (typeof value === "string") setPath(tree, key, credentialPath(value, directory));
  }
}

/** What stands under a dotted key of a tree of settings; undefined where nothing does. */
export function valueAt(tree: unknown, key: string): unknown {
  return key
    .split(".")
    .reduce<unknown>((node, part) => (node as Record<string, unknown> | undefined)?.[part], tree);
}

function describeFault(issue: z.core.$ZodIssue): { path: string; message: string } {
  const path = issue.path.join(".") || "(file)";
  const setting = settings.find(({ key }) => key === path);
  const value =
    issue.input === undefined
      ? ""
      : `${shownValue(issue.path.join("."), issue.input)} is not allowed: `;
  const about = setting === undefined ? "" : ` (${setting.sentence})`;
  return { path, message: `${value}${issue.message}${about}` };
}

/** A setting's value for a person to read: of a secret only whether there is one. */
export function shownValue(path: string, value: unknown): string {
  const hidden = (key: string, inner: unknown) =>
    secretSettings.has(key) && inner !== "" ? "[secret]" : inner;
  const shown = (key: string, inner: unknown): unknown => {
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) {
      return hidden(key, inner);
    }
    return Object.fromEntries(
      Object.entries(inner).map(([name, child]) => {
        return [name, shown(key === "" ? name : `${key}.${name}`, child)];
      }),
    );
  };
  return JSON.stringify(shown(path, value)) ?? "nothing";
}

async function readFile(path: string): Promise<Record<string, unknown>> {
  const text = await Bun.file(path)
    .text()
    .catch((cause: Error) => {
      throw new Refusal(
        400,
        "bad_config",
        `Cannot read the configuration ${path}: ${cause.message}`,
      );
    });
  try {
    return Bun.TOML.parse(text) as Record<string, unknown>;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Refusal(400, "bad_config", `${path} is not valid TOML: ${reason}`);
  }
}

/** For who talks to a server, no settings of one. */
const clientNames: ReadonlySet<string> = new Set(["KINOMILL_URL", "KINOMILL_TOKEN"]);

/** Copies `KINOMILL_*` into the tree and returns the names that are no setting: a typo must not be silent. */
function mergeEnvironment(
  tree: Record<string, unknown>,
  environment: Environment,
  origins: Map<string, HostOrigin>,
): string[] {
  const unknownNames: string[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith("KINOMILL_") || clientNames.has(name) || text === undefined) continue;
    const setting = settings.find(({ environmentName }) => environmentName === name);
    if (setting === undefined) {
      unknownNames.push(name);
      continue;
    }
    setPath(tree, setting.key, fromText(setting.schema, text));
    origins.set(setting.key, "environment");
  }
  return unknownNames;
}

/** Text of the environment as the schema's kind of value; what does not convert is left for zod to refuse. */
function fromText(schema: z.ZodType, text: string): unknown {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodNumber && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (inner instanceof z.ZodBoolean && /^(true|false)$/.test(text)) return text === "true";
  if (inner instanceof z.ZodArray) {
    // Addresses have colons of their own.
    const separator = schema.meta()?.["commasOnly"] === true ? "," : /[,:]/;
    return text === "" ? [] : text.split(separator);
  }
  return text;
}

/** Puts a value under a dotted key, into the objects that are there. */
export function setPath(tree: Record<string, unknown>, key: string, value: unknown): void {
  const parts = key.split(".");
  const last = parts.pop() as string;
  let node = tree;
  for (const part of parts) {
    const child = node[part];
    if (typeof child !== "object" || child === null) node[part] = {};
    node = node[part] as Record<string, unknown>;
  }
  node[last] = value;
}

/** The commented sample file. `docs/kinomill.sample.toml` is this text; a test compares them. */
export function sampleConfig(): string {
  const lines = [
    "# Kinomill's settings. Every line is optional; what stands here in comments is the default.",
    "# The environment overrides this file (KINOMILL_JOBS_CPU_SLOTS=2), flags override both. What stands here cannot be",
    "# changed on the page any more: it holds, also over what an admin set there.",
  ];
  const topLevel = settings.filter(({ key }) => !key.includes("."));
  const grouped = Map.groupBy(
    settings.filter(({ key }) => key.includes(".")),
    ({ key }) => key.slice(0, key.lastIndexOf(".")),
  );
  lines.push(...topLevel.flatMap(sampleLines));
  for (const [group, members] of grouped) {
    lines.push("", `[${group}]`, ...members.flatMap(sampleLines).slice(1));
  }
  return `${lines.join("\n")}\n`;
}

/** Defaults that differ from box to box are shown as an example that is the same everywhere. */
const sampleValues: Record<string, unknown> = { data: "/var/lib/kinomill", "jobs.cpuSlots": 1 };

function sampleLines(setting: Setting): string[] {
  const name = setting.key.slice(setting.key.lastIndexOf(".") + 1);
  const value = sampleValues[setting.key] ?? setting.schema.parse(undefined);
  return ["", `# ${setting.sentence}`, `# ${name} = ${JSON.stringify(value)}`];
}
