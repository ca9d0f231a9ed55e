/** What only the packets and frames of a file tell: its true length, its rhythm, its HDR side data. */
import { askFfprobe, type ProbeTools, type Subject } from "./ask-ffprobe.ts";
import type { PacketTime } from "./cutting.ts";
import type { CutSpan } from "./description.ts";
import { numberOf, type RawPacket, type RawSideData, unevenlySpaced } from "./probe-facts.ts";

/** Packets in which the first decodable frame must lie. */
const firstPackets = 16;

/** Packets whose times are looked at: about ten seconds. */
const timedPackets = 250;

export interface Measured {
  /** From the first packet's time to the end of the last one; null when they have no times. */
  seconds: number | null;
  /** The end of the last one, as the file counts. */
  endsAt: number | null;
  /** Packets that are shown, by index of the stream. */
  packets: Map<number, number>;
}

/**
 * Reads all packets without decoding, in constant memory.
 * @param stream index of the only stream to read, or null for all
 * @throws Refusal 422 `not_media`, Failure `tool_missing`
 */
export async function measurePackets(
  subject: Subject,
  stream: number | null,
  tools: ProbeTools,
): Promise<Measured> {
  const tally = new PacketTally();
  const select = stream === null ? [] : ["-select_streams", String(stream)];
  const argv = [...select, "-show_entries", tallied, "-of", "csv=p=0"];
  await askFfprobe(subject, argv, tools, (line) => {
    const [stream_index, pts_time, dts_time, duration_time, flags] = line.split(",");
    tally.add({ stream_index, pts_time, dts_time, duration_time, flags });
  });
  return tally.measured();
}

/** What the tally needs of each. */
export const tallied = "packet=stream_index,pts_time,dts_time,duration_time,flags";

/** Counts packets and the time that they fill. */
export class PacketTally {
  private readonly packets = new Map<number, number>();
  private start = Number.POSITIVE_INFINITY;
  private end = Number.NEGATIVE_INFINITY;

  add({ stream_index, pts_time, dts_time, duration_time, flags }: RawPacket): void {
    const stream = numberOf(stream_index);
    // An edit list has it decoded and not shown.
    if (stream === null || flags?.includes("D")) return;
    this.packets.set(stream, (this.packets.get(stream) ?? 0) + 1);
    const time = numberOf(pts_time) ?? numberOf(dts_time);
    if (time === null) return;
    this.start = Math.min(this.start, time);
    this.end = Math.max(this.end, time + (numberOf(duration_time) ?? 0));
  }

  measured(): Measured {
    const { packets, start, end } = this;
    const timed = end > start;
    return { seconds: timed ? end - start : null, endsAt: timed ? end : null, packets };
  }
}

/**
 * When a stream ends, in seconds from where the file begins to play; null when its packets have no times.
 * @throws Refusal 422 `not_media`, Failure `tool_missing`
 */
export async function streamEndSeconds(
  subject: Subject,
  stream: number,
  tools: ProbeTools,
): Promise<number | null> {
  const { endsAt } = await measurePackets(subject, stream, tools);
  return endsAt === null ? null : endsAt - (await startOf(subject, tools));
}

/** The time with which a file begins. */
async function startOf(subject: Subject, tools: ProbeTools): Promise<number> {
  const asked = ["-show_entries", "format=start_time", "-of", "csv=p=0"];
  const { stdout } = await askFfprobe(subject, asked, tools);
  return numberOf(stdout.trim()) ?? 0;
}

/** Whether the first frames of a stream lie unevenly in time. */
export async function framesAreUneven(
  subject: Subject,
  stream: number,
  tools: ProbeTools,
): Promise<boolean> {
  const times: number[] = [];
  const argv = [
    ...["-select_streams", String(stream), "-read_intervals", `%+#${timedPackets}`],
    ...["-show_entries", "packet=pts_time", "-of", "csv=p=0"],
  ];
  await askFfprobe(subject, argv, tools, (line) => {
    const time = numberOf(line.split(",")[0]);
    if (time !== null) times.push(time);
  });
  return unevenlySpaced(times);
}

