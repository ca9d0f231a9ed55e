import { expect, test } from "bun:test";
import type { VideoFilter } from "../media/graph.ts";
import { assColor, tagColor } from "./ass.ts";
import { drawnRight } from "./drawn-colours.ts";
import type { PlanContext, Step } from "./operation.ts";

const old = { release: { major: 5, minor: 1 } } as PlanContext;

function written(text: string): Step {
  const work = { kind: "write" as const, file: "captions.ass", text };
  return { name: "texts", title: "Write", needs: [], work, makes: [work.file], outputs: [] };
}

function drawn(text: string, ours = true): string[] {
  const step = written(text);
  const from = { step: step.name, file: "captions.ass" };
  const filters: VideoFilter[] = [{ filter: "subtitles", from }];
  const graph = [{ from: { input: 0, stream: 0 }, filters, to: "picture" }];
  const [chain] = drawnRight(graph as never, "bt709", old, ours ? [step] : []);
  return chain?.filters.map(({ filter }) => filter) ?? [];
}

const through = ["matrix", "subtitles", "matrix"];

test("greys are the same by every matrix: the picture is left alone", () => {
  const line = [assColor("#ffffff"), assColor("#000000"), assColor("#808080", 0.4), "&HFF000000"];
  expect(drawn(line.join(","))).toEqual(["subtitles"]);
  expect(drawn(`{\\1a&H20&\\c${tagColor("#c0c0c0")}}words`)).toEqual(["subtitles"]);
});

test.each(["#ffff00", "#fffffe", "#ff0000", "#010000"])(
  "%s is drawn by the right matrix",
  (color) => {
    expect(drawn(`${assColor("#ffffff")},${assColor(color)}`)).toEqual(through);
    expect(drawn(`{\\c${tagColor(color)}}words`)).toEqual(through);
  },
);

test("what looks like a colour counts as one, and so does what others wrote", () => {
  expect(drawn("&HFFFFF")).toEqual(through);
  expect(drawn(assColor("#ffffff"), false)).toEqual(through);
});
