/** The frame of every page: head, navigation, account menu, notices; and the policy that guards it. */

import type { WorkMode } from "../src/jobs/work-mode.ts";
import { product } from "../src/product.ts";
import { asset, staticFiles } from "../static/embedded.ts";
import type { KeyHint } from "./components/key.ts";
import { menu } from "./components/menu.ts";
import { type Html, html, raw } from "./html.ts";
import { icon } from "./icons.ts";
import { lifeBanner, sessionDialog } from "./life.ts";
import { keyDialog, type Place, palette } from "./palette.ts";
import { texts } from "./texts/texts.ts";
import { type Taking, uploadTray } from "./tray.ts";
import { workBanner } from "./work.ts";

const words = texts.frame;

/** The person who looks at the page, and what they are told wherever they are. */
export interface Viewer {
  id: string;
  name: string;
  role: "admin" | "member";
  /** Whether the box works. */
  work: WorkMode;
  /** What files are taken in; absent: all, by this server. */
  taking?: Taking;
}

export type Section = "library" | "jobs" | "system" | "settings";

/** The rooms in the navigation. "g" and the key lead there. */
const places: readonly (Place & { icon: Section })[] = [
  { icon: "library", title: words.library, href: "/", key: "l" },
  { icon: "jobs", title: words.jobs, href: "/jobs", key: "j" },
  { icon: "system", title: words.system, href: "/system", key: "s" },
  { icon: "settings", title: words.settings, href: "/settings", key: "e" },
];

export interface PageOptions {
  /** Without the product's name: "Library". */
  title: string;
  /** Null on the pages before the login. */
  viewer: Viewer | null;
  active: Section | null;
  body: Html;
  /** Names of scripts in `static/` that this page needs besides the common ones. */
  scripts?: readonly string[];
  /** Names of style sheets in `static/` that this page needs besides the common one. */
  styles?: readonly string[];
  /** Keys that this page's scripts know, for the list of keys. */
  keys?: readonly KeyHint[];
}

/** Another one means that the pages that are open are those of an older Kinomill. */
export const buildId: string = new Bun.CryptoHasher("sha256")
  .update([product.version, product.commit, ...staticFiles.map(({ path }) => path)].join(" "))
  .digest("hex")
  .slice(0, 16);

/** 128 random bits: one nonce per response. */
export function newNonce(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64url");
}

/**
 * The Content-Security-Policy of every HTML answer. Scripts run only by nonce, nothing loads from
 * elsewhere, and with Trusted Types only htmx's own policy may turn text into markup.
 */
export function contentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    "style-src 'self'",
    "font-src 'self'",
    "img-src 'self' blob:",
    "media-src 'self' blob:",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types htmx",
  ].join("; ");
}

/**
 * htmx reads this before it starts. No `data-hx-` prefix, no indicator style (ours is in the style
 * sheet), no history of its own (pages are real pages), and only the two extensions that we ship.
 */
const htmxConfig = JSON.stringify({
  prefix: "",
  extensions: "sse,hx-csp",
  includeIndicatorCSS: false,
  history: false,
  // After a restart the stream is there again as soon as the banner has gone.
  sse: { reconnectMaxDelay: 8000 },
});

/** The texts that scripts of the frame need. */
const scriptWords = JSON.stringify(words.script);

/**
 * The whole document. htmx and its extensions are not deferred: a deferred htmx starts from a timer as
 * soon as it has run, which may be before its extensions came, and then pages would stay without the
 * guard of hx-csp and without the event stream. Read in the head, it waits for the whole document.
 *
 * Send it with `render(nonce)`.
 */
export function page(options: PageOptions): Html {
  const { viewer } = options;
  const inside = viewer === null ? [] : trayScripts;
  const scripts = ["app.js", ...inside, ...(options.scripts ?? [])];
  return html`${raw("<!doctype html>")}
<html lang="${texts.language}" data-base="/" data-build="${buildId}" data-viewer="${viewer?.id ?? null}">
<head>
<meta charset="utf-8">
<title>${options.title} · Kinomill</title>
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="same-origin">
<meta name="htmx-config" content="${htmxConfig}">
<meta name="kinomill-words" content="${scriptWords}">
<link rel="icon" href="${asset("icon.svg")}" type="image/svg+xml">
<link rel="preload" href="${asset("hanken-latin.woff2")}" as="font" type="font/woff2" crossorigin>
${["app.css", ...(options.styles ?? [])].map((name) => html`<link rel="stylesheet" href="${asset(name)}">`)}
<script src="${asset("errors.js")}"></script>
<script src="${asset("theme.js")}"></script>
<script src="${asset("htmx.js")}"></script>
<script src="${asset("hx-csp.js")}"></script>
<script src="${asset("hx-sse.js")}"></script>
${scripts.map(scriptTag)}
</head>
<body class="${viewer === null ? "outside" : "inside"}" hx-status:4xx:inherited="target:#notices swap:beforeend" hx-status:5xx:inherited="target:#notices swap:beforeend">
<a class="skip" href="#main">${words.skip}</a>
${viewer === null ? null : topBar(viewer, options.active)}
${workNotice(options)}
<main id="main" tabindex="-1">${options.body}</main>
${viewer === null ? null : uploadTray(viewer.id, viewer.taking ?? takingAll)}
<div id="notices" class="notices" role="region" aria-label="${words.notices}" aria-live="polite"></div>
${confirmDialog()}
${viewer === null ? null : everywhere(viewer, options.keys ?? [])}
</body>
</html>
`;
}

