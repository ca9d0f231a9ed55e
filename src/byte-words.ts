/** Amounts of bytes as people write them: "500M", "100 GB", "2TiB". */

const units: Record<string, number> = {
  ...{ "": 1, K: 1e3, M: 1e6, G: 1e9, T: 1e12 },
  ...{ KI: 1024, MI: 1024 ** 2, GI: 1024 ** 3, TI: 1024 ** 4 },
};

/** Bytes of "500M", "1.5 GiB" or "4096"; null when the text is no amount, or no whole number of bytes that counts. */
export function bytesOf(text: string): number | null {
  const [, number = "", unit = ""] =
    /^(\d{1,16}(?:\.\d{1,3})?)\s*([KMGT]I?)?B?$/i.exec(text.trim()) ?? [];
  const bytes = Math.round(Number(number) * (units[unit.toUpperCase()] ?? Number.NaN));
  return number !== "" && Number.isSafeInteger(bytes) ? bytes : null;
}

/** From large to small; those of 1024 first, for settings are mostly given in them. */
const shownUnits: readonly (readonly [string, number])[] = [
  ...[["TiB", 1024 ** 4] as const, ["GiB", 1024 ** 3] as const, ["MiB", 1024 ** 2] as const],
  ...[["KiB", 1024] as const, ["TB", 1e12] as const, ["GB", 1e9] as const],
  ...[["MB", 1e6] as const, ["kB", 1e3] as const],
];

/** The same amount, exactly, in the largest unit that it is a whole number of: 1073741824 → "1 GiB", 5 → "5 B". */
export function bytesInWords(bytes: number): string {
  const unit = bytes === 0 ? undefined : shownUnits.find(([, size]) => bytes % size === 0);
  return unit === undefined ? `${bytes} B` : `${bytes / unit[1]} ${unit[0]}`;
}
