/** What the decoded sound shows to be wrong. Pure. */
import type { PacketSurvey } from "../../packet-survey.ts";
import type { Inspection } from "../../readings/inspection.ts";
import { type CheckAbout, type Finding, fault, plural, soundName, surveyed } from "./finding.ts";
import { stretches } from "./picture.ts";
import { closed, common, type TimeSpan, totalSeconds, united } from "./spans.ts";

/** A channel that is silent but for less than this share is one that nobody connected. */
const deadShare = 0.99;

type Track = CheckAbout["tracks"][number];
type Heard = Inspection["sound"][number];

export function soundFindings(
  about: CheckAbout,
  survey: PacketSurvey,
  { sound }: Inspection,
): Finding[] {
  return about.tracks.flatMap((track, at) => {
    const heard = sound[at];
    if (heard === undefined) return [];
    const stream = surveyed(survey, track.stream);
    const span: TimeSpan = [stream?.startSeconds ?? 0, stream?.endSeconds ?? 0];
    const what = soundName(about, at);
    const { silentSeconds, phaseSeconds } = about.thresholds;
    const channels = Array.from({ length: Math.max(1, track.channels) }, (_, channel) =>
      united(closed(heard.silent[channel] ?? [], span[1])),
    );
    const silent = channels.reduce(common);
    const inverted = closed(heard.outOfPhase, span[1]);
    const upside = `The channels of ${what.replace(/^The/, "the")} are upside down to each other`;
    return [
      ...stretches("silent", track.stream, silent, silentSeconds, `${what} is silent`),
      ...(silentSeconds === null ? [] : oneSided(track, channels, span, what)),
      ...stretches("out-of-phase", track.stream, inverted, phaseSeconds, upside),
      ...(about.thresholds.clipped ? clipped(track, heard, what) : []),
      ...loudness(about, track, heard, what),
    ];
  });
}

/** Surround has channels that are silent for long by design. */
function oneSided(
  { stream, channels }: Track,
  silent: TimeSpan[][],
  span: TimeSpan,
  what: string,
): Finding[] {
  if (channels !== 2) return [];
  const seconds = span[1] - span[0];
  const dead = silent.map((spans) => totalSeconds(common([span], spans)) >= deadShare * seconds);
  if (dead[0] === dead[1] || seconds <= 0) return [];
  const side = dead[0] ? "left" : "right";
  return [fault("one-sided", stream, span, `${what} has nothing on its ${side} channel`)];
}

/** The meter, which stands before, makes pieces of a tenth of a second. */
const pieceSeconds = 0.1;

function clipped({ stream }: Track, heard: Heard, what: string): Finding[] {
  return heard.clipped.map(({ fromSeconds, toSeconds, frames }) =>
    fault(
      ...(["clipped", stream, [fromSeconds, toSeconds + pieceSeconds]] as const),
      `${what} is cut off at full scale (${plural(frames, "place")})`,
    ),
  );
}

function loudness(
  { thresholds }: CheckAbout,
  { stream }: Track,
  { loudness: measured }: Heard,
  what: string,
): Finding[] {
  if (measured === null) return [];
  const { loudness: wanted, truePeakDbtp } = thresholds;
  const { integratedLufs, truePeakDbtp: peak } = measured;
  const off = wanted === null ? 0 : integratedLufs - wanted.lufs;
  const tooLoud = off > 0 ? "louder" : "softer";
  return [
    ...(wanted === null || Math.abs(off) <= wanted.toleranceLu
      ? []
      : [
          fault(
            ...(["loudness", stream, [null, null]] as const),
            `${what} has ${integratedLufs.toFixed(1)} LUFS: ${Math.abs(off).toFixed(1)} LU ${tooLoud} than the ${wanted.lufs} that were asked for`,
          ),
        ]),
    ...(truePeakDbtp === null || peak <= truePeakDbtp
      ? []
      : [
          fault(
            ...(["true-peak", stream, [null, null]] as const),
            `${what} reaches ${peak.toFixed(1)} dBTP, above the ${truePeakDbtp} that are allowed`,
          ),
        ]),
  ];
}
