/** What a file is and what its picture's packets say of it, in one question: most of either is the start of ffprobe. */
import type { ProbeTools } from "./ask-ffprobe.ts";
import type { MediaInfo } from "./media.ts";
import { type Measured, PacketTally, tallied } from "./packets.ts";
import { askProbe, mediaOf, openSubject } from "./probe.ts";

export interface ProbedPackets {
  media: MediaInfo;
  /** Of all of the picture's packets; null without a picture. */
  picture: Measured | null;
}

/**
 * For short files: the packets of all streams come in one answer, which has a limit.
 * @throws Refusal 422 `not_media`, Failure `tool_missing`, `input_missing`
 */
export async function probeWithPackets(path: string, tools: ProbeTools): Promise<ProbedPackets> {
  const subject = await openSubject(path);
  const json = await askProbe(subject, ["-show_entries", tallied], tools);
  const media = await mediaOf(subject, json, tools);
  const { video } = media;
  if (video === null) return { media, picture: null };
  const tally = new PacketTally();
  for (const packet of json.packets ?? []) {
    if (packet.stream_index === video.index) tally.add(packet);
  }
  return { media, picture: tally.measured() };
}
