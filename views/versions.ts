/** What the server is made of and runs on. */
import { asset } from "../static/embedded.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { texts } from "./texts/texts.ts";

const words = texts.system;

export interface VersionsView {
  version: string;
  commit: string;
  versions: { bun: string; system: string; kernel: string; architecture: string; schema: number };
  ffmpeg: { version: string | null };
  devices: readonly { gpu: { driver: string | null } | null }[];
}

export function versionsPanel({ role }: { role: "admin" | "member" }, view: VersionsView): Html {
  const { version, commit, versions, ffmpeg, devices } = view;
  const drivers = new Set(devices.flatMap(({ gpu }) => gpu?.driver ?? []));
  const rows: [keyof typeof words.versionRows, Html][] = [
    ["kinomill", html`${version} <code>${commit}</code>`],
    ["ffmpeg", html`${ffmpeg.version ?? "–"}`],
    ...(drivers.size === 0
      ? []
      : ([["driver", html`${[...drivers].join(", ")}`]] satisfies ["driver", Html][])),
    ["system", html`${versions.system}`],
    ["kernel", html`${versions.kernel}, ${versions.architecture}`],
    ["bun", html`${versions.bun}`],
    ["schema", html`${versions.schema}`],
  ];
  return html`<section class="panel" id="versions" aria-labelledby="versions-title"><h2 id="versions-title">${icon("info")}${words.versions}</h2>
<dl class="pairs">${rows.map(([name, value]) => html`<div><dt>${words.versionRows[name]}</dt><dd>${value}</dd></div>`)}</dl>
<p class="muted version-links"><a href="${asset("licence.txt")}">${words.licence}</a>${role === "admin" ? html`<a href="/welcome">${texts.welcome.comeBack}</a>` : null}</p></section>`;
}
