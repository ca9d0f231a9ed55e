/// <reference path="./text.d.ts" />
/** The script of the player, made of its parts in the order in which they need each other. */
import player from "./player/player.js" with { type: "text" };
import shuttle from "./player/shuttle.js" with { type: "text" };
import source from "./player/source.js" with { type: "text" };
import timecode from "./player/timecode.js" with { type: "text" };
import track from "./player/track.js" with { type: "text" };

const parts = [timecode, shuttle, source, track, player];

/** Each part in a block of its own, so that no name of one is that of another. */
export const playerScript: string = parts.map((part) => `{\n${part}}`).join("\n");
