/** Lists of other files, and what pretends not to be one. */
import { everyUse, type HostileFile, opened } from "./ground.ts";

/** What tutorials allow when "protocol not on whitelist" comes up. */
const generous = [
  "-protocol_whitelist",
  "file,http,https,tcp,tls,udp,rtp,crypto,data,subfile,concat,concatf,cache,async",
];
const asHls = ["-f", "hls", "-allowed_extensions", "ALL", ...generous];

/** A media playlist of one segment. */
export function hls(uri: string, before = ""): string {
  return `#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:1\n${before}#EXTINF:1,\n${uri}\n#EXT-X-ENDLIST\n`;
}

const master = (uri: string, before = "") =>
  `#EXTM3U\n${before}#EXT-X-STREAM-INF:BANDWIDTH=100000\n${uri}\n`;

/** Nobody listens there. */
const nowhere = "127.0.0.1:9";

const hlsFiles: HostileFile[] = [
  {
    name: "hls-without-ending",
    body: (ground) => hls(`file://${ground.neighbour("hls-plain.ts")}`),
    leaks: everyUse,
  },
  {
    name: "hls-own-ending.m3u8",
    body: (ground) => hls(ground.neighbour("hls-m3u8.ts")),
    leaks: everyUse,
  },
  {
    name: "hls-relative.m3u8",
    body: (ground) => hls(ground.neighbourFromStorage("hls-relative.ts")),
    leaks: everyUse,
    variant: true,
  },
  ...["mp4", "avi", "ts", "mkv", "jpg"].map(
    (ending): HostileFile => ({
      name: `hls-as.${ending}`,
      body: (ground) => hls(ground.neighbour(`hls-as-${ending}.ts`)),
      careless: asHls,
      leaks: everyUse,
      variant: ending !== "mp4" && ending !== "jpg",
    }),
  ),
  {
    name: "hls-master-to-passwd",
    body: () => master("/etc/passwd"),
    leaks: everyUse,
  },
  {
    name: "hls-master-to-list-of-others",
    body: (ground) => {
      const segment = ground.neighbour("hls-child.ts");
      return master(ground.neighbour("hls-child.m3u8", hls(segment)));
    },
    leaks: everyUse,
  },
  {
    name: "hls-sound-of-others",
    body: (ground) => {
      const list = ground.neighbour("hls-sound.m3u8", hls(ground.neighbour("hls-sound.ts")));
      const sound = `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",URI="${list}"\n`;
      return `#EXTM3U\n${sound}#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"\n${list}\n`;
    },
    leaks: everyUse,
  },
  {
    name: "hls-map",
    body: (ground) =>
      hls(
        ground.neighbour("hls-mapped.ts"),
        `#EXT-X-MAP:URI="${ground.neighbour("hls-map.mp4")}"\n`,
      ),
    leaks: everyUse,
  },
  {
    name: "hls-key",
    body: (ground) => {
      const key = ground.neighbour("hls-key.ts", "0123456789abcdef");
      return hls(ground.neighbour("hls-locked.ts"), `#EXT-X-KEY:METHOD=AES-128,URI="${key}"\n`);
    },
    careless: asHls,
    leaks: everyUse,
  },
  {
    name: "hls-crypto",
    body: (ground) => hls(`crypto+file://${ground.neighbour("hls-crypto.ts")}`),
    careless: asHls,
    variant: true,
  },
  {
    name: "hls-concat.m3u8",
    body: (ground) => {
      const paths = [ground.neighbour("hls-concat-1.ts"), ground.neighbour("hls-concat-2.ts")];
      return hls(`concat:${paths.join("|")}`);
    },
    careless: asHls,
    variant: true,
  },
  {
    name: "hls-subfile.m3u8",
    body: (ground) => hls(`subfile,,start,0,end,0,,:${ground.neighbour("hls-subfile.ts")}`),
    careless: asHls,
    variant: true,
  },
  {
    name: "hls-data.m3u8",
    body: (ground) => {
      const inner = Buffer.from(hls(ground.neighbour("hls-data.ts"))).toString("base64");
      return master(`data:application/x-mpegurl;base64,${inner}`);
    },
    careless: asHls,
  },
  {
    name: "hls-http.m3u8",
    body: () => hls(`http://${nowhere}/segment.ts`),
    careless: asHls,
    leaks: opened,
  },
  {
    name: "hls-master-http",
    body: () => master(`http://${nowhere}/list.m3u8`),
    careless: asHls,
    leaks: opened,
  },
];

