/**
 * Which part may import which. The table is the architecture: an arrow that it does not hold is a fault.
 * Tests beside the code may import what they like.
 */
import { posix } from "node:path";
import { isProduct, type SourceFile } from "./tree.ts";

const ground = [
  ...[
    "config",
    "config-editable",
    "config-http",
    "environment",
    "schedule",
    "network-place",
    "byte-words",
  ],
  ...[
    "own-addresses",
    "clock",
    "identity",
    "product",
    "trouble",
    "log",
    "log-ring",
    "turnstile",
    "ended",
  ],
];
const underMedia = ["storage", "database", "secrets", "tls", ...ground];
const underAssets = ["runners", "media", ...underMedia];
const underFeatures = ["assets", ...underAssets];
const features = [
  "jobs",
  "ingest",
  "accounts",
  "settings",
  "operations",
  "backup",
  "support",
  "views",
];

/** Part → parts that it may import besides itself. A part is a folder or a file directly under `src`. */
export const arrows: Record<string, readonly string[]> = {
  main: ["commands", "http", "doctor", "metrics", ...features, ...underFeatures],
  commands: ["mdns", "http", "doctor", "metrics", "systemd", ...features, ...underFeatures],
  http: ["doctor", "metrics", "systemd", ...features, ...underFeatures, "static"],
  // Looks at every part; of the views it takes how quantities are said.
  doctor: ["views", "backup", ...underFeatures],
  metrics: ["jobs", ...underFeatures],
  // When needs what: a job is planned by its operation.
  jobs: ["operations", ...underFeatures],
  ingest: underFeatures,
  accounts: underMedia,
  // What the page says of the settings, over what the host says of them.
  settings: ["database", "config-schema", ...ground],
  backup: ["storage", "database", ...ground],
  // Pure, held by `impureOperations` below.
  operations: ["media", "byte-words", "trouble"],
  // Of everything below a page only sees shapes (type-only imports), held by `busyViews` below.
  views: [
    "metrics",
    "jobs",
    "ingest",
    "accounts",
    "settings",
    "operations",
    "backup",
    "static",
    ...underFeatures,
  ],
  assets: underAssets,
  runners: ["media", ...underMedia],
  media: underMedia,
  systemd: ["trouble"],
  storage: ground,
  tls: ground,
  mdns: ground,
  // Facts for helpers: it reads and tries nothing.
  support: ["doctor", "database", ...ground],
  // Sealed in the database, by a key that is elsewhere.
  secrets: ["database", "systemd", ...ground],
  database: ground,
  config: ["config-editable", "config-schema", "environment", "systemd", "trouble"],
  "config-schema": [
    ...["config-editable", "config-http", "config-imports", "config-uploads", "config-storage"],
    ...[
      "config-keeping",
      "config-mdns",
      "config-secrets",
      "config-tls",
      "config-work",
      "environment",
    ],
  ],
  "config-uploads": ["config-editable"],
  "own-addresses": [],
  "config-secrets": [],
  "config-tls": [],
  "config-mdns": [],
  "config-http": ["network-place"],
  "config-imports": ["config-editable", "network-place"],
  "config-storage": ["config-editable"],
  "config-work": ["config-editable"],
  "config-keeping": ["config-editable", "schedule"],
  "config-editable": [],
  "byte-words": [],
  environment: [],
  schedule: [],
  "network-place": [],
  clock: [],
  turnstile: [],
  ended: [],
  identity: [],
  product: [],
  trouble: [],
  log: ["product", "log-ring"],
  "log-ring": [],
};

/** What a view may use the values of; of any other part it may import types only. */
const viewValues = ["views", "operations", "trouble", "product", "static", "byte-words"];

export interface Import {
  from: string;
  to: string;
  /** True for `import type`: it leaves nothing in the executable. */
  typeOnly: boolean;
}

/** The imports of one file; relative targets are resolved to paths of the checkout. */
export function importsOf({ path, text }: SourceFile): Import[] {
  const statements =
    /^(?:import|export)\s+(?:(type\b)?[^;"'`]*?\bfrom\s*)?"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;
  return Array.from(text.matchAll(statements), ([, type, target = "", dynamic]) => {
    const name = dynamic ?? target;
    const to = name.startsWith(".") ? posix.join(posix.dirname(path), name) : name;
    return { from: path, to, typeOnly: type !== undefined };
  });
}

/** `src/jobs/queue.ts` → `jobs`, `src/clock.ts` → `clock`, `views/page.ts` → `views`; null outside. */
export function partOf(path: string): string | null {
  const [top, second] = path.split("/");
  if (top === "views" || top === "static") return top;
  return top === "src" && second !== undefined ? second.replace(/\.ts$/, "") : null;
}

/** Every arrow that the table does not hold. */
export function wrongArrows(files: SourceFile[]): string[] {
  return files.filter(isProduct).flatMap((file) =>
    importsOf(file).flatMap(({ from, to }) => {
      const [part, target] = [partOf(from) ?? "", partOf(to)];
      // Packages, the runtime and the package's own facts are no arrows.
      if (!/^(src|views|static)\//.test(to) || target === part) return [];
      const allowed = arrows[part];
      if (allowed === undefined) return [`${from}: "${part}" is not in the table of arrows`];
      return allowed.includes(target ?? "") ? [] : [`${from} must not import ${to}`];
    }),
  );
}

/** What reaches out of a module: the runtime's I/O, the clock, chance. `node:path` only computes. */
const reachesOut =
  /\bBun\.(?!TOML|escapeHTML|deepEquals)|\bprocess\.|\bfetch\(|\bDate\.now|\bnew Date\(\)|Math\.random|crypto\.|performance\.|\bset(?:Timeout|Interval)\(/;

/**
 * Operations are pure: neither they nor any module whose values they use, however far away, may do I/O
 * or read the clock. Types may come from anywhere below.
 */
export function impureOperations(files: SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const waiting = files.filter((file) => isProduct(file) && partOf(file.path) === "operations");
  const seen = new Set(waiting.map(({ path }) => path));
  const faults: string[] = [];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    const hit = reachesOut.exec(withoutComments(file.text));
    if (hit !== null) faults.push(`${file.path} is used by operations, but reaches out: ${hit[0]}`);
    for (const { to, typeOnly } of importsOf(file)) {
      if (typeOnly || seen.has(to)) continue;
      seen.add(to);
      const next = byPath.get(to);
      if (next !== undefined) waiting.push(next);
      else if (/^(bun|node)(:|$)/.test(to) && to !== "node:path") {
        faults.push(`${file.path} is used by operations, but imports ${to}`);
      }
    }
  }
  return faults;
}

/** Views draw: of the parts that do the work they may know the shapes alone. */
export function busyViews(files: SourceFile[]): string[] {
  return files
    .filter((file) => isProduct(file) && partOf(file.path) === "views")
    .flatMap(importsOf)
    .filter(({ to, typeOnly }) => {
      const part = partOf(to);
      return part !== null && !typeOnly && !viewValues.includes(part) && !isPureList(to);
    })
    .map(({ from, to }) => `${from} may import only types of ${to}`);
}

/** Shapes with their `const` lists: a badge or a filter is drawn from the list itself. */
const isPureList = (path: string) => ["src/jobs/job.ts", "src/assets/asset.ts"].includes(path);

export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|(?<![:"'`\\])\/\/.*$/gm, "");
}
