import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { escapeValue, renderFilter } from "./filter-syntax.ts";
import { type FilterChain, openPads, renderGraph } from "./graph.ts";

/** What `av_get_token` does: reads up to a terminator, undoing `\` and `'…'`, trimming bare white space. */
function readToken(text: string, terminators: string): { token: string; rest: string } {
  let at = 0;
  while (" \n\t\r".includes(text[at] ?? "x")) at++;
  let token = "";
  let kept = 0;
  while (at < text.length && !terminators.includes(text[at] ?? "")) {
    const character = text[at++];
    if (character === "\\" && at < text.length) {
      token += text[at++];
      kept = token.length;
    } else if (character === "'") {
      while (at < text.length && text[at] !== "'") token += text[at++];
      at++;
      kept = token.length;
    } else token += character;
  }
  while (token.length > kept && " \n\t\r".includes(token.at(-1) ?? "x")) token = token.slice(0, -1);
  return { token, rest: text.slice(at) };
}

const anyText = fc
  .array(
    fc.oneof(
      { weight: 2, arbitrary: fc.constantFrom(..."\\':,;[]= \n\t\r%$`\"{}|#@*?&<>!-_.") },
      { weight: 1, arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: 3 }) },
    ),
    { minLength: 1, maxLength: 14 },
  )
  .map((parts) => parts.join("").replaceAll("\0", "0").toWellFormed());

describe("escaping", () => {
  test("any text comes out of both levels as it went in, and ends neither", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const graph = readToken(`${escapeValue(text)},drawtext=textfile=x[out]`, "[],;");
        expect(graph.rest).toBe(",drawtext=textfile=x[out]");
        const option = readToken(`${graph.token}:next=1`, ":");
        expect(option.token).toBe(text);
        expect(option.rest).toBe(":next=1");
      }),
      { numRuns: 2000 },
    );
  });

  test("ffmpeg itself reads every text as it was meant", () => {
    // ffmpeg prints metadata through a buffer of 128 bytes and would cut longer values.
    const short = anyText.filter((text) => Buffer.byteLength(text) <= 100);
    const texts = fc.sample(short, { numRuns: 300, seed: 7 });
    const adds = texts.map((value, index) =>
      renderFilter({
        name: "metadata",
        options: [
          ["mode", "add"],
          ["key", `k${index}`],
          ["value", value],
        ],
      }),
    );
    const print = "metadata=mode=print:file=-";
    const graph = `color=s=16x16:d=0.04:r=25,${[...adds, print].join(",")}[out]`;
    const argv = ["-v", "error", "-filter_complex", graph, "-map", "[out]", "-f", "null", "-"];
    const done = Bun.spawnSync(["ffmpeg", "-nostdin", ...argv], { timeout: 30_000 });
    expect(done.stderr.toString()).toBe("");
    const printed = done.stdout.toString();
    const expected = texts.map((value, index) => `k${index}=${value}\n`).join("");
    expect(printed.slice(printed.indexOf("\n") + 1)).toBe(expected);
  });

  test("a NUL is refused: no argv can carry it", () => {
    expect(() => escapeValue("a\0b")).toThrow("NUL");
  });
});

const input = { input: 0, stream: 0 };
const half: FilterChain = {
  from: input,
  filters: [{ filter: "scale", width: 2, height: 2 }],
  to: "half",
};

describe("the graph", () => {
  test("is chains of filters between pads", () => {
    const graph = renderGraph([
      half,
      {
        from: { pad: "half" },
        filters: [
          { filter: "format", pixelFormats: ["yuv420p"] },
          { filter: "setsar", ratio: "1" },
        ],
        to: "out",
      },
    ]);
    expect(graph).toBe(
      "[0:0]scale=w=2:h=2:flags=lanczos+accurate_rnd+full_chroma_int[half];" +
        "[half]format=pix_fmts=yuv420p,setsar=sar=1[out]",
    );
  });

  test("leaves the pads open that no chain takes", () => {
    expect([...openPads([half, { ...half, from: { pad: "half" }, to: "out" }])]).toEqual(["out"]);
  });

  const bad: [string, FilterChain[]][] = [
    ["made once", [half, half]],
    ["is plain", [{ ...half, to: "a]b" }]],
    ["is plain", [{ ...half, to: "" }]],
    ["made by a chain", [{ ...half, from: { pad: "nowhere" } }]],
    [
      "used once",
      [
        half,
        { ...half, from: { pad: "half" }, to: "a" },
        { ...half, from: { pad: "half" }, to: "b" },
      ],
    ],
    ["has filters", [{ ...half, filters: [] }]],
  ];
  for (const [words, chains] of bad) {
    test(`with a broken pad is a bug of ours: ${words} (${chains.length})`, () => {
      expect(() => renderGraph(chains)).toThrow(words);
    });
  }

  test("every filter is one that ffmpeg takes", () => {
    const chains: FilterChain[] = [
      {
        from: input,
        filters: [
          { filter: "deinterlace" },
          { filter: "deinterlace", frames: "flagged" },
          { filter: "fps", rate: "30000/1001", startSeconds: 0 },
          { filter: "scale", width: 64, height: 64, matrix: "bt709", range: "tv" },
          { filter: "crop", width: 32, height: 32, x: 2, y: 2 },
          { filter: "pad", width: 48, height: 48, x: 8, y: 8, color: "black" },
          { filter: "tonemap", from: "hdr10" },
          {
            filter: "tag",
            color: { primaries: "bt2020", transfer: "smpte2084", space: "bt2020nc", range: "tv" },
          },
          { filter: "tonemap", from: "hlg" },
          { filter: "format", pixelFormats: ["yuv420p", "yuv420p10le"] },
          { filter: "exactly", frames: 4 },
          { filter: "representative", frames: 2 },
          { filter: "tile", columns: 2, rows: 1 },
          { filter: "still", codec: "jpeg" },
          { filter: "still", codec: "webp" },
          { filter: "still", codec: "png" },
          { filter: "tag", color: { primaries: null, transfer: null, space: null, range: null } },
          { filter: "setsar", ratio: "1" },
        ],
        to: "out",
      },
    ];
    const argv = ["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=66x66:d=0.2"];
    const rest = ["-filter_complex", renderGraph(chains), "-map", "[out]", "-f", "null", "-"];
    const done = Bun.spawnSync(["ffmpeg", "-nostdin", ...argv, ...rest], { timeout: 30_000 });
    expect(done.stderr.toString()).toBe("");
    expect(done.exitCode).toBe(0);
  });
});
