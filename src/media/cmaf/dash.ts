/**
 * The manifest of DASH (ISO/IEC 23009-1), on-demand profile: every representation is one file with an index,
 * and players fetch pieces of it. Pure.
 */
import { frameRateNumber, targetSeconds } from "./hls.ts";
import type {
  LadderPackage,
  Packaged,
  PackagedLadder,
  PictureWish,
  SoundWish,
  ThumbnailSheets,
} from "./ladder-package.ts";
import { ratesOf } from "./rates.ts";
import type { PictureColor } from "./sample-entry.ts";

const profiles = "urn:mpeg:dash:profile:isoff-on-demand:2011,urn:mpeg:dash:profile:cmaf:2019";

/** An element of XML: attributes without a value are left out. */
interface Element {
  name: string;
  attributes?: Record<string, string | number | null>;
  inside?: Element[] | string;
}

export function manifestText(wish: LadderPackage, ladder: PackagedLadder): string {
  const target = targetSeconds(ladder);
  const sets = [
    ...pictureSets(ladder, target),
    ...ladder.sounds.map((sound, index) => soundSet(sound, index, target)),
    ...(wish.thumbnails === null ? [] : [thumbnailSet(wish.thumbnails)]),
  ];
  const numbered = sets.map((set, index) => ({
    ...set,
    attributes: { id: index + 1, ...set.attributes },
  }));
  const root: Element = {
    name: "MPD",
    attributes: {
      xmlns: "urn:mpeg:dash:schema:mpd:2011",
      profiles,
      type: "static",
      mediaPresentationDuration: duration(wholeSeconds(ladder)),
      maxSubsegmentDuration: duration(longestSeconds(ladder)),
      // With any segment in hand a client at the bandwidth of its representation never waits.
      minBufferTime: duration(longestSeconds(ladder)),
    },
    inside: [{ name: "Period", attributes: { id: "0", start: "PT0S" }, inside: numbered }],
  };
  return `<?xml version="1.0" encoding="UTF-8"?>\n${written(root, "")}`;
}

function wholeSeconds(ladder: PackagedLadder): number {
  const ends = [...ladder.pictures, ...ladder.sounds].map(({ layout }) => {
    const last = layout.segments.at(-1);
    return last === undefined ? 0 : last.startSeconds + last.seconds;
  });
  return Math.max(...ends);
}

function longestSeconds({ pictures, sounds }: PackagedLadder): number {
  const all = [...pictures, ...sounds].flatMap(({ layout }) => layout.segments);
  return all.reduce((most, { seconds }) => Math.max(most, seconds), 0);
}

function pictureSets({ pictures }: PackagedLadder, target: number): Element[] {
  const [largest] = pictures;
  if (largest === undefined) return [];
  const sizes = pictures.flatMap(({ facts }) => facts.picture ?? []);
  const rates = pictures.map(({ wish }) => wish.frameRate);
  const fastest = rates.toSorted((a, b) => frameRateNumber(b) - frameRateNumber(a))[0];
  return [
    {
      name: "AdaptationSet",
      attributes: {
        contentType: "video",
        mimeType: "video/mp4",
        maxWidth: Math.max(...sizes.map(({ width }) => width)),
        maxHeight: Math.max(...sizes.map(({ height }) => height)),
        maxFrameRate: fastest ?? null,
        ...alignment,
      },
      inside: [
        ...colorProperties(largest.facts.picture?.color ?? null),
        role,
        ...pictures.map((picture) => pictureRepresentation(picture, target)),
      ],
    },
  ];
}

/** All segments begin with a keyframe, at the same times in every representation. */
const alignment = { subsegmentAlignment: "true", subsegmentStartsWithSAP: 1 };

const role: Element = {
  name: "Role",
  attributes: { schemeIdUri: "urn:mpeg:dash:role:2011", value: "main" },
};

/** Of HDR alone: whoever does not know it must not show it as if it were BT.709. */
function colorProperties(color: PictureColor | null): Element[] {
  if (color === null || ![16, 18].includes(color.transfer)) return [];
  const property = (what: string, value: number): Element => ({
    name: "EssentialProperty",
    attributes: { schemeIdUri: `urn:mpeg:mpegB:cicp:${what}`, value },
  });
  return [
    property("ColourPrimaries", color.primaries),
    property("TransferCharacteristics", color.transfer),
    property("MatrixCoefficients", color.matrix),
  ];
}

