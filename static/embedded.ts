/// <reference path="./text.d.ts" />
/**
 * The static files, inside the executable. Each is served under a name with a hash of its bytes, so that
 * browsers may keep it for ever and never mix two versions.
 */
import { readFileSync } from "node:fs";
import licenceText from "../LICENSE" with { type: "text" };
import { assert } from "../src/trouble.ts";
import assetCss from "./css/asset.css" with { type: "text" };
import binCss from "./css/bin.css" with { type: "text" };
import controlsCss from "./css/controls.css" with { type: "text" };
import docsCss from "./css/docs.css" with { type: "text" };
import entranceCss from "./css/entrance.css" with { type: "text" };
import filtersCss from "./css/filters.css" with { type: "text" };
import frameCss from "./css/frame.css" with { type: "text" };
import jobCss from "./css/job.css" with { type: "text" };
import jobListCss from "./css/job-list.css" with { type: "text" };
import jobsCss from "./css/jobs.css" with { type: "text" };
import libraryCss from "./css/library.css" with { type: "text" };
import lineageCss from "./css/lineage.css" with { type: "text" };
import makeCss from "./css/make.css" with { type: "text" };
import menusCss from "./css/menus.css" with { type: "text" };
import noticesCss from "./css/notices.css" with { type: "text" };
import paletteCss from "./css/palette.css" with { type: "text" };
import playerCss from "./css/player.css" with { type: "text" };
import serverLogCss from "./css/server-log.css" with { type: "text" };
import settingsCss from "./css/settings.css" with { type: "text" };
import styleguideCss from "./css/styleguide.css" with { type: "text" };
import surfacesCss from "./css/surfaces.css" with { type: "text" };
import systemCss from "./css/system.css" with { type: "text" };
import uploadsCss from "./css/uploads.css" with { type: "text" };
import valuesCss from "./css/values.css" with { type: "text" };
import welcomeCss from "./css/welcome.css" with { type: "text" };
import { earlyScript, frameScript } from "./frame.ts";
import iconSvg from "./icon.svg" with { type: "text" };
import { playerScript } from "./player.ts";
import { smaller } from "./smaller.ts" with { type: "macro" };
import latinFont from "./vendor/hanken-grotesk-latin-5.3.0.woff2" with { type: "file" };
import latinExtFont from "./vendor/hanken-grotesk-latin-ext-5.3.0.woff2" with { type: "file" };
import hlsJs from "./vendor/hls-1.7.4.cmaf.min.js" with { type: "text" };
import htmxJs from "./vendor/htmx-4.0.1.min.js" with { type: "text" };
import hxCspJs from "./vendor/hx-csp-4.0.1.min.js" with { type: "text" };
import hxSseJs from "./vendor/hx-sse-4.0.1.min.js" with { type: "text" };
import tusJs from "./vendor/tus-js-client-4.3.1.min.js" with { type: "text" };
import uplotJs from "./vendor/uplot-1.6.32.iife.min.js" with { type: "text" };
import uplotCss from "./vendor/uplot-1.6.32.min.css" with { type: "text" };

export interface StaticFile {
  /** `/static/app-1a2b3c4d5e.css` */
  path: string;
  contentType: string;
  body: string | Uint8Array<ArrayBuffer>;
  /** With its quotes. */
  etag: string;
}

/** One style sheet for all pages: values first, then the frame, then what stands in it. The order decides ties. */
const styles = [
  valuesCss,
  frameCss,
  controlsCss,
  menusCss,
  noticesCss,
  surfacesCss,
  paletteCss,
  entranceCss,
  libraryCss,
  filtersCss,
  uploadsCss,
  jobsCss,
  assetCss,
  makeCss,
  welcomeCss,
  systemCss,
  serverLogCss,
  binCss,
  styleguideCss,
];

const contentTypes: Record<string, string> = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  txt: "text/plain; charset=utf-8",
  svg: "image/svg+xml",
  woff2: "font/woff2",
};

/** 40 bits: enough that two versions of one file never share a name. */
const HASH_DIGITS = 10;

