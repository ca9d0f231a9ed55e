/** Which settings an admin may change on the page, and what each is called there. */

/** When a change holds: at once, or from the next start of the server on. */
export type Effect = "at once" | "restart";

/** What stands in a setting's metadata when the page may change it. */
export interface Editable {
  title: string;
  effect: Effect;
}

/**
 * Marks a setting as one that the page and the API may change: `.meta(editable("Largest upload"))`. What opens the
 * box's fence, names programs or folders of the host, or decides whether the server can start at all is never marked:
 * whoever holds an admin's password must not get further than the page.
 * @param title for a person, without the words of the section it stands in
 */
export function editable(title: string, effect: Effect = "at once"): { editable: Editable } {
  return { editable: { title, effect } };
}
