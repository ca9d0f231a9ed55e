/**
 * A validator of DASH's on-demand profile (ISO/IEC 23009-1, 8.3, and DASH-IF's guidelines for it): a manifest
 * and the files that it names. What it returns are breaches as sentences; none is well.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestBox, testBoxes, testFragment, timescaleOf } from "./fragments.ts";
import { Breaches } from "./playlist.ts";
import { childrenOf, parseXml, type XmlElement } from "./xml.ts";

/** Children of an element in the order that the schema of the MPD has them. */
const schemaOrder: Record<string, string[]> = {
  MPD: ["ProgramInformation", "BaseURL", "Location", "Period"],
  Period: ["BaseURL", "SegmentBase", "SegmentList", "SegmentTemplate", "AdaptationSet"],
  AdaptationSet: [
    ...["AudioChannelConfiguration", "EssentialProperty", "SupplementalProperty", "Label"],
    ...["Accessibility", "Role", "Rating", "Viewpoint", "ContentComponent"],
    ...["BaseURL", "SegmentBase", "SegmentList", "SegmentTemplate", "Representation"],
  ],
  Representation: [
    ...["AudioChannelConfiguration", "EssentialProperty", "SupplementalProperty"],
    ...["BaseURL", "SubRepresentation", "SegmentBase", "SegmentList", "SegmentTemplate"],
  ],
};

export interface CheckedManifest {
  breaches: string[];
  root: XmlElement;
  /** Seconds at which subsegments begin, by the id of the representation. */
  starts: Map<string, number[]>;
}

export function checkDash(folder: string, name: string): CheckedManifest {
  const breaches = new Breaches(name);
  const root = parseXml(readFileSync(join(folder, name), "utf8"));
  const { attributes } = root;
  breaches.unless(root.name === "MPD", "the root is MPD");
  breaches.unless(
    attributes["xmlns"] === "urn:mpeg:dash:schema:mpd:2011",
    "it is in the namespace of DASH",
  );
  const profiles = attributes["profiles"]?.split(",") ?? [];
  breaches.unless(
    profiles.includes("urn:mpeg:dash:profile:isoff-on-demand:2011"),
    "it says its profile",
  );
  breaches.unless(attributes["type"] === "static", "what is finished is static");
  for (const field of ["mediaPresentationDuration", "minBufferTime"]) {
    breaches.unless(/^PT[\d.]+S$/.test(attributes[field] ?? ""), `${field} is a duration`);
  }
  checkOrder(root, breaches);
  const ids = new Set<string>();
  const starts = new Map<string, number[]>();
  for (const period of childrenOf(root, "Period")) {
    for (const set of childrenOf(period, "AdaptationSet")) {
      for (const representation of childrenOf(set, "Representation")) {
        const id = representation.attributes["id"] ?? "";
        breaches.unless(
          /^\S+$/.test(id) && !ids.has(id),
          `the id ${id} is one of its own, without blanks`,
        );
        ids.add(id);
        breaches.unless(
          Number(representation.attributes["bandwidth"]) > 0,
          `${id} has a bandwidth`,
        );
      }
      if (set.attributes["contentType"] === "image") checkTiles(folder, set, breaches);
      else checkSet(folder, { root, set, starts }, breaches);
    }
  }
  return { breaches: breaches.all, root, starts };
}

function checkOrder(element: XmlElement, breaches: Breaches): void {
  const order = schemaOrder[element.name];
  const places = element.children.map((child) => order?.indexOf(child.name) ?? 0);
  const right = places.every((place, index) => place >= (places[index - 1] ?? 0));
  breaches.unless(right, `children of ${element.name} stand in the schema's order`);
  for (const child of element.children) checkOrder(child, breaches);
}

interface SetPlace {
  root: XmlElement;
  set: XmlElement;
  starts: Map<string, number[]>;
}

/** 8.3.3: one file, one index, subsegments that begin with access points, aligned. */
function checkSet(folder: string, { root, set, starts }: SetPlace, breaches: Breaches): void {
  const of = set.attributes;
  breaches.unless(of["subsegmentAlignment"] === "true", "subsegments are aligned");
  breaches.unless(of["subsegmentStartsWithSAP"] === "1", "subsegments begin with access points");
  const representations = childrenOf(set, "Representation");
  for (const representation of representations) {
    const { attributes } = representation;
    const type = attributes["mimeType"] ?? of["mimeType"] ?? "";
    breaches.unless(/^(video|audio)\/mp4$/.test(type), `${type} is MP4`);
    breaches.unless((attributes["codecs"] ?? of["codecs"]) !== undefined, "it says its codecs");
    starts.set(attributes["id"] ?? "", checkFile(folder, { root, representation }, breaches));
  }
  if (of["contentType"] !== "video") return;
  const [first, ...others] = representations.map(
    ({ attributes }) => starts.get(attributes["id"] ?? "") ?? [],
  );
  for (const other of others) {
    const same =
      other.length === first?.length &&
      other.every((start, index) => Math.abs(start - (first[index] ?? 0)) < 0.001);
    breaches.unless(same, "subsegments begin at the same times in every representation");
  }
  const widths = representations.map(({ attributes }) => Number(attributes["width"]));
  breaches.unless(Number(of["maxWidth"]) === Math.max(...widths), "maxWidth is the largest width");
}

