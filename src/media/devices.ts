/** What this box can do: its devices, and what its ffmpeg has compiled in. */
import { availableParallelism } from "node:os";
import { Failure } from "../trouble.ts";
import { askTool } from "./ffmpeg.ts";
import type { GpuSkill } from "./gpu-skill.ts";

/** A place where a step can run. */
export interface Device {
  /** `cpu`, `gpu:0` … */
  id: string;
  kind: "cpu" | "gpu";
  /** For the person: "CPU, 8 cores", "NVIDIA L4". */
  title: string;
  /** Jobs that it takes at the same time. */
  slots: number;
  /** Of a GPU; absent on the CPU. */
  traits?: GpuTraits;
}

/** What the planner knows of a GPU. */
export interface GpuTraits {
  /** "GPU-…" */
  uuid: string;
  /** "8.9": 7.5 is Turing, 8.9 Ada, 10 and 12 Blackwell; null when the driver does not say. */
  computeCapability: string | null;
  memoryTotalBytes: number | null;
  /** What it was seen to do with this ffmpeg and this driver. */
  skills: readonly GpuSkill[];
  /** Why it cannot do the others, a plain sentence each; absent: nobody says. */
  lacking?: readonly { skill: GpuSkill; because: string }[];
}

/** The ffmpeg of this box. */
export interface Toolchain {
  ffmpegPath: string;
  ffprobePath: string;
  /** As ffmpeg prints it: "5.1.9-0+deb12u1". */
  version: string;
  /** Major and minor number for the table of differences; git builds count as the newest known. */
  release: { major: number; minor: number };
  encoders: ReadonlySet<string>;
  decoders: ReadonlySet<string>;
  filters: ReadonlySet<string>;
  hwaccels: ReadonlySet<string>;
}

/** What a development build without a number is taken for. */
const newestKnown = { major: 9, minor: 0 };

const installHint =
  "Install it with: sudo apt-get install ffmpeg — or set ffmpeg.path and ffmpeg.ffprobePath to where it is.";

/**
 * Finds both tools and asks ffmpeg what it has compiled in. That says nothing about a GPU.
 * @throws Failure `tool_missing` with the command that installs it
 */
export async function detectToolchain(paths: {
  ffmpegPath: string;
  ffprobePath: string;
}): Promise<Toolchain> {
  const ffmpegPath = findTool("ffmpeg", paths.ffmpegPath);
  const ffprobePath = findTool("ffprobe", paths.ffprobePath);
  const ask = async (tool: string, flag: string): Promise<string> => {
    const text = await askTool(tool, ["-hide_banner", flag]);
    if (text === null) throw broken(tool, flag);
    return text;
  };
  const [banner, encoders, decoders, filters, hwaccels] = await Promise.all([
    ask(ffmpegPath, "-version"),
    ask(ffmpegPath, "-encoders"),
    ask(ffmpegPath, "-decoders"),
    ask(ffmpegPath, "-filters"),
    ask(ffmpegPath, "-hwaccels"),
    ask(ffprobePath, "-version"),
  ]);
  const version = /^ffmpeg version (\S+)/.exec(banner)?.[1];
  if (version === undefined) throw broken(ffmpegPath, "-version");
  return {
    ffmpegPath,
    ffprobePath,
    version,
    release: parseRelease(version),
    encoders: parseCodecNames(encoders),
    decoders: parseCodecNames(decoders),
    filters: parseFilterNames(filters),
    hwaccels: parseHwaccelNames(hwaccels),
  };
}

function findTool(name: string, setting: string): string {
  const path = Bun.which(setting);
  if (path !== null) return path;
  throw new Failure("tool_missing", `${name} is not on this machine (looked for "${setting}").`, {
    hint: installHint,
    retryable: false,
  });
}

function broken(tool: string, flag: string): Failure {
  return new Failure("tool_missing", `${tool} is there but does not answer to ${flag}.`, {
    hint: `Run it by hand to see why; a broken installation is repaired by reinstalling. ${installHint}`,
  });
}

/** "5.1.9-0+deb12u1", "n7.1", "9.0.2"; "N-118000-g…" and other development builds have no number. */
export function parseRelease(version: string): { major: number; minor: number } {
  const found = /^n?(\d+)\.(\d+)/.exec(version);
  return found === null ? newestKnown : { major: Number(found[1]), minor: Number(found[2]) };
}

/** Names out of `-encoders` and `-decoders`: six flags, then the name; the legend has "=" there. */
export function parseCodecNames(text: string): Set<string> {
  const found = text.matchAll(/^ [VASD][A-Z.]{3,7} +([A-Za-z0-9][\w.-]*)/gm);
  return new Set(Array.from(found, (match) => match[1] as string));
}