/** Read before a span, so that the frames before its first keyframe are seen too. */
const beforeSeconds = 1;
/** Read behind a span: B-frames and the group after the cut, as far as they matter to where it is cut. */
const afterSeconds = 2;

/**
 * The packets of a picture around a span, in decoding order, with times from the start of the file. All of
 * the span is read: as much as copying it would.
 * @throws Refusal 422 `not_media`, also when it takes too long; Failure `tool_missing`
 */
export async function packetTimes(
  subject: Subject,
  stream: number,
  { from, seconds }: CutSpan,
  tools: ProbeTools,
): Promise<PacketTime[]> {
  const asked = { stream, span: { from, seconds } };
  // Most files begin at zero; what is none is read anew.
  const found = await packetsAround(subject, asked, 0, tools);
  if (found.start === 0) return found.packets;
  return (await packetsAround(subject, asked, found.start, tools)).packets;
}

async function packetsAround(
  subject: Subject,
  { stream, span: { from, seconds } }: { stream: number; span: CutSpan },
  start: number,
  tools: ProbeTools,
): Promise<{ start: number; packets: PacketTime[] }> {
  const begin = from > beforeSeconds ? (start + from - beforeSeconds).toFixed(6) : "";
  const end = (start + from + seconds + afterSeconds).toFixed(6);
  const packets: PacketTime[] = [];
  let begins = 0;
  const argv = [
    ...["-select_streams", String(stream), "-read_intervals", `${begin}%${end}`],
    ...["-show_entries", "packet=pts_time,duration_time,flags:format=start_time"],
    ...["-of", "compact=p=0"],
  ];
  await askFfprobe(subject, argv, tools, (line) => {
    const field = (name: string) => new RegExp(`(?:^|\\|)${name}=([^|]*)`).exec(line)?.[1];
    begins = numberOf(field("start_time")) ?? begins;
    const pts = numberOf(field("pts_time"));
    if (pts === null) return;
    const flags = field("flags") ?? "";
    packets.push({
      pts: pts - start,
      seconds: numberOf(field("duration_time")) ?? 0,
      key: flags.includes("K"),
      hidden: flags.includes("D"),
    });
  });
  return { start: begins, packets };
}

/**
 * When the last packet of a stream that begins at or after a time does so, counted from the start of the file;
 * null when there is none. Reads no more than from there on.
 * @throws Refusal 422 `not_media`, Failure `tool_missing`
 */
export async function lastPacketSeconds(
  subject: Subject,
  stream: number,
  fromSeconds: number,
  tools: ProbeTools,
): Promise<number | null> {
  let start = 0;
  let last = Number.NEGATIVE_INFINITY;
  const argv = [
    ...["-select_streams", String(stream), "-read_intervals", `${fromSeconds.toFixed(3)}%`],
    ...["-show_entries", "packet=pts_time:format=start_time", "-of", "default=nw=1"],
  ];
  await askFfprobe(subject, argv, tools, (line) => {
    const [key, text] = line.split("=");
    const time = numberOf(text);
    if (time === null) return;
    if (key === "start_time") start = time;
    else last = Math.max(last, time);
  });
  return last - start >= fromSeconds ? last - start : null;
}

/** Decodes the first frames: HDR10+ and often the mastering data stand only there. */
export async function firstFrameSideData(
  subject: Subject,
  stream: number,
  tools: ProbeTools,
): Promise<RawSideData[]> {
  const argv = [
    ...["-select_streams", String(stream), "-read_intervals", `%+#${firstPackets}`],
    ...["-show_frames", "-show_entries", "frame=side_data_list", "-of", "json"],
  ];
  const { stdout } = await askFfprobe(subject, argv, tools);
  const json = JSON.parse(stdout) as { frames?: { side_data_list?: RawSideData[] }[] };
  return (json.frames ?? []).flatMap(({ side_data_list }) => side_data_list ?? []);
}
