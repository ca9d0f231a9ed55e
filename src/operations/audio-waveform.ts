/** `audio` draws a sound: its peaks as JSON, and a picture. Pure. */
import type { AudioStream } from "../media/media.ts";
import type { AudioParams } from "./audio-schema.ts";
import { unsuitable } from "./audio-tracks.ts";
import { soundlessRun } from "./levelling.ts";
import { outputName } from "./naming.ts";
import type { Plan, PlanInput, Step } from "./operation.ts";
import { maxChannels } from "./sound.ts";

type Waveform = NonNullable<AudioParams["waveform"]>;

export const defaultWaveform: Waveform = {
  output: "both",
  pointsPerSecond: 20,
  bits: 8,
  channels: "mixed",
  width: 1800,
  height: 280,
  colour: "#2f80ed",
};

/** What the filters write of so many is 240 MB of text, and players draw a hundredth of it. */
const maxPeaks = 2_000_000;

/** Where a source does not say how long it is: a day, as for every output of unknown length. */
const unknownSeconds = 86_400;

export function planWaveform(wish: Waveform, input: PlanInput, track: AudioStream): Plan {
  const steps: Step[] = [];
  if (wish.output !== "png") steps.push(peaksStep(wish, input, track));
  if (wish.output !== "json") steps.push(pictureStep(wish, input, track));
  return { steps, notes: [] };
}

function peaksStep(wish: Waveform, { name, media }: PlanInput, track: AudioStream): Step {
  const channels = wish.channels === "mixed" ? 1 : track.channels;
  if (channels > maxChannels) {
    throw unsuitable(`The track has ${channels} channels: set waveform.channels to mixed.`);
  }
  const { sampleRate } = track;
  const seconds = media.durationSeconds ?? unknownSeconds;
  const peaks = seconds * wish.pointsPerSecond * channels;
  if (peaks > maxPeaks) {
    throw unsuitable(
      `waveform.pointsPerSecond of ${wish.pointsPerSecond} makes ${Math.ceil(peaks)} peaks of this source, and ${maxPeaks} are the most. Choose fewer, or mixed channels.`,
    );
  }
  const samplesPerPixel = Math.max(1, Math.round(sampleRate / wish.pointsPerSecond));
  const file = "waveform.json";
  const chain = {
    from: { input: 0, stream: track.index },
    filters: [
      { filter: "resample" as const },
      { filter: "layout" as const, channels, sampleRate },
      { filter: "peaks" as const, samples: samplesPerPixel, file: "peaks.txt" },
    ],
    to: "peaks",
  };
  return {
    name: "peaks",
    title: "Find the peaks of the sound",
    needs: [],
    work: {
      kind: "analyse",
      description: soundlessRun(
        [{ from: { asset: 0 } }],
        [chain],
        { channels, sampleRate },
        media.durationSeconds,
      ),
      reading: "peaks",
      file,
      facts: { channels, sampleRate, samplesPerPixel, bits: wish.bits },
    },
    outputs: [
      {
        file,
        name: outputName(name, "waveform", "json"),
        role: "waveform",
        mimeType: "application/json",
        expectation: { file, kind: "text", ...soundless, video: null },
      },
    ],
  };
}

const soundless = { durationSeconds: null, audioTracks: 0, audioCodecs: [] };

/** Under its real ending ffmpeg would open it as a numbered series. People get the real one. */
const pictureFile = "waveform.image";

function pictureStep(wish: Waveform, { name, media }: PlanInput, track: AudioStream): Step {
  const { width, height, colour: color } = wish;
  const { durationSeconds: seconds } = media;
  if (seconds === null) {
    throw unsuitable(
      "The source does not say how long it is, so no picture of it can be drawn. Set waveform.output to json, or extract the sound first.",
    );
  }
  const { sampleRate } = track;
  const samples = Math.max(1, Math.ceil((seconds * sampleRate) / width));
  const file = pictureFile;
  return {
    name: "picture",
    title: `Draw the sound at ${width}×${height}`,
    needs: [],
    work: {
      kind: "render",
      description: {
        inputs: [{ from: { asset: 0 } }],
        graph: [],
        sound: [
          {
            from: { input: 0, stream: track.index },
            filters: [
              { filter: "resample" },
              { filter: "layout", channels: 1, sampleRate },
              { filter: "draw", samples, width, height, color },
            ],
            to: "drawn",
          },
        ],
        outputs: [
          {
            file,
            container: "image",
            video: {
              kind: "image",
              source: { pad: "drawn" },
              codec: "png",
              quality: 100,
              frames: 1,
            },
            audio: [],
            subtitles: [],
            metadataFrom: null,
            limitSeconds: null,
          },
        ],
        expectedSeconds: null,
      },
    },
    outputs: [
      {
        file,
        name: outputName(name, "waveform", "png"),
        role: "waveform-picture",
        mimeType: "image/png",
        expectation: { file, kind: "image", ...soundless, video: { codec: "png", width, height } },
      },
    ],
  };
}