/** Names out of `-filters`: two flags (from 9.0) or three, the name, then `A->V` and the like. */
export function parseFilterNames(text: string): Set<string> {
  const found = text.matchAll(/^ [A-Z.]{2,4} +([A-Za-z0-9_]+) +[AVN|]+->[AVN|]+/gm);
  return new Set(Array.from(found, (match) => match[1] as string));
}

/** Names out of `-hwaccels`: one to a line after the heading. */
export function parseHwaccelNames(text: string): Set<string> {
  const found = text.matchAll(/^([a-z0-9_]+)\s*$/gm);
  return new Set(Array.from(found, (match) => match[1] as string));
}

/** The processor as a device, with as many slots as the settings give it. */
export function cpuDevice(slots: number): Device {
  const cores = availableParallelism();
  return {
    id: "cpu",
    kind: "cpu",
    title: `CPU, ${cores} ${cores === 1 ? "core" : "cores"}`,
    slots,
  };
}

/** One thing that operations stand on, and whether this ffmpeg has it. */
export interface AbilityReport {
  /** For the person: "HEVC encoding". */
  ability: string;
  /** What does it: "libx265", "zscale and tonemap"; null when it is missing. */
  by: string | null;
  /** When it is missing, a sentence: what fails without it and what to do. */
  remedy: string | null;
}

interface Ability {
  ability: string;
  kind: "encoders" | "decoders" | "filters";
  /** One of them is enough, or, with `all`, all of them are needed. */
  names: string[];
  all?: boolean;
}

/** What the operations stand on. Debian's and Ubuntu's ffmpeg have all of it. */
const abilities: Ability[] = [
  { ability: "H.264 encoding", kind: "encoders", names: ["libx264"] },
  { ability: "HEVC encoding", kind: "encoders", names: ["libx265"] },
  { ability: "AV1 encoding", kind: "encoders", names: ["libsvtav1", "libaom-av1"] },
  { ability: "VP9 encoding", kind: "encoders", names: ["libvpx-vp9"] },
  { ability: "AAC encoding", kind: "encoders", names: ["aac"] },
  { ability: "Opus encoding", kind: "encoders", names: ["libopus"] },
  { ability: "MP3 encoding", kind: "encoders", names: ["libmp3lame"] },
  { ability: "JPEG pictures", kind: "encoders", names: ["mjpeg"] },
  { ability: "PNG pictures", kind: "encoders", names: ["png"] },
  { ability: "WebP pictures", kind: "encoders", names: ["libwebp"] },
  { ability: "AV1 decoding", kind: "decoders", names: ["libdav1d", "libaom-av1", "av1_cuvid"] },
  { ability: "HDR to SDR conversion", kind: "filters", names: ["zscale", "tonemap"], all: true },
  { ability: "deinterlacing", kind: "filters", names: ["bwdif", "yadif"] },
];

/** Oldest ffmpeg whose options Kinomill knows. */
const oldestRelease = { major: 5, minor: 1 };

/** What this ffmpeg can do and what it lacks: one list for `doctor`, the API and the page. */
export function abilitiesOf(toolchain: Toolchain): AbilityReport[] {
  const reports = abilities.map(({ ability, kind, names, all }): AbilityReport => {
    const there = names.filter((name) => toolchain[kind].has(name));
    const enough = all ? there.length === names.length : there.length > 0;
    if (enough)
      return { ability, by: all ? there.join(" and ") : (there[0] ?? null), remedy: null };
    const lacking = `the ${kind.slice(0, -1)} ${names.join(all ? " and " : " or ")}`;
    const remedy = `ffmpeg ${toolchain.version} lacks ${lacking}, so ${ability} fails. Install the ffmpeg of Debian or Ubuntu (sudo apt-get install ffmpeg) or a build with it.`;
    return { ability, by: null, remedy };
  });
  return isTooOld(toolchain.release) ? [tooOld(toolchain), ...reports] : reports;
}

function isTooOld({ major, minor }: Toolchain["release"]): boolean {
  return (
    major < oldestRelease.major || (major === oldestRelease.major && minor < oldestRelease.minor)
  );
}

function tooOld({ version }: Toolchain): AbilityReport {
  const remedy = `ffmpeg ${version} is older than 5.1, the oldest that Kinomill is tested with. Install a newer one: sudo apt-get install ffmpeg.`;
  return { ability: "a known ffmpeg", by: null, remedy };
}
