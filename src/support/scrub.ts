/** Takes out of a text what nobody else should read: secrets always, names of people and files where they are not wanted. */

export interface Scrubbing {
  /** Values that are secrets here. */
  secrets: readonly string[];
  /** Names of files and people to take out; null to leave names and addresses in. */
  names: readonly string[] | null;
}

/** A shorter one would be found in ordinary words, so it counts only where it is a word of its own. */
const LENGTH_MIN = 4;

/** Shorter ones name nobody. */
const WORD_LENGTH_MIN = 2;

/** Forms of secrets, wherever they come from. */
const secretForms: readonly [RegExp, string][] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g, "[key]"],
  [/\bkmt_[A-Za-z0-9_-]{8,}/g, "[token]"],
  [/\b(Bearer|Basic) +[A-Za-z0-9._~+/=-]{8,}/gi, "$1 [secret]"],
  [/\b(kinomill_session=)[A-Za-z0-9_-]+/g, "$1[secret]"],
  [/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi, "$1[secret]@"],
  // Queries carry signatures and tokens.
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^\s?"'\\]+)\?[^\s"'\\]+/gi, "$1?[left out]"],
  [
    /\b(X-Amz-[A-Za-z-]+|signature|password|passphrase|secret|token|apikey|api_key)(["']?\s*[=:]\s*["']?)(?!\d+\b|\[|true|false|null)[^\s"'&,}]+/gi,
    "$1$2[secret]",
  ],
];

const addressForms: readonly RegExp[] = [
  /\b(?!127\.|0\.0\.0\.0)(?:\d{1,3}\.){3}\d{1,3}\b/g,
  /\b(?:[0-9a-f]{1,4}:){3,7}[0-9a-f:]{1,30}\b/gi,
  /\b[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}\b/g,
];

export function scrub(text: string, { secrets, names }: Scrubbing): string {
  let clean = text;
  for (const secret of secrets) clean = without(clean, secret, "[secret]");
  for (const [form, instead] of secretForms) clean = clean.replace(form, instead);
  if (names === null) return clean;
  for (const name of names) clean = without(clean, name, "[name]");
  for (const form of addressForms) clean = clean.replace(form, "[address]");
  return clean;
}

/** Also as it stands inside JSON and inside an address. */
function without(text: string, word: string, instead: string): string {
  if (word.length < WORD_LENGTH_MIN) return text;
  if (word.length < LENGTH_MIN) {
    const alone = `(?<![\\p{L}\\p{N}_])${RegExp.escape(word)}(?![\\p{L}\\p{N}_])`;
    return text.replace(new RegExp(alone, "gu"), instead);
  }
  const forms = new Set([
    word,
    JSON.stringify(word).slice(1, -1),
    encodeURIComponent(word.toWellFormed()),
  ]);
  let clean = text;
  for (const form of forms) clean = clean.replaceAll(form, instead);
  return clean;
}
