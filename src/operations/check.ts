/** `check`: decodes a file and says what is wrong with it and where. Makes no new media. */
import { z } from "zod";
import type { RenderDescription } from "../media/description.ts";
import type { AudioFilter, VideoFilter } from "../media/graph.ts";
import type { AudioStream, MediaInfo } from "../media/media.ts";
import type { CheckAbout } from "../media/reports/check.ts";
import { assert, Refusal } from "../trouble.ts";
import { defineOperation, type Plan, type PlanInput, type Step } from "./operation.ts";
import { inputPicture } from "./picture.ts";
import { reportStep } from "./report-step.ts";

const seconds = (title: string, value: number, description: string) =>
  z.number().min(0.1).max(3600).default(value).meta({ title, unit: "s", description });

const schema = z.strictObject({
  decode: z
    .enum(["full", "keyframes"])
    .default("full")
    .meta({
      title: "Decode",
      labels: { full: "Every frame", keyframes: "Keyframes alone" },
      description:
        "Keyframes alone is many times faster and finds only what lasts longer than their distance. Sound is decoded whole either way.",
    }),
  blackSeconds: seconds("Black from", 2, "A black picture that lasts so long is reported."),
  frozenSeconds: seconds("Frozen from", 2, "A picture that stands still for so long is reported."),
  frozenDb: z.number().min(-90).max(-20).default(-60).meta({
    title: "Still below",
    unit: "dB",
    description:
      "A picture stands still while it changes by less: −60 lets pass the noise of a codec.",
  }),
  silentSeconds: seconds("Silent from", 2, "Silence that lasts so long is reported."),
  silentDb: z.number().min(-90).max(-20).default(-60).meta({
    title: "Silent below",
    unit: "dB",
    description: "Sound below this level is silence.",
  }),
  gapSeconds: z.number().min(0.02).max(60).default(0.25).meta({
    title: "Holes from",
    unit: "s",
    description: "A hole in the timestamps that is longer is reported.",
  }),
});
type Params = z.output<typeof schema>;

/** Summaries of so many tracks of sound fit into what is kept of ffmpeg's words. */
const maxTracks = 16;

export const check = defineOperation({
  name: "check",
  title: "Check",
  description:
    "Looks for what is wrong with a file: what cannot be decoded, black, frozen and silent stretches, holes and jumps in its times. Measures its loudness too. Makes a report and no new media.",
  schema,
  example: { blackSeconds: 1, silentSeconds: 3 },
  inputs: { min: 1, max: 1 },
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
  const { decode, ...thresholds } = params;
  const about: CheckAbout = {
    ...{ thresholds, decode, durationSeconds: media.durationSeconds },
    picture: media.video && { stream: media.video.index, interlaced: media.video.interlaced },
    tracks: tracks.map(({ index, sampleRate, language }) => ({
      ...{ stream: index, sampleRate, language },
    })),
    tracksLeftOut: media.audio.length - tracks.length,
  };
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
        ...{ report: "check", title: "Write the report", about, inputName: name, suffix: "check" },
        of: [
          { step: "packets", file: "packets.json" },
          { step: "decode", file: "inspection.json" },
        ],
      }),
    ],
    notes: [],
  };
}

function decodeStep(params: Params, media: MediaInfo, tracks: AudioStream[]): Step {
  const full = params.decode === "full";
  const description = inspection(params, media, tracks);
  return {
    name: "decode",
    title: full ? "Decode every frame" : "Decode the keyframes",
    needs: ["packets"],
    work: {
      ...{ kind: "analyse", description, reading: "inspection", file: "inspection.json" },
      facts: { picture: media.video === null ? 0 : 1, tracks: tracks.length },
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
    sound: tracks.map(({ index }, track) => ({
      from: { input: 0, stream: index },
      filters: listenedTo(params, track),
      to: `sound_${track}`,
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

function lookedAt({ decode, frozenSeconds, frozenDb }: Params): VideoFilter[] {
  const frozen = { filter: "find-frozen" as const, seconds: frozenSeconds, noiseDb: frozenDb };
  return [
    ...[{ filter: "find-black" as const }, frozen],
    { filter: "note", file: "picture.txt" },
    ...(decode === "full" ? [{ filter: "find-fields" as const }] : []),
  ];
}

function listenedTo({ silentSeconds, silentDb }: Params, track: number): AudioFilter[] {
  return [
    { filter: "find-silence", seconds: silentSeconds, noiseDb: silentDb },
    { filter: "note", file: `sound-${track}.txt` },
    { filter: "meter" },
  ];
}
