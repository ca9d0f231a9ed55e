/** Watches over a process that runs: ends it when the asker says so, when it stalls, when its time is up. */
import { enrol, type Rest, rests } from "./pause.ts";
import { signalGroup } from "./process-group.ts";

/**
 * From SIGTERM to SIGKILL. A cancelled job must be gone within 2 s, one that does not hear included; what it
 * would still write in that time is thrown away.
 */
const terminateGraceMs = 500;

/**
 * From SIGKILL to giving up. A process that hangs inside a driver does not die of it; whoever waits for
 * its end would wait until the machine restarts.
 */
const abandonAfterMs = 6_000;

/** How often stalls and limits are looked at; a fraction of the shortest stall that can be set. */
const watchIntervalMs = 500;

export type StopReason = "aborted" | "stalled" | "time_limit";

/** Signs of life of a process. */
export interface Signs {
  stalled?(): Promise<boolean>;
  /** It is stopped on purpose. */
  rest?(): void;
}

interface Watched {
  pid: number;
  exitCode: number | null;
  signalCode: NodeJS.Signals | number | null;
}

interface Limits {
  signal?: AbortSignal | undefined;
  wallLimitSeconds: number;
  pausable?: boolean;
  rest?: Rest | undefined;
}

export interface Watch {
  /** Why it was ended; null when it was not. */
  reason(): StopReason | null;
  /** Resolves when it does not die although it was killed. */
  abandoned: Promise<void>;
  /** Takes timers and listeners away; call it when the process is gone. */
  end(): void;
}

export function watchOver(child: Watched, limits: Limits, signs: Signs): Watch {
  const { signal, wallLimitSeconds, pausable = false, rest } = limits;
  const abandoned = Promise.withResolvers<void>();
  let reason: StopReason | null = null;
  let killTimer: Timer | undefined;
  const kill = () => {
    signalGroup(child.pid, "SIGKILL");
    killTimer = setTimeout(abandoned.resolve, abandonAfterMs);
  };
  const stop = (why: StopReason) => {
    if (reason !== null || child.exitCode !== null || child.signalCode !== null) return;
    reason = why;
    signalGroup(child.pid, "SIGTERM");
    // One that is stopped hears it only when it goes on.
    if (pausable) signalGroup(child.pid, "SIGCONT");
    killTimer = setTimeout(kill, terminateGraceMs);
  };
  const abort = () => stop("aborted");
  const resting = () => pausable && rests(child.pid);
  const endClocks = keepTime(wallLimitSeconds, resting, signs, stop);
  const leave = pausable ? enrol(child.pid, rest ?? null) : undefined;
  signal?.addEventListener("abort", abort, { once: true });
  return {
    reason: () => reason,
    abandoned: abandoned.promise,
    end: () => {
      clearTimeout(killTimer);
      endClocks();
      leave?.();
      signal?.removeEventListener("abort", abort);
    },
  };
}

/** The wall limit and the stall; time in which the run is stopped on purpose counts for neither. */
function keepTime(
  wallLimitSeconds: number,
  resting: () => boolean,
  signs: Signs,
  stop: (why: StopReason) => void,
): () => void {
  const begunMs = performance.now();
  let restedMs = 0;
  const timeIsUp = () => {
    const leftMs = wallLimitSeconds * 1000 + restedMs - (performance.now() - begunMs);
    if (!resting() && leftMs <= 0) stop("time_limit");
    else wallTimer = setTimeout(timeIsUp, Math.max(leftMs, watchIntervalMs));
  };
  let wallTimer = setTimeout(timeIsUp, wallLimitSeconds * 1000);
  const stallTimer = setInterval(async () => {
    if (resting()) {
      restedMs += watchIntervalMs;
      signs.rest?.();
    } else if (await signs.stalled?.()) stop("stalled");
  }, watchIntervalMs);
  return () => {
    clearTimeout(wallTimer);
    clearInterval(stallTimer);
  };
}
