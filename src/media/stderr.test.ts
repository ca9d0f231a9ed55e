import { describe, expect, test } from "bun:test";
import { BoundedText, plainLog } from "./stderr.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("stderr", () => {
  test("keeps short text whole, however it came", () => {
    const text = new BoundedText();
    for (const piece of ["one\n", "two\n", "three"]) text.push(bytes(piece));
    expect(text.text()).toBe("one\ntwo\nthree");
  });

  test("keeps the beginning and the end of a flood and says how much it left out", () => {
    const text = new BoundedText();
    text.push(bytes("first line\n"));
    for (let line = 0; line < 50_000; line++) text.push(bytes(`noise ${line}\n`));
    text.push(bytes("the reason"));
    const kept = text.text();
    expect(kept.length).toBeLessThan(21_000);
    expect(kept).toStartWith("first line\n");
    expect(kept).toEndWith("the reason");
    expect(kept).toMatch(/… \d{6} bytes left out …/);
  });

  test("names files instead of the paths of this machine, the longer path first", () => {
    const log = plainLog("file:/data/as/1: bad\n/data/as/12/out.mp4: worse\n", [
      { path: "/data/as/1", name: "input 1" },
      { path: "/data/as/12/", name: "" },
    ]);
    expect(log).toBe("input 1: bad\nout.mp4: worse");
  });

  test("drops terminal codes, control characters and the long list of decoders", () => {
    const log = plainLog(
      "\x1b[31mred\x1b[0m\x07\n[x @ 0x1] Codec (vvc) not on whitelist 'a,b'\n\n",
      [],
    );
    expect(log).toBe("red\n[x @ 0x1] Codec (vvc) is not among those that are allowed");
  });

  test("keeps the last forty lines and cuts long ones", () => {
    const lines = Array.from({ length: 100 }, (_, index) => `line ${index} ${"y".repeat(1000)}`);
    const log = plainLog(lines.join("\n"), []).split("\n");
    expect(log).toHaveLength(40);
    expect(log.at(-1)).toStartWith("line 99 ");
    expect(Math.max(...log.map(({ length }) => length))).toBeLessThan(310);
  });
});
