/** QuickTime and AVI files by hand: with the pointers to other files that their formats allow. */

function atom(type: string, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(body.length + 8, 0);
  head.write(type, 4, "latin1");
  return Buffer.concat([head, body]);
}

/** Numbers of 32 bits. */
function words(...numbers: number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 4);
  numbers.forEach((number, index) => {
    bytes.writeUInt32BE(number >>> 0, index * 4);
  });
  return bytes;
}

function halves(...numbers: number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 2);
  numbers.forEach((number, index) => {
    bytes.writeUInt16BE(number, index * 2);
  });
  return bytes;
}

/**
 * A Macintosh alias record: where the media of a reference movie lies.
 * @param path absolute
 * @param levels folders to go up from the movie and down to the media; 0: the path alone counts
 */
export function alias(path: string, levels: number): Uint8Array {
  const name = Buffer.from(path.length % 2 === 0 ? path : `${path}\0`);
  const head = Buffer.alloc(150);
  head.writeUInt16BE(levels, 130);
  head.writeUInt16BE(levels, 132);
  return atom("alis", words(0), head, halves(2, name.length), name, halves(0xffff, 0));
}

/** The newer reference: a URL. */
export function url(text: string): Uint8Array {
  return atom("url ", words(0), Buffer.from(`${text}\0`));
}

/** A movie of one JPEG picture whose data lies where `reference` says. */
export function referenceMovie(reference: Uint8Array, samples = 1): Uint8Array {
  const matrix = words(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);
  const picture = Buffer.concat([
    ...[Buffer.alloc(6), halves(1), Buffer.alloc(16), halves(64, 48), words(0x480000, 0x480000, 0)],
    ...[halves(1), Buffer.alloc(32), halves(24, 0xffff)],
  ]);
  const table = atom(
    "stbl",
    atom("stsd", words(0, 1), atom("jpeg", picture)),
    atom("stts", words(0, 1, 1, 1000)),
    atom("stsc", words(0, 1, 1, 1, 1)),
    atom("stsz", words(0, 100, samples)),
    atom("stco", words(0, 1, 0)),
  );
  const media = atom(
    "mdia",
    atom("mdhd", words(0, 0, 0, 1000, 1000), halves(0, 0)),
    atom("hdlr", words(0), Buffer.from("mhlrvide"), Buffer.alloc(13)),
    atom(
      "minf",
      atom("vmhd", words(1), Buffer.alloc(8)),
      atom("dinf", atom("dref", words(0, 1), reference)),
      table,
    ),
  );
  const track = atom(
    "trak",
    atom("tkhd", words(3, 0, 0, 1, 0, 1000, 0, 0, 0, 0), matrix, words(64 << 16, 48 << 16)),
    media,
  );
  const header = atom(
    "mvhd",
    words(0, 0, 0, 1000, 1000, 0x10000, 0x1000000, 0, 0),
    matrix,
    words(0, 0, 0, 0, 0, 0, 2),
  );
  return Buffer.concat([
    atom("ftyp", Buffer.from("qt  \0\0\0\0qt  ")),
    atom("moov", header, track),
  ]);
}

function chunk(type: string, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(8);
  head.write(type, 0, "latin1");
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
}

const list = (type: string, ...parts: Uint8Array[]) =>
  chunk("LIST", Buffer.from(type, "latin1"), ...parts);

function littleWords(...numbers: number[]): Buffer {
  return words(...numbers).swap32();
}

/** An AVI whose subtitle track holds `text` as a whole file (GAB2), as CVE-2017-9993 had it. */
export function aviWithSubtitles(jpeg: Uint8Array, text: string): Uint8Array {
  const stream = (type: string, handler: string, format: Uint8Array) =>
    list(
      "strl",
      chunk(
        "strh",
        Buffer.from(`${type}${handler}`, "latin1"),
        littleWords(0, 0, 0, 1, 25, 0, 1, 4096, 0, 0, 0, 0),
      ),
      chunk("strf", format),
    );
  const picture = Buffer.concat([
    littleWords(40, 64, 48, 0x00180001),
    Buffer.from("MJPG"),
    littleWords(9216, 0, 0, 0, 0),
  ]);
  const subtitle = Buffer.from(text);
  const name = Buffer.from("x\0", "utf16le");
  const gab2 = Buffer.concat([
    ...[Buffer.from("GAB2\0"), Buffer.from([2, 0]), littleWords(name.length), name],
    ...[Buffer.from([4, 0]), littleWords(subtitle.length), subtitle],
  ]);
  const header = chunk("avih", littleWords(40_000, 0, 0, 0x10, 1, 0, 2, 4096, 64, 48, 0, 0, 0, 0));
  const streams = [stream("vids", "MJPG", picture), stream("txts", "\0\0\0\0", Buffer.alloc(4))];
  return chunk(
    "RIFF",
    Buffer.from("AVI "),
    list("hdrl", header, ...streams),
    list("movi", chunk("01tx", gab2), chunk("00dc", jpeg)),
  );
}
