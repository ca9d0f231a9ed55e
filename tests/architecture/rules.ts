/** The rules that a line of one file can break. Each returns the faults as sentences, none when all is well. */
import { withoutComments } from "./imports.ts";
import { isProduct, type SourceFile } from "./tree.ts";

/** Past this many lines a file holds more than one idea. */
const FILE_LINES_MAX = 400;

export function longFiles(files: SourceFile[]): string[] {
  return files
    .filter(({ path }) => path.endsWith(".ts"))
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split("\n").length }))
    .filter(({ lines }) => lines > FILE_LINES_MAX)
    .map(({ path, lines }) => `${path} has ${lines} lines, more than ${FILE_LINES_MAX}`);
}

/** Words that say nothing about what a file holds. */
const emptyWords = /(^|[-.])(utils?|helpers?|types?|services?|managers?|common|misc)([-.]|$)/;

export function emptyNames(files: SourceFile[]): string[] {
  return files
    .filter(({ path }) => /^(src|views|tests|script|bench)\//.test(path))
    .filter(({ path }) => path.split("/").some((name) => emptyWords.test(name)))
    .map(({ path }) => `${path} is named by a word that says nothing`);
}

/** Product code that holds `pattern` outside the files that may. */
function onlyIn(owners: string[], pattern: RegExp, what: string) {
  return (files: SourceFile[]): string[] =>
    files
      .filter((file) => isProduct(file) && !owners.includes(file.path))
      .filter(({ text }) => pattern.test(withoutComments(text)))
      .map(({ path }) => `${path} ${what}; only ${owners.join(" and ")} may`);
}

export const environmentReaders = onlyIn(
  ["src/environment.ts"],
  /\bprocess\.env\b|\bBun\.env\b|\bimport\.meta\.env\b|\benv\b[^;]*from "(node:)?process"/,
  "reads the environment",
);

/** Media is opened by what the first starts; the second copies the database; the third asks programs of the host. */
export const spawners = onlyIn(
  ["src/media/ffmpeg.ts", "src/backup/copying.ts", "src/commands/host-programs.ts"],
  /\bBun\.(spawn|spawnSync|\$)|child_process|\{[^}]*(\$|\bspawn)[^}]*\}\s*from "bun"/,
  "starts processes",
);

/** One owner for each purpose: becoming the fenced program, and talking to systemd. */
export const foreignCallers = onlyIn(
  ["src/media/fence.ts", "src/systemd/libc.ts"],
  /"bun:ffi"/,
  "calls C functions",
);

/**
 * Hosts of package registries and paths of one machine: neither belongs in a public repository.
 * Spelt with brackets, so that the pattern does not match itself.
 */
const strayPlaces =
  /registry[.]npmjs|deb[.]debian[.]org|archive[.]ubuntu[.]com|(?<![\w.-])[/](work|farm|root)[/][a-z.]/;

export function strayPlacesIn(files: SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const hit = strayPlaces.exec(text);
    return hit === null ? [] : [`${path} names a registry host or a machine's path: ${hit[0]}`];
  });
}

interface PackageJson {
  packageManager?: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

export function loosePins(text: string): string[] {
  const { dependencies, devDependencies } = JSON.parse(text) as PackageJson;
  return Object.entries({ ...dependencies, ...devDependencies })
    .filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))
    .map(([name, version]) => `${name} is "${version}": pin one exact version`);
}

/** The Bun of package.json is the one that the scripts fetch and put on PATH. */
export function otherBuns(packageText: string, scripts: SourceFile[]): string[] {
  const pinned = (JSON.parse(packageText) as PackageJson).packageManager?.replace("bun@", "");
  return scripts.flatMap(({ path, text }) =>
    Array.from(text.matchAll(/\bbun(?:_version=|-)(\d+\.\d+\.\d+)/g))
      .filter(([, version]) => version !== pinned)
      .map(([, version]) => `${path} uses Bun ${version}, package.json pins ${pinned}`),
  );
}