function checkFile(
  folder: string,
  { root, representation }: { root: XmlElement; representation: XmlElement },
  breaches: Breaches,
): number[] {
  const [base] = childrenOf(representation, "BaseURL");
  const [segments] = childrenOf(representation, "SegmentBase");
  const file = base?.text ?? "";
  breaches.unless(/^[\w.-]+$/.test(file) && existsSync(join(folder, file)), `${file} is there`);
  const bytes = new Uint8Array(readFileSync(join(folder, file)));
  const [header] = segments === undefined ? [] : childrenOf(segments, "Initialization");
  const headerBytes = bytesIn(bytes, header?.attributes["range"], breaches);
  const indexBytes = bytesIn(bytes, segments?.attributes["indexRange"], breaches);
  const types = testBoxes(headerBytes)
    .map(({ type }) => type)
    .join();
  breaches.unless(types === "ftyp,moov", `the header of ${file} holds ftyp and moov, not ${types}`);
  const [index] = testBoxes(indexBytes);
  breaches.unless(
    index?.type === "sidx" && index.bytes.length === indexBytes.length,
    `the index range of ${file} is one sidx`,
  );
  if (index === undefined) return [];
  const after = headerBytes.length + indexBytes.length;
  const subsegments = readIndex(index);
  const buffer = new Bucket(root, Number(representation.attributes["bandwidth"]));
  let at = after;
  let ticks = subsegments.startTicks;
  const starts: number[] = [];
  for (const { size, duration, sap } of subsegments.entries) {
    const boxes = testBoxes(bytes.subarray(at, at + size));
    const moof = boxes[0];
    const first = moof?.type === "moof" ? testFragment(moof, boxes[1]) : null;
    breaches.unless(
      first?.startsWithSync === true && sap === 0x90,
      `a subsegment of ${file} begins with a keyframe`,
    );
    breaches.unless(
      first?.shownTicks === ticks,
      `a subsegment of ${file} begins when the index says`,
    );
    starts.push(ticks / subsegments.timescale);
    buffer.take(size, duration / subsegments.timescale);
    at += size;
    ticks += duration;
  }
  breaches.unless(at === bytes.length, `the index of ${file} tells of all of it`);
  breaches.unless(timescaleOf(headerBytes) === subsegments.timescale, `${file} has one timescale`);
  breaches.unless(!buffer.ranDry, `${file} plays at its bandwidth after minBufferTime`);
  const whole = Number(
    /^PT([\d.]+)S$/.exec(root.attributes["mediaPresentationDuration"] ?? "")?.[1],
  );
  const ends = ticks / subsegments.timescale;
  breaches.unless(
    ends <= whole + 0.001 && ends > whole - 1,
    `${file} is as long as the presentation`,
  );
  return starts;
}

/** 5.3.5.4: at its bandwidth, a client that waited for the buffer time at any access point never starves. */
class Bucket {
  ranDry = false;
  private readonly bitsPerSecond: number;
  private readonly bufferSeconds: number;
  private readonly taken: { bits: number; seconds: number }[] = [];

  constructor(root: XmlElement, bitsPerSecond: number) {
    this.bitsPerSecond = bitsPerSecond;
    this.bufferSeconds = Number(/^PT([\d.]+)S$/.exec(root.attributes["minBufferTime"] ?? "")?.[1]);
  }

  take(bytes: number, seconds: number): void {
    this.taken.push({ bits: bytes * 8, seconds });
    let bits = 0;
    let before = 0;
    for (const piece of this.taken.toReversed()) {
      bits += piece.bits;
      if (bits > (before + this.bufferSeconds) * this.bitsPerSecond * 1.001) this.ranDry = true;
      before += piece.seconds;
    }
  }
}

function bytesIn(bytes: Uint8Array, range: string | undefined, breaches: Breaches): Uint8Array {
  const [from, to] = (range ?? "").split("-").map(Number);
  breaches.unless(/^\d+-\d+$/.test(range ?? ""), `${range} is a range of bytes`);
  return bytes.subarray(from ?? 0, (to ?? 0) + 1);
}

function readIndex({ body }: TestBox) {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const count = view.getUint16(30);
  const entries = Array.from({ length: count }, (_, index) => {
    const at = 32 + index * 12;
    return {
      size: view.getUint32(at) & 0x7fffffff,
      duration: view.getUint32(at + 4),
      sap: view.getUint8(at + 8),
    };
  });
  return { timescale: view.getUint32(8), startTicks: Number(view.getBigUint64(12)), entries };
}

/** DASH-IF's tiled thumbnails: sheets by number, each cut into tiles. */
function checkTiles(folder: string, set: XmlElement, breaches: Breaches): void {
  const [template] = childrenOf(set, "SegmentTemplate");
  const [representation] = childrenOf(set, "Representation");
  const [property] =
    representation === undefined ? [] : childrenOf(representation, "EssentialProperty");
  breaches.unless(
    property?.attributes["schemeIdUri"] === "http://dashif.org/guidelines/thumbnail_tile",
    "thumbnails say how they are tiled",
  );
  breaches.unless(
    /^\d+x\d+$/.test(property?.attributes["value"] ?? ""),
    "tiles are columns by rows",
  );
  const first = (template?.attributes["media"] ?? "").replace(
    "$Number$",
    template?.attributes["startNumber"] ?? "",
  );
  breaches.unless(existsSync(join(folder, first)), `${first} is there`);
}
