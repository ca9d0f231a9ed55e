/**
 * Prints what is inside the executable as CycloneDX 1.5, from bun.lock: every package that the product depends on, with
 * the checksum that the registry published, Bun itself, the files in static/vendor, and the packages that the player's
 * library was built from:  bun script/sbom.ts VERSION
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { libraryPackages } from "./player-library.ts";

const root = resolve(import.meta.dir, "..");

interface Lock {
  workspaces: { "": { dependencies: Record<string, string> } };
  /** By the place in node_modules: name@version, registry, facts, integrity. */
  packages: Record<string, [string, string, { dependencies?: Record<string, string> }?, string?]>;
}

interface Component {
  type: "library" | "application";
  "bom-ref": string;
  name: string;
  version: string;
  purl: string;
  hashes?: { alg: string; content: string }[];
}

/**
 * Packages that the product needs, with what they need. One that is nested stands under `parent/name` in the lock.
 * @param built packages beside the dependencies that something in static/vendor was built from
 */
export function shippedPackages(lock: Lock, built: readonly string[] = []): Component[] {
  const found = new Map<string, Component>();
  const visit = (name: string, parents: string[]) => {
    const places = parents.map((_, at) =>
      [...parents.slice(0, parents.length - at), name].join("/"),
    );
    const place = [...places, name].find((path) => lock.packages[path] !== undefined);
    // Optional packages for other systems are not in the lock.
    const entry = place === undefined ? undefined : lock.packages[place];
    if (place === undefined || entry === undefined || found.has(place)) return;
    found.set(place, componentOf(entry[0], entry[3]));
    const inner = place === name ? [name] : [...parents, name];
    for (const needed of Object.keys(entry[2]?.dependencies ?? {})) visit(needed, inner);
  };
  for (const name of [...Object.keys(lock.workspaces[""].dependencies), ...built]) visit(name, []);
  const unique = new Map([...found.values()].map((component) => [component.purl, component]));
  return [...unique.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1));
}

function componentOf(spec: string, integrity: string | undefined): Component {
  const at = spec.lastIndexOf("@");
  const [name, version] = [spec.slice(0, at), spec.slice(at + 1)];
  const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  const content = integrity?.startsWith("sha512-")
    ? Buffer.from(integrity.slice("sha512-".length), "base64").toString("hex")
    : null;
  const hashes = content === null ? {} : { hashes: [{ alg: "SHA-512", content }] };
  return { type: "library", "bom-ref": purl, name, version, purl, ...hashes };
}

/** `htmx-4.0.1.min.js` → htmx 4.0.1. Files without a version in the name came with the one before them. */
function vendored(): Component[] {
  return readdirSync(join(root, "static/vendor")).flatMap((file): Component[] => {
    const named = /^(.+?)-(\d+\.\d+\.\d+)\b/.exec(file);
    if (named === null) return [];
    const content = new Bun.CryptoHasher("sha512")
      .update(readFileSync(join(root, "static/vendor", file)))
      .digest("hex");
    const [, name = "", version = ""] = named;
    const purl = `pkg:generic/${name}@${version}?file_name=${file}`;
    const hashes = [{ alg: "SHA-512", content }];
    return [{ type: "library", "bom-ref": purl, name, version, purl, hashes }];
  });
}

if (import.meta.main) {
  const version = process.argv[2] ?? "0.0.0";
  const lock = Bun.JSONC.parse(readFileSync(join(root, "bun.lock"), "utf8")) as Lock;
  const bun: Component = {
    type: "application",
    "bom-ref": `pkg:generic/bun@${Bun.version}`,
    name: "bun",
    version: Bun.version,
    purl: `pkg:generic/bun@${Bun.version}`,
  };
  const purl = `pkg:generic/kinomill@${version}`;
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: {
      component: { type: "application", "bom-ref": purl, name: "kinomill", version, purl },
    },
    components: [bun, ...shippedPackages(lock, libraryPackages), ...vendored()],
  };
  console.log(JSON.stringify(document, null, 2));
}
