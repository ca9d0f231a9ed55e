/** Which layers of the fence stand on this kernel, asked once: they do not change while we run. */
import { type FenceLayers, fenceLayers } from "./fence.ts";

let known: FenceLayers | null = null;

export function knownFenceLayers(): FenceLayers {
  known ??= fenceLayers();
  return known;
}

/** "limits", "Landlock 6", "seccomp": what keeps ffmpeg in its place. */
export function standingLayers(layers: FenceLayers): string[] {
  const standing = ["limits"];
  if (layers.landlock !== null) standing.push(`Landlock ${layers.landlock}`);
  if (layers.seccomp) standing.push("seccomp");
  return standing;
}
