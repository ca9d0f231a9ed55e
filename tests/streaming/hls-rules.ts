/**
 * A validator of HLS: a folder with a master playlist is held against RFC 8216 and its revision, down to the
 * bytes of every segment. What it returns are breaches as sentences; none is well.
 */
import { createDecipheriv } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { testBoxes, testFragment, timescaleOf } from "./fragments.ts";
import {
  attributesOf,
  Breaches,
  linesOf,
  type MediaPlaylist,
  type PlayedSegment,
  readMediaPlaylist,
  unquoted,
} from "./playlist.ts";

export interface Variant {
  attributes: Map<string, string>;
  uri: string;
}

export interface CheckedStream {
  uri: string;
  playlist: MediaPlaylist;
  /** When its segments begin and the last one ends, by their own timestamps, in seconds. */
  starts: number[];
  endSeconds: number;
  peak: number;
  average: number;
}

export interface CheckedLadder {
  breaches: string[];
  variants: Variant[];
  sounds: Map<string, string>[];
  keyframes: Variant[];
  streams: Map<string, CheckedStream>;
}

/** How far a bandwidth may be from what was measured. */
const bandwidthShare = 0.1;

export function checkHls(folder: string, master: string): CheckedLadder {
  const breaches = new Breaches(master);
  const lines = linesOf(readFileSync(join(folder, master), "utf8"), breaches);
  const tags = lines.flatMap((line) => ("tag" in line ? [line.tag] : []));
  breaches.unless(
    tags.every(({ name }) => !["EXTINF", "EXT-X-TARGETDURATION", "EXT-X-ENDLIST"].includes(name)),
    "tags of media playlists stand in a master playlist",
  );
  const variants = lines.flatMap((line, index): Variant[] => {
    if (!("tag" in line) || line.tag.name !== "EXT-X-STREAM-INF") return [];
    const next = lines[index + 1];
    breaches.unless(
      next !== undefined && "uri" in next,
      `line ${line.tag.line} has no URI behind it`,
    );
    const uri = next !== undefined && "uri" in next ? next.uri : "";
    return [{ attributes: attributesOf(line.tag, breaches), uri }];
  });
  const named = (name: string) =>
    tags.filter((tag) => tag.name === name).map((tag) => attributesOf(tag, breaches));
  const sounds = named("EXT-X-MEDIA");
  const keyframes = named("EXT-X-I-FRAME-STREAM-INF").map((attributes) => ({
    ...{ attributes, uri: unquoted(attributes.get("URI")) ?? "" },
  }));
  breaches.unless(variants.length > 0, "there is a variant");
  const streams = new Map<string, CheckedStream>();
  const all = [...breaches.all];
  const uris = [...variants, ...keyframes].map(({ uri }) => uri);
  for (const uri of [...uris, ...sounds.flatMap((sound) => unquoted(sound.get("URI")) ?? [])]) {
    if (streams.has(uri)) continue;
    const checked = checkStream(folder, uri);
    streams.set(uri, checked.stream);
    all.push(...checked.breaches);
  }
  const whole = new Breaches(master);
  checkGroups(variants, sounds, whole);
  checkVariants({ variants, sounds, keyframes, streams }, whole);
  return { breaches: [...all, ...whole.all], variants, sounds, keyframes, streams };
}

/** Section 4.4.6.1.1: rendition groups. */
function checkGroups(variants: Variant[], sounds: Map<string, string>[], breaches: Breaches): void {
  const groups = new Set(sounds.map((sound) => sound.get("GROUP-ID")));
  for (const group of groups) {
    const members = sounds.filter((sound) => sound.get("GROUP-ID") === group);
    const names = members.map((member) => member.get("NAME"));
    breaches.unless(new Set(names).size === names.length, `names of group ${group} are different`);
    breaches.unless(
      members.filter((member) => member.get("DEFAULT") === "YES").length <= 1,
      `group ${group} has one default`,
    );
    const languages = members
      .filter((member) => member.get("AUTOSELECT") === "YES")
      .map((member) => member.get("LANGUAGE"));
    breaches.unless(
      new Set(languages).size === languages.length,
      `what group ${group} selects by itself differs in language`,
    );
    for (const member of members) {
      breaches.unless(
        member.get("TYPE") === "AUDIO" && member.has("NAME"),
        "a rendition has type and name",
      );
      breaches.unless(
        member.get("DEFAULT") !== "YES" || member.get("AUTOSELECT") === "YES",
        "a default selects itself",
      );
    }
  }
  for (const { attributes } of variants) {
    const audio = attributes.get("AUDIO");
    breaches.unless(audio === undefined || groups.has(audio), `there is a group ${audio}`);
    breaches.unless(sounds.length === 0 || audio !== undefined, "every variant has its sounds");
  }
}

