/** `kinomill probe FILE`: what a media file is, in words or as the API's `media` object. */
import {
  channelsTitle,
  codecTitle,
  containerTitle,
  hdrTitle,
  languageTitle,
  resolutionTitle,
} from "../../views/media-words.ts";
import { bitRateText, durationText, frameRateText } from "../../views/quantities.ts";
import type { AudioStream, MediaInfo, VideoStream } from "../media/media.ts";
import { probe } from "../media/probe.ts";
import { exitCodes } from "./exit.ts";
import type { CommonOptions } from "./program.ts";
import { configOf } from "./settings.ts";

export async function probeFile(
  file: string,
  options: CommonOptions & { json?: boolean },
): Promise<number> {
  const config = await configOf(options);
  const media = await probe(file, { ffprobePath: config.ffmpeg.ffprobePath });
  const text = options.json ? JSON.stringify(media, null, 2) : describeMedia(media).join("\n");
  console.log(text);
  return exitCodes.done;
}

function describeMedia(media: MediaInfo): string[] {
  const whole = [
    containerTitle(media.container),
    media.durationSeconds === null ? null : durationText(media.durationSeconds),
    media.bitRate === null ? null : bitRateText(media.bitRate),
  ];
  const lines = [`file       ${words(whole)}`];
  if (media.video !== null) lines.push(`video      ${videoWords(media.video)}`);
  lines.push(...media.audio.map((stream) => `audio      ${audioWords(stream)}`));
  for (const { codec, language } of media.subtitles) {
    lines.push(`subtitles  ${words([codec, language === null ? null : languageTitle(language)])}`);
  }
  if (media.chapters.length > 0) lines.push(`chapters   ${media.chapters.length}`);
  return lines;
}

function videoWords(video: VideoStream): string {
  return words([
    codecTitle(video.codec),
    resolutionTitle(video),
    `${video.width}×${video.height}`,
    video.frameRate === null ? null : frameRateText(video.frameRate),
    video.variableFrameRate ? "variable frame rate" : null,
    `${video.bitDepth} bit`,
    video.hdr === null ? null : hdrTitle(video.hdr),
    video.rotation === 0 ? null : `turned ${video.rotation}°`,
    video.interlaced ? "interlaced" : null,
    video.alpha ? "with transparency" : null,
  ]);
}

function audioWords(audio: AudioStream): string {
  return words([
    codecTitle(audio.codec),
    channelsTitle(audio.channels),
    `${audio.sampleRate / 1000} kHz`,
    audio.language === null ? null : languageTitle(audio.language),
    audio.title,
  ]);
}

function words(parts: (string | null)[]): string {
  return parts.filter((part) => part !== null).join(", ");
}
