/** Cards: a surface with a title, for one subject of a room. */
import { type Html, html } from "../html.ts";
import { type IconName, icon } from "../icons.ts";

export interface Card {
  /** Of the section; its title is `ID-title`. */
  id: string;
  title: string;
  icon?: IconName;
  body: Html;
  /** Beside the title: a button, a badge. */
  aside?: Html | null;
  /** As broad as the page. */
  across?: boolean;
}

export function card(given: Card): Html {
  return html`<section class="${cardStyle(given)}" id="${given.id}" aria-labelledby="${given.id}-title">${cardInside(given)}</section>`;
}

/** For a card that fetches itself: its `section` stands in the view, with this class and this inside. */
export function cardStyle({ across }: Pick<Card, "across">): string {
  return across ? "panel across" : "panel";
}

export function cardInside({ id, title, icon: drawing, body, aside }: Card): Html {
  const heading = html`<h2 id="${id}-title">${drawing === undefined ? null : icon(drawing)}${title}</h2>`;
  return html`${aside ? html`<div class="panel-head">${heading}${aside}</div>` : heading}
${body}`;
}
