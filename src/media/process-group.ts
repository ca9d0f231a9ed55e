/** Signals to a process and all that it started. */

/** A child that was started detached has a group with its own id. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It ended in this moment.
  }
}