function describe(name: string, body: StaticFile["body"]): StaticFile {
  const digest = new Bun.CryptoHasher("sha256").update(body).digest("hex");
  const dot = name.lastIndexOf(".");
  const extension = name.slice(dot + 1);
  const contentType = contentTypes[extension];
  assert(contentType !== undefined, `a static file's type is known: ${name}`);
  const hash = digest.slice(0, HASH_DIGITS);
  return {
    path: `/static/${name.slice(0, dot)}-${hash}.${extension}`,
    contentType,
    body,
    etag: `"${hash}"`,
  };
}

/**
 * The typeface, Hanken Grotesk, in the two parts that most pages need; other scripts come from the system.
 * `optional`: text never changes its shape once it stands there; the few letters of the other part may. The ranges are
 * those of the package.
 */
const fonts = [
  {
    name: "hanken-latin.woff2",
    file: latinFont,
    display: "optional",
    range:
      "U+0000-00FF,U+0131,U+0152-0153,U+02BB-02BC,U+02C6,U+02DA,U+02DC,U+0304,U+0308,U+0329,U+2000-206F,U+20AC,U+2122,U+2191,U+2193,U+2212,U+2215,U+FEFF,U+FFFD",
  },
  {
    name: "hanken-latin-ext.woff2",
    file: latinExtFont,
    display: "swap",
    range:
      "U+0100-02BA,U+02BD-02C5,U+02C7-02CC,U+02CE-02D7,U+02DD-02FF,U+0304,U+0308,U+0329,U+1D00-1DBF,U+1E00-1E9F,U+1EF2-1EFF,U+2020,U+20A0-20AB,U+20AD-20C0,U+2113,U+2C60-2C7F,U+A720-A7FF",
  },
].map((font) => ({ ...font, body: new Uint8Array(readFileSync(font.file)) }));

function fontFace({ name, body, range, display }: (typeof fonts)[number]): string {
  // Beside the style sheet, so that the address holds wherever the site stands.
  const path = describe(name, body).path.replace("/static/", "");
  return `@font-face{font-family:"Hanken Grotesk";font-weight:100 900;font-display:${display};src:url(${path}) format("woff2");unicode-range:${range}}`;
}

const sources: Record<string, StaticFile["body"]> = {
  ...Object.fromEntries(fonts.map(({ name, body }) => [name, body])),
  "app.css": [...fonts.map(fontFace), ...styles].join("\n"),
  "app.js": frameScript,
  "asset.js": smaller("asset.js"),
  "copy.js": smaller("copy.js"),
  "direct.js": smaller("direct.js"),
  "docs.css": docsCss,
  "errors.js": smaller("errors.js"),
  "forms.js": smaller("forms.js"),
  "graphs.js": smaller("graphs.js"),
  "icon.svg": iconSvg,
  "licence.txt": licenceText,
  "hls.js": hlsJs,
  "log.js": smaller("log.js"),
  "make.js": smaller("make.js"),
  "jobs.css": [jobListCss, jobCss].join("\n"),
  "jobs.js": smaller("jobs.js"),
  "settings.css": settingsCss,
  "player.css": [playerCss, lineageCss].join("\n"),
  "player.js": playerScript,
  "theme.js": earlyScript,
  "trial.js": smaller("trial.js"),
  "drop.js": smaller("drop.js"),
  "hover.js": smaller("hover.js"),
  "leaving.js": smaller("leaving.js"),
  "library.js": smaller("library.js"),
  "selection.js": smaller("selection.js"),
  "tray.js": smaller("tray.js"),
  "upload-memory.js": smaller("upload-memory.js"),
  "upload.js": smaller("upload.js"),
  "welcome.js": smaller("welcome.js"),
  "htmx.js": htmxJs,
  "hx-csp.js": hxCspJs,
  "hx-sse.js": hxSseJs,
  "tus.js": tusJs,
  "uplot.css": uplotCss,
  "uplot.js": uplotJs,
};

const byName = new Map<string, StaticFile>(
  Object.entries(sources).map(([name, body]) => [name, describe(name, body)]),
);

/** Every static file there is. */
export const staticFiles: readonly StaticFile[] = [...byName.values()];

/**
 * The address of a static file by its plain name, for example `asset("app.css")`.
 * @throws Error for a name that is not embedded.
 */
export function asset(name: string): string {
  const file = byName.get(name);
  assert(file !== undefined, `the static file ${name} is embedded`);
  return file.path;
}
