/** The script of the player, made of its parts in the order in which they need each other. */
import { smaller } from "./smaller.ts" with { type: "macro" };

const parts = [
  smaller("player/timecode.js"),
  smaller("player/shuttle.js"),
  smaller("player/source.js"),
  smaller("player/track.js"),
  smaller("player/player.js"),
];

/** Each part in a block of its own, so that no name of one is that of another. */
export const playerScript: string = parts.map((part) => `{\n${part}}`).join("\n");
