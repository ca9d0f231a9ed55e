/**
 * After a crash: what ran is put back at once, since no other server can be running it. A job with which the
 * server died again and again is taken for the cause and fails.
 */
import { transaction } from "../database/transaction.ts";
import type { FailureReport } from "../trouble.ts";
import { jobsIn } from "./by-state.ts";
import { finish, putBack, type Running, setAside } from "./endings.ts";
import type { Ledger } from "./ledger.ts";
import { predecessorFailed } from "./predecessors.ts";
import { DEATHS_MAX, deadlyReport } from "./retry.ts";

/** What an attempt has to say that the server did not survive. */
const diedWith = "The server ended while it ran.";

/**
 * running → queued for all but those that do run: rows that a crash left, or whose end could not be written.
 * @param died whether the server died with them: who was there each of three times fails
 * @returns how many there were
 */
export function recoverRunning(
  ledger: Ledger,
  runningIds: readonly string[],
  died: boolean,
): number {
  return transaction(ledger.database, (): number => {
    const rows = ledger.database
      .query<Lost, [string]>(
        `SELECT id AS jobId, fence, deaths FROM ${jobsIn(["running"], "id, fence, deaths")}
         WHERE id NOT IN (SELECT value FROM json_each(?1))`,
      )
      .all(JSON.stringify(runningIds));
    for (const row of rows) recoverOne(ledger, row, died);
    return rows.length;
  });
}

interface Lost extends Running {
  deaths: number;
}

function recoverOne(ledger: Ledger, lost: Lost, died: boolean): void {
  const ended = { outcome: "interrupted", error: died ? lostReport() : null } as const;
  if (died && lost.deaths + 1 >= DEATHS_MAX) {
    setAside(ledger, lost, ended);
    failDeadly(ledger, lost);
    return;
  }
  const sentence = died ? diedWith : "Its end could not be written down; it runs again.";
  putBack(ledger, lost, ended, { what: "recover", sentence, died });
}

function failDeadly(ledger: Ledger, lost: Lost): void {
  const report = deadlyReport(deathsOf(ledger, lost.jobId));
  if (finish(ledger, lost, "failed", report, "recover")) predecessorFailed(ledger, lost.jobId);
}

/** The evidence: when and where it ran each time that the server died. */
function deathsOf(ledger: Ledger, jobId: string): string[] {
  return ledger.database
    .query<{ device: string; begun: string; found: string }, [string, string, number]>(
      `SELECT device, started_at AS begun, finished_at AS found FROM attempt
       WHERE job_id = ?1 AND outcome = 'interrupted' AND error ->> 'message' = ?2
       ORDER BY fence DESC LIMIT ?3`,
    )
    .all(jobId, diedWith, DEATHS_MAX)
    .map(({ device, begun, found }) => `begun ${begun} on ${device}, found dead ${found}`)
    .reverse();
}

function lostReport(): FailureReport {
  return { code: "worker_lost", message: diedWith, hint: "", retryable: true, log: "" };
}
