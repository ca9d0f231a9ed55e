/**
 * Makes static/vendor/hls-VERSION.cmaf.min.js, the part of hls.js that plays our ladders, from the source in its package,
 * and the licences of all that is in it:  bun script/player-library.ts
 *
 * All of hls.js is 155 kB with Brotli, more than a whole page may weigh, and its light build plays no sound that is a
 * stream of its own, as it is in every ladder. So it is built with what ladders have (CMAF, rungs, sounds as renditions,
 * AES-128) and without what they never have. The same package gives the same bytes; static/embedded.test.ts compares.
 */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { BunPlugin } from "bun";

const root = resolve(import.meta.dir, "..");
const modules = join(root, "node_modules");
const version = versionOf("hls.js");

function versionOf(name: string): string {
  const about = JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8"));
  return (about as { version: string }).version;
}

/** Where it stands, and where its licences do. */
export const libraryFile: string = join(root, `static/vendor/hls-${version}.cmaf.min.js`);
export const licencesFile: string = join(root, "static/vendor/hls-LICENSE.txt");

/** Everything that ends up in it, as packages; hls.js itself is built upon the others. */
export const libraryPackages: readonly string[] = [
  "@svta/cml-id3",
  "@svta/cml-utils",
  "eventemitter3",
  "hls.js",
  "url-toolkit",
];

/** What hls.js's own builds switch, as ladders need it. */
const features = {
  /** Each language of sound is a playlist of its own. */
  ALT_AUDIO: true,
  /** Rungs that the machine cannot decode at their size are left out: 8K, HDR. */
  MEDIA_CAPABILITIES: true,
  /** The list of a rung's keyframes plays too: its pictures stand for as long as the list says. */
  IFRAMES: true,
  /** Ladders are encrypted by AES-128 alone, which needs no module of the browser. */
  EME_DRM: false,
  /** `captions` makes files of them; a ladder has none. */
  SUBTITLES: false,
  /** Words of services that deliver streams: our playlists never say them. */
  ...{ CMCD: false, CONTENT_STEERING: false, VARIABLE_SUBSTITUTION: false, INTERSTITIALS: false },
  /** Segments are MP4, never a transport stream. */
  M2TS_ADVANCED_CODECS: false,
};

const defines: Record<string, string> = {
  __VERSION__: JSON.stringify(version),
  // The page's policy lets no worker come from a blob.
  ...{ __IN_WORKER__: "false", __HLS_WORKER_BUNDLE__: "undefined" },
  ...Object.fromEntries(
    Object.entries(features).map(([name, has]) => [`__USE_${name}__`, String(has)]),
  ),
};

/** Says of every segment that it is another's: the demuxer of MP4 is asked first, and takes all of ours. */
const demuxesNothing = "export default { probe: () => false };";
const nothing = "export default undefined;";

/** Modules that no switch leaves out: who imports them, their name, and what stands there instead. */
const replaced: readonly { importer: string; name: string; text: string }[] = [
  ...["tsdemuxer", "aacdemuxer", "mp3demuxer"].map((name) => ({
    ...{ importer: "demux/transmuxer.ts", name, text: demuxesNothing },
  })),
  // Writes MP4 of what those demuxers read.
  { importer: "demux/transmuxer.ts", name: "mp4-remuxer", text: nothing },
  { importer: "demux/inject-worker.ts", name: "transmuxer-worker", text: nothing },
  // Switched off, and it would want a package.
  { importer: "src/config.ts", name: "cmcd-controller", text: nothing },
  // Players beside the player, of keyframes alone: the time line has its pictures from the companions.
  {
    ...{ importer: "src/config.ts", name: "iframe-controller" },
    text: "export const IFrameController = undefined;",
  },
  // Events in the stream (ID3, EXT-X-DATERANGE): ladders have none, and nobody would read them.
  { importer: "src/config.ts", name: "id3-track-controller", text: nothing },
];

const entryName = "player-library";
/** A plain script whose one name is `Hls`, as hls.js's own builds are. */
const entry = `import Hls from ${JSON.stringify(join(modules, "hls.js/src/hls.ts"))}; globalThis.Hls = Hls;`;

/** @param met the names that were replaced are added to it */
function replacing(met: Set<string>): BunPlugin {
  return {
    name: "what ladders need of hls.js",
    setup(build) {
      build.onResolve({ filter: /./ }, ({ path, importer }) => {
        if (path === entryName) return { path, namespace: "entry" };
        const instead = replaced.find(
          ({ importer: by, name }) => importer.endsWith(`/${by}`) && path.endsWith(`/${name}`),
        );
        if (instead === undefined) return undefined;
        met.add(instead.name);
        return { path: instead.name, namespace: "instead" };
      });
      build.onLoad({ filter: /./, namespace: "entry" }, () => ({ contents: entry, loader: "js" }));
      build.onLoad({ filter: /./, namespace: "instead" }, ({ path }) => ({
        contents: replaced.find(({ name }) => name === path)?.text ?? "",
        loader: "js",
      }));
    },
  };
}

/** Apache-2.0 4(b): a file that was changed says so. */
const banner = `/*! hls.js ${version}, built by Kinomill with what plays CMAF alone: script/player-library.ts; licences: hls-LICENSE.txt */`;

/** The script as it stands in the folder, and the files of node_modules that it is made of. */
export async function playerLibrary(): Promise<{ text: string; sources: string[] }> {
  const met = new Set<string>();
  const { outputs, metafile } = await Bun.build({
    entrypoints: [entryName],
    root,
    target: "browser",
    format: "iife",
    minify: true,
    metafile: true,
    define: defines,
    banner,
    plugins: [replacing(met)],
    // Fields as hls.js compiles them: one that is only declared keeps what a constructor above it set.
    tsconfig: join(import.meta.dir, "player-library.json"),
  });
  const [output] = outputs;
  const [made] = Object.values(metafile?.outputs ?? {});
  if (output === undefined || made === undefined) throw new Error("hls.js was not built");
  const unmet = replaced.filter(({ name }) => !met.has(name)).map(({ name }) => name);
  if (unmet.length > 0) throw new Error(`hls.js ${version} has no ${unmet.join(", ")} any more`);
  const sources = Object.entries(made.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  return { text: await output.text(), sources: sources.map(([path]) => path) };
}

/** Of each package what it says itself. */
export function libraryLicences(): string {
  const parts = libraryPackages.map((name) => {
    const text = readFileSync(join(modules, name, "LICENSE"), "utf8").trim();
    return `${name} ${versionOf(name)}\n\n${text}\n`;
  });
  return parts.join(`\n${"-".repeat(80)}\n\n`);
}

if (import.meta.main) {
  const { text } = await playerLibrary();
  await Bun.write(libraryFile, text);
  await Bun.write(licencesFile, libraryLicences());
  console.log(`${libraryFile}, ${text.length} characters`);
}
