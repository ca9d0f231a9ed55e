/** axe-core on a page as it is now: every rule, also those that are only advice. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Page } from "playwright-core";

const source = readFileSync(
  resolve(import.meta.dir, "../node_modules/axe-core/axe.min.js"),
  "utf8",
);

interface Violation {
  id: string;
  nodes: { html: string }[];
}

interface Findings {
  violations: Violation[];
  passes: unknown[];
}

/** Rules that hold on the emptiest of our pages; fewer means that axe has not looked. */
const PASSES_MIN = 12;

/** One sentence for each violation, with its first element. */
export async function axeFaults(page: Page): Promise<string[]> {
  // As text, past the policy of the page, which would not let it in.
  await page.evaluate(`${source};0`);
  const { violations, passes } = (await page.evaluate(
    `axe.run(document).then(({ violations, passes }) => ({ violations, passes: passes.map(({ id }) => id) }))`,
  )) as Findings;
  if (passes.length < PASSES_MIN) throw new Error(`axe found only ${passes.length} rules kept`);
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 140)}`);
}
