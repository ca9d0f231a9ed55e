/** The fence around ffmpeg, the part that reads what strangers send. */
import { knownFenceLayers, whyNoUploads } from "../media/fence-layers.ts";
import type { Box, Finding } from "./finding.ts";

export function sandboxFindings({ config }: Pick<Box, "config">): Finding[] {
  const known = knownFenceLayers();
  const { landlock, seccomp, reason } = known;
  const common = { id: "sandbox", title: "Sandbox" };
  if (reason === "") {
    const layers = [landlock === null ? null : `Landlock ${landlock}`, seccomp ? "seccomp" : null]
      .filter((layer) => layer !== null)
      .join(" and ");
    const meaning = `ffmpeg runs fenced in by ${layers}.`;
    return [{ ...common, level: "ok", meaning, remedy: null }];
  }
  const refused = whyNoUploads(known, config.uploads.allowWithoutSandbox);
  const taken = landlock === null ? "Uploads are taken: uploads.allowWithoutSandbox says so." : "";
  return [{ ...common, level: "warning", meaning: reason, remedy: refused ?? (taken || null) }];
}
