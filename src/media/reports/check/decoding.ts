/** What could not be decoded, and where. Pure. */
import type { PacketSurvey, StreamSurvey } from "../../packet-survey.ts";
import type { ErrorSpot } from "../../readings/decode-errors.ts";
import type { Inspection } from "../../readings/inspection.ts";
import { unpackTimes } from "../../times.ts";
import { type CheckAbout, type Finding, fault, plural, soundName, surveyed } from "./finding.ts";
import type { TimeSpan } from "./spans.ts";

/** Lost packets that lie apart by no more than this many of the usual distance make one stretch. */
const neighbours = 3.5;

/** Errors so near to packets that were lost are those of these packets. */
const nearSeconds = 2;

interface Lost {
  span: TimeSpan;
  packets: number;
}

export interface Decoded {
  findings: Finding[];
  /** Where the picture is missing: players show the one before. */
  pictureLost: TimeSpan[];
}

export function decodingFindings(
  about: CheckAbout,
  survey: PacketSurvey,
  inspection: Inspection,
): Decoded {
  const { picture, tracks, decode } = about;
  const seen = inspection.picture;
  const ofPicture =
    picture === null || seen === null
      ? null
      : streamFindings(surveyed(survey, picture.stream), {
          ...{ what: "The picture", times: seen.times, errors: inspection.errors },
          ...{ places: decode === "full", broken: inspection.broken !== null },
        });
  const broken = inspection.broken !== null;
  const ofSounds = tracks.flatMap(({ stream }, at) => {
    const { times = "" } = inspection.sound[at] ?? {};
    return streamFindings(surveyed(survey, stream), {
      ...{ what: soundName(about, at), times, errors: inspection.errors, places: true, broken },
    }).findings;
  });
  const nobodys = inspection.errors.filter(({ stream }) => stream === null);
  const lost = [...(ofPicture?.lost ?? []).map(({ span }) => span)];
  return {
    findings: [
      ...(inspection.broken === null ? [] : [gaveUp()]),
      ...(ofPicture?.findings ?? []),
      ...ofSounds,
      ...(ofSounds.length > 0
        ? []
        : nobodys.map((spot) => covered(spot, "A decoder of sound", null, null))),
    ],
    pictureLost: lost,
  };
}

function gaveUp(): Finding {
  const message = "ffmpeg gave the file up before its end: what comes after is not looked at";
  return fault("undecodable", null, [null, null], message);
}

interface StreamAbout {
  what: string;
  /** Of the frames that came out, packed. */
  times: string;
  errors: ErrorSpot[];
  /** Whether every packet should have become a frame. */
  places: boolean;
  /** Whether ffmpeg gave up. */
  broken: boolean;
}

/** A decoder that says nothing is wrong is believed: some packets are never shown. */
function streamFindings(
  stream: StreamSurvey | undefined,
  { what, times, errors, places, broken }: StreamAbout,
): { findings: Finding[]; lost: Lost[] } {
  if (stream === undefined) return { findings: [], lost: [] };
  const own = errors.filter((spot) => spot.stream === stream.index);
  const suspicious = broken || own.length > 0 || errors.some((spot) => spot.stream === null);
  const lost = suspicious && places ? lostPackets(stream, unpackTimes(times)) : [];
  const known: TimeSpan[] = [
    ...lost.map(({ span }) => span),
    ...stream.corrupt.map(({ fromSeconds, toSeconds }): TimeSpan => [fromSeconds, toSeconds]),
  ];
  const keys = unpackTimes(stream.keyTimes);
  const hidden = own.filter((spot) => !known.some((span) => isNear(spot, span)));
  return {
    lost,
    findings: [
      ...lost.map(({ span, packets }) =>
        fault(
          ...(["undecodable", stream.index, span] as const),
          `${what} cannot be decoded: ${plural(packets, "packet")}`,
        ),
      ),
      ...hidden.map((spot) => covered(spot, `The decoder of ${lowerFirst(what)}`, stream, keys)),
    ],
  };
}

function lowerFirst(text: string): string {
  return text.startsWith("The") ? `t${text.slice(1)}` : text.toLowerCase();
}

function isNear({ fromSeconds, toSeconds }: ErrorSpot, [from, to]: TimeSpan): boolean {
  return (toSeconds ?? 0) >= from - nearSeconds && (fromSeconds ?? 0) <= to + nearSeconds;
}

/** Damage is seen until the next keyframe: the frames between are made of each other. */
function covered(
  { stream, fromSeconds, toSeconds, failures, complaints }: ErrorSpot,
  who: string,
  survey: StreamSurvey | null,
  keys: Float64Array | null,
): Finding {
  const last = toSeconds ?? 0;
  const next =
    survey?.kind === "video" ? keys?.find((key) => key / 1e6 > last + nearSeconds / 4) : undefined;
  const until = next === undefined ? (survey?.endSeconds ?? last) : next / 1e6;
  const span: TimeSpan = [fromSeconds ?? 0, survey?.kind === "video" ? until : last];
  const errors = plural(Math.max(failures, complaints), "error");
  return fault("damaged", stream, span, `${who} met ${errors} about here and covered them up`);
}

/** Packets of whose time no frame is near. */
function lostPackets(stream: StreamSurvey, frames: Float64Array): Lost[] {
  const typical = (stream.spacing?.typicalSeconds ?? 0) * 1e6;
  const near = Math.max(typical / 2, 1);
  const lost: Lost[] = [];
  let at = 0;
  for (const time of unpackTimes(stream.times)) {
    while (at < frames.length && (frames[at] ?? 0) < time - near) at += 1;
    if (Math.abs((frames[at] ?? Number.POSITIVE_INFINITY) - time) <= near) continue;
    const [from, to] = [time / 1e6, (time + typical) / 1e6];
    const open = lost.at(-1);
    if (open !== undefined && from - open.span[1] <= ((neighbours - 1) * typical) / 1e6) {
      open.span[1] = to;
      open.packets += 1;
    } else lost.push({ span: [from, to], packets: 1 });
  }
  return lost;
}
