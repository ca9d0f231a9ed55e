/**
 * Playlists of HLS read line by line, by what RFC 8216 and its revision (draft-pantos-hls-rfc8216bis) say of
 * their form. Written from the text of the standard and sharing nothing with what Kinomill writes them with.
 */

export interface Tag {
  name: string;
  /** What follows the colon; "" when nothing does. */
  value: string;
  line: number;
}

export type Line = { tag: Tag } | { uri: string; line: number };

/** Breaches of the standard, as sentences. */
export class Breaches {
  readonly all: string[] = [];
  private readonly where: string;

  constructor(where: string) {
    this.where = where;
  }

  unless(holds: boolean, sentence: string): void {
    if (!holds) this.all.push(`${this.where}: ${sentence}`);
  }
}

/** Section 4.1: UTF-8, no BOM, no control characters but line ends, the first line. */
export function linesOf(text: string, breaches: Breaches): Line[] {
  breaches.unless(!text.startsWith("\uFEFF"), "a playlist has no byte order mark");
  breaches.unless(
    !/\p{Cc}/u.test(text.replaceAll(/\r?\n/g, "")),
    "there are no control characters",
  );
  breaches.unless(text === text.normalize("NFC"), "text is in normal form C");
  const rows = text.split(/\r?\n/);
  breaches.unless(rows[0] === "#EXTM3U", "the first line is #EXTM3U");
  return rows.flatMap((row, index): Line[] => {
    const line = index + 1;
    if (row === "") return [];
    breaches.unless(row.trim() === row, `blanks around line ${line}`);
    if (!row.startsWith("#")) return [{ uri: row, line }];
    if (!row.startsWith("#EXT")) return [];
    const [, name = "", value = ""] = /^#([^:]+)(?::(.*))?$/.exec(row) ?? [];
    return [{ tag: { name, value, line } }];
  });
}

/** Section 4.2: what each attribute's value must look like. */
const attributeForms: Record<string, RegExp> = {
  BANDWIDTH: /^\d{1,20}$/,
  "AVERAGE-BANDWIDTH": /^\d{1,20}$/,
  CODECS: /^"[^"\r\n]+"$/,
  RESOLUTION: /^\d+x\d+$/,
  "FRAME-RATE": /^\d+\.\d+$/,
  "VIDEO-RANGE": /^(SDR|HLG|PQ)$/,
  AUDIO: /^"[^"\r\n]+"$/,
  "CLOSED-CAPTIONS": /^(NONE|"[^"\r\n]+")$/,
  URI: /^"[^"\r\n]+"$/,
  TYPE: /^(AUDIO|VIDEO|SUBTITLES|CLOSED-CAPTIONS)$/,
  "GROUP-ID": /^"[^"\r\n]+"$/,
  NAME: /^"[^"\r\n]+"$/,
  LANGUAGE: /^"[a-z]{2,3}(-[A-Za-z0-9]+)*"$/,
  DEFAULT: /^(YES|NO)$/,
  AUTOSELECT: /^(YES|NO)$/,
  CHANNELS: /^"\d+(\/[^"]*)?"$/,
  METHOD: /^(NONE|AES-128|SAMPLE-AES)$/,
  IV: /^0x[0-9A-Fa-f]{32}$/,
  BYTERANGE: /^"\d+@\d+"$/,
};

