/** Reads what `bun test --reporter=junit` wrote: which tests passed, failed and were skipped. */

export interface Outcome {
  passed: number;
  /** Names, with the file, of what failed. */
  failures: string[];
  skipped: string[];
}

/** What one call of `bun test` reported. */
export interface Report extends Outcome {
  /** Files that it reports something of. */
  files: Set<string>;
  /** Files whose process ended before they did; what passed in them is not counted. */
  crashed: Set<string>;
}

/** What Bun reports in place of a test when the process that runs a file ends. */
const CRASH = "(worker crashed)";

/** "" and anything that is no report give an outcome of nothing. */
export function parseJunit(xml: string): Report {
  const cases = [...casesOf(xml)];
  const crashed = new Set(cases.filter(({ name }) => name === CRASH).map(({ file }) => file));
  const report: Report = { passed: 0, failures: [], skipped: [], files: new Set(), crashed };
  for (const { file, name, inside } of cases) {
    report.files.add(file);
    if (name === CRASH) continue;
    if (/<(failure|error)\b/.test(inside)) report.failures.push(`${file}: ${name}`);
    else if (crashed.has(file)) continue;
    else if (/<skipped\b/.test(inside)) report.skipped.push(`${file}: ${name}`);
    else report.passed += 1;
  }
  return report;
}

function* casesOf(xml: string): Generator<{ file: string; name: string; inside: string }> {
  for (const [, attributes = "", selfClosed, body = ""] of xml.matchAll(
    /<testcase\b((?:\s+[\w-]+="[^"]*")*)\s*(?:(\/)>|>([\s\S]*?)<\/testcase>)/g,
  )) {
    yield {
      file: attribute(attributes, "file"),
      name: attribute(attributes, "name"),
      inside: selfClosed === undefined ? body : "",
    };
  }
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
