/** `concat`: several files one after the other, brought to one size, rate and sound. */
import type { AudioEncode, InputDescription, VideoEncode } from "../media/description.ts";
import type { FilterChain, SoundChain } from "../media/graph.ts";
import type { MediaInfo, VideoStream } from "../media/media.ts";
import { assert, Refusal } from "../trouble.ts";
import { type ConcatParams, concatSchema } from "./concat-schema.ts";
import {
  mainTrack,
  type PictureTarget,
  picturesOf,
  pictureTarget,
  soundTarget,
  toTarget,
} from "./concat-target.ts";
import { rateOf, type Timing, timingOf } from "./concat-timing.ts";
import { containers } from "./containers.ts";
import { outputName } from "./naming.ts";
import { defineOperation, type Plan, type PlanContext, type PlanInput } from "./operation.ts";
import { gopFramesOf, inputPicture } from "./picture.ts";
import { fewerBits, losesBits } from "./transcode-picture.ts";

/** All are open at once; more would run out of memory and of files. */
const mostInputs = 50;

export const concat = defineOperation({
  name: "concat",
  title: "Join",
  description:
    "Puts several videos, or several sounds, one behind the other, with cuts or crossfades. Sizes, frame rates, codecs and sound are brought together; all of it is encoded anew, also where the files are alike.",
  schema: concatSchema,
  example: { transition: "crossfade", seconds: 0.5, match: "largest" },
  inputs: { min: 2, max: mostInputs, kinds: ["video", "audio"] },
  family: "cut",
  plan,
});

function plan(params: ConcatParams, inputs: PlanInput[], context: PlanContext): Plan {
  const media = inputs.map((input) => input.media);
  const pictures = picturesOf(media);
  const picture = pictures === null ? null : pictureTarget(params, pictures, context);
  const sound = soundTarget(params, media);
  if (picture === null && sound === null) {
    throw new Refusal(
      422,
      "unsuitable_input",
      "The inputs are sound alone, and audio is none: nothing would be left. Set audio to keep.",
      { errors: [{ path: "audio", message: "is none, and the inputs have nothing but sound" }] },
    );
  }
  const timing = timingOf(params, media, picture?.rate ?? soundGrid);
  const joined: Joined = { params, inputs, pictures, picture, sound, timing };
  return { steps: [stepOf(joined)], notes: notesOf(joined) };
}

/** Sounds have no frames: their lengths are kept to a thousandth. */
const soundGrid = rateOf("1000");

interface Joined {
  params: ConcatParams;
  inputs: PlanInput[];
  pictures: VideoStream[] | null;
  picture: PictureTarget | null;
  sound: AudioEncode | null;
  timing: Timing;
}

function stepOf(joined: Joined): Plan["steps"][number] {
  const { params, inputs, picture, sound, timing } = joined;
  const facts = containers[params.container];
  const ending = picture === null ? facts.audioEnding : facts.ending;
  const file = `output.${ending}`;
  const graph = picture === null ? [] : pictureChains(joined, picture);
  const sounds = sound === null ? [] : soundChains(joined, sound);
  const codec = picture?.look.codec;
  return {
    name: "join",
    title: `Join ${inputs.length} files with ${params.transition === "cut" ? "cuts" : "crossfades"}`,
    needs: [],
    work: {
      kind: "render",
      description: {
        inputs: inputs.map(({ media }, asset) => inputOf(media, asset, inputs.length)),
        graph,
        sound: sounds,
        outputs: [
          {
            file,
            container: params.container,
            video: picture === null ? null : encodeOf(params, picture),
            audio: sound === null ? [] : [sound],
            ...{ subtitles: [], metadataFrom: 0, dropChapters: true },
            limitSeconds: timing.seconds + slackSeconds,
          },
        ],
        expectedSeconds: timing.seconds,
      },
    },
    outputs: [
      {
        file,
        name: outputName(inputs[0]?.name ?? "joined", "joined", ending),
        role: "main",
        mimeType: picture === null ? facts.audioMimeType : facts.mimeType,
        expectation: {
          file,
          kind: picture === null ? "audio" : "video",
          durationSeconds: timing.seconds,
          video: picture === null || codec === undefined ? null : { codec, ...picture.frame },
          audioTracks: sound === null ? 0 : 1,
          audioCodecs: sound === null ? [] : [sound.codec],
          subtitles: { least: 0, most: 0 },
        },
      },
    ],
  };
}

/** A guard against what grows without end; the graph itself ends to the sample. */
const slackSeconds = 1;

/** From so many on each gets few threads, and none a GPU's decoder, of which there are fewer. */
const manyInputs = 5;
const fewThreads = 2;

function inputOf({ video }: MediaInfo, asset: number, count: number): InputDescription {
  if (count >= manyInputs) return { from: { asset }, decoderThreads: fewThreads };
  return { from: { asset }, ...(video === null ? {} : { picture: inputPicture(video) }) };
}