/** An attribute list: names once each, quoted strings without quotes inside, each in its form. */
export function attributesOf(tag: Tag, breaches: Breaches): Map<string, string> {
  const found = new Map<string, string>();
  let rest = tag.value;
  while (rest !== "") {
    const match = /^([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(,|$)/.exec(rest);
    if (match === null) {
      breaches.unless(false, `line ${tag.line} is no attribute list: ${rest}`);
      break;
    }
    const [whole, name = "", value = "", end] = match;
    breaches.unless(!found.has(name), `${name} stands twice in line ${tag.line}`);
    const form = attributeForms[name];
    breaches.unless(
      form?.test(value) ?? false,
      `${name}=${value} in line ${tag.line} has no right form`,
    );
    found.set(name, value);
    rest = rest.slice(whole.length);
    breaches.unless(end === "" || rest !== "", `line ${tag.line} ends with a comma`);
  }
  return found;
}

export function unquoted(value: string | undefined): string | undefined {
  return value?.replace(/^"|"$/g, "");
}

export interface Range {
  at: number;
  bytes: number;
}

export interface PlayedSegment extends Range {
  seconds: number;
  uri: string;
  /** The key that applies to it; null for none. */
  key: { uri: string; iv: string | null; number: number } | null;
  map: (Range & { uri: string; encrypted: boolean }) | null;
}

export interface MediaPlaylist {
  version: number;
  targetSeconds: number;
  keyframesOnly: boolean;
  independent: boolean;
  segments: PlayedSegment[];
}

const masterTags = ["EXT-X-MEDIA", "EXT-X-STREAM-INF", "EXT-X-I-FRAME-STREAM-INF"];

/** Sections 4.4.1 to 4.4.4: tags of media playlists, and what goes with what. */
export function readMediaPlaylist(text: string, breaches: Breaches): MediaPlaylist {
  const lines = linesOf(text, breaches);
  const tags = lines.flatMap((line) => ("tag" in line ? [line.tag] : []));
  const once = (name: string) => tags.filter((tag) => tag.name === name).length === 1;
  const value = (name: string) => tags.find((tag) => tag.name === name)?.value ?? "";
  for (const name of masterTags) {
    breaches.unless(
      tags.every((tag) => tag.name !== name),
      `${name} belongs into a master playlist`,
    );
  }
  for (const name of [
    "EXT-X-TARGETDURATION",
    "EXT-X-VERSION",
    "EXT-X-ENDLIST",
    "EXT-X-PLAYLIST-TYPE",
  ]) {
    breaches.unless(once(name), `${name} stands once`);
  }
  breaches.unless(value("EXT-X-PLAYLIST-TYPE") === "VOD", "what is finished is VOD");
  breaches.unless(
    /^\d+$/.test(value("EXT-X-TARGETDURATION")),
    "the target duration is a whole number",
  );
  const last = lines.at(-1);
  breaches.unless(
    last !== undefined && "tag" in last && last.tag.name === "EXT-X-ENDLIST",
    "nothing follows EXT-X-ENDLIST",
  );
  const playlist: MediaPlaylist = {
    version: Number(value("EXT-X-VERSION")),
    targetSeconds: Number(value("EXT-X-TARGETDURATION")),
    keyframesOnly: once("EXT-X-I-FRAMES-ONLY"),
    independent: once("EXT-X-INDEPENDENT-SEGMENTS"),
    segments: readSegments(lines, Number(value("EXT-X-MEDIA-SEQUENCE")), breaches),
  };
  checkVersion(playlist, breaches);
  for (const { seconds } of playlist.segments) {
    breaches.unless(
      Math.round(seconds) <= playlist.targetSeconds,
      `a segment of ${seconds} s is longer than the target`,
    );
  }
  return playlist;
}

interface Waiting {
  seconds: number | null;
  range: Range | null;
}

function readSegments(
  lines: readonly Line[],
  firstNumber: number,
  breaches: Breaches,
): PlayedSegment[] {
  const segments: PlayedSegment[] = [];
  let key: PlayedSegment["key"] = null;
  let map: PlayedSegment["map"] = null;
  let waiting: Waiting = { seconds: null, range: null };
  const ends = new Map<string, number>();
  for (const line of lines) {
    if ("uri" in line) {
      const { seconds, range } = waiting;
      breaches.unless(seconds !== null, `line ${line.line} has no EXTINF before it`);
      breaches.unless(range !== null, `line ${line.line} has no byte range before it`);
      const span = range ?? { at: 0, bytes: 0 };
      breaches.unless(map !== null, "fragmented MP4 needs EXT-X-MAP");
      const numbered = key === null ? null : { ...key, number: firstNumber + segments.length };
      segments.push({ ...span, seconds: seconds ?? 0, uri: line.uri, key: numbered, map });
      ends.set(line.uri, span.at + span.bytes);
      waiting = { seconds: null, range: null };
      continue;
    }
    const { tag } = line;
    if (tag.name === "EXTINF") {
      const match = /^(\d+\.?\d*),(.*)$/.exec(tag.value);
      breaches.unless(match !== null, `line ${tag.line} has no duration`);
      waiting.seconds = Number(match?.[1] ?? 0);
    } else if (tag.name === "EXT-X-BYTERANGE") {
      const match = /^(\d+)@(\d+)$/.exec(tag.value);
      breaches.unless(match !== null, `line ${tag.line} is no byte range with a place`);
      waiting.range = { bytes: Number(match?.[1]), at: Number(match?.[2]) };
    } else if (tag.name === "EXT-X-KEY") key = readKey(tag, breaches);
    else if (tag.name === "EXT-X-MAP") {
      const all = attributesOf(tag, breaches);
      const [bytes, at] = (unquoted(all.get("BYTERANGE")) ?? "").split("@").map(Number);
      breaches.unless(all.has("URI"), "EXT-X-MAP has a URI");
      map = {
        uri: unquoted(all.get("URI")) ?? "",
        bytes: bytes ?? 0,
        at: at ?? 0,
        encrypted: key !== null,
      };
      breaches.unless(key === null || key.iv !== null, "an encrypted map needs an IV");
    }
  }
  breaches.unless(waiting.seconds === null, "the last EXTINF has no segment");
  return segments;
}

function readKey(tag: Tag, breaches: Breaches): PlayedSegment["key"] {
  const all = attributesOf(tag, breaches);
  const method = all.get("METHOD");
  breaches.unless(method !== undefined, `line ${tag.line} has no METHOD`);
  if (method === "NONE") return null;
  breaches.unless(all.has("URI"), `line ${tag.line} has no URI of the key`);
  const iv = all.get("IV")?.slice(2).toLowerCase() ?? null;
  return { uri: unquoted(all.get("URI")) ?? "", iv, number: 0 };
}

/** Section 7: what needs which version. */
function checkVersion(
  { version, segments, keyframesOnly }: MediaPlaylist,
  breaches: Breaches,
): void {
  const needs = [
    segments.some(({ key }) => key?.iv != null) ? 2 : 1,
    segments.some(({ seconds }) => !Number.isInteger(seconds)) ? 3 : 1,
    4,
    keyframesOnly ? 5 : 6,
  ];
  breaches.unless(version >= Math.max(...needs), `version ${version} is too low for what is in it`);
}
