/** The checksum of one piece of an upload, as the header `Upload-Checksum` of tus gives it. */
import { Refusal } from "../trouble.ts";

export const checksumAlgorithms = ["sha1", "sha256", "md5"] as const;
type Algorithm = (typeof checksumAlgorithms)[number];

const digestBytes: Record<Algorithm, number> = { sha1: 20, sha256: 32, md5: 16 };

/** What tus names for a piece that is not what its checksum says. */
const CHECKSUM_MISMATCH = 460;

export class Checksum {
  private readonly hasher: Bun.CryptoHasher;
  private readonly wanted: string;

  private constructor(algorithm: Algorithm, wanted: string) {
    this.hasher = new Bun.CryptoHasher(algorithm);
    this.wanted = wanted;
  }

  /** @throws Refusal 400 `bad_checksum` for what is no checksum, or one that Kinomill does not know */
  static parse(header: string): Checksum {
    const [name, text, ...more] = header.trim().split(/ +/);
    const algorithm = checksumAlgorithms.find((known) => known === name?.toLowerCase());
    const digest = Buffer.from(text ?? "", "base64");
    const fits = algorithm !== undefined && digest.byteLength === digestBytes[algorithm];
    if (!fits || more.length > 0) {
      const known = checksumAlgorithms.join(", ");
      const sentence = `Upload-Checksum is one of ${known}, a space, and the digest in base64.`;
      throw new Refusal(400, "bad_checksum", sentence);
    }
    return new Checksum(algorithm, digest.toString("hex"));
  }

  update(chunk: Uint8Array): void {
    this.hasher.update(chunk);
  }

  /** Ends it. @throws Refusal 460 `checksum_mismatch` */
  compare(): void {
    if (this.hasher.digest("hex") === this.wanted) return;
    throw new Refusal(
      CHECKSUM_MISMATCH,
      "checksum_mismatch",
      "The bytes that came are not those that the checksum was made of. Nothing of them was kept: send them again.",
    );
  }
}
