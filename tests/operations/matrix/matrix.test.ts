/** Operations × sources, by what is seen and heard in the results; docs/operations/matrix.md says the same. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { matrixPage, pagePath, readOutcomes } from "../../../script/operation-matrix.ts";
import { operations } from "../../../src/operations/index.ts";
import { everything } from "../../support/long-form.ts";
import { matrixCases } from "./cases.ts";
import { knownFaults } from "./faults.ts";
import { frameAt, marksIn, wholeView } from "./look.ts";
import { faultsOf } from "./rules.ts";
import { allCells, Ground, sampleCells } from "./run.ts";
import { sources } from "./sources.ts";

setDefaultTimeout(180_000);

const folder = mkdtempSync(join(tmpdir(), "matrix-"));
afterAll(() => rmSync(folder, { recursive: true }));

const ground = new Ground(folder);
const outcomes = await readOutcomes();

const cells = (everything ? allCells() : sampleCells()).map(
  ([each, source]) => [`${each.name} × ${source.name}`, each, source] as const,
);

describe("in the matrix", () => {
  test.each(cells)("%s", async (name, each, source) => {
    const outcome = await ground.outcome(each, source);
    // When this is as it should be now: bun script/operation-matrix.ts --ask
    expect(outcome).toEqual(outcomes[each.name]?.[source.name] as typeof outcome);
    if (outcome.refused !== null) return;
    const faults = await ground.faults(each, source);
    if (name in knownFaults) expect(faults).not.toEqual([]);
    else expect(faults).toEqual([]);
  });
});

describe("the matrix", () => {
  test("has every operation, with every source", () => {
    const tried = new Set(matrixCases.map(({ operation }) => operation));
    const missing = operations.map(({ name }) => name).filter((name) => !tried.has(name));
    // A new operation is tried by a case in tests/operations/matrix/cases.ts.
    expect(missing).toEqual([]);
    const names = matrixCases.map((each) => each.name);
    expect(Object.keys(outcomes).toSorted()).toEqual(names.toSorted());
    const rows = sources.map((source) => source.name).toSorted();
    for (const row of Object.values(outcomes)) expect(Object.keys(row).toSorted()).toEqual(rows);
    const all = allCells().map(([each, source]) => `${each.name} × ${source.name}`);
    expect(Object.keys(knownFaults).filter((cell) => !all.includes(cell))).toEqual([]);
  });

  test("stands in the documents as it was seen", () => {
    expect(readFileSync(pagePath, "utf8")).toBe(matrixPage(outcomes));
  });

  test("finds what is wrong with a picture and its sound", () => {
    const [plain] = sources;
    if (plain === undefined) throw new Error("there are sources");
    const path = ground.path(plain);
    const seen = ground.seen(plain);
    const right = marksIn(frameAt(path, 0.1), wholeView);
    expect(Object.keys(right)).toHaveLength(8);
    const wanted = {
      seconds: 2,
      picture: {
        ...({ view: wholeView, aspect: 16 / 9, colours: "kept", at: 0.1 } as const),
        ...{ times: seen.picture?.times ?? [], flashes: [0.4, 1.4] },
      },
      sound: plain.truth.sound.map((track) => ({ ...track, beeps: [0.4, 1.4] })),
    };
    expect(faultsOf(path, wanted)).toEqual([]);
    const turned = {
      ...wanted,
      picture: { ...wanted.picture, view: { x: 1, y: 1, width: -1, height: -1 } },
    };
    expect(faultsOf(path, turned).join()).toContain("its top-left is");
    const late = { ...wanted, picture: { ...wanted.picture, flashes: [0.45, 1.45] } };
    expect(faultsOf(path, late).join()).toContain(
      "it flashes at 0.400, 1.400 instead of 0.450, 1.450",
    );
    const wide = { ...wanted, picture: { ...wanted.picture, aspect: 4 / 3 } };
    expect(faultsOf(path, wide).join()).toContain("it is 1.778 wide, not 1.333");
    const deaf = {
      ...wanted,
      sound: wanted.sound.map((track) => ({ ...track, heard: [0], hertz: 700 })),
    };
    expect(faultsOf(path, deaf).join()).toContain("is heard in channels 0,1 instead of 0");
  });
});
