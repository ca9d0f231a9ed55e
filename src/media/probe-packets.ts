/** What a file is and what its picture's packets say of it, in one question: most of either is the start of ffprobe. */
import { askFfprobe, type ProbeTools } from "./ask-ffprobe.ts";
import type { MediaInfo } from "./media.ts";
import { type Measured, PacketTally, type RawPacket } from "./packets.ts";
import { mediaOf, openSubject, probeSections } from "./probe.ts";
import { numberOf } from "./probe-facts.ts";

export interface ProbedPackets {
  media: MediaInfo;
  /** Of the picture's packets that were read; null without a picture. */
  picture: (Measured & { lastSeconds: number | null }) | null;
}

interface Listing {
  format?: { start_time?: string };
  packets?: RawPacket[];
}

/**
 * @param fromSeconds packets from there on are read; null for all of them. Few seconds: all are kept in memory
 * @throws Refusal 422 `not_media`, Failure `tool_missing`, `input_missing`
 */
export async function probeWithPackets(
  path: string,
  fromSeconds: number | null,
  tools: ProbeTools,
): Promise<ProbedPackets> {
  const subject = await openSubject(path);
  const answer = await askFfprobe(
    subject,
    [
      ...probeSections,
      ...["-show_entries", "packet=stream_index,pts_time,dts_time,duration_time,flags"],
      ...(fromSeconds === null ? [] : ["-read_intervals", `${fromSeconds.toFixed(3)}%`]),
    ],
    tools,
  );
  const media = await mediaOf(subject, answer, tools);
  if (media.video === null) return { media, picture: null };
  const listing = JSON.parse(answer.stdout) as Listing;
  const start = numberOf(listing.format?.start_time) ?? 0;
  const tally = new PacketTally();
  let last = Number.NEGATIVE_INFINITY;
  for (const packet of listing.packets ?? []) {
    if (packet.stream_index !== media.video.index) continue;
    tally.add(packet);
    last = Math.max(last, (numberOf(packet.pts_time) ?? last) - start);
  }
  const lastSeconds = Number.isFinite(last) ? last : null;
  return { media, picture: { ...tally.measured(), lastSeconds } };
}
