/** Several assets as one zip, made while it is sent: not packed again, for media is packed already. */
import { makeZip, predictLength } from "client-zip";
import type { Asset } from "../assets/asset.ts";
import { NAME_BYTES_MAX, splitName } from "../assets/name.ts";
import type { Storage } from "../storage/storage.ts";

/** A file of the archive. */
export interface Entry {
  asset: Asset;
  /** Its name in the archive: no other one has it. */
  name: string;
}

/**
 * Gives each asset a name that no other one has, upper and lower case alike: some file systems know no difference.
 * The second "match.mov" becomes "match (2).mov".
 */
export function entriesOf(assets: readonly Asset[]): Entry[] {
  const taken = new Set<string>();
  const lastNumbers = new Map<string, number>();
  return assets.map((asset) => {
    let { name } = asset;
    const first = fold(name);
    const { stem, ending } = splitName(name);
    for (let number = lastNumbers.get(first) ?? 1; taken.has(fold(name)); ) {
      number += 1;
      lastNumbers.set(first, number);
      name = numbered(stem, ending, number);
    }
    taken.add(fold(name));
    return { asset, name };
  });
}

function fold(name: string): string {
  return name.normalize("NFC").toLowerCase();
}

/** The number and the ending stay when the name has to be cut. */
function numbered(stem: string, ending: string, number: number): string {
  const tail = ` (${number})${ending}`;
  let bytes = Buffer.byteLength(tail);
  let kept = "";
  for (const character of stem) {
    bytes += Buffer.byteLength(character);
    if (bytes > NAME_BYTES_MAX) break;
    kept += character;
  }
  return kept.trimEnd() + tail;
}

/** Bytes that the archive will have, exactly. */
export function archiveBytes(entries: readonly Entry[]): bigint {
  return predictLength(entries.map(({ asset, name }) => ({ name, size: asset.sizeBytes })));
}

/** The archive. One asset is open at a time; it ends with an error when one is gone, so that nobody takes it for whole. */
export function archiveOf(
  storage: Pick<Storage, "open">,
  entries: readonly Entry[],
): ReadableStream<Uint8Array> {
  const zip = makeZip(filesOf(storage, entries)).getReader();
  return new ReadableStream(
    {
      pull: async (controller) => {
        const { done, value } = await zip.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      // The library throws the reason into what it reads, and its own answer is that throw.
      cancel: (reason) => zip.cancel(reason).catch(() => undefined),
    },
    { highWaterMark: 0 },
  );
}

async function* filesOf(storage: Pick<Storage, "open">, entries: readonly Entry[]) {
  for (const { asset, name } of entries) {
    const body = await storage.open(asset.id);
    if (body === null) throw new Error(`the bytes of ${asset.id} are gone`);
    const reader = (body instanceof Blob ? body.stream() : body).getReader();
    try {
      const lastModified = new Date(asset.createdAt);
      yield { name, lastModified, size: asset.sizeBytes, input: chunksOf(reader, asset) };
    } finally {
      // Whoever breaks off a download must not leave a file or a connection open.
      reader.cancel().catch(() => undefined);
    }
  }
}

interface Reader {
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
}

async function* chunksOf(reader: Reader, { id, sizeBytes }: Asset): AsyncGenerator<Uint8Array> {
  let readBytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done || value === undefined) break;
    readBytes += value.byteLength;
    yield value;
  }
  // The length was told before: a shorter one would hang the reader.
  if (readBytes !== sizeBytes) throw new Error(`${id} has ${readBytes} bytes, not ${sizeBytes}`);
}
