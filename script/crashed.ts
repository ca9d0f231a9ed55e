/**
 * Files of tests whose process ended before they did. Bun's own fault, a kill that hit the wrong process, a machine
 * without memory: of the tests that says nothing, and some of them were not run. So each such file is run once more, by
 * itself; that it was needed is said. After some crashes Bun leaves out what was still to come, without a word in its
 * report: those files are run too.
 */
import { type Outcome, type Report, summaryLine } from "./junit.ts";

/** More than this is no accident. */
const AGAIN_MAX = 20;

/**
 * The outcome of all of it.
 * @param expected every file that should have been run
 * @param run runs one file by itself; its report is null when there is none
 */
export async function withSecondRuns(
  first: Report,
  expected: readonly string[],
  run: (file: string) => Promise<{ exitCode: number; report: Report }>,
): Promise<Outcome> {
  const { passed, failures, skipped, crashed, files } = first;
  const outcome: Outcome = { passed, failures: [...failures], skipped: [...skipped] };
  if (crashed.size === 0) return outcome;
  const again = [...crashed, ...expected.filter((file) => !files.has(file))];
  if (again.length > AGAIN_MAX) {
    const names = again.slice(0, 3).join(", ");
    outcome.failures.push(
      `${again.length} files of tests were not run to their end, among them ${names}`,
    );
    return outcome;
  }
  for (const file of again) {
    console.log(`\n── ${file}: its process ended before it did; once more, by itself`);
    const { exitCode, report } = await run(file);
    console.log(`── ${file}: ${summaryLine(report)}`);
    outcome.passed += report.passed;
    outcome.failures.push(...report.failures);
    outcome.skipped.push(...report.skipped);
    const told = report.failures.length > 0 || (exitCode === 0 && report.passed > 0);
    if (!told || report.crashed.size > 0) outcome.failures.push(`${file}: exit code ${exitCode}`);
  }
  return outcome;
}
