/** Tables of requests: what is asked, what must come, and what must not. */
import { expect, test } from "bun:test";
import type { AskOptions, SiteRig } from "./site.ts";

export interface Scenario extends AskOptions {
  name: string;
  /** `{film}` and the like are filled in from the places of the table. */
  path: string;
  status: number;
  /** Pieces of text that the body must have. */
  has?: string[];
  /** Pieces that neither body nor headers may have. */
  lacks?: string[];
  /** Headers with their values; null for one that must be absent. */
  answers?: Record<string, string | RegExp | null>;
}

/** What no answer may ever show, whatever was asked. */
const neverShown = ["/tmp/", "node_modules", "    at ", "$argon2id$", "SELECT ", "SQLITE_"];

/** Makes each scenario a test. */
export function runScenarios(
  site: () => SiteRig,
  places: () => Record<string, string>,
  scenarios: readonly Scenario[],
): void {
  for (const scenario of scenarios) {
    test(scenario.name, () => runScenario(site(), filledIn(scenario, places())));
  }
}

function filledIn(scenario: Scenario, places: Record<string, string>): Scenario {
  const fill = (text: string) => text.replaceAll(/\{(\w+)\}/g, (_, name) => places[name] ?? name);
  const { json } = scenario;
  return {
    ...scenario,
    path: fill(scenario.path),
    ...(json === undefined ? {} : { json: JSON.parse(fill(JSON.stringify(json))) }),
  };
}

async function runScenario(site: SiteRig, scenario: Scenario): Promise<void> {
  const response = await site.ask(scenario.path, scenario);
  const body = await response.text();
  const all = `${[...response.headers].map((pair) => pair.join(": ")).join("\n")}\n\n${body}`;
  const shown = response.status === scenario.status ? "" : ` ${body}`;
  expect(`${response.status}${shown}`).toBe(String(scenario.status));
  for (const piece of scenario.has ?? []) expect(body).toContain(piece);
  for (const piece of [...neverShown, ...(scenario.lacks ?? [])]) expect(all).not.toContain(piece);
  for (const [name, value] of Object.entries(scenario.answers ?? {})) {
    const given = response.headers.get(name);
    if (value instanceof RegExp) expect(given ?? "").toMatch(value);
    else expect(given).toBe(value);
  }
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
}
