/// <reference path="./text.d.ts" />
/** The scripts of every page, made of their parts in the order in which they need each other. */
import dialogs from "./frame/dialogs.js" with { type: "text" };
import faults from "./frame/faults.js" with { type: "text" };
import forms from "./frame/forms.js" with { type: "text" };
import keys from "./frame/keys.js" with { type: "text" };
import life from "./frame/life.js" with { type: "text" };
import lists from "./frame/lists.js" with { type: "text" };
import modal from "./frame/modal.js" with { type: "text" };
import notices from "./frame/notices.js" with { type: "text" };
import palette from "./frame/palette.js" with { type: "text" };
import session from "./frame/session.js" with { type: "text" };
import shared from "./frame/shared.js" with { type: "text" };
import times from "./frame/times.js" with { type: "text" };
import theme from "./theme.js" with { type: "text" };

const parts = [shared, notices, modal, dialogs, faults, lists, life, session, forms, keys, palette];

/** Each part in a block of its own, so that no name of one is that of another. */
const joined = (scripts: readonly string[]) => scripts.map((part) => `{\n${part}}`).join("\n");

export const frameScript: string = joined(parts);

/** Runs before the page is drawn. */
export const earlyScript: string = joined([theme, times]);
