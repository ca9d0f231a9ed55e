/** The icon set: 24 × 24 strokes of our own, drawn with the colour of the text around them. */
import { assert } from "../src/trouble.ts";
import { type Html, raw } from "./html.ts";

const blade = "M12 12V3c3.7 0 5.8 2 5.8 4.5S15.4 12 12 12z";

const drawings = {
  mark: [0, 90, 180, 270]
    .map((turn) => `<path fill="currentColor" transform="rotate(${turn} 12 12)" d="${blade}"/>`)
    .join(""),
  library:
    '<rect x="3" y="4" width="8" height="7" rx="1.6"/><rect x="13" y="4" width="8" height="7" rx="1.6"/><rect x="3" y="13" width="8" height="7" rx="1.6"/><rect x="13" y="13" width="8" height="7" rx="1.6"/>',
  jobs: '<path d="M4 6.5h10M4 12h16M4 17.5h7"/><circle cx="18" cy="6.5" r="1.6"/><circle cx="15" cy="17.5" r="1.6"/>',
  system:
    '<rect x="6" y="6" width="12" height="12" rx="2"/><path d="M10 2.8V6m4-3.2V6m-4 12v3.2m4-3.2v3.2M2.8 10H6m-3.2 4H6m12-4h3.2M18 14h3.2"/>',
  settings:
    '<path d="M4 7h9m5 0h2M4 17h2m5 0h9"/><circle cx="15.5" cy="7" r="2.4"/><circle cx="8.5" cy="17" r="2.4"/>',
  upload:
    '<path d="M12 16V4.5m0 0L7.5 9M12 4.5 16.5 9M4 15.5V18a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-2.5"/>',
  download:
    '<path d="M12 4v11.5m0 0L7.5 11m4.5 4.5 4.5-4.5M4 15.5V18a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-2.5"/>',
  link: '<path d="M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7L12 7m2 3a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7L12 17"/>',
  search: '<circle cx="11" cy="11" r="6.5"/><path d="m20 20-4.4-4.4"/>',
  video: '<rect x="3" y="5" width="18" height="14" rx="2.2"/><path d="M10 9.2v5.6l4.8-2.8z"/>',
  audio: '<path d="M4 10v4m4-7.5v11m4-14v17m4-14v11m4-7.5v4"/>',
  image:
    '<rect x="3" y="4" width="18" height="16" rx="2.2"/><circle cx="9" cy="9.6" r="1.8"/><path d="m4 18 5-4.4 3 2.6 4.2-4.2L20.6 16"/>',
  file: '<path d="M14 3H7a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V8zM14 3v5h5M9 13h6M9 16.5h4"/>',
  trash:
    '<path d="M4 6.5h16M9.5 6V4.5A1.5 1.5 0 0 1 11 3h2a1.5 1.5 0 0 1 1.5 1.5V6M6 6.5 7 19a2 2 0 0 0 2 2h6a2 2 0 0 0 2-2l1-12.5M10 11v5.5m4-5.5v5.5"/>',
  close: '<path d="m6 6 12 12M18 6 6 18"/>',
  check: '<path d="m5 12.5 4.6 4.6L19 7.5"/>',
  retry: '<path d="M4.5 12a7.5 7.5 0 1 0 2.4-5.5L4.5 8.7M4.5 4v4.7h4.7"/>',
  stop: '<rect x="6.5" y="6.5" width="11" height="11" rx="1.6"/>',
  pause: '<path d="M9 6v12M15 6v12"/>',
  "frame-back": '<path d="M15.5 6 8 12l7.5 6zM5.5 6v12"/>',
  "frame-forth": '<path d="M8.5 6 16 12l-7.5 6zM18.5 6v12"/>',
  "sound-on":
    '<path d="M4 9.5h3.5L12 5.5v13l-4.5-4H4zM15.5 9a4.2 4.2 0 0 1 0 6m2.5-8.5a7.8 7.8 0 0 1 0 11"/>',
  "sound-off": '<path d="M4 9.5h3.5L12 5.5v13l-4.5-4H4zM16 9.5l5 5m0-5-5 5"/>',
  fullscreen:
    '<path d="M4 9V5.5A1.5 1.5 0 0 1 5.5 4H9m6 0h3.5A1.5 1.5 0 0 1 20 5.5V9m0 6v3.5a1.5 1.5 0 0 1-1.5 1.5H15m-6 0H5.5A1.5 1.5 0 0 1 4 18.5V15"/>',
  "picture-in-picture":
    '<rect x="3" y="5" width="18" height="14" rx="2.2"/><rect fill="currentColor" x="12" y="12" width="6.5" height="4.5" rx="0.8"/>',
  pencil: '<path d="m4.5 19.5 1-4L16 5a2 2 0 0 1 3 3L8.5 18.5z"/>',
  play: '<path d="M8 5.5v13l10.5-6.5z"/>',
  clock: '<circle cx="12" cy="12" r="8.5"/><path d="M12 7.2V12l3.2 2"/>',
  warning: '<path d="M12 4 2.8 19.5h18.4zM12 10v4.4m0 2.6v.1"/>',
  info: '<circle cx="12" cy="12" r="8.5"/><path d="M12 11v5m0-8.2v.1"/>',
  arrow: '<path d="M5 12h14m0 0-5.5-5.5M19 12l-5.5 5.5"/>',
  back: '<path d="m14.5 5.5-6.5 6.5 6.5 6.5"/>',
  chevron: '<path d="m6.5 9.5 5.5 5.5 5.5-5.5"/>',
  up: '<path d="m6.5 14.5 5.5-5.5 5.5 5.5"/>',
  plus: '<path d="M12 5v14M5 12h14"/>',
  wand: '<path d="m4 20 10.5-10.5M17.5 3v4m-2-2h4M6.5 4v3M5 5.5h3M19 12.5v3m-1.5-1.5h3"/>',
  device:
    '<rect x="3" y="6" width="18" height="10" rx="2"/><path d="M7 16v2.5m5-2.5v2.5m5-2.5v2.5"/><circle cx="9" cy="11" r="2.2"/><path d="M15 9.5v3"/>',
  disk: '<ellipse cx="12" cy="6" rx="8" ry="3"/><path d="M4 6v12c0 1.7 3.6 3 8 3s8-1.3 8-3V6M4 12c0 1.7 3.6 3 8 3s8-1.3 8-3"/>',
  copy: '<rect x="8.5" y="8.5" width="12" height="12" rx="2"/><path d="M15.5 5.5v-.2a2 2 0 0 0-2-2H5.3a2 2 0 0 0-2 2v8.2a2 2 0 0 0 2 2h.2"/>',
  logout: '<path d="M14 4H7a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h7m-4-8h10m0 0-3.5-3.5M20 12l-3.5 3.5"/>',
  sun: '<circle cx="12" cy="12" r="3.8"/><path d="M12 2.8v2m0 14.4v2M2.8 12h2m14.4 0h2M5.5 5.5l1.4 1.4m10.2 10.2 1.4 1.4m0-13-1.4 1.4M6.9 17.1l-1.4 1.4"/>',
  moon: '<path d="M20 14.2A8.2 8.2 0 1 1 9.8 4a6.6 6.6 0 0 0 10.2 10.2z"/>',
  contrast:
    '<circle cx="12" cy="12" r="8.5"/><path fill="currentColor" d="M12 3.5a8.5 8.5 0 0 1 0 17z"/>',
  rows: '<path d="M8.5 6.5H20M8.5 12H20M8.5 17.5H20M4 6.5h.1M4 12h.1M4 17.5h.1"/>',
  sort: '<path d="M8 5v14m0 0-3.5-3.5M8 19l3.5-3.5M16 19V5m0 0-3.5 3.5M16 5l3.5 3.5"/>',
  filter: '<path d="M4 6.5h16M7 12h10m-7 5.5h4"/>',
  label:
    '<path d="M4 5.5v6.2a2 2 0 0 0 .6 1.4l6.9 6.9a2 2 0 0 0 2.8 0l5.7-5.7a2 2 0 0 0 0-2.8l-6.9-6.9a2 2 0 0 0-1.4-.6H5.5A1.5 1.5 0 0 0 4 5.5z"/><circle cx="8.4" cy="8.4" r="1.3"/>',
  key: '<circle cx="8" cy="15" r="4.2"/><path d="M11 12 20 3m-4.2 4.2 2.7 2.7"/>',
} as const;

export type IconName = keyof typeof drawings;

const icons = new Map<string, Html>(
  Object.entries(drawings).map(([name, drawing]) => [
    name,
    raw(
      `<svg class="icon icon-${name}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${drawing}</svg>`,
    ),
  ]),
);

/** A decoration: hidden from readers of the screen, so a button with nothing else needs a label. */
export function icon(name: IconName): Html {
  const found = icons.get(name);
  assert(found !== undefined, `the icon ${name} is drawn`);
  return found;
}
