/** ffmpeg: which one, and what it lacks. */
import { abilitiesOf } from "../media/devices.ts";
import { Failure } from "../trouble.ts";
import type { Box, Finding } from "./finding.ts";

export function toolFindings({ toolchain }: Pick<Box, "toolchain">): Finding[] {
  const title = "FFmpeg";
  if (toolchain === null) {
    const meaning = "Kinomill is still looking at its ffmpeg.";
    return [{ id: "ffmpeg", level: "ok", title, meaning, remedy: null }];
  }
  if (toolchain instanceof Failure) {
    const remedy = toolchain.report.hint === "" ? null : toolchain.report.hint;
    return [{ id: "ffmpeg", level: "fault", title, meaning: toolchain.message, remedy }];
  }
  const missing = abilitiesOf(toolchain).filter(({ remedy }) => remedy !== null);
  const all = missing.length === 0 ? ", with every codec that Kinomill uses" : "";
  const meaning = `ffmpeg ${toolchain.version}${all}.`;
  return [
    { id: "ffmpeg", level: "ok", title, meaning, remedy: null },
    ...missing.map(({ ability, remedy }): Finding => {
      const [lacking = "", ...toDo] = (remedy ?? "").split(/(?<=fails\.|tested with\.) /);
      return {
        id: `ffmpeg.${ability.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}`,
        level: "warning",
        title: ability.charAt(0).toUpperCase() + ability.slice(1),
        meaning: lacking,
        remedy: toDo.length === 0 ? null : toDo.join(" "),
      };
    }),
  ];
}
