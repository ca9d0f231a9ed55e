/**
 * Shows an asset: plays it, plays a ladder, or has a small copy made of what this browser cannot play. What the browser can
 * is found out by `static/player/`, from what stands in the element.
 */
import type { Asset } from "../src/assets/asset.ts";
import type { MediaInfo, VideoStream } from "../src/media/media.ts";
import type { KeyHint } from "./components/key.ts";
import { type Html, html } from "./html.ts";
import { type IconName, icon } from "./icons.ts";
import { kindIcon } from "./media-words.ts";
import { isPicture, type Playability, playabilityOf } from "./playability.ts";
import { texts } from "./texts/texts.ts";

const words = texts.player;

/** Playlists of streams, by their type; there each finds the streams beside it. */
const playlistFormats: Record<string, string> = {
  "application/vnd.apple.mpegurl": "HLS",
  "application/dash+xml": "DASH",
};

/** Whether it is the list of a ladder that `hls.js` plays. */
export function isLadder({ mimeType, origin, name }: Asset): boolean {
  // Lists of one rung, or of its keyframes, play as well; an audio rendition has no picture.
  return playlistFormats[mimeType] === "HLS" && origin.kind === "job" && name.endsWith(".m3u8");
}

/** The scripts that a page with this player needs. */
export function playerScripts(asset: Asset | null): string[] {
  if (asset === null) return [];
  const ladders = isLadder(asset);
  return ladders || isPlayed(asset) ? scriptsOfPlayer({ ladders }) : [];
}

/** The same for a page on which players may come later. */
export function scriptsOfPlayer({ ladders }: { ladders: boolean }): string[] {
  return [...(ladders ? ["hls.js"] : []), "player.js", "copy.js"];
}

function isPlayed(asset: Asset): boolean {
  return (asset.kind === "video" || asset.kind === "audio") && !isPicture(asset);
}

export interface PlayerPlace {
  /** Makes the id unique when a page shows an asset twice. */
  place: string;
  /** The subject of the page: it begins where the address says (`?t=`). */
  leads?: boolean;
  /** What a ladder was made of: its pictures and its waveform are those of the ladder too. */
  source?: Asset | null;
}

/**
 * The player in an element that updates skip: a list or panel that fetches itself never restarts it.
 */
export function player(asset: Asset, { place, leads = false, source = null }: PlayerPlace): Html {
  const id = `player-${place}-${asset.id}`;
  if (isPlayed(asset) && asset.media !== null) return moving(asset, asset, { id, leads });
  if (isLadder(asset)) return moving(asset, source, { id, leads });
  return html`<div class="player ${asset.kind}" id="${id}" hx-morph-skip>${still(asset)}</div>`;
}

function still(asset: Asset): Html {
  const video = asset.media?.video ?? null;
  if (isPicture(asset)) {
    return html`<img src="/api/v1/assets/${asset.id}/content" alt="${asset.name}" width="${video?.displayWidth}" height="${video?.displayHeight}">`;
  }
  const format = playlistFormats[asset.mimeType];
  if (format !== undefined && asset.origin.kind === "job") {
    const place = ladderPlace(asset);
    return html`<div class="no-player">${icon("file")}<p>${words.manifest(format)} <a href="${place}"><code hx-ignore>${place}</code></a>, ${words.manifestAccess}</p></div>`;
  }
  return html`<div class="no-player">${icon(kindIcon(asset.kind))}<p>${asset.kind === "text" ? words.textFile : words.programs}</p></div>`;
}

function ladderPlace({ origin, name }: Asset): string {
  const jobId = origin.kind === "job" ? origin.jobId : "";
  return `/api/v1/jobs/${jobId}/outputs/${encodeURIComponent(name)}`;
}

/** What the keys do on a page with this player. */
export function playerKeys(asset: Asset): readonly KeyHint[] {
  return isPlayed(asset) || isLadder(asset) ? words.keyList : [];
}

/** What the script must know, beside the addresses. */
function aboutOf(media: MediaInfo | null, { plays, types }: Pick<Playability, "plays" | "types">) {
  const video = media?.video ?? null;
  const rate = video?.frameRate ?? null;
  const [over = 0, under = 1] = (rate ?? "0").split("/").map(Number);
  return {
    ...{ plays, types, rate, seconds: media?.durationSeconds ?? null },
    ...{ hasPicture: video !== null, hasSound: (media?.audio.length ?? 0) > 0 },
    picture:
      video === null || over <= 0
        ? null
        : {
            width: video.width,
            height: video.height,
            framerate: over / under,
            bitrate: video.bitRate ?? media?.bitRate ?? 1_000_000,
          },
  };
}

