/** Playlists of HLS (RFC 8216 and its revision), from where everything lies. Pure. */
import type {
  EncryptionWish,
  LadderPackage,
  Packaged,
  PackagedLadder,
  PictureWish,
  SoundWish,
} from "./ladder-package.ts";
import type { LaidSegment } from "./layout.ts";
import { type Rates, ratesOf } from "./rates.ts";

/** Fragmented MP4 in ordinary playlists came with version 6; 7 is what packagers usually say beside it. */
const version = 7;

/** The one group of sounds. */
const soundGroup = "audio";

/** The longest segment of all streams, in whole seconds: every playlist of a ladder says the same. */
export function targetSeconds({ pictures, sounds }: PackagedLadder): number {
  const all = [...pictures, ...sounds].flatMap(({ layout }) => layout.segments);
  return Math.max(
    1,
    ...[Math.round(all.reduce((most, { seconds }) => Math.max(most, seconds), 0))],
  );
}

/** One stream. Its header is readable also where its segments are encrypted. */
export function mediaPlaylist(
  { wish, layout, ivs }: Packaged,
  target: number,
  encryption: EncryptionWish | null,
): string {
  const segments = layout.segments.flatMap((segment, index) => {
    const iv = ivs[index];
    const key = encryption !== null && iv !== undefined ? [keyLine(encryption, iv)] : [];
    return [...key, ...segmentLines(segment, wish.file)];
  });
  return text([
    ...head(target),
    "#EXT-X-INDEPENDENT-SEGMENTS",
    mapLine(wish.file, layout),
    ...segments,
  ]);
}

/** Its keyframes alone: each is the beginning of a fragment. */
export function keyframePlaylist(
  { wish, layout, ivs }: Packaged<PictureWish>,
  encryption: EncryptionWish | null,
): string {
  const longest = layout.keyframes.reduce((most, { seconds }) => Math.max(most, seconds), 0);
  // Whoever reads a keyframe of an encrypted segment alone takes the block before it for the vector.
  const [iv] = ivs;
  const key = encryption !== null && iv !== undefined ? [keyLine(encryption, iv)] : [];
  return text([
    ...head(Math.max(1, Math.round(longest))),
    ...["#EXT-X-I-FRAMES-ONLY", mapLine(wish.file, layout), ...key],
    ...layout.keyframes.flatMap((keyframe) => segmentLines(keyframe, wish.file)),
  ]);
}

function head(target: number): string[] {
  return [
    "#EXTM3U",
    `#EXT-X-VERSION:${version}`,
    `#EXT-X-TARGETDURATION:${target}`,
    "#EXT-X-MEDIA-SEQUENCE:0",
    "#EXT-X-PLAYLIST-TYPE:VOD",
  ];
}

function mapLine(file: string, { header }: Packaged["layout"]): string {
  return `#EXT-X-MAP:URI="${file}",BYTERANGE="${header.bytes}@${header.at}"`;
}

function keyLine({ keyUri }: EncryptionWish, iv: string): string {
  return `#EXT-X-KEY:METHOD=AES-128,URI="${keyUri}",IV=0x${iv}`;
}

function segmentLines({ at, bytes, seconds }: LaidSegment, file: string): string[] {
  return [`#EXTINF:${seconds.toFixed(6)},`, `#EXT-X-BYTERANGE:${bytes}@${at}`, file];
}

function text(lines: readonly string[]): string {
  return `${[...lines, "#EXT-X-ENDLIST"].join("\n")}\n`;
}

/** What an attribute list holds; a text is quoted. */
type Attributes = Record<string, string | number | { quoted: string } | null>;

function attributes(all: Attributes): string {
  return Object.entries(all)
    .flatMap(([name, value]) => {
      if (value === null) return [];
      return [`${name}=${typeof value === "object" ? `"${value.quoted}"` : value}`];
    })
    .join(",");
}

/** Players may begin with the first variant: the best one that an ordinary line carries. */
const beginBitsPerSecond = 2_500_000;

