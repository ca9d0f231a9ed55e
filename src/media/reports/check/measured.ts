/** How long a file is by its packets. */
import type { PacketSurvey } from "../../packet-survey.ts";

/** Seconds from the start of the file to the end of its last packet; null when none has a time. */
export function measuredSeconds({ streams }: PacketSurvey): number | null {
  const ends = streams.flatMap(({ endSeconds }) => (endSeconds === null ? [] : [endSeconds]));
  return ends.length === 0 ? null : Math.max(...ends);
}
