/** The scripts of every page, made of their parts in the order in which they need each other. */
import { smaller } from "./smaller.ts" with { type: "macro" };

const parts = [
  smaller("frame/shared.js"),
  smaller("frame/notices.js"),
  smaller("frame/modal.js"),
  smaller("frame/dialogs.js"),
  smaller("frame/faults.js"),
  smaller("frame/lists.js"),
  smaller("frame/life.js"),
  smaller("frame/session.js"),
  smaller("frame/forms.js"),
  smaller("frame/keys.js"),
  smaller("frame/palette.js"),
];

/** Each part in a block of its own, so that no name of one is that of another. */
const joined = (scripts: readonly string[]) => scripts.map((part) => `{\n${part}}`).join("\n");

export const frameScript: string = joined(parts);

/** Runs before the page is drawn. */
export const earlyScript: string = joined([smaller("theme.js"), smaller("frame/times.js")]);
