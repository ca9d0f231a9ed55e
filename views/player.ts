/** Shows an asset: plays it, or says why a browser may not. */
import type { Asset } from "../src/assets/asset.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { codecTitle, containerTitle, kindIcon } from "./media-words.ts";

/** Containers and codecs that every current browser plays. */
const playableContainers = new Set(["mp4", "mov", "webm", "mp3", "wav", "flac", "ogg"]);
const playableVideo = new Set(["h264", "vp8", "vp9", "av1"]);
const playableAudio = new Set(["aac", "mp3", "opus", "vorbis", "flac"]);

/** Moving pictures that browsers show as pictures: in a `<video>` they would stay dark. */
const pictureContainers = new Set(["gif", "webp", "apng", "avif"]);

function isPicture(asset: Asset): boolean {
  return asset.kind === "image" || pictureContainers.has(asset.media?.container ?? "");
}

/** A sentence when a browser may fail to play it, else null. */
export function playbackWarning(asset: Asset): string | null {
  const media = asset.media;
  if (media === null || isPicture(asset)) return null;
  if (!playableContainers.has(media.container)) {
    return `Browsers often cannot play ${containerTitle(media.container)} files. Make an MP4 from it to watch it here.`;
  }
  const video = media.kind === "video" ? media.video : null;
  if (video !== null && !playableVideo.has(video.codec)) {
    return `Not every browser plays ${codecTitle(video.codec)}. Make an H.264 MP4 from it to be sure.`;
  }
  const silent = media.audio.find(
    ({ codec }) => !playableAudio.has(codec) && !codec.startsWith("pcm_"),
  );
  return silent === undefined
    ? null
    : `Browsers often play this without sound, because it is ${codecTitle(silent.codec)}.`;
}

/**
 * The player in an element that updates skip: a list or panel that fetches itself never restarts it.
 * @param place makes the id unique when a page shows an asset twice.
 */
export function player(asset: Asset, place: string): Html {
  const warning = playbackWarning(asset);
  return html`<div class="player ${asset.kind}" id="player-${place}-${asset.id}" hx-morph-skip>
${screen(asset)}
${warning === null ? null : html`<p class="player-note">${icon("info")}<span>${warning}</span></p>`}
</div>`;
}

/** What is a list of streams, by its type; there each finds the streams beside it. */
const playlistFormats: Record<string, string> = {
  "application/vnd.apple.mpegurl": "HLS",
  "application/dash+xml": "DASH",
};

function screen(asset: Asset): Html {
  const address = `/api/v1/assets/${asset.id}/content`;
  const video = asset.media?.video ?? null;
  if (isPicture(asset)) {
    return html`<img src="${address}" alt="${asset.name}" width="${video?.displayWidth}" height="${video?.displayHeight}">`;
  }
  if (asset.kind === "audio") {
    return html`<div class="sound">${icon("audio")}<audio controls preload="metadata" src="${address}"></audio></div>`;
  }
  if (asset.kind === "video") {
    const poster = asset.thumbnail === "ready" ? `/ui/assets/${asset.id}/thumbnail` : null;
    return html`<video controls playsinline preload="metadata" src="${address}" poster="${poster}" width="${video?.displayWidth}" height="${video?.displayHeight}" aria-label="${asset.name}"></video>`;
  }
  const format = playlistFormats[asset.mimeType];
  if (format !== undefined && asset.origin.kind === "job") {
    const place = `/api/v1/jobs/${asset.origin.jobId}/outputs/${encodeURIComponent(asset.name)}`;
    return html`<div class="no-player">${icon("file")}<p>A player of ${format} opens this stream at <a href="${place}"><code hx-ignore>${place}</code></a>, with a login or a token.</p></div>`;
  }
  return html`<div class="no-player">${icon(kindIcon(asset.kind))}<p>${asset.kind === "text" ? "This is a text file. Download it to read it." : "This file is for programs alone: encrypted, or a key."}</p></div>`;
}
