/** What a browser calls itself, in words: "Firefox on Linux". */

/** The first that fits: many call themselves Chrome or Safari as well. */
const browsers: readonly (readonly [RegExp, string])[] = [
  [/\bEdgA?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\bFirefox\/|\bFxiOS\//, "Firefox"],
  [/\bHeadlessChrome\/|\bChrome\/|\bCriOS\//, "Chrome"],
  [/\bSafari\//, "Safari"],
];

const systems: readonly (readonly [RegExp, string])[] = [
  [/\b(iPhone|iPad)\b/, "iOS"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b|\bMacintosh\b/, "macOS"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bLinux\b/, "Linux"],
];

/** Null for one that says nothing. Of a program, the first word. */
export function deviceText(userAgent: string): string | null {
  const named = (list: typeof browsers) =>
    list.find(([pattern]) => pattern.test(userAgent))?.[1] ?? null;
  const browser = named(browsers);
  const system = named(systems);
  if (browser !== null) return system === null ? browser : `${browser} on ${system}`;
  const [first = ""] = userAgent.trim().split(/[\s/]/);
  return first === "" ? null : first.slice(0, 40);
}
