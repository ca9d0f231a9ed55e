/** `check`: decodes a file and says what is wrong with it and where. Makes no new media. */
import type { RenderDescription } from "../media/description.ts";
import type { AudioFilter, VideoFilter } from "../media/graph.ts";
import type { AudioStream, MediaInfo } from "../media/media.ts";
import type { CheckAbout } from "../media/reports/check/finding.ts";
import { assert, Refusal } from "../trouble.ts";
import { type CheckParams, checkSchema } from "./check-schema.ts";
import { defineOperation, type Plan, type PlanInput, type Step } from "./operation.ts";
import { inputPicture, rateNumber } from "./picture.ts";
import { reportStep } from "./report-step.ts";

type Params = CheckParams;

/** More are commentaries of one film in all languages; each takes a meter of its own. */
const maxTracks = 16;

export const check = defineOperation({
  name: "check",
  title: "Check",
  description:
    "Looks for what is wrong with a file: what cannot be decoded, black, frozen and silent stretches, clipping, holes and jumps in its times, picture and sound of different length, an end that is missing. Measures its loudness too. Makes a report and no new media.",
  schema: checkSchema,
  example: { black: { seconds: 1 }, silent: { seconds: 3 } },
  inputs: { min: 1, max: 1, kinds: ["video", "audio"] },
  family: "examine",
  plan,
});

function plan(params: Params, inputs: PlanInput[]): Plan {
  const [input] = inputs;
  assert(input !== undefined, "check has one input");
  const { media, name } = input;
  if (media.kind === "image") {
    throw new Refusal(
      422,
      "unsuitable_input",
      "The source is a still picture, which has no times to check. Choose a video or a sound.",
    );
  }
  const tracks = media.audio.slice(0, maxTracks);
  return {
    steps: [
      {
        ...{ name: "packets", title: "Read all packets", needs: [], outputs: [] },
        work: {
          ...{ kind: "survey", from: { asset: 0 }, file: "packets.json" },
          gapSeconds: params.gapSeconds,
        },
        makes: ["packets.json"],
      },
      decodeStep(params, media, tracks),
      reportStep({
        ...{ report: "check", title: "Write the report", about: aboutOf(params, media, tracks) },
        ...{ inputName: name, suffix: "check" },
        of: [
          { step: "packets", file: "packets.json" },
          { step: "decode", file: "inspection.json" },
        ],
      }),
    ],
    notes: [],
  };
}

function aboutOf(params: Params, media: MediaInfo, tracks: AudioStream[]): CheckAbout {
  const { black, frozen, silent, phase, levels, loudness } = params;
  const from = (wish: "off" | { seconds: number }) => (wish === "off" ? null : wish.seconds);
  return {
    thresholds: {
      ...{ blackSeconds: from(black), frozenSeconds: from(frozen) },
      ...{ silentSeconds: from(silent), phaseSeconds: from(phase) },
      ...{ levelsSeconds: levels?.seconds ?? null, clipped: params.clipped !== "off" },
      ...{ gapSeconds: params.gapSeconds, lengthSeconds: params.lengthSeconds },
      loudness: loudness ? { lufs: loudness.lufs, toleranceLu: loudness.toleranceLu } : null,
      truePeakDbtp: loudness?.truePeakDbtp ?? null,
    },
    ...{ decode: params.decode, durationSeconds: media.durationSeconds },
    picture: media.video && {
      ...{ stream: media.video.index, interlaced: media.video.interlaced },
      frameRate: rateNumber(media.video.frameRate),
    },
    tracks: tracks.map(({ index, channels, language }) => ({ stream: index, channels, language })),
    tracksLeftOut: media.audio.length - tracks.length,
  };
}

function decodeStep(params: Params, media: MediaInfo, tracks: AudioStream[]): Step {
  const full = params.decode === "full";
  const description = inspection(params, media, tracks);
  const sounds = tracks.map(({ index }, track) => [`sound${track}`, index] as const);
  return {
    name: "decode",
    title: full ? "Decode every frame" : "Decode the keyframes",
    needs: ["packets"],
    work: {
      ...{ kind: "analyse", description, reading: "inspection", file: "inspection.json" },
      facts: {
        ...(media.video === null ? {} : { picture: media.video.index }),
        ...Object.fromEntries(sounds),
      },
    },
    makes: ["inspection.json"],
    outputs: [],
  };
}