function encodeOf(params: ConcatParams, { look, frame, rate }: PictureTarget): VideoEncode {
  return {
    kind: "encode",
    source: { pad: "picture" },
    codec: look.codec,
    rate: { quality: params.quality },
    speed: params.effort,
    pixelFormat: look.pixelFormat,
    gopFrames: gopFramesOf(rate.numerator / rate.denominator),
    color: look.color,
    ...frame,
    hdrMetadata: look.hdrMetadata,
  };
}

function pictureChains({ pictures, timing }: Joined, target: PictureTarget): FilterChain[] {
  assert(pictures !== null, "there are pictures");
  const chains = pictures.map((video, input): FilterChain => {
    const filters = toTarget(video, target);
    // Exactly as long as its sound, whatever is in the file.
    filters.push({ filter: "exactly", frames: timing.frames[input] ?? 1 });
    return { from: { input, stream: video.index }, filters, to: `v${input}` };
  });
  if (timing.overlap === 0) {
    const from = pictures.map((_, input) => ({ pad: `v${input}` }));
    return [
      ...chains,
      { from, filters: [{ filter: "concat", count: from.length }], to: "picture" },
    ];
  }
  const seconds = timing.secondsOf(timing.overlap);
  const fades = fadePads(pictures.length, "v", "picture").map(
    ({ from, to }, index): FilterChain => {
      const offsetSeconds = timing.starts[index + 1] ?? 0;
      return { from, filters: [{ filter: "crossfade", seconds, offsetSeconds }], to };
    },
  );
  return [...chains, ...fades];
}

/** Each fade takes what the one before made, and the next input. */
function fadePads(count: number, letter: string, last: string) {
  return Array.from({ length: count - 1 }, (_, index) => ({
    from: [
      { pad: index === 0 ? `${letter}0` : `${letter}fade${index - 1}` },
      { pad: `${letter}${index + 1}` },
    ],
    to: index === count - 2 ? last : `${letter}fade${index}`,
  }));
}

function soundChains({ inputs, timing }: Joined, target: AudioEncode): SoundChain[] {
  const { channels, sampleRate } = target;
  const samplesAt = (seconds: number) => Math.round(seconds * sampleRate);
  const chains = inputs.map(({ media }, input): SoundChain => {
    const starts = timing.starts[input] ?? 0;
    const ends = starts + timing.secondsOf(timing.frames[input] ?? 1);
    // Counted from the beginning: rounded one by one, samples would add up over many joins.
    const seconds = (samplesAt(ends) - samplesAt(starts)) / sampleRate;
    const track = mainTrack(media);
    const to = `a${input}`;
    if (track === null) {
      return { from: [], filters: [{ filter: "silence", seconds, channels, sampleRate }], to };
    }
    return {
      from: { input, stream: track.index },
      filters: [
        { filter: "resample" },
        { filter: "layout", channels, sampleRate },
        { filter: "pad", toSeconds: seconds },
        { filter: "trim", endSeconds: seconds },
      ],
      to,
    };
  });
  if (timing.overlap === 0) {
    const from = inputs.map((_, input) => ({ pad: `a${input}` }));
    return [...chains, { from, filters: [{ filter: "concat", count: from.length }], to: "sound" }];
  }
  const seconds = timing.secondsOf(timing.overlap);
  const fades = fadePads(inputs.length, "a", "sound").map(
    ({ from, to }): SoundChain => ({ from, filters: [{ filter: "crossfade", seconds }], to }),
  );
  return [...chains, ...fades];
}

function notesOf({ inputs, pictures, picture, sound }: Joined): string[] {
  const notes: string[] = [];
  const silent = inputs.filter(({ media }) => mainTrack(media) === null).length;
  if (sound !== null && silent > 0) {
    notes.push(`${counted(silent, "input")} without sound: silence stands there.`);
  }
  if (sound !== null && inputs.some(({ media }) => media.audio.length > 1)) {
    notes.push("Of inputs with several audio tracks the first is taken, or the one marked so.");
  }
  if (inputs.some(({ media }) => media.subtitles.length > 0)) {
    notes.push("Subtitles are left out of joined files.");
  }
  if (picture !== null && !picture.keepsHdr && pictures?.some(({ hdr }) => hdr !== null)) {
    notes.push("HDR becomes SDR, for not all of it can stay: the picture is tone-mapped.");
  } else if (picture !== null && pictures?.some(losesTo(picture))) {
    const { codec } = picture.look;
    notes.push(
      codec === "h264"
        ? fewerBits(codec)
        : "More than 8 bits per colour become 8, as in the input whose picture counts.",
    );
  }
  return notes;
}

function losesTo({ look }: PictureTarget): (video: VideoStream) => boolean {
  return (video) => losesBits(video, look.pixelFormat);
}

function counted(count: number, noun: string): string {
  return count === 1 ? `1 ${noun} is` : `${count} ${noun}s are`;
}
