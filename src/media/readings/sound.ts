/** What ffmpeg tells of a sound: its loudness, and its peaks for a drawing. */
import { assert, Failure } from "../../trouble.ts";
import type { LoudnessMeasure } from "../loudness.ts";
import type { Facts } from "../readings.ts";

/** What the meter says of silence, whose loudness is minus infinity. */
const silenceDb = -99;

/** Out of the summary that `ebur128` prints at its end; the last one where a run has several. */
export function readMeter(stderr: string): LoudnessMeasure {
  const summary = stderr.slice(Math.max(0, stderr.lastIndexOf("Summary:")));
  const figure = (name: string) => {
    const text = new RegExp(`^\\s*${name}:\\s*(-?inf|-?nan|-?[\\d.]+) (?:LUFS|LU|dBFS)`, "m");
    const found = text.exec(summary)?.[1];
    if (found === undefined) throw unread("the loudness");
    const value = Number(found);
    return Number.isFinite(value) ? value : silenceDb;
  };
  return { integratedLufs: figure("I"), truePeakDbtp: figure("Peak"), rangeLu: figure("LRA") };
}

/**
 * Peaks as BBC's `audiowaveform` writes them (JSON, version 2). `data` has, for each point in time and in
 * it for each channel, the least and the greatest sample, as whole numbers of `bits` bits.
 */
export interface Waveform {
  version: 2;
  channels: number;
  sample_rate: number;
  samples_per_pixel: number;
  bits: 8 | 16;
  /** Points in time: `data` is `2 × channels` as long. */
  length: number;
  data: number[];
}

/** Out of what `ametadata` printed of `astats`, for each frame and channel the least and the greatest sample. */
export function readPeaks(text: string, facts: Facts): Waveform {
  const { channels = 1, sampleRate = 0, samplesPerPixel = 0, bits = 16 } = facts;
  const data: number[] = [];
  for (const [, , value] of text.matchAll(/^lavfi\.astats\.\d+\.(Min|Max)_level=(-?[\d.]+)$/gm)) {
    const sample = Number(value);
    data.push(bits === 8 ? Math.trunc(sample / 256) : Math.round(sample));
  }
  if (data.length === 0) throw unread("the peaks");
  const length = data.length / 2 / channels;
  assert(Number.isInteger(length), `${data.length} peaks are of ${channels} channels`);
  return {
    version: 2,
    channels,
    sample_rate: sampleRate,
    samples_per_pixel: samplesPerPixel,
    bits: bits === 8 ? 8 : 16,
    length,
    data,
  };
}

function unread(what: string): Failure {
  return new Failure("internal", `ffmpeg did not say ${what} that was asked for.`, {
    hint: "Retry the job. If it fails again, send the log of the server with the job's id.",
    retryable: true,
  });
}