/** Sections 4.4.6.2, 4.4.6.3 and 6.2.4: what variants say of themselves, and what they have in common. */
function checkVariants(
  { variants, sounds, keyframes, streams }: Omit<CheckedLadder, "breaches">,
  breaches: Breaches,
): void {
  // Without a URI a sound is what is in the variant.
  const ofSounds = sounds.flatMap(
    (sound) => streams.get(unquoted(sound.get("URI")) ?? variants[0]?.uri ?? "") ?? [],
  );
  const most = (values: number[]) => Math.max(0, ...values);
  for (const { attributes, uri } of variants) {
    const stream = streams.get(uri);
    if (stream === undefined) continue;
    const own = ofSounds.includes(stream) ? { peak: 0, average: 0 } : stream;
    breaches.unless(
      attributes.has("CODECS") && attributes.has("BANDWIDTH"),
      `${uri} says its codecs and bandwidth`,
    );
    near(attributes, "BANDWIDTH", own.peak + most(ofSounds.map(({ peak }) => peak)), {
      uri,
      breaches,
    });
    near(
      attributes,
      "AVERAGE-BANDWIDTH",
      own.average + most(ofSounds.map(({ average }) => average)),
      { uri, breaches },
    );
    if (!ofSounds.includes(stream)) {
      for (const name of ["RESOLUTION", "FRAME-RATE", "VIDEO-RANGE"])
        breaches.unless(attributes.has(name), `${uri} says its ${name}`);
    }
  }
  for (const { attributes, uri } of keyframes) {
    const stream = streams.get(uri);
    breaches.unless(stream?.playlist.keyframesOnly ?? false, `${uri} holds keyframes alone`);
    breaches.unless(
      attributes.has("CODECS") && attributes.has("RESOLUTION"),
      `${uri} says its codecs and size`,
    );
    near(attributes, "BANDWIDTH", stream?.peak ?? 0, { uri, breaches });
  }
  const playlists = [...streams.values()].filter(({ playlist }) => !playlist.keyframesOnly);
  breaches.unless(
    new Set(playlists.map(({ playlist }) => playlist.targetSeconds)).size <= 1,
    "all playlists have one target duration",
  );
  const pictures = variants.flatMap(({ uri }) => streams.get(uri) ?? []);
  const [first] = pictures;
  for (const other of pictures) {
    const same =
      other.starts.length === first?.starts.length &&
      other.starts.every((start, index) => Math.abs(start - (first.starts[index] ?? 0)) < 0.001);
    breaches.unless(same, `segments of ${other.uri} begin when those of ${first?.uri} do`);
  }
  const captions = variants.map(({ attributes }) => attributes.get("CLOSED-CAPTIONS"));
  breaches.unless(new Set(captions).size <= 1, "closed captions are the same in all variants");
}

function near(
  attributes: Map<string, string>,
  name: string,
  measured: number,
  { uri, breaches }: { uri: string; breaches: Breaches },
): void {
  const said = Number(attributes.get(name));
  const off = Math.abs(said - measured) / measured;
  breaches.unless(
    off <= bandwidthShare,
    `${name} of ${uri} is ${said}, and ${Math.round(measured)} was measured`,
  );
}

