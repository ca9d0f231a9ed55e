import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { everything, media } from "../../tests/operations/specimen.ts";
import { Refusal } from "../trouble.ts";
import { findOperation, operations, planFor } from "./index.ts";
import { defineOperation, type Plan, type Step } from "./operation.ts";

test("an unknown operation is refused with the names of those that there are", () => {
  try {
    findOperation("divide");
    throw new Error("found");
  } catch (trouble) {
    if (!(trouble instanceof Refusal)) throw trouble;
    expect([trouble.status, trouble.code]).toEqual([404, "unknown_operation"]);
    for (const { name } of operations) expect(trouble.message).toContain(name);
  }
});

test("every operation has a plain name of its own, and words", () => {
  expect(new Set(operations.map(({ name }) => name)).size).toBe(operations.length);
  for (const { name, title, description } of operations) {
    expect(name).toMatch(/^[a-z][a-z-]+$/);
    expect(title).toMatch(/^[A-Z]/);
    expect(description).toMatch(/\.$/);
  }
});

describe("a plan that runners could not rely on is a bug of ours", () => {
  const file = "output.txt";
  const step: Step = {
    name: "write",
    title: "Write",
    needs: [],
    work: { kind: "write", file, text: "x" },
    outputs: [
      {
        file,
        name: "x.txt",
        role: "main",
        mimeType: "text/plain",
        expectation: {
          file,
          kind: "text",
          durationSeconds: null,
          video: null,
          audioTracks: 0,
          audioCodecs: [],
        },
      },
    ],
  };
  const [output] = step.outputs;
  if (output === undefined) throw new Error("the step has an output");
  const reading = (from: { asset: number } | { step: string; file: string }): Step => ({
    ...step,
    name: "read",
    needs: ["write"],
    work: {
      kind: "render",
      description: { inputs: [{ from }], graph: [], outputs: [], expectedSeconds: null },
    },
  });
  const check = (steps: Step[]) => {
    const operation = defineOperation({
      name: "broken",
      title: "Broken",
      description: "Plans what it is given.",
      schema: z.strictObject({}),
      example: {},
      inputs: { min: 1, max: 1 },
      plan: (): Plan => ({ steps, notes: [] }),
    });
    return planFor(operation, {}, [{ name: "a.mp4", media: media() }], everything);
  };

  test("a right one passes", () => {
    const steps = [step, reading({ step: "write", file }), reading({ asset: 0 })];
    expect(check(steps.slice(0, 2)).steps).toHaveLength(2);
    expect(check([step, { ...reading({ asset: 0 }), name: "other" }]).steps).toHaveLength(2);
  });

  const cases: [words: string, steps: Step[]][] = [
    ["1–256 steps", []],
    ["1–256 steps", Array.from({ length: 257 }, (_, at) => ({ ...step, name: `s${at}` }))],
    ["unique", [step, step]],
    ["is plain", [{ ...step, name: "../up" }]],
    ["needs an earlier step", [{ ...step, needs: ["later"] }]],
    ["is plain", [{ ...step, outputs: [{ ...output, file: "../../etc/x.txt" }] }]],
    ["made once", [{ ...step, outputs: [output, output] }]],
    ["has its expectation", [{ ...step, outputs: [{ ...output, file: "b.txt" }] }]],
    ["≤ 255 bytes", [{ ...step, outputs: [{ ...output, name: "ä".repeat(128) }] }]],
    ["an input of the job", [step, reading({ asset: 1 })]],
    ["makes nothing.txt", [step, reading({ step: "write", file: "nothing.txt" })]],
    ["needs the step that it reads", [step, { ...reading({ step: "write", file }), needs: [] }]],
    ["1–256 files", [{ ...step, outputs: [] }]],
  ];
  for (const [words, steps] of cases) {
    test(`${words} (${steps.length})`, () => expect(() => check(steps)).toThrow(words));
  }
});
