/** One-time codes that people copy or type: long enough to be beyond guessing, in letters that nobody misreads. */
import { sha256 } from "./hashing.ts";

/** Crockford's base 32: no I, L, O or U, so that nothing is misread. */
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** 20 symbols of 5 bits: 100 bits, beyond guessing even without a limit on attempts. */
const GROUPS = 4;
const GROUP_SYMBOLS = 5;

/** Such as `7Q2KD-M04TX-9RWEA-H6BNZ`. */
export function randomCode(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(GROUPS * GROUP_SYMBOLS));
  // 256 is a multiple of 32, so the low five bits of a byte are an even choice.
  const symbols = Array.from(bytes, (byte) => alphabet.charAt(byte & 31)).join("");
  return (symbols.match(new RegExp(`.{${GROUP_SYMBOLS}}`, "g")) ?? []).join("-");
}

/** Hash of a code as it was meant: letter case, blanks, dashes and the usual misreadings do not matter. */
export function codeHash(text: string): string {
  const symbols = text
    .slice(0, 100)
    .toUpperCase()
    .replace(/[^0-9A-Z]/g, "");
  return sha256(symbols.replaceAll("O", "0").replace(/[IL]/g, "1"));
}
