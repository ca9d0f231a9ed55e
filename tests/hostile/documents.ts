/** Subtitles, drawings and names: text that makes its reader open something. */
import { everyUse, type Ground, type HostileFile, opened } from "./ground.ts";
import { hls } from "./playlists.ts";

const assHead = `[Script Info]
ScriptType: v4.00+
[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,20
`;
const assEvents = `[Events]
Format: Layer, Start, End, Style, Text
Dialogue: 0,0:00:00.00,0:00:01.00,Default,`;

const cue = "1\n00:00:00,000 --> 00:00:01,000\n";

const subtitleFiles: HostileFile[] = [
  {
    name: "playlist.srt",
    body: (ground) =>
      `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n${ground.neighbour("sub.m3u8", hls(ground.neighbour("sub.ts")))}\n`,
    careless: ["-f", "hls", "-allowed_extensions", "ALL"],
    leaks: everyUse,
  },
  {
    name: "playlist-of-subtitles",
    body: (ground) => hls(ground.neighbour("sub-text.ts")),
    leaks: everyUse,
  },
  {
    name: "script.vtt",
    body: (ground) => `ffconcat version 1.0\nfile ${ground.neighbour("sub-vtt.ts")}\n`,
    careless: ["-f", "concat", "-safe", "0"],
    leaks: opened,
    variant: true,
  },
  {
    name: "script.ass",
    body: (ground) => {
      ground.sibling("sub-ass-sibling", "x");
      return "ffconcat version 1.0\nfile sub-ass-sibling\n";
    },
    leaks: everyUse,
  },
  {
    name: "style.vtt",
    body: (ground) =>
      `WEBVTT\n\nSTYLE\n@import url("file://${ground.neighbour("sheet.css", "x")}");\n\n00:00.000 --> 00:01.000\nx\n`,
    variant: true,
  },
  {
    name: "font-path.ass",
    body: (ground) => `${assHead}${assEvents}{\\fn${ground.neighbour("font.ttf", "x")}}x\n`,
    variant: true,
  },
  {
    name: "font-inside.ass",
    body: () => `${assHead}[Fonts]\nfontname: ../../evil.ttf\n${"!".repeat(80)}\n\n${assEvents}x\n`,
  },
  {
    name: "markup.srt",
    body: (ground) =>
      `${cue}<font face="file://${ground.neighbour("face.ttf", "x")}">x</font><img src="/etc/passwd">\n`,
    variant: true,
  },
  {
    name: "source.smi",
    body: (ground) =>
      `<SAMI><HEAD><STYLE TYPE="text/css">@import "${ground.neighbour("sami.css", "x")}"</STYLE></HEAD><BODY><SYNC Start=0><P><IMG SRC="/etc/passwd">x</BODY></SAMI>`,
    variant: true,
  },
  {
    name: "discs.idx",
    body: (ground) => {
      ground.sibling("discs.sub", "x");
      return "# VobSub index file, v7 (do not modify this line!)\nid: en, index: 0\ntimestamp: 00:00:00:000, filepos: 000000000\n";
    },
    leaks: everyUse,
  },
];

const svg = (inside: string, before = "") =>
  `<?xml version="1.0"?>\n${before}<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:xi="http://www.w3.org/2001/XInclude" width="64" height="48">${inside}</svg>\n`;

const drawings: HostileFile[] = [
  {
    name: "link.svg",
    body: (ground) =>
      svg(`<image xlink:href="file://${ground.neighbour("link.png")}" width="9" height="9"/>`),
  },
  {
    name: "include.svg",
    body: (ground) =>
      svg(`<xi:include href="${ground.neighbour("include.txt", "x")}" parse="text"/>`),
    variant: true,
  },
  {
    name: "entity.svg",
    body: (ground) =>
      svg(
        "<text>&secret;</text>",
        `<!DOCTYPE svg [<!ENTITY secret SYSTEM "file://${ground.neighbour("entity.txt", "x")}">]>`,
      ),
  },
  {
    name: "sheet.svg",
    body: (ground) => svg(`<style>@import url("${ground.neighbour("svg.css", "x")}");</style>`),
    variant: true,
  },
];

function numbered(ground: Ground): Uint8Array {
  for (const number of ["1", "2", "3"]) ground.sibling(`series${number}.jpg`, ground.jpeg);
  return ground.jpeg;
}

/** Names that ffmpeg reads as something else than a name. */
const names: HostileFile[] = [
  { name: "series%d.jpg", media: true, body: numbered, leaks: everyUse },
  {
    name: "series*.jpg",
    media: true,
    body: numbered,
    careless: ["-f", "image2", "-pattern_type", "glob"],
    leaks: opened,
    variant: true,
  },
  {
    name: "concat:storage-of-others.ts|series1.jpg",
    media: true,
    body: (ground) => {
      ground.sibling("storage-of-others.ts", ground.jpeg);
      return ground.jpeg;
    },
    leaks: everyUse,
  },
  {
    name: "subfile,,start,0,end,0,,:storage-of-others.ts",
    media: true,
    body: (ground) => {
      ground.sibling("storage-of-others.ts", ground.jpeg);
      return ground.jpeg;
    },
    leaks: everyUse,
    variant: true,
  },
  {
    name: "concatf:list-of-names",
    media: true,
    body: (ground) => {
      ground.sibling("list-of-names", "series1.jpg\n");
      return ground.jpeg;
    },
    leaks: everyUse,
    variant: true,
  },
  { name: "data:text,x", media: true, body: ({ jpeg }) => jpeg, variant: true },
  {
    name: "tcp:127.0.0.1:9",
    media: true,
    body: ({ jpeg }) => jpeg,
    leaks: everyUse,
    variant: true,
  },
  { name: "-y", media: true, body: ({ jpeg }) => jpeg, variant: true },
  { name: "a'b,movie=x:[c];\\.mp4", media: true, body: ({ jpeg }) => jpeg, variant: true },
];

export const documents: HostileFile[] = [...subtitleFiles, ...drawings, ...names];
