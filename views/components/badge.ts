/** Badges: a state in a word and a drawing, so that the colour is never the only sign. */
import { type Html, html } from "../html.ts";
import { type IconName, icon } from "../icons.ts";

/** `accent` is at work, `plain` is still. */
export type Tone = "plain" | "accent" | "good" | "warn" | "bad";

export function badge(given: { tone: Tone; label: string; icon?: IconName }): Html {
  const { tone, label, icon: drawing } = given;
  return html`<span class="badge ${tone}">${drawing === undefined ? null : icon(drawing)}${label}</span>`;
}

/** A small word on a surface or a picture: a codec, a scope. */
export function tag(label: string): Html {
  return html`<span class="chip">${label}</span>`;
}