const takingAll: Taking = { refused: null, directBytes: null };

/** Files come in on every page, and go on coming while people walk through them. */
const trayScripts = [
  ...["tray.js", "upload-memory.js", "drop.js", "direct.js", "upload.js", "leaving.js"],
];

/** Made to be read as plain scripts: inside a module their one name would be hidden from the others. */
const plainScripts = new Set(["uplot.js", "hls.js"]);

/** Both kinds run in their order, after the document was read. */
function scriptTag(name: string): Html {
  return plainScripts.has(name)
    ? html`<script src="${asset(name)}" defer></script>`
    : html`<script src="${asset(name)}" type="module"></script>`;
}

function topBar(viewer: Viewer, active: Section | null): Html {
  return html`<header class="top">
<a class="brand" href="/" aria-label="${words.toLibrary}">${icon("mark")}<span>Kinomill</span></a>
<nav class="sections" aria-label="${words.sections}">
${places.map(
  ({ icon: section, href, title, key }) =>
    html`<a href="${href}" aria-current="${section === active ? "page" : null}" data-go="${key}">${icon(section)}<span>${title}</span></a>`,
)}
</nav>
<div class="top-end">
<button type="button" class="find" data-opens="palette" aria-haspopup="dialog">${icon("search")}<span>${words.search}</span><span class="keys" aria-hidden="true"><kbd data-mod>Ctrl</kbd><kbd>K</kbd></span></button>
${themeButton()}
${accountMenu(viewer)}
</div>
</header>`;
}

/** What is at hand on every page, and the banners of its life. */
function everywhere(viewer: Viewer, keys: readonly KeyHint[]): Html {
  // What few people open on a page stands in templates: it is no part of the page until then.
  return html`<template data-dialog="palette">${palette(viewer, places)}</template>
<template data-dialog="keys">${keyDialog(places, keys)}</template>
<template data-dialog="session">${sessionDialog(viewer.name)}</template>
${lifeBanner()}`;
}

/** The page of the box has the switch itself, and says more. */
function workNotice({ viewer, active }: PageOptions): Html | null {
  return viewer === null || active === "system" ? null : workBanner(viewer, viewer.work);
}

/** Switches between light, dark and the system's choice. theme.js says which; useless without it. */
export function themeButton(): Html {
  const { system, light, dark } = words.colours;
  return html`<button type="button" class="icon-button theme-switch" data-theme-switch data-system="${system}" data-light="${light}" data-dark="${dark}" aria-label="${system}">${icon("sun")}${icon("moon")}${icon("contrast")}</button>`;
}

function accountMenu(viewer: Viewer): Html {
  const admin = viewer.role === "admin";
  const guide = { label: words.styleguide, icon: "contrast", href: "/styleguide" } as const;
  return menu({
    label: words.account,
    face: html`<span class="avatar" aria-hidden="true" hx-ignore>${initial(viewer.name)}</span>`,
    head: html`<p class="menu-title"><strong hx-ignore>${viewer.name}</strong><span>${admin ? words.administrator : words.member}</span></p>`,
    items: [
      { label: words.keyboard, icon: "key", opens: "keys", key: "?" },
      { label: words.api, icon: "file", href: "/docs" },
      ...(admin ? [guide] : []),
      { label: words.logOut, icon: "logout", post: "/logout" },
    ],
    foot: words.version(product.version),
  });
}

function initial(name: string): string {
  const [first] = new Intl.Segmenter("en").segment(name.trim().toLocaleUpperCase("en"));
  return first?.segment ?? "?";
}

/** One dialog for every question; app.js fills it from the `data-confirm-…` of what was pressed. */
function confirmDialog(): Html {
  return html`<dialog id="confirm" class="dialog" aria-labelledby="confirm-title" aria-describedby="confirm-text">
<form method="dialog">
<h2 id="confirm-title"></h2>
<p id="confirm-text" hx-ignore></p>
<div class="dialog-actions">
<button type="submit" value="cancel" class="button">${words.cancel}</button>
<button type="submit" value="yes" class="button danger" id="confirm-yes">${words.delete}</button>
</div>
</form>
</dialog>`;
}
