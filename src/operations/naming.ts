/** Names of outputs for the person: made from the input's name, never used as a path by Kinomill. */

/** What file systems take, and what an asset's name may have. */
const maxNameBytes = 255;

/** Where a person names an output, so that something of the input's name is still seen before it. */
const maxSuffixBytes = 120;

/** "match.final.mov" → "match.final"; only a last part that looks like an ending goes. */
export function stemOf(name: string): string {
  const stem = name.replace(/(?<=.)\.[A-Za-z0-9]{1,8}$/u, "");
  return stem.trim() === "" ? "output" : stem;
}

/**
 * The input's stem with a suffix and an ending: "match 720p.mp4". Cut to 255 bytes of UTF-8 between
 * characters, the suffix to 120. A name equal to the input's gets " copy", so that both can lie in one folder.
 */
export function outputName(inputName: string, suffix: string, ending: string): string {
  const build = (tail: string) => {
    const end = `${tail}.${ending}`;
    return cutBytes(stemOf(clean(inputName)), maxNameBytes - Buffer.byteLength(end)) + end;
  };
  const said = cutBytes(clean(suffix), maxSuffixBytes);
  const name = build(said === "" ? "" : ` ${said}`);
  return name === inputName ? build(said === "" ? " copy" : ` ${said} copy`) : name;
}

/** "match.mp4" → "match 2.mp4", still of 255 bytes at most. */
export function numberedName(name: string, number: number): string {
  const ending = /(?<=.)\.[A-Za-z0-9]{1,8}$/u.exec(name)?.[0] ?? "";
  const end = ` ${number}${ending}`;
  const stem = name.slice(0, name.length - ending.length);
  return cutBytes(stem, maxNameBytes - Buffer.byteLength(end)) + end;
}

/** Without slashes and control characters, whatever the caller let through. */
function clean(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what goes.
  return name.replace(/[\u0000-\u001f\u007f-\u009f/\\]/g, "_").toWellFormed();
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

function cutBytes(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text.trimEnd();
  let bytes = 0;
  let kept = "";
  for (const { segment } of graphemes.segment(text)) {
    bytes += Buffer.byteLength(segment);
    if (bytes > maxBytes) break;
    kept += segment;
  }
  return kept.trimEnd();
}
