import { describe, expect, test } from "bun:test";
import { type Note, NoteLines } from "./note-lines.ts";

function notesOf(text: string): { notes: Note[]; others: string[] } {
  const notes: Note[] = [];
  const reader = new NoteLines({ take: (note) => notes.push(note) });
  const others = text.split("\n").filter((line) => !reader.see(line));
  reader.finish();
  return { notes, others };
}

const at = "0x55d0c8a0";

describe("the lines of notes", () => {
  test("become notes by name, however they lie between each other and other lines", () => {
    const { notes, others } = notesOf(
      [
        `[metadata@picture @ ${at}] frame:0    pts:0       pts_time:0`,
        `[ametadata@sound0 @ ${at}] frame:0    pts:-1024   pts_time:-0.02`,
        `[metadata@picture @ ${at}] [info] lavfi.black_start=0.04`,
        "[h264 @ 0x1] error while decoding MB 0 1",
        `[metadata@picture @ ${at}] frame:1    pts:NOPTS   pts_time:NOPTS`,
        `[ametadata@sound0 @ ${at}] lavfi.silence_start.1=1`,
      ].join("\n"),
    );
    expect(others).toEqual(["[h264 @ 0x1] error while decoding MB 0 1"]);
    expect(notes).toEqual([
      { name: "picture", tick: 0, first: true, marks: new Map([["black_start", "0.04"]]) },
      { name: "picture", tick: null, first: false, marks: new Map() },
      { name: "sound0", tick: -1024, first: true, marks: new Map([["silence_start.1", "1"]]) },
    ]);
  });

  test("say when all began anew", () => {
    const { notes } = notesOf(
      [0, 1, 0].map((n, at_) => `[metadata@p @ ${at}] frame:${n} pts:${at_} pts_time:0`).join("\n"),
    );
    expect(notes.map(({ first }) => first)).toEqual([true, false, true]);
  });
});