function inspection(params: Params, media: MediaInfo, tracks: AudioStream[]): RenderDescription {
  const { video } = media;
  const full = params.decode === "full";
  return {
    inputs: [
      {
        from: { asset: 0 },
        ...(full ? {} : { keyframesOnly: true }),
        ...(video === null ? {} : { picture: inputPicture(video) }),
      },
    ],
    graph:
      video === null
        ? []
        : [
            {
              from: { input: 0, stream: video.index },
              filters: lookedAt(params),
              to: "picture",
            },
          ],
    sound: tracks.map((track, at) => ({
      from: { input: 0, stream: track.index },
      filters: listenedTo(params, track, at),
      to: `sound_${at}`,
    })),
    outputs: [
      {
        ...{ file: "nothing.null", container: "null" as const, subtitles: [] },
        video: video === null ? null : { kind: "look" as const, source: { pad: "picture" } },
        audio: tracks.map((_, track) => ({
          ...{ kind: "look" as const, source: { pad: `sound_${track}` } },
        })),
        ...{ metadataFrom: null, limitSeconds: null },
      },
    ],
    inspects: true,
    expectedSeconds: media.durationSeconds,
  };
}

/** Frozen pictures are looked for by the piece: what an encoder does at a keyframe breaks them. */
const stillSeconds = 0.2;

/** So much more a picture changes where an encoder draws it anew. */
const redrawnDb = 22;

function lookedAt(params: Params): VideoFilter[] {
  const { decode, black, frozen, levels } = params;
  return [
    ...[{ filter: "forget" as const }, { filter: "clock" as const }],
    ...(frozen === "off"
      ? []
      : [
          {
            ...{ filter: "find-frozen" as const, seconds: frozen.seconds },
            noiseDb: frozen.noiseDb + redrawnDb,
          },
          { filter: "note" as const, name: "drift", of: "findings" as const },
          { filter: "forget" as const },
          {
            ...{ filter: "find-frozen" as const, noiseDb: frozen.noiseDb },
            seconds: Math.min(stillSeconds, frozen.seconds),
          },
        ]),
    ...(black === "off"
      ? []
      : [
          {
            filter: "find-black" as const,
            ...{ sharePercent: black.percent, levelPercent: black.level },
          },
        ]),
    { filter: "note", name: "picture", of: "frames" },
    ...(levels === undefined
      ? []
      : [
          { filter: "find-levels" as const },
          {
            ...{ filter: "note" as const, name: "levels" },
            of: { key: "signalstats.BRNG", above: levels.percent / 100 },
          },
        ]),
    ...(decode === "full" ? [{ filter: "find-fields" as const }] : []),
    { filter: "corner" },
  ];
}

/** Full scale of sixteen bits, less a rounding. */
const fullScaleDb = -0.1;

function listenedTo(params: Params, { channels }: AudioStream, at: number): AudioFilter[] {
  const { silent, clipped, phase } = params;
  return [
    ...[{ filter: "forget" as const }, { filter: "clock" as const }],
    ...(silent === "off"
      ? []
      : [
          {
            filter: "find-silence" as const,
            ...{ seconds: silent.seconds, noiseDb: silent.levelDb },
          },
        ]),
    { filter: "note", name: `sound${at}`, of: "frames" },
    ...(phase === "off" || channels !== 2
      ? []
      : [
          { filter: "find-phase" as const, seconds: phase.seconds },
          phaseNote(`begin${at}`, "start"),
          phaseNote(`end${at}`, "end"),
        ]),
    { filter: "meter", name: `meter${at}` },
    ...(clipped === "off"
      ? []
      : [
          // What converts samples counts them, too.
          ...[{ filter: "find-peaks" as const }, { filter: "clock" as const }],
          {
            ...{ filter: "note" as const, name: `loud${at}` },
            of: { key: "astats.Overall.Peak_level", above: fullScaleDb },
          },
          {
            ...{ filter: "note" as const, name: `flat${at}` },
            of: { key: "astats.Overall.Flat_factor", above: flatDb(clipped.samples) },
          },
        ]),
    // The encoder behind it is told once what comes.
    { filter: "remnant" },
  ];
}

function phaseNote(name: string, what: "start" | "end"): AudioFilter {
  return { filter: "note", name, of: { key: `aphasemeter.out_phase_${what}` } };
}

/** ffmpeg's flatness is the mean of squares over the mean of how many samples in a row are at a peak. */
function flatDb(samples: number): number {
  return 20 * Math.log10(samples) - 0.01;
}
