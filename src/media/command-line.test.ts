import { expect, test } from "bun:test";
import { commandOf } from "./command-line.ts";
import { safeInputFlags } from "./safety.ts";

const names = [
  { path: "/data/files/ab/as_1", name: "input 1" },
  { path: "/data/work/jb_1/encode/", name: "" },
];

test("paths have names, the guards are gone, and the rest stands as it was", () => {
  const argv = [
    ...["-ss", "1.5", ...safeInputFlags(), "-i", "file:/data/files/ab/as_1"],
    ...["-filter_complex", "[0:0]scale=w=1280:h=-2,drawtext=textfile=/data/work/jb_1/encode/a.txt"],
    ...["-c:v", "libx264", "-crf", "22.5", "file:/data/work/jb_1/encode/output.mp4"],
  ];
  expect(commandOf(argv, names)).toBe(
    "ffmpeg -ss 1.5 -i 'input 1' -filter_complex '[0:0]scale=w=1280:h=-2,drawtext=textfile=a.txt' -c:v libx264 -crf 22.5 output.mp4",
  );
});

test("a shell reads back what was quoted", () => {
  const argv = ["-metadata", 'title=it\'s $HOME `id` \\ "x"\nnext', "", "*", "-y"];
  const printed = Bun.spawnSync([
    "sh",
    "-c",
    `ffmpeg() { printf '%s\\0' "$@"; }; ${commandOf(argv, [])}`,
  ]);
  expect(printed.stdout.toString().split("\0").slice(0, -1)).toEqual(argv);
});

test("what is very long is cut, and says so", () => {
  const command = commandOf(["-vf", `crop=${"1+".repeat(9_000)}`], []);
  expect([command.length, command.at(-1)]).toEqual([8_001, "…"]);
});
