/** What the server tells systemd, and when. */
import { within } from "../clock.ts";
import type { Supervision } from "../systemd/notify.ts";
import type { Appliance } from "./appliance.ts";

/** The line of `systemctl status` is looked at again this often; a watchdog may ask for more. */
const STATUS_MS = 15_000;

/** Of the time after which the watchdog bites: the other half is for an event loop that is busy. */
const WATCHDOG_SHARE = 0.5;

/**
 * Longest that the first look at ffmpeg may delay READY=1. Whoever waits for the unit then goes on, and the status says
 * what is still looked at.
 */
const LOOK_LIMIT_MS = 30_000;

/** Parts far away, such as a bucket, may not answer: then that is what is told. */
const PARTS_LIMIT_MS = 3_000;

type Watched = Pick<Appliance, "url" | "looked" | "health">;

export interface Telling {
  /** From now on systemd knows that the server ends; the watchdog goes on being fed until `end`. */
  stopping(): void;
  end(): void;
}

/**
 * Says READY=1 once it is known whether `/health/ready` is 200, which it then is, or else why not, in the status. A box
 * whose ffmpeg is gone becomes ready as a service too: systemd would otherwise restart it for ever, and nobody could
 * read on its page what is missing. The watchdog is fed by a timer of the event loop, which an event loop that hangs
 * does not run.
 */
export function tellSupervisor(supervision: Supervision, appliance: Watched): Telling {
  const { watchdogMs, tell } = supervision;
  let stopping = false;
  const feed =
    watchdogMs === null ? null : setInterval(() => tell("WATCHDOG=1"), watchdogMs * WATCHDOG_SHARE);
  const tellStatus = async (...lines: string[]) => {
    const status = await statusOf(appliance);
    if (!stopping) tell(...lines, `STATUS=${status}`);
  };
  const status = setInterval(() => void tellStatus(), STATUS_MS);
  tell(`STATUS=Listening at ${appliance.url}, looking at ffmpeg.`);
  void within(LOOK_LIMIT_MS, appliance.looked).then(() => tellStatus("READY=1"));
  return {
    stopping: () => {
      stopping = true;
      tell("STOPPING=1", "STATUS=Stopping: what runs goes back into the queue.");
    },
    end: () => {
      if (feed !== null) clearInterval(feed);
      clearInterval(status);
    },
  };
}

async function statusOf({ url, health }: Watched): Promise<string> {
  try {
    const asked = health();
    const parts = await within(PARTS_LIMIT_MS, asked);
    // Whatever comes of it later is of no interest.
    asked.catch(() => {});
    if (parts === null) return `Listening at ${url}, but its parts do not answer in time.`;
    const failing = parts.filter(({ ok }) => !ok);
    if (failing.length === 0) return `Ready at ${url}`;
    return `Listening at ${url}, but not ready: ${failing.map(({ sentence }) => sentence).join(" ")}`;
  } catch {
    return `Listening at ${url}, but its parts cannot be asked; see the log.`;
  }
}
