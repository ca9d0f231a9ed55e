/** What is done by keys on every page: the palette of commands, and the list of keys. */
import type { Asset } from "../src/assets/asset.ts";
import type { WorkMode } from "../src/jobs/work-mode.ts";
import { dialog } from "./components/dialog.ts";
import { type KeyHint, keyList } from "./components/key.ts";
import { type Html, html } from "./html.ts";
import { type IconName, icon } from "./icons.ts";
import { inputTitle, type JobEntry, stateTitle } from "./job-words.ts";
import { kindIcon } from "./media-words.ts";
import { texts } from "./texts/texts.ts";

const words = texts.keyboard;

/** A room of the navigation, with the letter that leads there after "g". */
export interface Place {
  title: string;
  href: string;
  icon: IconName;
  key?: string;
}

interface Onlooker {
  role: "admin" | "member";
}

/** Stands on every page. Files and jobs come from `GET /ui/find` while somebody types. */
export function palette(viewer: Onlooker, places: readonly Place[]): Html {
  return html`<dialog id="palette" class="dialog wide palette" aria-label="${words.palette}">
<div class="palette-field">${icon("search")}<input type="text" name="q" role="combobox" aria-label="${words.field}" aria-expanded="true" aria-controls="palette-list" aria-autocomplete="list" placeholder="${words.field}" maxlength="200" autocomplete="off" spellcheck="false" autocapitalize="none" hx-get="/ui/find" hx-trigger="input delay:120ms" hx-target="#palette-found" hx-swap="innerHTML" hx-sync="this:replace" hx-status:4xx="swap:none" hx-status:5xx="swap:none"><kbd>esc</kbd></div>
<div id="palette-list" class="palette-list" role="listbox" aria-label="${words.results}">
<div id="palette-found"></div>
${group("pages", words.pages, [...places, ...morePlaces(viewer)].map(placeOption))}
${group("actions", words.actions, actions(viewer))}
</div>
<p class="palette-none" role="status" data-none hidden>${words.nothing}</p>
</dialog>`;
}

function group(id: string, title: string, options: readonly Html[]): Html {
  return html`<div role="group" aria-labelledby="palette-${id}" data-fixed><p class="palette-title" id="palette-${id}" aria-hidden="true">${title}</p>${options}</div>`;
}

function morePlaces({ role }: Onlooker): Place[] {
  const guide: Place = { title: words.styleguide, href: "/styleguide", icon: "contrast" };
  return [
    { title: words.bin, href: "/bin", icon: "trash" },
    { title: words.api, href: "/docs", icon: "file" },
    ...(role === "admin" ? [guide] : []),
  ];
}

function placeOption({ title, href, icon: drawing, key }: Place): Html {
  return html`<a role="option" aria-selected="false" id="palette-to-${href.replaceAll("/", "-")}" tabindex="-1" href="${href}">${icon(drawing)}<span>${title}</span>${key === undefined ? null : html`<kbd>g</kbd><kbd>${key}</kbd>`}</a>`;
}

/** On the page of the library they press its own buttons; from elsewhere they lead there. */
function actions({ role }: Onlooker): Html[] {
  const press = (id: string, drawing: IconName, title: string, selector: string) =>
    html`<a role="option" aria-selected="false" id="palette-${id}" tabindex="-1" href="/" data-presses="${selector}">${icon(drawing)}<span>${title}</span></a>`;
  const switchTo = (mode: WorkMode, drawing: IconName, title: string) =>
    html`<form method="post" action="/ui/system/work" hx-post="/ui/system/work" hx-swap="none" hx-sync="this:drop"><input type="hidden" name="mode" value="${mode}"><button type="submit" role="option" aria-selected="false" id="palette-work-${mode}" tabindex="-1">${icon(drawing)}<span>${title}</span></button></form>`;
  const switches = [
    switchTo("paused", "pause", words.pauseAll),
    switchTo("draining", "stop", words.drain),
    switchTo("running", "play", words.continueAll),
  ];
  return [
    press("upload", "upload", words.upload, "[data-pick-files]"),
    press("link", "link", words.link, "#link-add > summary"),
    ...(role === "admin" ? switches : []),
    html`<button type="button" role="option" aria-selected="false" id="palette-colours" tabindex="-1" data-theme-switch>${icon("contrast")}<span>${words.colours}</span></button>`,
    html`<button type="button" role="option" aria-selected="false" id="palette-keys" tabindex="-1" data-opens-next="keys">${icon("key")}<span>${words.showKeys}</span><kbd>?</kbd></button>`,
    html`<form method="post" action="/logout"><button type="submit" role="option" aria-selected="false" id="palette-logout" tabindex="-1">${icon("logout")}<span>${words.logOut}</span></button></form>`,
  ];
}

/** `GET /ui/find?q=`: stands in `#palette-found`. */
export function paletteFound(found: { assets: readonly Asset[]; jobs: readonly JobEntry[] }): Html {
  const files = found.assets.map(
    ({ id, name, kind }) =>
      html`<a role="option" aria-selected="false" id="palette-${id}" tabindex="-1" href="/assets/${id}">${icon(kindIcon(kind))}<span hx-ignore>${name}</span></a>`,
  );
  const jobs = found.jobs.map(
    (entry) =>
      html`<a role="option" aria-selected="false" id="palette-${entry.job.id}" tabindex="-1" href="/jobs/${entry.job.id}">${icon("jobs")}<span hx-ignore>${inputTitle(entry)}</span><span class="muted">${entry.operationTitle}, ${stateTitle(entry.job.state).toLowerCase()}</span></a>`,
  );
  return html`${foundGroup("files", words.files, files)}${foundGroup("jobs", words.jobs, jobs)}`;
}

function foundGroup(id: string, title: string, options: readonly Html[]): Html | null {
  if (options.length === 0) return null;
  return html`<div role="group" aria-labelledby="palette-${id}"><p class="palette-title" id="palette-${id}" aria-hidden="true">${title}</p>${options}</div>`;
}

/** Opened by "?". */
export function keyDialog(places: readonly Place[], own: readonly KeyHint[]): Html {
  const common: KeyHint[] = [
    { keys: "mod+K", does: words.palette },
    { keys: "/", does: words.searchHere },
    ...places.flatMap(({ title, key }) =>
      key === undefined ? [] : [{ keys: `g ${key}`, does: words.goTo(title) }],
    ),
    { keys: "?", does: words.keys },
    { keys: "Esc", does: words.close },
  ];
  const here = html`<h3>${words.here}</h3>${keyList(own)}`;
  return dialog({
    id: "keys",
    title: words.title,
    wide: own.length > 0,
    body: html`<div class="key-columns"><div><h3>${words.everywhere}</h3>${keyList(common)}</div>${own.length === 0 ? null : html`<div>${here}</div>`}</div>`,
  });
}
