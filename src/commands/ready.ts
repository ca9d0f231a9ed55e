/** `kinomill ready`: does the server on this box answer, and do all its parts work? For installers and supervisors. */
import { z } from "zod";
import type { Config } from "../config.ts";
import { Refusal } from "../trouble.ts";
import { exitCodes } from "./exit.ts";
import type { CommonOptions } from "./program.ts";
import { configOf } from "./settings.ts";

/** The server gives its parts two seconds. */
const ANSWER_LIMIT_MS = 5_000;
const AGAIN_MS = 200;
const WAIT_MAX_SECONDS = 3_600;

interface ReadyOptions extends CommonOptions {
  url?: string;
  wait?: string;
}

/** Why it is not ready, as sentences; empty when it is. */
type Reasons = string[];

/** Answers with 1, and says why on stderr, when it is not ready within `--wait` seconds. */
export async function ready(options: ReadyOptions): Promise<number> {
  const waitSeconds = Number(options.wait ?? "0");
  if (!(waitSeconds >= 0 && waitSeconds <= WAIT_MAX_SECONDS)) {
    throw new Refusal(400, "bad_usage", `--wait takes seconds, up to ${WAIT_MAX_SECONDS}.`);
  }
  const url = (options.url ?? urlOf(await configOf(options))).replace(/\/$/, "");
  const deadline = performance.now() + waitSeconds * 1000;
  for (;;) {
    const reasons = await whyNotReady(url);
    if (reasons.length === 0) {
      console.log(`Kinomill is ready at ${url}`);
      return exitCodes.done;
    }
    if (performance.now() >= deadline) {
      for (const reason of reasons) console.error(`kinomill: ${reason}`);
      return exitCodes.failed;
    }
    await Bun.sleep(AGAIN_MS);
  }
}

/** Where a server that listens there is found from this machine. */
function urlOf({ listen, tls }: Pick<Config, "listen" | "tls">): string {
  const everywhere = /^(0\.0\.0\.0|\[::\]):/;
  return `${tls.mode === "off" ? "http" : "https"}://${listen.replace(everywhere, "127.0.0.1:")}`;
}

const answerShape = z.object({
  service: z.literal("kinomill"),
  failing: z.array(z.object({ sentence: z.string() })),
});

async function whyNotReady(url: string): Promise<Reasons> {
  try {
    const signal = AbortSignal.timeout(ANSWER_LIMIT_MS);
    // It says nothing secret, and a certificate is not made for the loopback.
    const tls = { rejectUnauthorized: false };
    const response = await fetch(`${url}/health/ready`, { signal, tls, redirect: "manual" });
    const { failing } = answerShape.parse(await response.json());
    return failing.map(({ sentence }) => sentence);
  } catch (cause) {
    if (cause instanceof z.ZodError || cause instanceof SyntaxError) {
      return [`What answers at ${url} is not Kinomill.`];
    }
    return [`No server answers at ${url} (${cause instanceof Error ? cause.message : cause}).`];
  }
}
