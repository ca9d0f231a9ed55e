/**
 * Asks a server all the time, each time on a new connection, until it is told to stop (SIGTERM), and prints how many
 * answers came and what went wrong:  load.ts URL
 */
const [url = ""] = process.argv.slice(2);

/** Askers at the same time. */
const ASKERS = 4;
/** A restart of the server may be waited for, but not for ever. */
const ANSWER_LIMIT_MS = 60_000;

let stopping = false;
process.on("SIGTERM", () => {
  stopping = true;
});

let answers = 0;
let longestMs = 0;
const troubles: string[] = [];

async function ask(): Promise<void> {
  while (!stopping) {
    const since = performance.now();
    try {
      const response = await fetch(`${url}/health`, {
        headers: { connection: "close" },
        keepalive: false,
        signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
      });
      await response.text();
      if (response.status === 200) answers += 1;
      else troubles.push(`status ${response.status}`);
    } catch (cause) {
      troubles.push(cause instanceof Error ? `${cause.name} ${cause.message}` : String(cause));
    }
    longestMs = Math.max(longestMs, performance.now() - since);
    await Bun.sleep(2);
  }
}

console.error("asking");
await Promise.all(Array.from({ length: ASKERS }, ask));
console.log(JSON.stringify({ answers, longestMs: Math.round(longestMs), troubles }));
