/**
 * What a label may say: words of closed lists alone. Whoever names a file, a path, a method or a user must not be
 * able to make a time series: each one costs the memory of whoever keeps them, for ever.
 */
import { failureCodes } from "../trouble.ts";

/** Stands for whatever is not in the list. */
export const otherwise = "other";

const methods: ReadonlySet<string> = new Set([
  ...["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
]);
const codes: ReadonlySet<string> = new Set(failureCodes);

export function methodLabel(method: string): string {
  return methods.has(method) ? method : otherwise;
}

export function failureLabel(code: string | null): string {
  return code !== null && codes.has(code) ? code : otherwise;
}

/** "cpu", "gpu:0" … "gpu:63"; "none" for what never ran. */
export function deviceLabel(device: string | null): string {
  if (device === null) return "none";
  return device === "cpu" || /^gpu:([0-9]|[1-5][0-9]|6[0-3])$/.test(device) ? device : otherwise;
}

/** "2xx". */
export function statusLabel(status: number): string {
  return status >= 100 && status < 600 ? `${Math.floor(status / 100)}xx` : otherwise;
}

/** Text of the machine itself, as the name of a GPU: plain and short. */
export function plainLabel(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 64);
}
