/** Real containers with something in them: attachments, references, other people's paths. */
import { type Attachment, matroska } from "../support/matroska.ts";
import { gifBomb, pngBomb } from "../support/pictures.ts";
import type { Ground, HostileFile, Use } from "./ground.ts";
import { opened } from "./ground.ts";
import { hls } from "./playlists.ts";
import { alias, aviWithSubtitles, referenceMovie, url } from "./quicktime.ts";

const ass = Buffer.from(
  "[Script Info]\nScriptType: v4.00+\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\nStyle: Default,evil,20\n[Events]\nFormat: Layer, Start, End, Style, Text\n",
);

/** A video with subtitles and an attachment. */
function attached({ jpeg }: Ground, attachment: Partial<Attachment>): Uint8Array {
  const data = Buffer.from("attached");
  return matroska({
    tracks: [
      { kind: "video", codec: "V_MJPEG", frameMs: 40 },
      { kind: "subtitles", codec: "S_TEXT/ASS", codecPrivate: ass },
    ],
    packets: [
      { track: 0, timeMs: 0, data: jpeg },
      { track: 1, timeMs: 0, lastsMs: 80, data: Buffer.from("0,0,Default,,0,0,0,,x") },
      { track: 0, timeMs: 40, data: jpeg },
      { track: 0, timeMs: 80, data: jpeg },
    ],
    attachments: [{ name: "x", mimeType: "text/plain", data, ...attachment }],
    durationMs: 120,
  });
}

const dumpAll = ["-dump_attachment:t", ""];
const byFfmpeg: Use[] = ["thumbnail", "transcode"];

const matroskaFiles: HostileFile[] = [
  {
    name: "attachment-above.mkv",
    media: true,
    body: (ground) => attached(ground, { name: "../neighbour/attached-above" }),
    careless: dumpAll,
    leaks: byFfmpeg,
  },
  {
    name: "attachment-absolute.mkv",
    media: true,
    body: (ground) => attached(ground, { name: `${ground.root}/neighbour/attached-absolute` }),
    careless: dumpAll,
    leaks: byFfmpeg,
    variant: true,
  },
  {
    name: "attachment-font.mkv",
    media: true,
    body: (ground) =>
      attached(ground, {
        name: "../evil.ttf",
        mimeType: "application/x-truetype-font",
        data: Buffer.concat([Buffer.from([0, 1, 0, 0, 0, 4]), Buffer.alloc(200, 0xff)]),
      }),
  },
  {
    name: "attachment-playlist.mkv",
    media: true,
    body: (ground) =>
      attached(ground, {
        name: "cover.m3u8",
        mimeType: "application/x-mpegurl",
        data: Buffer.from(hls(ground.neighbour("attached.ts"))),
      }),
    variant: true,
  },
];

const referenceFiles: HostileFile[] = [
  {
    name: "reference-alias.mov",
    media: true,
    body: (ground) => referenceMovie(alias(ground.neighbour("alias.ts"), 2)),
    careless: ["-enable_drefs", "1", "-use_absolute_path", "1"],
    leaks: opened,
  },
  {
    name: "reference-passwd.mp4",
    media: true,
    body: () => referenceMovie(alias("/etc/passwd", 0)),
    careless: ["-enable_drefs", "1", "-use_absolute_path", "1"],
    leaks: opened,
    variant: true,
  },
  {
    name: "reference-url.mov",
    media: true,
    body: (ground) => referenceMovie(url(`file://${ground.neighbour("url.ts")}`)),
    careless: ["-enable_drefs", "1", "-use_absolute_path", "1"],
  },
  {
    name: "subtitles-inside.avi",
    media: true,
    body: (ground) => aviWithSubtitles(ground.jpeg, hls(ground.neighbour("gab2.ts"))),
  },
  {
    name: "pictures.y4m",
    body: (ground) =>
      `YUV4MPEG2 W2 H2 F25:1 X${ground.neighbour("y4m.ts")}\nFRAME file:/etc/passwd\n\0\0\0\0\0\0`,
    variant: true,
  },
];

const bombs: Omit<HostileFile, "bomb">[] = [
  { name: "bomb-16k.png", body: () => pngBomb(16_000, 24, 0.003) },
  { name: "bomb-60k.png", body: () => pngBomb(60_000, 4) },
  { name: "bomb.gif", body: () => gifBomb() },
  {
    name: "gap-of-ten-hours.mkv",
    media: true,
    body: ({ jpeg }) =>
      matroska({
        tracks: [{ kind: "video", codec: "V_MJPEG", frameMs: 40 }],
        packets: [0, 36_000_000].map((timeMs) => ({ track: 0, timeMs, data: jpeg })),
      }),
  },
  {
    name: "tracks-900.mkv",
    body: () =>
      matroska({
        tracks: Array.from({ length: 900 }, () => ({ kind: "audio", codec: "A_PCM/INT/LIT" })),
        packets: [{ track: 0, timeMs: 0, data: new Uint8Array(160) }],
      }),
  },
  {
    name: "samples-4-billion.mov",
    media: true,
    body: () => referenceMovie(url(""), 0xffff_fff0),
  },
];

export const containerFiles: HostileFile[] = [
  ...matroskaFiles,
  ...referenceFiles,
  ...bombs.map((file) => ({ ...file, bomb: true })),
];
