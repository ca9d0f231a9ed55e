/** The files of a ladder: their names, and the step that makes them of what was encoded. Pure. */
import type {
  LadderPackage,
  PictureWish,
  SoundWish,
  ThumbnailSheets,
} from "../media/cmaf/ladder-package.ts";
import type { Expectation } from "../media/expectation.ts";
import {
  encodeStepName,
  type LadderStreams,
  rungExpectations,
  rungFile,
  rungRate,
  soundExpectations,
  soundFile,
} from "./ladder-encode.ts";
import { slugOf } from "./ladder-rungs.ts";
import type { LadderParams } from "./ladder-schema.ts";
import { stemOf } from "./naming.ts";
import type { Step, StepOutput } from "./operation.ts";

/** Leaves room for what stands behind it in names of 60 characters. */
const maxStemChars = 30;

/**
 * What all names of a ladder begin with: the source's name in letters that every web server takes, so that
 * playlists need no escaping and folders can be copied anywhere.
 */
export function ladderStem(inputName: string): string {
  const slug = slugOf(stemOf(inputName)).slice(0, maxStemChars).replace(/-+$/, "");
  return slug === "" ? "video" : slug;
}

export interface LadderFiles {
  stem: string;
  streams: LadderStreams;
  everySeconds: number;
  thumbnails: ThumbnailSheets | null;
}

export function ladderPackage(params: LadderParams, files: LadderFiles): LadderPackage {
  const { stem, everySeconds, thumbnails } = files;
  const hls = params.format !== "dash";
  const keyFile = `${stem}.key`;
  return {
    everySeconds,
    pictures: pictureWishes(files, hls),
    sounds: soundWishes(files, hls),
    master: hls ? `${stem}.m3u8` : null,
    manifest: params.format === "hls" ? null : `${stem}.mpd`,
    encryption: params.encryption === "none" ? null : { keyFile, keyUri: params.keyUri ?? keyFile },
    thumbnails,
  };
}

function pictureWishes({ stem, streams }: LadderFiles, hls: boolean): PictureWish[] {
  const { picture } = streams;
  if (picture === null) return [];
  return picture.rungs.map(({ label }, index) => {
    const name = `${stem}-${slugOf(label)}`;
    return {
      from: { step: encodeStepName, file: rungFile(index) },
      file: `${name}.mp4`,
      playlist: hls ? `${name}.m3u8` : null,
      keyframes: hls ? `${name}-keyframes.m3u8` : null,
      label: slugOf(label),
      frameRate: rungRate(picture, index),
    };
  });
}

function soundWishes({ stem, streams }: LadderFiles, hls: boolean): SoundWish[] {
  const taken = new Set<string>();
  return streams.sounds.sounds.map(({ name, language, autoselect }, index) => {
    const base = language ?? String(index + 1);
    const unique = taken.has(base) ? `${base}-${index + 1}` : base;
    taken.add(unique);
    const file = `${stem}-audio-${slugOf(unique)}`;
    return {
      from: { step: encodeStepName, file: soundFile(index) },
      file: `${file}.mp4`,
      playlist: hls ? `${file}.m3u8` : null,
      ...{ name, language, autoselect },
    };
  });
}

export function packageStep(params: LadderParams, files: LadderFiles): Step {
  const ladder = ladderPackage(params, files);
  const formats = { hls: "HLS", dash: "DASH", both: "HLS and DASH" };
  const encrypted = ladder.encryption === null ? "" : ", encrypt them";
  return {
    name: "package",
    title: `Cut into segments of ${Number(ladder.everySeconds.toFixed(3))} s${encrypted} and write the playlists of ${formats[params.format]}`,
    needs: [encodeStepName],
    work: { kind: "package", ladder },
    outputs: outputsOf(ladder, params, files),
  };
}

const mimeTypes = {
  playlist: "application/vnd.apple.mpegurl",
  manifest: "application/dash+xml",
  key: "application/octet-stream",
};

function outputsOf(
  ladder: LadderPackage,
  params: LadderParams,
  { streams }: LadderFiles,
): StepOutput[] {
  const { master, manifest, encryption } = ladder;
  const expected = {
    rungs: rungExpectations(params, streams),
    sounds: soundExpectations(streams),
  };
  const media =
    (role: string, mimeType: string, about: (typeof expected)["rungs"]) =>
    (wish: { file: string }, index: number) => {
      const readable = encryption === null ? about[index] : undefined;
      return output(role, mimeType, { ...(readable ?? unreadable), file: wish.file });
    };
  const text = (file: string | null, role: string, mimeType: string) =>
    file === null ? [] : [output(role, mimeType, { ...unreadable, kind: "text", file })];
  return [
    ...text(master, "main", mimeTypes.playlist),
    ...text(manifest, master === null ? "main" : "manifest", mimeTypes.manifest),
    ...ladder.pictures.map(media("rung", "video/mp4", expected.rungs)),
    ...ladder.sounds.map(media("audio", "audio/mp4", expected.sounds)),
    ...[...ladder.pictures, ...ladder.sounds].flatMap(({ playlist }) =>
      text(playlist, "playlist", mimeTypes.playlist),
    ),
    ...ladder.pictures.flatMap(({ keyframes }) =>
      text(keyframes, "keyframe-playlist", mimeTypes.playlist),
    ),
    ...(encryption === null
      ? []
      : [output("key", mimeTypes.key, { ...unreadable, file: encryption.keyFile })]),
  ];
}

/** What no decoder reads. */
const unreadable = {
  kind: "data" as const,
  ...{ durationSeconds: null, video: null, audioTracks: 0, audioCodecs: [] },
};

/** Files are published under the names that playlists call them by. */
function output(role: string, mimeType: string, expectation: Expectation): StepOutput {
  const { file } = expectation;
  return { file, name: file, role, mimeType, expectation };
}
