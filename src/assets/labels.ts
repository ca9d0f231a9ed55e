/** Labels: words by which people order their library. */
import { type FieldFault, Refusal } from "../trouble.ts";

/** A card shows a handful; more of them are a description. */
export const LABELS_PER_ASSET_MAX = 20;
/** Characters of a label: a few words. */
export const LABEL_LENGTH_MAX = 64;
/** Labels of one person that lists offer to choose from. */
export const LABELS_OFFERED_MAX = 500;

/** A label and how many assets outside the bin have it. */
export interface LabelUse {
  name: string;
  assets: number;
}

/** What lies between words, control and bidirectional marks among them: a label must not turn what stands after it. */
const gaps = /[\s\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

/** A label in its one form: composed, trimmed, one blank between words. "" when nothing is left of it. */
export function cleanLabel(text: string): string {
  return text.toWellFormed().normalize("NFC").replace(gaps, " ").trim();
}

/**
 * Labels in their one form, each once.
 * @param field what a fault names: `labels`, `add`
 * @throws Refusal 422 `invalid` for one that is empty or too long, and for too many
 */
export function cleanLabels(texts: readonly string[], field: string): string[] {
  const labels = texts.map(cleanLabel);
  const faults: FieldFault[] = labels.flatMap((label, index) => {
    if (label !== "" && label.length <= LABEL_LENGTH_MAX) return [];
    const message = `must have 1 to ${LABEL_LENGTH_MAX} characters`;
    return [{ path: `${field}.${index}`, message }];
  });
  if (faults.length > 0) {
    throw new Refusal(422, "invalid", `A label has 1 to ${LABEL_LENGTH_MAX} characters.`, {
      errors: faults,
    });
  }
  return refuseTooMany([...new Set(labels)]);
}

/** @throws Refusal 422 `invalid` when an asset would have more than it may */
export function refuseTooMany(labels: string[]): string[] {
  if (labels.length <= LABELS_PER_ASSET_MAX) return labels;
  const sentence = `An asset has at most ${LABELS_PER_ASSET_MAX} labels, and this would make ${labels.length}.`;
  throw new Refusal(422, "invalid", sentence);
}

/** What is changed of the labels of several assets at once. */
export interface LabelChange {
  add: readonly string[];
  remove: readonly string[];
}

/** Those that stay in their order, then the new ones. @throws Refusal as `refuseTooMany` */
export function changedLabels(present: readonly string[], { add, remove }: LabelChange): string[] {
  const kept = present.filter((label) => !remove.includes(label));
  return refuseTooMany([...new Set([...kept, ...add])]);
}
