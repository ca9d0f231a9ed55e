/** Buttons, and links that look like one. What a button does stands in it: an address, a form, or a request. */
import { type Html, html } from "../html.ts";
import { type IconName, icon } from "../icons.ts";

/** One `primary` on a page at most: what most people came for. `quiet` stands beside louder ones. */
export type ButtonKind = "normal" | "primary" | "quiet" | "danger" | "quiet danger-text";

/** Asked before it is done, in the dialog of the page. Names of files may stand in it. */
export interface Question {
  title: string;
  text: string;
  yes: string;
}

/** What a press asks of the server, through htmx. No text that anybody gave may stand in it. */
export interface Request {
  method: "get" | "post" | "delete";
  address: string;
  /** A selector; without it the answer changes nothing by itself. */
  target?: string;
  swap?: "innerHTML" | "outerHTML" | "outerMorph" | "beforeend";
  /** A selector of further fields that are sent. */
  include?: string;
  question?: Question;
}

export interface Button {
  label: string;
  kind?: ButtonKind;
  icon?: IconName;
  /** Only the drawing is shown; the label is its name. Needs `icon`. */
  small?: boolean;
  /** Says more for readers of the screen where the label alone is the same many times. */
  name?: string;
  id?: string;
  /** The id of what describes it. */
  describedBy?: string;
  disabled?: boolean;
  /** This is how it is now. */
  current?: boolean;
  /** As broad as what it stands in. */
  wide?: boolean;
  /** Sends the form around it. */
  submit?: boolean;
  /** A field of the form that it sends. */
  field?: { name: string; value: string };
  /** A link instead of a button. */
  href?: string;
  /** The name under which a link is kept as a file. */
  download?: string;
  request?: Request;
  /** What a script of the page does with it: `data-command`. */
  command?: string;
}

export function button(given: Button): Html {
  if (given.href !== undefined) return linkButton(given);
  if (given.request !== undefined) return requestButton(given, given.request);
  const { id, describedBy, disabled = false, submit, field, command } = given;
  return html`<button type="${submit ? "submit" : "button"}" class="${style(given)}" id="${id}" name="${field?.name}" value="${field?.value}" disabled="${disabled}" data-command="${command}" aria-label="${label(given)}" title="${given.small ? given.label : null}" aria-current="${given.current ? "true" : null}" aria-describedby="${describedBy}">${face(given)}</button>`;
}

function linkButton(given: Button): Html {
  return html`<a class="${style(given)}" href="${given.href}" id="${given.id}" download="${given.download}" aria-label="${label(given)}" title="${given.small ? given.label : null}" aria-current="${given.current ? "page" : null}" aria-describedby="${given.describedBy}">${face(given)}</a>`;
}

/** While it is on its way the button cannot be pressed again. */
function requestButton(given: Button, request: Request): Html {
  const { method, address, target, swap, include, question } = request;
  const [get, post, remove] = (["get", "post", "delete"] as const).map((each) =>
    each === method ? address : null,
  );
  const { id, describedBy, disabled = false } = given;
  if (question === undefined) {
    return html`<button type="button" class="${style(given)}" id="${id}" hx-get="${get}" hx-post="${post}" hx-delete="${remove}" hx-target="${target}" hx-swap="${swap ?? "none"}" hx-include="${include}" hx-disable="this" disabled="${disabled}" aria-label="${label(given)}" title="${given.small ? given.label : null}" aria-describedby="${describedBy}">${face(given)}</button>`;
  }
  return html`<button type="button" class="${style(given)}" id="${id}" hx-get="${get}" hx-post="${post}" hx-delete="${remove}" hx-target="${target}" hx-swap="${swap ?? "none"}" hx-include="${include}" hx-disable="this" hx-confirm="?" data-confirm-title="${question.title}" data-confirm-text="${question.text}" data-confirm-yes="${question.yes}" disabled="${disabled}" aria-label="${label(given)}" title="${given.small ? given.label : null}" aria-describedby="${describedBy}">${face(given)}</button>`;
}

function style({ kind = "normal", small, wide }: Button): string {
  if (small) return kind.includes("danger") ? "icon-button danger-text" : "icon-button";
  return ["button", kind === "normal" ? null : kind, wide ? "wide" : null]
    .filter((word) => word !== null)
    .join(" ");
}

function label({ small, name, label: words }: Button): string | null {
  return name ?? (small ? words : null);
}

function face({ small, icon: drawing, label: words }: Button): Html {
  const drawn = drawing === undefined ? null : icon(drawing);
  return small ? html`${drawn}` : html`${drawn}<span>${words}</span>`;
}
