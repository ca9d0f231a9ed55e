/** What a file is, in plain words: a list of term and description. */
import type { Asset } from "../src/assets/asset.ts";
import type { AudioStream, MediaInfo, VideoStream } from "../src/media/media.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import {
  channelsTitle,
  codecTitle,
  containerTitle,
  hdrTitle,
  languageTitle,
  resolutionTitle,
} from "./media-words.ts";
import { bitRateText, durationText, frameRateText, sizeText } from "./quantities.ts";
import { texts } from "./texts/texts.ts";
import { timeText } from "./times.ts";

const words = texts.facts;

interface Fact {
  term: string;
  text: Html | string;
}

/** The facts of an asset, grouped: file, picture, sound, subtitles, chapters. */
export function assetFacts(asset: Asset): Html {
  const media = asset.media;
  const groups: { title: string; facts: Fact[] }[] = [
    { title: words.file, facts: fileFacts(asset) },
  ];
  if (media?.video) groups.push({ title: words.picture, facts: videoFacts(media.video) });
  media?.audio.forEach((track, position) => {
    const title = media.audio.length > 1 ? words.soundNumber(position + 1) : words.sound;
    groups.push({ title, facts: audioFacts(track) });
  });
  if (media?.kind === "video" && media.audio.length === 0) {
    groups.push({ title: words.sound, facts: [{ term: words.tracks, text: words.noTracks }] });
  }
  return html`${groups.map(factGroup)}${subtitleFacts(media)}${chapterFacts(media)}`;
}

function factGroup(group: { title: string; facts: Fact[] }): Html {
  return html`<section class="facts"><h3>${group.title}</h3><dl>${group.facts.map(
    ({ term, text }) => html`<div><dt>${term}</dt><dd hx-ignore>${text}</dd></div>`,
  )}</dl></section>`;
}

function fileFacts(asset: Asset): Fact[] {
  const { media } = asset;
  const facts: Fact[] = [{ term: words.size, text: sizeText(asset.sizeBytes) }];
  if (media !== null) facts.push({ term: words.format, text: containerTitle(media.container) });
  if (media?.durationSeconds) {
    facts.push({ term: words.duration, text: durationText(media.durationSeconds) });
  }
  if (media?.bitRate) facts.push({ term: words.bitRate, text: bitRateText(media.bitRate) });
  facts.push({ term: words.added, text: timeText(asset.createdAt) });
  if (asset.expiresAt !== null)
    facts.push({ term: words.keptUntil, text: timeText(asset.expiresAt) });
  facts.push({
    term: words.hash,
    text: html`<code class="hash" title="${asset.sha256}">${asset.sha256.slice(0, 16)}…</code>`,
  });
  return facts;
}

function videoFacts(video: VideoStream): Fact[] {
  const facts: Fact[] = [
    {
      term: words.codec,
      text: `${codecTitle(video.codec)}${video.profile === null ? "" : ` (${video.profile})`}`,
    },
    { term: words.resolution, text: sizeOf(video) },
  ];
  const rate = video.frameRate === null ? null : frameRateText(video.frameRate);
  if (rate !== null) {
    const text = video.variableFrameRate ? words.varies(rate) : rate;
    facts.push({ term: words.frameRate, text });
  }
  if (video.rotation !== 0) {
    facts.push({ term: words.rotation, text: words.turned(video.rotation) });
  }
  if (video.sampleAspectRatio !== "1:1") {
    facts.push({
      term: words.pixels,
      text: words.notSquare(video.sampleAspectRatio, video.width, video.height),
    });
  }
  facts.push({ term: words.colour, text: colorText(video) });
  if (video.interlaced) facts.push({ term: words.scan, text: words.interlaced });
  if (video.alpha) facts.push({ term: words.transparency, text: words.yes });
  if (video.bitRate !== null) facts.push({ term: words.bitRate, text: bitRateText(video.bitRate) });
  return facts;
}

function sizeOf(video: VideoStream): string {
  const size = `${video.displayWidth} × ${video.displayHeight}`;
  const name = resolutionTitle(video);
  return name === size ? size : `${size} (${name})`;
}

function colorText(video: VideoStream): string {
  const range = video.hdr === null ? words.standardRange : words.highRange(hdrTitle(video.hdr));
  return `${range}, ${words.depth(video.bitDepth)}, ${video.pixelFormat}`;
}

function audioFacts(audio: AudioStream): Fact[] {
  const facts: Fact[] = [
    { term: words.codec, text: codecTitle(audio.codec) },
    { term: words.channels, text: channelsTitle(audio.channels) },
    { term: words.sampleRate, text: `${Number((audio.sampleRate / 1000).toFixed(2))} kHz` },
  ];
  if (audio.language !== null) {
    facts.push({ term: words.language, text: languageTitle(audio.language) });
  }
  if (audio.title !== null) facts.push({ term: words.title, text: audio.title });
  if (audio.bitRate !== null) facts.push({ term: words.bitRate, text: bitRateText(audio.bitRate) });
  return facts;
}

function subtitleFacts(media: MediaInfo | null): Html | null {
  if (media === null || media.subtitles.length === 0) return null;
  const facts = media.subtitles.map((track) => ({
    term: track.language === null ? words.unnamed : languageTitle(track.language),
    text: [codecTitle(track.codec), track.title, track.forced ? words.forced : null]
      .filter((word) => word !== null)
      .join(", "),
  }));
  return factGroup({ title: words.subtitles, facts });
}

/** All of it as JSON, folded, for people who look closer and for programs. */
export function fullProbe({ media }: Asset): Html | null {
  if (media === null) return null;
  const { probe, copyProbe, copied, notCopied } = texts.asset;
  const json = JSON.stringify(media, null, 2);
  return html`<details class="facts probe"><summary>${probe}</summary><pre tabindex="0" hx-ignore>${json}</pre><button type="button" class="button" data-copy="${json}" data-copied="${copied}" data-failed="${notCopied}">${icon("copy")}<span>${copyProbe}</span></button></details>`;
}

/** Longer lists stay folded; a film has about thirty. */
const CHAPTERS_OPEN = 8;

function chapterFacts(media: MediaInfo | null): Html | null {
  if (media === null || media.chapters.length === 0) return null;
  return html`<details class="facts chapters" open="${media.chapters.length <= CHAPTERS_OPEN}"><summary>${words.chapters(media.chapters.length)}</summary><ol hx-ignore>${media.chapters.map(
    (chapter) =>
      html`<li><button type="button" class="link" data-seek="${chapter.startSeconds}">${durationText(chapter.startSeconds)}</button> <span>${chapter.title ?? words.untitled}</span></li>`,
  )}</ol></details>`;
}
