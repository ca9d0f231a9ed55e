/** What is burnt into HD has the colours asked for, to a few steps: texts, boxes, timecodes, captions. */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { pixelAt, Rehearsal, run } from "./rehearsal.ts";
import { frames, work } from "./workshop.ts";

setDefaultTimeout(60_000);
const stage = new Rehearsal();
afterAll(() => stage.close());

const grey = ["-f", "lavfi", "-i", "color=0x405060:size=1280x720:rate=25:duration=0.2"];
const source = stage.make(
  "hd.mp4",
  ...grey,
  "-vf",
  "scale=out_color_matrix=bt709",
  "-c:v",
  "libx264",
  "-pix_fmt",
  "yuv420p",
  "-qp",
  "1",
);
const encode = { quality: 100, speed: "fast" };
/** What encoding and 8 bits of YUV leave of a colour. */
const steps = 5;

function expectColour(path: string, [x, y]: readonly [number, number], colour: string): void {
  // The decoder takes BT.709 for HD only when it is told.
  const right = `${path}.png`;
  run([
    "-i",
    path,
    "-frames:v",
    "1",
    "-vf",
    "scale=in_color_matrix=bt709:flags=accurate_rnd+full_chroma_int,format=rgb24",
    right,
  ]);
  const found = pixelAt(right, x, y);
  const wanted = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  const apart = found.map((level, index) => Math.abs(level - (wanted[index] ?? 0)));
  if (Math.max(...apart) > steps) throw new Error(`${found} instead of ${wanted} at ${x}, ${y}`);
}

/** A block of letters, whose inside is of their colour. */
const block = { kind: "text", text: "█", outline: 0, margin: 0 };

test("overlay draws letters, boxes and timecodes in the colours that they say", async () => {
  const items = [
    { ...block, color: "#00ff00", size: 20, position: { x: 0.2, y: 0.5 } },
    { ...block, color: "#c03020", size: 20, position: { x: 0.5, y: 0.5 } },
    { ...block, color: "#0000ff", size: 20, position: { x: 0.8, y: 0.5 } },
    {
      kind: "timecode",
      position: "top-left",
      margin: 0,
      size: 10,
      box: { color: "#ff0000", opacity: 1 },
    },
  ];
  const { paths } = await work(stage.folder, "overlay", { ...encode, items }, [source]);
  const [path = ""] = paths;
  expectColour(path, [256, 360], "#00ff00");
  expectColour(path, [640, 360], "#c03020");
  expectColour(path, [1024, 360], "#0000ff");
  expectColour(path, [4, 4], "#ff0000");
  // The picture beside them is what it was.
  expectColour(path, [640, 640], "#405060");
});

test("captions have the colour of their style", async () => {
  const style = {
    color: "#ffcc00",
    outline: 0,
    size: 30,
    position: "top",
    margin: 2,
    background: { color: "#ff0000", opacity: 1 },
  };
  const text = "1\n00:00:00,000 --> 00:00:01,000\n█\n";
  const { paths } = await work(
    stage.folder,
    "captions",
    { ...encode, action: "burn", text, style },
    [source],
  );
  const picture = `${paths[0]}.png`;
  run([
    "-i",
    paths[0] ?? "",
    "-frames:v",
    "1",
    "-vf",
    "scale=in_color_matrix=bt709:flags=accurate_rnd+full_chroma_int,format=rgb24",
    picture,
  ]);
  const [pixels = new Uint8Array()] = frames(picture, "rgb24");
  const near = (at: number, colour: readonly number[]) =>
    colour.every((level, channel) => Math.abs((pixels[at + channel] ?? 0) - level) <= steps);
  const count = (colour: readonly number[]) => {
    let found = 0;
    for (let at = 0; at < pixels.length; at += 3) found += near(at, colour) ? 1 : 0;
    return found;
  };
  expect(count([0xff, 0xcc, 0])).toBeGreaterThan(3_000);
  expect(count([0xff, 0, 0])).toBeGreaterThan(1_000);
});