function checkStream(folder: string, uri: string): { stream: CheckedStream; breaches: string[] } {
  const breaches = new Breaches(uri);
  breaches.unless(!/[:/?#%\s]/.test(uri), "it is named by a plain name");
  const there = existsSync(join(folder, uri));
  breaches.unless(there, "it is there");
  const playlist = readMediaPlaylist(
    there ? readFileSync(join(folder, uri), "utf8") : "",
    breaches,
  );
  const files = new Map<string, Uint8Array>();
  const bytesOf = (name: string) => {
    if (!files.has(name)) files.set(name, new Uint8Array(readFileSync(join(folder, name))));
    return files.get(name) ?? new Uint8Array();
  };
  const starts: number[] = [];
  let end = 0;
  let lastShown = 0;
  let ticks: number | null = null;
  for (const segment of playlist.segments) {
    const size = statSync(join(folder, segment.uri)).size;
    breaches.unless(segment.at + segment.bytes <= size, `a range ends behind ${segment.uri}`);
    const { map } = segment;
    if (map === null) continue;
    const header = bytesOf(map.uri).subarray(map.at, map.at + map.bytes);
    breaches.unless(!map.encrypted, "the header can be read without a key");
    const headerTypes = testBoxes(header).map(({ type }) => type);
    breaches.unless(
      headerTypes.join() === "ftyp,moov",
      `a map holds ftyp and moov, not ${headerTypes}`,
    );
    const timescale = timescaleOf(header);
    const plain = plainBytes(segment, bytesOf(segment.uri), bytesOf, playlist.keyframesOnly);
    const about = { keyframe: playlist.keyframesOnly };
    const fragments = fragmentsIn(plain, about, breaches);
    const [first] = fragments;
    if (first === undefined) continue;
    starts.push(first.shownTicks / timescale);
    const durationTicks = fragments.reduce((sum, fragment) => sum + fragment.durationTicks, 0);
    if (!playlist.keyframesOnly) {
      breaches.unless(
        ticks === null || ticks === first.decodeTicks,
        "a segment begins where the one before ended",
      );
      ticks = first.decodeTicks + durationTicks;
    }
    end = first.shownTicks / timescale + segment.seconds;
    const shown = fragments.flatMap((fragment) => fragment.shown);
    lastShown = Math.max(...shown) / timescale;
  }
  checkDurations(playlist, { starts, lastShown }, breaches);
  return {
    stream: { uri, playlist, starts, endSeconds: end, ...rates(playlist) },
    breaches: breaches.all,
  };
}

/** Section 4.4.4.1: each lasts until the next one begins, and the last one until after its last frame. */
function checkDurations(
  { segments }: MediaPlaylist,
  { starts, lastShown }: { starts: number[]; lastShown: number },
  breaches: Breaches,
): void {
  for (const [index, { seconds }] of segments.entries()) {
    const start = starts[index] ?? 0;
    const next = starts[index + 1];
    const lasts = next === undefined ? lastShown - start : next - start;
    const off = seconds - lasts;
    const well = next === undefined ? off > 0 && off < 1.1 : Math.abs(off) < 0.001;
    breaches.unless(well, `EXTINF says ${seconds} s, and it lasts ${lasts}`);
  }
}

/** Section 6.3.6, and 6.2.3: decrypted whole, or a keyframe by the block before it. */
function plainBytes(
  segment: PlayedSegment,
  file: Uint8Array,
  bytesOf: (name: string) => Uint8Array,
  keyframe: boolean,
): Uint8Array {
  const { key, at, bytes } = segment;
  if (key === null) return file.subarray(at, at + bytes);
  const secret = bytesOf(key.uri);
  if (keyframe) {
    const from = Math.floor(at / 16) * 16;
    const to = Math.ceil((at + bytes) / 16) * 16;
    const decipher = createDecipheriv("aes-128-cbc", secret, file.subarray(from - 16, from));
    decipher.setAutoPadding(false);
    return decipher.update(file.subarray(from, to)).subarray(at - from, at - from + bytes);
  }
  const iv = Buffer.from(key.iv ?? key.number.toString(16).padStart(32, "0"), "hex");
  const decipher = createDecipheriv("aes-128-cbc", secret, iv);
  return Buffer.concat([decipher.update(file.subarray(at, at + bytes)), decipher.final()]);
}

/** Whole fragments, each beginning with a sync sample; or the head of one and its first sample. */
function fragmentsIn(bytes: Uint8Array, { keyframe }: { keyframe: boolean }, breaches: Breaches) {
  const boxes = testBoxes(bytes);
  const fragments = boxes.flatMap((box, index) =>
    box.type === "moof" ? [testFragment(box, boxes[index + 1])] : [],
  );
  const types = boxes.map(({ type }) => type).join();
  breaches.unless(/^(moof,mdat,?)+$/.test(types), `a segment holds fragments, not ${types}`);
  const [first] = fragments;
  breaches.unless(first?.startsWithSync ?? false, "a segment begins with a keyframe");
  if (keyframe) {
    const expected = (first?.dataAt ?? 0) + (first?.sizes[0] ?? 0);
    breaches.unless(
      bytes.length === expected,
      `a keyframe has ${bytes.length} bytes, and it takes ${expected}`,
    );
    return fragments;
  }
  const whole = fragments.reduce((sum, { wholeBytes }) => sum + wholeBytes, 0);
  breaches.unless(whole === bytes.length, "a segment ends where its last fragment does");
  for (const { dataAt, sizes, wholeBytes, shown } of fragments) {
    const held = dataAt + sizes.reduce((sum, size) => sum + size, 0);
    breaches.unless(held === wholeBytes, "a fragment holds the samples that it lists");
    breaches.unless(
      shown.every((ticks) => ticks >= (first?.shownTicks ?? 0)),
      "nothing is shown before the keyframe of its segment",
    );
  }
  return fragments;
}

/** Section 4.1: peak segment bit rate. */
function rates({ segments, targetSeconds }: MediaPlaylist): { peak: number; average: number } {
  const total = segments.reduce(
    (sum, { bytes, seconds }) => ({ bytes: sum.bytes + bytes, seconds: sum.seconds + seconds }),
    { bytes: 0, seconds: 0 },
  );
  const average = (total.bytes * 8) / total.seconds;
  const found: number[] = [];
  for (let first = 0; first < segments.length; first += 1) {
    for (let last = first + 1; last <= segments.length; last += 1) {
      const row = segments.slice(first, last);
      const seconds = row.reduce((sum, segment) => sum + segment.seconds, 0);
      if (seconds > targetSeconds * 1.5) break;
      if (seconds < targetSeconds * 0.5) continue;
      found.push((row.reduce((sum, { bytes }) => sum + bytes, 0) * 8) / seconds);
    }
  }
  return { peak: found.length === 0 ? average : Math.max(...found), average };
}
