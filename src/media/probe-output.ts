/**
 * What a file is, asked by the proof of an output: with the packets of its picture, where that takes no second question,
 * since most of either is the start of ffprobe.
 */
import type { ProbeTools } from "./ask-ffprobe.ts";
import type { MediaInfo } from "./media.ts";
import { type Measured, PacketTally, tallied } from "./packets.ts";
import { askProbe, mediaOf, needsMeasuring, openSubject } from "./probe.ts";

export interface ProbedOutput {
  media: MediaInfo;
  /** Whether the file itself says its length; otherwise its packets did. */
  lengthIsSaid: boolean;
  /** Of all of the picture's packets; null without a picture, or when they were not asked for. */
  picture: Measured | null;
}

/**
 * @param packets for short files: the packets of all streams come in one answer, which has a limit
 * @throws Refusal 422 `not_media`, Failure `tool_missing`, `input_missing`
 */
export async function probeOutput(
  path: string,
  packets: boolean,
  tools: ProbeTools,
): Promise<ProbedOutput> {
  const subject = await openSubject(path);
  const json = await askProbe(subject, packets ? ["-show_entries", tallied] : [], tools);
  const lengthIsSaid = !needsMeasuring(json);
  const media = await mediaOf(subject, json, tools);
  const { video } = media;
  if (video === null || !packets) return { media, lengthIsSaid, picture: null };
  const tally = new PacketTally();
  for (const packet of json.packets ?? []) {
    if (packet.stream_index === video.index) tally.add(packet);
  }
  return { media, lengthIsSaid, picture: tally.measured() };
}