const concatFiles: HostileFile[] = [
  {
    name: "concat-absolute",
    body: (ground) => `ffconcat version 1.0\nfile ${ground.neighbour("concat-absolute.ts")}\n`,
    careless: ["-f", "concat", "-safe", "0"],
    leaks: opened,
  },
  {
    name: "concat-beside.mp4",
    body: (ground) => {
      ground.sibling("concat-sibling", "x");
      return "ffconcat version 1.0\nfile concat-sibling\n";
    },
    leaks: everyUse,
  },
  {
    name: "concat-above.avi",
    body: (ground) =>
      `ffconcat version 1.0\nfile '${ground.neighbourFromStorage("concat-above.ts")}'\n`,
    careless: ["-f", "concat", "-safe", "0"],
    leaks: opened,
    variant: true,
  },
  {
    name: "concat-list.txt",
    body: (ground) => `file '${ground.neighbour("concat-list.ts")}'\nfile '/etc/passwd'\n`,
    careless: ["-f", "concat", "-safe", "0"],
    leaks: opened,
  },
  {
    name: "concat-chained.mkv",
    body: (ground) => {
      const inner = `ffconcat version 1.0\nfile ${ground.neighbour("concat-inner.ts")}\n`;
      return `ffconcat version 1.0\nfile ${ground.neighbour("concat-chained", inner)}\noption safe 0\n`;
    },
    careless: ["-f", "concat", "-safe", "0"],
    leaks: opened,
    variant: true,
  },
  {
    name: "concat-http.ts",
    body: () => `ffconcat version 1.0\nfile http://${nowhere}/x.mp4\n`,
    careless: ["-f", "concat", "-safe", "0", ...generous],
    leaks: opened,
  },
];

const mpd = (base: string, before = "") =>
  `<?xml version="1.0"?>\n${before}<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT1S" profiles="urn:mpeg:dash:profile:isoff-main:2011"><Period><AdaptationSet mimeType="video/mp4"><Representation id="0" bandwidth="1000" codecs="avc1.4d401e" width="64" height="48"><BaseURL>${base}</BaseURL></Representation></AdaptationSet></Period></MPD>\n`;

const markupFiles: HostileFile[] = [
  {
    name: "dash.mpd",
    body: (ground) => mpd(ground.neighbour("dash.mp4")),
    leaks: everyUse,
  },
  {
    name: "dash-as.mp4",
    body: (ground) => mpd(`file:${ground.neighbour("dash-as.mp4")}`),
    careless: ["-f", "dash", ...generous],
    leaks: everyUse,
  },
  {
    name: "dash-relative",
    body: (ground) => mpd(ground.neighbourFromStorage("dash-relative.mp4")),
    leaks: everyUse,
    variant: true,
  },
  {
    name: "dash-http.mpd",
    body: () => mpd(`http://${nowhere}/x.mp4`),
    careless: generous,
    leaks: opened,
  },
  {
    name: "dash-entity.mpd",
    body: (ground) =>
      mpd(
        "&secret;",
        `<!DOCTYPE MPD [<!ENTITY secret SYSTEM "file://${ground.neighbour("entity.ts")}">]>\n`,
      ),
  },
  {
    name: "imf-composition.xml",
    body: (ground) => {
      const asset = ground.neighbour("imf.mxf");
      ground.sibling(
        "ASSETMAP.xml",
        `<?xml version="1.0"?><AssetMap xmlns="http://www.smpte-ra.org/schemas/429-9/2007/AM"><AssetList><Asset><Id>urn:uuid:11111111-1111-1111-1111-111111111111</Id><ChunkList><Chunk><Path>${asset}</Path></Chunk></ChunkList></Asset></AssetList></AssetMap>`,
      );
      return `<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016"><Id>urn:uuid:22222222-2222-2222-2222-222222222222</Id><ContentTitle>x</ContentTitle><EditRate>25 1</EditRate><SegmentList><Segment><SequenceList><MainImageSequence xmlns="http://www.smpte-ra.org/schemas/2067-2/2016"><TrackId>urn:uuid:33333333-3333-3333-3333-333333333333</TrackId><ResourceList><Resource xmlns="http://www.smpte-ra.org/schemas/2067-3/2016" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="TrackFileResourceType"><IntrinsicDuration>5</IntrinsicDuration><TrackFileId>urn:uuid:11111111-1111-1111-1111-111111111111</TrackFileId></Resource></ResourceList></MainImageSequence></SequenceList></Segment></SegmentList></CompositionPlaylist>`;
    },
    careless: ["-strict", "experimental", "-f", "imf"],
    leaks: opened,
  },
  {
    name: "webm-manifest.webm",
    body: (ground) => mpd(ground.neighbour("webm-manifest.webm")),
    careless: ["-f", "webm_dash_manifest"],
    leaks: ["subtitles"],
    variant: true,
  },
];

const sdp = `v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 9 RTP/AVP 33\r\n`;

const streamFiles: HostileFile[] = [
  { name: "session.sdp", body: () => sdp, careless: generous, leaks: opened },
  {
    name: "session-as.mp4",
    body: () => sdp,
    careless: ["-f", "sdp", ...generous],
    leaks: opened,
    variant: true,
  },
  {
    name: "redirect.asx",
    body: () => `<asx version="3.0"><entry><ref href="http://${nowhere}/x.wmv"/></entry></asx>`,
    careless: generous,
    variant: true,
  },
  {
    name: "reference.wmv",
    body: () => `[Reference]\r\nRef1=http://${nowhere}/x.wmv\r\nRef2=rtsp://${nowhere}/x\r\n`,
    careless: generous,
    variant: true,
  },
  {
    name: "script.avs",
    body: (ground) => `FFmpegSource2("${ground.neighbour("avisynth.ts")}")\n`,
    variant: true,
  },
  {
    name: "graph.lavfi",
    body: (ground) => `movie=${ground.neighbour("graph.ts")}\n`,
    variant: true,
  },
];

export const playlists: HostileFile[] = [
  ...hlsFiles,
  ...concatFiles,
  ...markupFiles,
  ...streamFiles,
];
