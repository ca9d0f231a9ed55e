import { expect, test } from "bun:test";
import type { FileHandle } from "node:fs/promises";
import { Intake } from "./intake.ts";

const bytes = Uint8Array.from(
  { length: 5_000_000 },
  (_, index) => (index * 7 + (index >> 13)) % 251,
);
const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");

/** A disk that takes its time, takes little at once, and reads the memory as late as a kernel may. */
function slowFile(writeBytes: number, trouble: (writtenBytes: number) => void = () => undefined) {
  const written: Uint8Array[] = [];
  let writtenBytes = 0;
  const file = {
    async write(block: Uint8Array, offset: number) {
      await Bun.sleep(2);
      trouble(writtenBytes);
      const part = block.slice(offset, offset + writeBytes);
      written.push(part);
      writtenBytes += part.byteLength;
      return { bytesWritten: part.byteLength };
    },
  };
  return { file: file as unknown as FileHandle, content: () => Buffer.concat(written) };
}

async function fill(intake: Intake): Promise<void> {
  let sentBytes = 0;
  while (sentBytes < bytes.byteLength) {
    const room = await intake.room();
    const part = bytes.subarray(sentBytes, sentBytes + room.byteLength);
    room.set(part);
    intake.submit(part.byteLength);
    sentBytes += part.byteLength;
  }
}

test("a block is not filled again before a slow disk has written it, in pieces or whole", async () => {
  for (const writeBytes of [100_000, Number.MAX_SAFE_INTEGER]) {
    const { file, content } = slowFile(writeBytes);
    const intake = new Intake(file);
    await fill(intake);
    expect(await intake.finish()).toEqual({ sizeBytes: bytes.byteLength, sha256 });
    expect(Buffer.compare(content(), bytes)).toBe(0);
  }
});

test("a write that fails is reported, and nothing is under way after abandon", async () => {
  let writes = 0;
  const { file } = slowFile(Number.MAX_SAFE_INTEGER, (writtenBytes) => {
    writes += 1;
    if (writtenBytes > 1_000_000) throw new Error("ENOSPC: no space left on device");
  });
  const intake = new Intake(file);
  const filled = fill(intake).then(() => intake.finish());
  await expect(filled).rejects.toThrow("ENOSPC");
  await intake.abandon();
  const before = writes;
  await Bun.sleep(10);
  expect(writes).toBe(before);
});

test("hashing alone needs no file", async () => {
  const intake = new Intake(null);
  await fill(intake);
  expect(await intake.finish()).toEqual({ sizeBytes: bytes.byteLength, sha256 });
});
