/** A finished ladder, read back from the disk as players will read it, and held against what it must be. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { malformed } from "../media/cmaf/boxes.ts";
import { frameRateNumber } from "../media/cmaf/hls.ts";
import type {
  LadderPackage,
  Packaged,
  PackagedLadder,
  PictureWish,
} from "../media/cmaf/ladder-package.ts";
import { type FoundSegment, readSegments } from "../media/cmaf/track-file.ts";

interface Place {
  folder: string;
  key: Uint8Array | null;
  signal: AbortSignal;
}

/**
 * @returns what was proven, as sentences
 * @throws Failure `output_rejected` that says what is wrong
 */
export async function checkLadder(
  ladder: LadderPackage,
  packaged: PackagedLadder,
  place: Place,
): Promise<string[]> {
  const pictures: FoundPicture[] = [];
  for (const picture of packaged.pictures) {
    pictures.push({ picture, segments: await readBack(picture, place) });
  }
  for (const sound of packaged.sounds) await readBack(sound, place);
  const aligned = checkAlignment(pictures);
  const ranges = await checkPlaylists(ladder, packaged, place.folder);
  const count = [...packaged.pictures, ...packaged.sounds].reduce(
    (sum, { layout }) => sum + layout.segments.length,
    0,
  );
  const streams = packaged.pictures.length + packaged.sounds.length;
  const whole = `Read ${count} segments of ${streams} ${streams === 1 ? "file" : "files"} back: each begins with a keyframe and ends where the next one begins`;
  const readable = `Every segment, and every keyframe alone, decrypts with the key to what was encoded`;
  return [whole, ...aligned, ...ranges, ...(place.key === null ? [] : [readable])];
}

interface FoundPicture {
  picture: Packaged<PictureWish>;
  segments: FoundSegment[];
}

async function readBack({ wish, layout }: Packaged, place: Place): Promise<FoundSegment[]> {
  const { size } = await stat(join(place.folder, wish.file));
  if (size !== layout.sizeBytes) throw malformed(`${wish.file} has another size than its playlist`);
  const segments = await readSegments(join(place.folder, wish.file), layout.segments, place);
  let decodeTicks: number | null = null;
  for (const { fragments } of segments) {
    for (const fragment of fragments) {
      if (!fragment.startsWithSync)
        throw malformed(`${wish.file} has a fragment without a keyframe`);
      if (decodeTicks !== null && fragment.decodeTicks !== decodeTicks) {
        throw malformed(`${wish.file} has a hole in its times`);
      }
      decodeTicks = fragment.decodeTicks + fragment.durationTicks;
    }
  }
  return segments;
}

/** A player changes rungs between segments: every rung must begin them at the same times. */
function checkAlignment(found: readonly FoundPicture[]): string[] {
  const [first, ...others] = found.map(startsOf);
  if (first === undefined) return [];
  for (const other of others) {
    const differs = first.starts.some((start, index) => {
      const its = other.starts[index];
      return its === undefined || Math.abs(its - start) > other.toleranceSeconds;
    });
    if (differs || other.starts.length !== first.starts.length) {
      throw malformed(
        `the segments of ${other.label} do not begin when those of ${first.label} do`,
      );
    }
  }
  const count = first.starts.length;
  const boundaries = `${count} ${count === 1 ? "segment begins" : "segments begin"}`;
  if (others.length === 0) return [];
  return [`The ${boundaries} with a keyframe at the same time in all ${found.length} rungs`];
}

/** As the fragments themselves say it. */
function startsOf({ picture, segments }: FoundPicture) {
  const { wish, timescale } = picture;
  return {
    label: wish.label,
    toleranceSeconds: 1 / frameRateNumber(wish.frameRate) / 4,
    starts: segments.map(({ fragments }) => (fragments[0]?.shownTicks ?? 0) / timescale),
  };
}

/** Every range of every playlist lies in its file, and they end where the file does. */
async function checkPlaylists(
  { pictures, sounds, master }: LadderPackage,
  packaged: PackagedLadder,
  folder: string,
): Promise<string[]> {
  if (master === null) return [];
  let ranges = 0;
  let playlists = 0;
  for (const { wish, layout } of [...packaged.pictures, ...packaged.sounds]) {
    const keyframes = "keyframes" in wish ? (wish as PictureWish).keyframes : null;
    for (const name of [wish.playlist, keyframes]) {
      if (name === null) continue;
      playlists += 1;
      const found = rangesOf(await Bun.file(join(folder, name)).text(), name);
      const last = found.at(-1);
      const beyond = found.some(({ at, bytes }) => at + bytes > layout.sizeBytes);
      const ends = last === undefined ? 0 : last.at + last.bytes;
      if (beyond || (name === wish.playlist && ends !== layout.sizeBytes)) {
        throw malformed(`${name} does not tell of all of ${wish.file}`);
      }
      ranges += found.length;
    }
  }
  const streams = pictures.length + sounds.length;
  return [
    `All ${ranges} byte ranges of ${playlists} playlists lie within the ${streams === 1 ? "file" : `${streams} files`}, and every playlist ends with EXT-X-ENDLIST`,
  ];
}

function rangesOf(playlist: string, name: string): { at: number; bytes: number }[] {
  if (!playlist.trimEnd().endsWith("#EXT-X-ENDLIST")) throw malformed(`${name} has no end`);
  return Array.from(playlist.matchAll(/^#EXT-X-BYTERANGE:(\d+)@(\d+)$/gm), ([, bytes, at]) => ({
    at: Number(at),
    bytes: Number(bytes),
  }));
}