/** @param whole the file that the picture, the pictures and the waveform are of: it itself, or what a ladder was made of */
function moving(
  asset: Asset,
  whole: Asset | null,
  { id, leads }: { id: string; leads: boolean },
): Html {
  const { media } = asset;
  const ladder = media === null ? ladderPlace(asset) : null;
  const can: Playability =
    media === null ? { plays: "yes", types: [], because: "HLS", sound: "" } : playabilityOf(media);
  const about = JSON.stringify(aboutOf(whole?.media ?? null, can));
  const beside = whole === null ? null : `/api/v1/assets/${whole.id}/companions`;
  const sound = media !== null && media.video === null;
  return html`<div class="player ${sound ? "audio" : "video"}" id="${id}" data-player data-asset="${whole?.id ?? asset.id}" data-about="${about}" data-words="${scriptWords(can)}" data-content-address="/api/v1/assets/${asset.id}/content" data-companions-address="${beside}" data-ladder-address="${ladder}" data-leads="${leads}" data-state="paused" role="group" aria-label="${words.controls}" hx-ignore hx-morph-skip>
<div class="screen">${screen(asset, whole, can)}
<div class="screen-note" data-note hidden><p role="status"></p><progress max="100" aria-label="${words.script.soon}"></progress><button type="button" class="button" data-does="again" data-again hidden>${words.again}</button></div>
</div>
${track(sound)}
${transport(whole?.media?.video ?? null, sound)}
</div>`;
}

function scriptWords({ because, sound }: Playability): string {
  return JSON.stringify({
    ...words.script,
    cannotPlay: words.cannotPlay(because),
    cannotShow: words.cannotShow(because),
    cannotHear: words.cannotHear(sound),
  });
}

/** The address stands in the element where every browser plays it, so that it begins to load before the script. */
function screen(asset: Asset, whole: Asset | null, { plays }: Playability): Html {
  const { media } = asset;
  const src = plays === "yes" && media !== null ? `/api/v1/assets/${asset.id}/content` : null;
  if (media !== null && media.video === null) {
    return html`<audio preload="metadata" src="${src}" aria-label="${asset.name}"></audio>`;
  }
  const poster = whole?.thumbnail === "ready" ? `/ui/assets/${whole.id}/thumbnail` : null;
  const { displayWidth = 1280, displayHeight = 720 } = whole?.media?.video ?? {};
  return html`<video playsinline preload="metadata" src="${src}" poster="${poster}" width="${displayWidth}" height="${displayHeight}" aria-label="${asset.name}"></video>`;
}

/** The waveform behind, the lever before it: what the eye sees is drawn, what the hand and keys move is a real control. */
function track(sound: boolean): Html {
  return html`<div class="track${sound ? " tall" : ""}" data-track><canvas aria-hidden="true"></canvas><span class="track-loaded" aria-hidden="true"></span><span class="track-played" aria-hidden="true"></span><input type="range" min="0" max="0" step="any" value="0" aria-label="${words.position}"><div class="track-preview" data-preview hidden aria-hidden="true"><canvas data-picture width="160" height="90" hidden></canvas><span data-time></span></div></div>`;
}

const speeds = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4];

function transport(video: VideoStream | null, sound: boolean): Html {
  const frames = (video?.frameRate ?? null) !== null;
  const [back, forth] = frames ? [words.back, words.forth] : [words.backSound, words.forthSound];
  return html`<div class="transport" role="toolbar" aria-label="${words.controls}">
${toggling("toggle", { off: words.play, on: words.pause, key: "Space" }, ["play", "pause"])}
${control("back", back, ",", "frame-back")}${control("forth", forth, ".", "frame-forth")}
<span class="transport-time"><span class="timecode" role="timer" data-now title="${clockWords(video)}" aria-label="${clockWords(video)}"></span><span class="muted" aria-hidden="true">/</span><span class="muted timecode" data-length></span></span>
<span class="chip" data-copy-chip hidden title="${words.chipExplained}">${words.chip}</span>
<span class="transport-end"><strong class="shuttle" data-shuttle hidden role="status"></strong>
<label class="speed"><span class="sr-only">${words.speed}</span><span class="select"><select data-speed>${speeds.map((speed) => html`<option value="${speed}" selected="${speed === 1}">${speed}×</option>`)}</select>${icon("chevron")}</span></label>
${toggling("mute", { off: words.mute, on: words.unmute, key: "m" }, ["sound-on", "sound-off"])}
<button type="button" class="icon-button" data-copy="" data-copy-now data-copied="${words.copied}" data-failed="${words.notCopied}" aria-label="${words.copyTime}" title="${words.copyTime}">${icon("link")}<span class="copy-said" role="status"></span></button>
${sound ? null : html`${control("pip", words.pictureInPicture, "p", "picture-in-picture")}${control("fullscreen", words.fullscreen, "f", "fullscreen")}`}</span>
</div>`;
}

function clockWords(video: VideoStream | null): string {
  if (video === null || video.frameRate === null) return words.clock;
  if (video.variableFrameRate) return words.timecodeVaries;
  return /^(30|60)000\/1001$/.test(video.frameRate) ? words.timecodeDropFrame : words.timecode;
}

function control(does: string, label: string, key: string, drawing: IconName): Html {
  return html`<button type="button" class="icon-button" data-does="${does}" aria-label="${label}" title="${label} (${key})">${icon(drawing)}</button>`;
}

/** Two drawings, of which the style sheet shows one. */
function toggling(
  does: string,
  { off, on, key }: { off: string; on: string; key: string },
  [offDrawing, onDrawing]: readonly [IconName, IconName],
): Html {
  return html`<button type="button" class="icon-button toggling" data-does="${does}" data-on="false" data-key="${key}" data-label-off="${off}" data-label-on="${on}" aria-label="${off}" title="${off} (${key})">${icon(offDrawing)}${icon(onDrawing)}</button>`;
}
