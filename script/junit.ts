/** Reads what `bun test --reporter=junit` wrote: which tests passed, failed and were skipped. */

export interface Outcome {
  passed: number;
  /** Names, with the file, of what failed. */
  failures: string[];
  skipped: string[];
}

/** "" and anything that is no report give an outcome of nothing. */
export function parseJunit(xml: string): Outcome {
  const outcome: Outcome = { passed: 0, failures: [], skipped: [] };
  for (const [, attributes = "", selfClosed, body = ""] of xml.matchAll(
    /<testcase\b((?:\s+[\w-]+="[^"]*")*)\s*(?:(\/)>|>([\s\S]*?)<\/testcase>)/g,
  )) {
    const inside = selfClosed === undefined ? body : "";
    const name = `${attribute(attributes, "file")}: ${attribute(attributes, "name")}`;
    if (/<(failure|error)\b/.test(inside)) outcome.failures.push(name);
    else if (/<skipped\b/.test(inside)) outcome.skipped.push(name);
    else outcome.passed += 1;
  }
  return outcome;
}

/** The last line of `script/test`. */
export function summaryLine(outcome: Outcome): string {
  const { passed, failures, skipped } = outcome;
  return `${passed} passed, ${failures.length} failed, ${skipped.length} skipped`;
}

const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function attribute(attributes: string, name: string): string {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(attributes)?.[1] ?? "?";
  return value.replace(/&(lt|gt|quot|apos|amp);/g, (_, word: string) => entities[word] ?? "");
}
