/** What the pages of the settings share: how they answer, and what they say was done. */
import { texts } from "../../views/texts/texts.ts";
import { type FieldFault, Refusal } from "../trouble.ts";
import { isHtmx } from "./visit.ts";

/**
 * What was asked for is done: the page comes anew, with words for it.
 * @param said a word of `texts.settings.said`; "" for none
 */
export function done(request: Request, path: string, said: string): Response {
  const location = said === "" ? path : `${path}${path.includes("?") ? "&" : "?"}said=${said}`;
  return isHtmx(request)
    ? new Response(null, { status: 204, headers: { "hx-redirect": location } })
    : new Response(null, { status: 303, headers: { location } });
}

/** The words for what was done, from the address; null for none that is known. */
export function saidIn(request: Request, among: Record<string, string> = texts.settings.said) {
  const said = new URL(request.url).searchParams.get("said") ?? "";
  return Object.hasOwn(among, said) ? (among[said] ?? null) : null;
}

/** What a form did not get through with. */
export interface Refused {
  status: number;
  faults: readonly FieldFault[];
  /** For the whole; null when each fault stands beside its field. */
  refused: string | null;
}

/**
 * Runs what a form asks for. Its faults come back beside its fields; anything else is thrown.
 * @param fields names of the form: a fault of any other is told for the whole
 */
export async function attempt(
  work: () => Promise<unknown> | unknown,
  fields: readonly string[],
): Promise<Refused | null> {
  try {
    await work();
    return null;
  } catch (cause) {
    if (!(cause instanceof Refusal) || cause.status >= 500 || cause.status === 404) throw cause;
    const faults = cause.errors.map(({ path, message }) => ({
      path,
      message: asSentence(message),
    }));
    const placed = faults.length > 0 && faults.every(({ path }) => fields.includes(path));
    return { status: cause.status, faults, refused: placed ? null : cause.message };
  }
}

/** "must have 10 characters" → "Must have 10 characters." */
export function asSentence(text: string): string {
  const sentence = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}
