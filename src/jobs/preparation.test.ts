import { expect, test } from "bun:test";
import { everything, media } from "../../tests/operations/specimen.ts";
import type { Asset } from "../assets/asset.ts";
import { findOperation, parseParams } from "../operations/index.ts";
import type { PlanContext } from "../operations/operation.ts";
import { Refusal } from "../trouble.ts";
import { Preparation } from "./preparation.ts";

/** As a request has them that was read. */
const params = parseParams(findOperation("transcode"), { video: { quality: 40 } });
const asset = { id: "as_1", name: "a.mp4", media: media(), sha256: "0".repeat(64) } as Asset;

function ground() {
  let context: PlanContext = { ...everything };
  let gone = false;
  const get = () => {
    if (gone) throw new Refusal(404, "not_found", "There is no such asset.");
    return asset;
  };
  const library = { get, captionsOf: () => "" };
  const preparation = new Preparation({
    library: library as never,
    planContext: () => context,
    ffmpegVersion: () => "7.1",
    verify: "auto",
  });
  const job = (jobId: string) => ({
    ...{ jobId, ownerId: "us_1", operation: "transcode", params: { video: { quality: 40 } } },
    ...{ inputIds: ["as_1"], verify: null, anew: false, onlyOn: null },
  });
  return {
    preparation,
    plan: (id: string) => preparation.prepare(job(id)).plan,
    context: () => context,
    renew: () => {
      context = { ...context };
    },
    lose: () => {
      gone = true;
    },
  };
}

test("the plan that a job was asked for with is taken, as long as the same can be done", () => {
  const { preparation, plan, context, renew } = ground();
  const made = { plan: plan("jb_0"), params, context: context() };
  preparation.offer("jb_1", made);
  expect(plan("jb_1")).toBe(made.plan);
  // A plan of its own, which says the same.
  expect(plan("jb_2")).not.toBe(made.plan);
  expect(plan("jb_2")).toEqual(made.plan);
  preparation.offer("jb_3", made);
  renew();
  expect(plan("jb_3")).not.toBe(made.plan);
  expect(plan("jb_1")).not.toBe(made.plan);
});

test("it does not outlive its job, nor an input of it", () => {
  const { preparation, plan, context, lose } = ground();
  const made = { plan: plan("jb_0"), params, context: context() };
  preparation.offer("jb_1", made);
  preparation.forget("jb_1");
  expect(plan("jb_1")).not.toBe(made.plan);
  preparation.offer("jb_2", made);
  lose();
  expect(() => plan("jb_2")).toThrow("There is no such asset.");
});

test("of the plans that were offered the last ones are kept", () => {
  const { preparation, plan, context } = ground();
  const made = { plan: plan("jb_0"), params, context: context() };
  for (let number = 1; number <= 100; number += 1) preparation.offer(`jb_${number}`, made);
  expect(plan("jb_100")).toBe(made.plan);
  expect(plan("jb_1")).not.toBe(made.plan);
});
