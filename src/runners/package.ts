/** A step that makes a ladder of encoded streams: files cut into segments, playlists, the key; all of it checked. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { manifestText } from "../media/cmaf/dash.ts";
import {
  keyframePlaylist,
  masterPlaylist,
  mediaPlaylist,
  targetSeconds,
} from "../media/cmaf/hls.ts";
import type {
  LadderPackage,
  Packaged,
  PackagedLadder,
  PictureWish,
  SoundWish,
  TrackWish,
} from "../media/cmaf/ladder-package.ts";
import { cipherBlockBytes, layOut } from "../media/cmaf/layout.ts";
import { streamFacts } from "../media/cmaf/sample-entry.ts";
import { cutInto, segmentStarts } from "../media/cmaf/segments.ts";
import type { SourceTrack } from "../media/cmaf/source-track.ts";
import { openTrack, writeTrack } from "../media/cmaf/track-file.ts";
import { assert } from "../trouble.ts";
import type { CarriedOut } from "./described-run.ts";
import { diskFullFailure } from "./explain.ts";
import { pathOf, plainName, refuseMissing, roomBytes, writeDurably } from "./job-files.ts";
import { checkLadder } from "./package-check.ts";
import type { AttemptRequest } from "./runner.ts";

interface Opened<Wish extends TrackWish> {
  wish: Wish;
  path: string;
  track: SourceTrack;
}

/** Writing is nearly all of the work; reading back looks at the heads of fragments alone. */
const writePercent = 95;

/** @throws Failure `output_rejected` when the streams do not fit together, `disk_full`, `input_missing` */
export async function packageLadder(
  request: AttemptRequest,
  ladder: LadderPackage,
  { folder, reserveBytes }: { folder: string; reserveBytes: number },
): Promise<CarriedOut> {
  const key = ladder.encryption === null ? null : randomBytes(cipherBlockBytes);
  // One after the other: each keeps the thread for a moment.
  const pictures: Opened<PictureWish>[] = [];
  for (const wish of ladder.pictures) pictures.push(await opened(request, wish));
  const sounds: Opened<SoundWish>[] = [];
  for (const wish of ladder.sounds) sounds.push(await opened(request, wish));
  const [first] = [...pictures, ...sounds];
  assert(first !== undefined, "a ladder has a stream");
  const starts = segmentStarts(first.track, ladder.everySeconds);
  const work = new PackageWork(request, folder, key, ladder);
  const neededBytes = work.expect([...pictures, ...sounds]);
  if ((await roomBytes(folder, reserveBytes)) < neededBytes) throw diskFullFailure();
  const packaged: PackagedLadder = { pictures: [], sounds: [] };
  for (const each of pictures) packaged.pictures.push(await work.write(each, starts));
  for (const each of sounds) packaged.sounds.push(await work.write(each, starts));
  await writeTexts(ladder, packaged, folder);
  if (key !== null) await writeKey(ladder, folder, key);
  const checks = await checkLadder(ladder, packaged, { folder, key, signal: request.signal });
  const deviceReason = "Packaged by Kinomill itself; nothing is encoded again";
  return { encoder: null, deviceReason, proof: null, placement: null, checks };
}

async function opened<Wish extends TrackWish>(
  request: AttemptRequest,
  wish: Wish,
): Promise<Opened<Wish>> {
  const path = pathOf(request, wish.from);
  await refuseMissing([{ path, name: wish.file }]);
  return { wish, path, track: await openTrack(path) };
}

class PackageWork {
  private readonly request: AttemptRequest;
  private readonly folder: string;
  private readonly key: Uint8Array | null;
  private readonly ladder: LadderPackage;
  private totalBytes = 0;
  private doneBytes = 0;
  private toldPercent = 0;

  constructor(
    request: AttemptRequest,
    folder: string,
    key: Uint8Array | null,
    ladder: LadderPackage,
  ) {
    this.request = request;
    this.folder = folder;
    this.key = key;
    this.ladder = ladder;
  }

  /** Bytes of all samples: hardly less than what will be written. */
  expect(all: readonly Opened<TrackWish>[]): number {
    for (const { track } of all) {
      for (const size of track.samples.sizes) this.totalBytes += size;
    }
    return this.totalBytes;
  }

  async write<Wish extends TrackWish>(
    { wish, path, track }: Opened<Wish>,
    starts: readonly number[],
  ): Promise<Packaged<Wish>> {
    assert(plainName.test(wish.file), `file name ${wish.file} is plain`);
    const segments = cutInto(track, starts);
    await setImmediate();
    const seed = this.key === null ? null : randomBytes(cipherBlockBytes);
    const layout = layOut(track, segments, { indexed: this.ladder.manifest !== null, seed });
    const to = join(this.folder, wish.file);
    const { signal } = this.request;
    const ivs = await writeTrack({
      ...{ from: path, to, track, segments, layout, key: this.key, signal },
      onBytes: (bytes) => this.tell(bytes),
    });
    const { timescale, moov } = track;
    return { wish, facts: streamFacts(moov), timescale, layout, ivs };
  }

  private tell(bytes: number): void {
    this.doneBytes += bytes;
    const share = Math.min(1, this.doneBytes / Math.max(1, this.totalBytes));
    const percent = Math.floor(share * writePercent);
    if (percent === this.toldPercent) return;
    this.toldPercent = percent;
    this.request.onProgress({
      ...{ percent, frame: null, fps: null, outputSeconds: null, speed: null },
      ...{ etaSeconds: null, sizeBytes: this.doneBytes },
    });
  }
}

async function writeTexts(
  ladder: LadderPackage,
  packaged: PackagedLadder,
  folder: string,
): Promise<void> {
  const target = targetSeconds(packaged);
  const texts: [file: string | null, text: () => string][] = [
    [ladder.master, () => masterPlaylist(ladder, packaged)],
    [ladder.manifest, () => manifestText(ladder, packaged)],
    ...[...packaged.pictures, ...packaged.sounds].map((each): [string | null, () => string] => [
      each.wish.playlist,
      () => mediaPlaylist(each, target, ladder.encryption),
    ]),
    ...packaged.pictures.map((each): [string | null, () => string] => [
      each.wish.keyframes,
      () => keyframePlaylist(each, ladder.encryption),
    ]),
  ];
  for (const [file, text] of texts) {
    if (file === null) continue;
    assert(plainName.test(file), `file name ${file} is plain`);
    await writeDurably(join(folder, file), text());
  }
}

/** The 16 bytes themselves, as players fetch them. */
async function writeKey(ladder: LadderPackage, folder: string, key: Uint8Array): Promise<void> {
  const file = ladder.encryption?.keyFile ?? "";
  assert(plainName.test(file), `file name ${file} is plain`);
  await writeDurably(join(folder, file), key);
}
