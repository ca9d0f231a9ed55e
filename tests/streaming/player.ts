/** Plays a ladder of a `numberedFilm` in real Chromium, with hls.js, our part of it or Shaka: see `player-page.js`. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Page } from "playwright-core";
import { libraryFile } from "../../script/player-library.ts";

const modules = resolve(import.meta.dir, "../../node_modules");
const players = {
  /** As on our pages. */
  own: libraryFile,
  hls: join(modules, "hls.js/dist/hls.min.js"),
  dash: join(modules, "shaka-player/dist/shaka-player.dash-es2021.js"),
};

export type Library = keyof typeof players;

export interface Playback {
  /** Fatal or not, what the player complained of. */
  errors: string[];
  /** Lines of the rung of each piece of picture that was loaded, in order. */
  rungs: number[];
  /** Every frame that was shown: its time in seconds, the number in it, its lines. */
  frames: { time: number; number: number; lines: number }[];
  /** Times at which it stood still for want of data after it had begun. */
  stalls: number[];
  buffered: [number, number][];
  duration: number;
  ended: boolean;
  /** Of sound that was decoded. */
  soundBytes: number;
  droppedVideoFrames: number;
  totalVideoFrames: number;
}

/** Longer than any of the films here at the lowest speed, on a busy machine. */
const PLAY_LIMIT_MS = 60_000;

/** More than this share of the frames thrown away is seen. */
const droppedShare = 0.05;

/**
 * Plays to the end. When frames were thrown away it is played again, slower: a ladder that makes a player
 * drop them does so at any speed, a busy machine does not.
 * @param page of the origin of the address
 * @param address of the playlist or the manifest
 */
export async function play(page: Page, library: Library, address: string): Promise<Playback> {
  let played = await playAt(page, library, { address, speed: 1 });
  for (const speed of [0.5, 0.25]) {
    const { droppedVideoFrames, totalVideoFrames } = played;
    if (droppedVideoFrames <= totalVideoFrames * droppedShare) break;
    played = await playAt(page, library, { address, speed });
  }
  return played;
}

async function playAt(
  page: Page,
  library: Library,
  options: { address: string; speed: number },
): Promise<Playback> {
  await page.reload();
  await page.setContent('<video id="film" muted playsinline width="256" height="144"></video>');
  for (const path of [players[library], join(import.meta.dir, "player-page.js")]) {
    await page.addScriptTag({ content: readFileSync(path, "utf8") });
  }
  const request = { kind: library === "dash" ? "dash" : "hls", ...options, limitMs: PLAY_LIMIT_MS };
  return (await page.evaluate(`playLadder(${JSON.stringify(request)})`)) as Playback;
}
