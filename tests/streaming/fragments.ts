/** Boxes of fragmented MP4 as a test reads them: by ISO/IEC 14496-12, not by the product's own code. */

export interface TestBox {
  type: string;
  at: number;
  bytes: Uint8Array;
  body: Uint8Array;
}

export function testBoxes(bytes: Uint8Array): TestBox[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: TestBox[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at);
    const type = new TextDecoder("latin1").decode(bytes.subarray(at + 4, at + 8));
    // A keyframe's range ends within the box that holds the samples.
    const end = Math.min(bytes.length, at + size);
    found.push({ type, at, bytes: bytes.subarray(at, end), body: bytes.subarray(at + 8, end) });
    if (size < 8) break;
    at += size;
  }
  return found;
}

export function inside(box: TestBox | undefined, type: string): TestBox | undefined {
  return box === undefined ? undefined : testBoxes(box.body).find((each) => each.type === type);
}

export interface TestFragment {
  decodeTicks: number;
  shownTicks: number;
  durationTicks: number;
  /** Bytes from the start of the `moof` to the first sample; sizes of all of them. */
  dataAt: number;
  sizes: number[];
  startsWithSync: boolean;
  /** Ticks at which its samples are shown. */
  shown: number[];
  /** Bytes of `moof` and `mdat` as their heads say. */
  wholeBytes: number;
}

export function testFragment(moof: TestBox, mdat: TestBox | undefined): TestFragment {
  const traf = inside(moof, "traf");
  const tfdt = inside(traf, "tfdt")?.body ?? new Uint8Array(12);
  const decodeTicks = Number(new DataView(tfdt.buffer, tfdt.byteOffset).getBigUint64(4));
  const head = reader(inside(traf, "tfhd"));
  const headFlags = head.word & 0xffffff;
  head.take();
  if (headFlags & 0x1) head.skip(8);
  if (headFlags & 0x2) head.take();
  const usualDuration = headFlags & 0x8 ? head.take() : 0;
  const usualSize = headFlags & 0x10 ? head.take() : 0;
  const usualFlags = headFlags & 0x20 ? head.take() : 0;
  const run = reader(inside(traf, "trun"));
  const flags = run.word & 0xffffff;
  const count = run.take();
  const dataAt = flags & 0x1 ? run.take() : 0;
  const firstFlags = flags & 0x4 ? run.take() : usualFlags;
  const sizes: number[] = [];
  const shown: number[] = [];
  let ticks = decodeTicks;
  for (let sample = 0; sample < count; sample += 1) {
    const duration = flags & 0x100 ? run.take() : usualDuration;
    sizes.push(flags & 0x200 ? run.take() : usualSize);
    if (flags & 0x400) run.take();
    shown.push(ticks + (flags & 0x800 ? run.take() | 0 : 0));
    ticks += duration;
  }
  const mdatHead =
    mdat === undefined ? 0 : new DataView(mdat.bytes.buffer, mdat.bytes.byteOffset).getUint32(0);
  return {
    ...{ decodeTicks, shownTicks: shown[0] ?? 0, durationTicks: ticks - decodeTicks },
    ...{ dataAt, sizes, shown, startsWithSync: (firstFlags & 0x10000) === 0 },
    wholeBytes: moof.bytes.length + mdatHead,
  };
}

function reader(box: TestBox | undefined) {
  const body = box?.body ?? new Uint8Array(64);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  let at = 4;
  return {
    word: view.getUint32(0),
    take: () => {
      at += 4;
      return view.getUint32(at - 4);
    },
    skip: (count: number) => {
      at += count;
    },
  };
}

/** Ticks per second, from `mdhd` in the header. */
export function timescaleOf(header: Uint8Array): number {
  const moov = testBoxes(header).find(({ type }) => type === "moov");
  const mdhd = inside(inside(inside(moov, "trak"), "mdia"), "mdhd")?.body ?? new Uint8Array(24);
  const view = new DataView(mdhd.buffer, mdhd.byteOffset);
  return view.getUint32(view.getUint8(0) === 1 ? 20 : 12);
}