/** All rungs, all sounds, all keyframes. */
export function masterPlaylist(wish: LadderPackage, ladder: PackagedLadder): string {
  const target = targetSeconds(ladder);
  const sounds = ladder.sounds.map((sound) => ({ sound, rates: ratesOfTrack(sound, target) }));
  const loudest: Rates = {
    peak: sounds.reduce((most, { rates }) => Math.max(most, rates.peak), 0),
    average: sounds.reduce((most, { rates }) => Math.max(most, rates.average), 0),
  };
  const codecs = [...new Set(ladder.sounds.map(({ facts }) => facts.codec))];
  const rungs = ladder.pictures.map((picture) => {
    const own = ratesOfTrack(picture, target);
    return {
      picture,
      rates: { peak: own.peak + loudest.peak, average: own.average + loudest.average },
    };
  });
  const first = rungs.find(({ rates }) => rates.peak <= beginBitsPerSecond) ?? rungs.at(-1);
  const ordered = first === undefined ? [] : [first, ...rungs.filter((rung) => rung !== first)];
  const group = wish.sounds.length > 0 ? soundGroup : null;
  const alone = ladder.pictures.length === 0 ? soundVariants(ladder, codecs, loudest) : [];
  return `${[
    "#EXTM3U",
    `#EXT-X-VERSION:${version}`,
    "#EXT-X-INDEPENDENT-SEGMENTS",
    ...ladder.sounds.map(({ wish: sound, facts }, index) =>
      soundLine(sound, facts, { isFirst: index === 0, isVariant: index === 0 && alone.length > 0 }),
    ),
    ...ordered.flatMap(({ picture, rates }) => variantLines(picture, rates, { codecs, group })),
    ...alone,
    ...ladder.pictures.flatMap(keyframesLine),
  ].join("\n")}\n`;
}

function ratesOfTrack({ layout }: Packaged, target: number): Rates {
  return ratesOf(layout.segments, target);
}

/** RFC 8216 4.3.4.1: without a URI it lies in the variant; with one too, players offer the same sound twice. */
function soundLine(
  { name, language, autoselect, playlist }: SoundWish,
  { sound }: Packaged["facts"],
  { isFirst, isVariant }: { isFirst: boolean; isVariant: boolean },
): string {
  return `#EXT-X-MEDIA:${attributes({
    TYPE: "AUDIO",
    "GROUP-ID": { quoted: soundGroup },
    NAME: { quoted: name },
    LANGUAGE: language === null ? null : { quoted: language },
    DEFAULT: isFirst ? "YES" : "NO",
    AUTOSELECT: isFirst || autoselect ? "YES" : "NO",
    CHANNELS: sound === null ? null : { quoted: String(sound.channels) },
    URI: isVariant ? null : { quoted: playlist ?? "" },
  })}`;
}

function variantLines(
  { wish, facts }: Packaged<PictureWish>,
  rates: Rates,
  { codecs, group }: { codecs: readonly string[]; group: string | null },
): string[] {
  const line = attributes({
    BANDWIDTH: rates.peak,
    "AVERAGE-BANDWIDTH": rates.average,
    CODECS: { quoted: [facts.codec, ...codecs].join(",") },
    ...pictureAttributes(facts),
    "FRAME-RATE": frameRateNumber(wish.frameRate).toFixed(3),
    AUDIO: group === null ? null : { quoted: group },
    "CLOSED-CAPTIONS": "NONE",
  });
  return [`#EXT-X-STREAM-INF:${line}`, wish.playlist ?? ""];
}

/** Sound alone: the first is the variant, and the others are chosen from its group. */
function soundVariants(
  { sounds }: PackagedLadder,
  codecs: readonly string[],
  rates: Rates,
): string[] {
  const [first] = sounds;
  if (first === undefined) return [];
  const line = attributes({
    BANDWIDTH: rates.peak,
    "AVERAGE-BANDWIDTH": rates.average,
    CODECS: { quoted: codecs.join(",") },
    AUDIO: { quoted: soundGroup },
  });
  return [`#EXT-X-STREAM-INF:${line}`, first.wish.playlist ?? ""];
}

function pictureAttributes({ picture }: Packaged["facts"]): Attributes {
  return {
    RESOLUTION: picture === null ? null : `${picture.width}x${picture.height}`,
    "VIDEO-RANGE": picture?.range ?? null,
  };
}

function keyframesLine({ wish, facts, layout }: Packaged<PictureWish>): string[] {
  if (wish.keyframes === null) return [];
  const longest = layout.keyframes.reduce((most, { seconds }) => Math.max(most, seconds), 0);
  const rates = ratesOf(layout.keyframes, Math.max(1, Math.round(longest)));
  const line = attributes({
    BANDWIDTH: rates.peak,
    "AVERAGE-BANDWIDTH": rates.average,
    CODECS: { quoted: facts.codec },
    ...pictureAttributes(facts),
    URI: { quoted: wish.keyframes },
  });
  return [`#EXT-X-I-FRAME-STREAM-INF:${line}`];
}

/** "30000/1001" as a number. */
export function frameRateNumber(rate: string): number {
  const [over = "0", under = "1"] = rate.split("/");
  return Number(over) / Number(under);
}
