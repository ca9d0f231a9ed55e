/** Commands that talk to a server, here or elsewhere, through its API. */
import { processEnvironment } from "../environment.ts";
import { Refusal } from "../trouble.ts";

export interface ServerOptions {
  /** Of the server; absent: KINOMILL_URL, or this machine. */
  url?: string;
}

/** A server that does not answer in this time is not there. */
const ANSWER_LIMIT_MS = 30_000;

/**
 * Calls the API of a server and gives its answer.
 * @throws Refusal with the server's own sentence, 503 `no_server`, 400 `bad_usage` without a token
 */
export async function ask<T>(
  options: ServerOptions,
  method: string,
  path: string,
  body?: unknown,
): Promise<T> {
  const { url, token } = access(options);
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch((cause: Error) => {
    const sentence = `No server answers at ${url} (${cause.message}). Start it, or name another one with --url or KINOMILL_URL.`;
    throw new Refusal(503, "no_server", sentence);
  });
  const answer = (await response.json().catch(() => null)) as Problem | T | null;
  if (response.ok && answer !== null) return answer as T;
  const problem = answer as Problem | null;
  const sentence = problem?.detail ?? `The server answered ${response.status}.`;
  throw new Refusal(response.status, problem?.code ?? "no_answer", sentence, {
    errors: problem?.errors ?? [],
  });
}

interface Problem {
  code?: string;
  detail?: string;
  errors?: { path: string; message: string }[];
}

function access(options: ServerOptions): { url: string; token: string } {
  const { KINOMILL_URL: url = "http://localhost:7600", KINOMILL_TOKEN: token } =
    processEnvironment();
  if (token === undefined) {
    throw new Refusal(
      400,
      "bad_usage",
      "Put an API token into KINOMILL_TOKEN; kinomill tokens create makes one.",
    );
  }
  return { url: (options.url ?? url).replace(/\/$/, ""), token };
}
