/** Runs programs of the host that tell something: the journal, tailscale. They get no files of people and none of our secrets. */
import { processEnvironment } from "../environment.ts";

/** What a program said. */
export interface Said {
  /** Null: it is not there, or did not end in time. */
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** More is not read: it is for a person or a short list. */
const OUTPUT_BYTES_MAX = 4 * 1024 ** 2;

/** @param argv the program, by its name on PATH or by its path, and its words */
export function runHostProgram(argv: readonly string[], limitMs: number): Said {
  const [name = "", ...words] = argv;
  const path = processEnvironment()["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin";
  const program = name.includes("/") ? name : Bun.which(name, { PATH: path });
  if (program === null) return { exitCode: null, stdout: "", stderr: `${name} is not installed` };
  const done = Bun.spawnSync([program, ...words], {
    timeout: limitMs,
    maxBuffer: OUTPUT_BYTES_MAX,
    // The language of its answers, and nothing else of ours.
    env: { PATH: path, LC_ALL: "C.UTF-8", HOME: processEnvironment()["HOME"] ?? "/" },
    stdin: "ignore",
  });
  const [stdout, stderr] = [done.stdout.toString(), done.stderr.toString()];
  return { exitCode: done.exitedDueToTimeout === true ? null : done.exitCode, stdout, stderr };
}
