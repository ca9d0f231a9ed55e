/** Which layers of the fence stand on this kernel, asked once: they do not change while we run. */
import { type FenceLayers, fenceLayers } from "./fence.ts";

let known: FenceLayers | null = null;

export function knownFenceLayers(): FenceLayers {
  known ??= fenceLayers();
  return known;
}

/**
 * Why no uploads are taken, and what to do; null when they are. Without Landlock a hostile file can make
 * ffmpeg read other people's files: whether that is acceptable only the admin can say.
 * @param allowed the setting `uploads.allowWithoutSandbox`
 */
export function whyNoUploads(layers: FenceLayers, allowed: boolean): string | null {
  if (layers.landlock !== null || allowed) return null;
  return "Uploads are refused: without Landlock in the kernel a hostile file could make ffmpeg read other people's files. Use Linux 5.13 or newer with lsm=landlock, or accept the risk with the setting uploads.allowWithoutSandbox = true.";
}

/** "limits", "Landlock 6", "seccomp": what keeps ffmpeg in its place. */
export function standingLayers(layers: FenceLayers): string[] {
  const standing = ["limits"];
  if (layers.landlock !== null) standing.push(`Landlock ${layers.landlock}`);
  if (layers.seccomp) standing.push("seccomp");
  return standing;
}
