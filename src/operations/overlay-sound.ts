/** The sound of videos that `overlay` shows in the picture, mixed into the video's own. Pure. */
import type { AudioEncode } from "../media/description.ts";
import type { SoundChain } from "../media/graph.ts";
import { containers } from "./containers.ts";
import type { PlanInput } from "./operation.ts";
import type { Laid } from "./overlay.ts";
import type { ItemOf, OverlayParams } from "./overlay-schema.ts";
import { encodeTrack } from "./sound.ts";
import type { SoundDecision } from "./transcode-sound.ts";

interface Heard {
  item: ItemOf<"video">;
  /** Index of the input in the run, and of its track in it. */
  source: { input: number; stream: number };
}

const usualRate = 48_000;

/** The first track with all that is heard in it; the others stay as they are. */
export function mixedSound(
  params: OverlayParams,
  inputs: readonly PlanInput[],
  plain: SoundDecision,
  laid: readonly Laid[],
): { decision: SoundDecision; chains: SoundChain[]; notes: string[] } {
  const heard = laid.flatMap(({ item, index }): Heard[] => {
    if (item.kind !== "video" || item.volume === 0) return [];
    const track = inputs[item.input - 1]?.media.audio[0];
    return track === undefined ? [] : [{ item, source: { input: index, stream: track.index } }];
  });
  const [first] = heard;
  const main = inputs[0]?.media;
  if (first === undefined || main === undefined) return { decision: plain, chains: [], notes: [] };
  const { audio: codec } = containers[params.container];
  const track = main.audio[0] ?? inputs[first.item.input - 1]?.media.audio[0];
  if (track === undefined) return { decision: plain, chains: [], notes: [] };
  const channels = Math.max(2, Math.min(track.channels, 8));
  const encoded: AudioEncode = {
    ...encodeTrack({ ...track, channels }, { codec }),
    source: { pad: "sound" },
  };
  const layout = { filter: "layout", channels: encoded.channels, sampleRate: usualRate } as const;
  const own: SoundChain[] =
    main.audio[0] === undefined
      ? []
      : [
          {
            from: { input: 0, stream: track.index },
            filters: [{ filter: "resample" }, layout],
            to: "own",
          },
        ];
  const others = heard.map((one, index) => heardChain(one, layout, `heard_${index + 1}`));
  const pads = [...own, ...others].map(({ to }) => ({ pad: String(to) }));
  const silent = own.length === 0 && main.durationSeconds !== null;
  const mixed: SoundChain = {
    from: pads,
    filters: [
      {
        filter: "mix",
        weights: pads.map(() => 1),
        duration: own.length > 0 ? "first" : "longest",
      },
      ...(silent ? [{ filter: "pad", toSeconds: main.durationSeconds ?? 0 } as const] : []),
      ...(silent ? [{ filter: "trim", endSeconds: main.durationSeconds ?? 0 } as const] : []),
    ],
    to: "sound",
  };
  return {
    decision: {
      tracks: [encoded, ...plain.tracks.slice(1)],
      codecs: [codec, ...plain.codecs.slice(1)],
      notes: plain.notes,
    },
    chains: [...own, ...others, mixed],
    notes: [],
  };
}

function heardChain(
  { item, source }: Heard,
  layout: { filter: "layout"; channels: number; sampleRate: number },
  to: string,
): SoundChain {
  const { volume, from } = item;
  return {
    from: source,
    filters: [
      ...[{ filter: "resample" } as const, layout],
      ...(volume === 1 ? [] : [{ filter: "volume", gainDb: 20 * Math.log10(volume) } as const]),
      ...(from === 0 ? [] : [{ filter: "delay", seconds: from } as const]),
    ],
    to,
  };
}