function pictureRepresentation(picture: Packaged<PictureWish>, target: number): Element {
  const { wish, facts } = picture;
  return {
    name: "Representation",
    attributes: {
      ...{ id: wish.label, bandwidth: ratesOf(picture.layout.segments, target).peak },
      ...{ codecs: facts.codec, width: facts.picture?.width ?? null },
      ...{ height: facts.picture?.height ?? null, frameRate: wish.frameRate, sar: "1:1" },
    },
    inside: whereItLies(picture),
  };
}

function soundSet(sound: Packaged<SoundWish>, index: number, target: number): Element {
  const { wish, facts } = sound;
  return {
    name: "AdaptationSet",
    attributes: {
      ...{ contentType: "audio", mimeType: "audio/mp4", lang: wish.language },
      ...alignment,
    },
    inside: [
      { name: "Label", inside: wish.name },
      index === 0 ? role : alternate,
      {
        name: "Representation",
        attributes: {
          ...{ id: `audio-${index + 1}`, bandwidth: ratesOf(sound.layout.segments, target).peak },
          ...{ codecs: facts.codec, audioSamplingRate: facts.sound?.sampleRate ?? null },
        },
        inside: [
          {
            name: "AudioChannelConfiguration",
            attributes: {
              schemeIdUri: "urn:mpeg:dash:23003:3:audio_channel_configuration:2011",
              value: facts.sound?.channels ?? null,
            },
          },
          ...whereItLies(sound),
        ],
      },
    ],
  };
}

const alternate: Element = {
  name: "Role",
  attributes: { schemeIdUri: "urn:mpeg:dash:role:2011", value: "alternate" },
};

/** One file, the index in it, and what stands before the index. */
function whereItLies({ wish, layout }: Packaged): Element[] {
  const { header, index } = layout;
  const range = (span: { at: number; bytes: number }) => `${span.at}-${span.at + span.bytes - 1}`;
  const base: Element = {
    name: "SegmentBase",
    attributes: { indexRange: index === null ? null : range(index) },
    inside: [{ name: "Initialization", attributes: { range: range(header) } }],
  };
  return [{ name: "BaseURL", inside: wish.file }, base];
}

/** DASH-IF's tiled thumbnails: each sheet is a segment. */
function thumbnailSet(sheets: ThumbnailSheets): Element {
  const { columns, rows, everySeconds, width, height } = sheets;
  return {
    name: "AdaptationSet",
    attributes: { contentType: "image", mimeType: sheets.mimeType },
    inside: [
      {
        name: "SegmentTemplate",
        attributes: {
          media: sheets.media,
          timescale: 1000,
          duration: Math.round(columns * rows * everySeconds * 1000),
          startNumber: 1,
        },
      },
      {
        name: "Representation",
        attributes: { id: "thumbnails", bandwidth: sheets.bitRate, width, height },
        inside: [
          {
            name: "EssentialProperty",
            attributes: {
              schemeIdUri: "http://dashif.org/guidelines/thumbnail_tile",
              value: `${columns}x${rows}`,
            },
          },
        ],
      },
    ],
  };
}

function duration(seconds: number): string {
  return `PT${Math.ceil(seconds * 1000 - 1e-6) / 1000}S`;
}

function written({ name, attributes = {}, inside = [] }: Element, indent: string): string {
  const all = Object.entries(attributes)
    .flatMap(([key, value]) => (value === null ? [] : [` ${key}="${escaped(String(value))}"`]))
    .join("");
  if (typeof inside === "string") return `${indent}<${name}${all}>${escaped(inside)}</${name}>\n`;
  if (inside.length === 0) return `${indent}<${name}${all}/>\n`;
  const inner = inside.map((each) => written(each, `${indent}  `)).join("");
  return `${indent}<${name}${all}>\n${inner}${indent}</${name}>\n`;
}

function escaped(value: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return value.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}
