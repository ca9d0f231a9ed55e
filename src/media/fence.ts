/**
 * The fence: this executable starts itself again as `kinomill fence RULES -- PROGRAM ARGUMENT…`, gives
 * up what the rules do not name and becomes the program, so that nothing of Bun stays in memory. It
 * needs no privileges and no namespaces. Prctl, Landlock and seccomp bind the calling thread; execve on
 * that thread carries them over. It imports nothing heavy: every run of ffmpeg pays for its start.
 */
import { dlopen, ptr, read } from "bun:ffi";
import { statSync, writeFileSync } from "node:fs";
import {
  type Architecture,
  type FenceRules,
  fenceExitCode,
  fenceMark,
  governedNetwork,
  governedRights,
  openFilesLimit,
  outOfMemoryScore,
  type PathUse,
  rightsFor,
  scoped,
  seccompProgram,
  smallBun,
  systemProgramPaths,
  systemWritePaths,
} from "./fence-rules.ts";

/** What this kernel gives the fence, for `doctor` and `/system`. */
export interface FenceLayers {
  /** Version of Landlock's interface, or null when the kernel has none: then ffmpeg may read any file of the service. */
  landlock: number | null;
  /** True when system calls can be refused: no network, no other processes, no mounts. */
  seccomp: boolean;
  /** A sentence on what is missing and what to do; "" when both layers stand. */
  reason: string;
}

const signatures = {
  prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
  syscall: { args: ["i64", "u64", "u64", "u64", "u64", "u64"], returns: "i64" },
  open: { args: ["ptr", "i32"], returns: "i32" },
  getppid: { args: [], returns: "i32" },
  setpriority: { args: ["i32", "u32", "i32"], returns: "i32" },
  setrlimit: { args: ["i32", "ptr"], returns: "i32" },
  unsetenv: { args: ["ptr"], returns: "i32" },
  execv: { args: ["ptr", "ptr"], returns: "i32" },
  __errno_location: { args: [], returns: "ptr" },
} as const;

/** Where the C library may be: glibc everywhere, musl by architecture. */
const libraries = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];

const callCreateRuleset = 444n;
const callAddRule = 445n;
const callRestrictSelf = 446n;
const callCloseRange = 436n;
const prSetDeathSignal = 1;
const prSetSeccomp = 22;
const prSetNoNewPrivileges = 38;
const prGetSeccomp = 21;
const limitFileSize = 1;
const limitData = 2;
const limitCore = 4;
const limitOpenFiles = 7;
const openPathOnly = 0o10000000 | 0o2000000;

type Kernel = ReturnType<typeof openKernel>;

function openKernel() {
  for (const library of libraries) {
    try {
      return dlopen(library, signatures).symbols;
    } catch {
      // The next name; after the last one the error below says what was tried.
    }
  }
  throw new Error(`cannot open the C library (tried ${libraries.join(", ")})`);
}

/**
 * Becomes the fenced program; never returns. On trouble it prints one line that begins with
 * `fenceMark` and exits with `fenceExitCode`.
 * @param argv what follows the word `fence`: the rules as JSON, `--`, an absolute path, its arguments
 */
export function enterFence(argv: string[]): never {
  try {
    const [json, separator, ...command] = argv;
    if (json === undefined || separator !== "--" || command[0] === undefined) {
      throw new Error("usage: fence RULES -- PROGRAM ARGUMENT…");
    }
    become(JSON.parse(json) as FenceRules, command);
  } catch (trouble) {
    const reason = trouble instanceof Error ? trouble.message : String(trouble);
    writeFileSync(2, `${fenceMark} ${reason}\n`);
  }
  process.exit(fenceExitCode);
}

function become(rules: FenceRules, command: string[]): void {
  const kernel = openKernel();
  must(kernel, kernel.prctl(prSetDeathSignal, 9n, 0n, 0n, 0n), "arm the death signal");
  // The parent may have died before the signal was armed; then nobody would ever end us.
  if (kernel.getppid() !== rules.parentPid) throw new Error("the server that asked has ended");
  process.chdir(rules.cwd);
  preferAsVictim();
  // Refused only when the service already runs at a higher niceness, which serves the same purpose.
  kernel.setpriority(0, 0, rules.niceness);
  const program = cStrings(command);
  // What was said to Bun is not for the program.
  for (const name of Object.keys(smallBun)) kernel.unsetenv(cStrings([name]).first);
  must(kernel, kernel.prctl(prSetNoNewPrivileges, 1n, 0n, 0n, 0n), "give up privileges");
  restrictFiles(kernel, rules);
  // Descriptors of Bun are marked to close on exec, those without the mark included.
  kernel.syscall(callCloseRange, 3n, 0xffffffffn, 4n, 0n, 0n);
  restrictCalls(kernel);
  setLimits(kernel, rules);
  kernel.execv(program.first, program.table);
  throw new Error(`cannot start ${command[0]} (${errorNumber(kernel)})`);
}

function preferAsVictim(): void {
  try {
    writeFileSync("/proc/self/oom_score_adj", String(outOfMemoryScore));
  } catch {
    // No /proc in some containers: then the kernel chooses by size alone.
  }
}

/** Strings and the pointer table as execv wants them; the arrays are kept alive by the caller's frame. */
function cStrings(strings: string[]) {
  const encoder = new TextEncoder();
  const keep = strings.map((text) => encoder.encode(`${text}\0`));
  const table = new BigUint64Array(strings.length + 1);
  keep.forEach((bytes, index) => {
    table[index] = BigInt(ptr(bytes));
  });
  return { first: ptr(keep[0] as Uint8Array), table: ptr(table), keep, tableKeep: table };
}

function restrictFiles(kernel: Kernel, rules: FenceRules): void {
  const abi = landlockVersion(kernel);
  if (abi === null) return;
  const attributes = new BigUint64Array([governedRights(abi), governedNetwork(abi), scoped(abi)]);
  const sizeBytes = abi >= 6 ? 24n : abi >= 4 ? 16n : 8n;
  const ruleset = must(
    kernel,
    Number(kernel.syscall(callCreateRuleset, address(attributes), sizeBytes, 0n, 0n, 0n)),
    "create the Landlock rules",
  );
  const allow = (paths: readonly string[], use: PathUse) => {
    for (const path of paths) allowPath(kernel, { ruleset, abi }, path, use);
  };
  allow([...systemProgramPaths, ...rules.programPaths], "program");
  allow(rules.readPaths, "read");
  allow([...systemWritePaths, ...rules.writePaths], "write");
  allow(rules.devicePaths, "device");
  const restricted = kernel.syscall(callRestrictSelf, BigInt(ruleset), 0n, 0n, 0n, 0n);
  must(kernel, Number(restricted), "enforce the Landlock rules");
}

/** A path that does not exist is skipped: there is nothing to allow. */
function allowPath(
  kernel: Kernel,
  { ruleset, abi }: { ruleset: number; abi: number },
  path: string,
  use: PathUse,
): void {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) return;
  const name = cStrings([path]);
  const descriptor = kernel.open(name.first, openPathOnly);
  if (descriptor < 0) return;
  const rule = new DataView(new ArrayBuffer(12));
  rule.setBigUint64(0, rightsFor(use, abi, !status.isDirectory()), true);
  rule.setInt32(8, descriptor, true);
  const pointer = BigInt(ptr(rule));
  const added = kernel.syscall(callAddRule, BigInt(ruleset), 1n, pointer, 0n, 0n);
  must(kernel, Number(added), `allow ${path}`);
}

function restrictCalls(kernel: Kernel): void {
  const program = seccompProgram(process.arch as Architecture);
  const header = new DataView(new ArrayBuffer(16));
  header.setUint16(0, program.length / 8, true);
  header.setBigUint64(8, BigInt(ptr(program)), true);
  const done = kernel.prctl(prSetSeccomp, 2n, BigInt(ptr(header)), 0n, 0n);
  // A kernel without seccomp still has the other layers; `fenceLayers` reports it.
  if (done !== 0 && seccompAvailable(kernel)) must(kernel, done, "install the system call filter");
}

function setLimits(kernel: Kernel, rules: FenceRules): void {
  const limit = (resource: number, value: number) => {
    const pair = new BigUint64Array([BigInt(value), BigInt(value)]);
    must(kernel, kernel.setrlimit(resource, ptr(pair)), `set resource limit ${resource}`);
  };
  limit(limitCore, 0);
  limit(limitOpenFiles, openFilesLimit);
  if (rules.fileBytes !== null) limit(limitFileSize, rules.fileBytes);
  // Last: from here on Bun itself could not grow any more.
  if (rules.memoryBytes !== null) limit(limitData, rules.memoryBytes);
}

function address(array: BigUint64Array): bigint {
  return BigInt(ptr(array));
}

function must(kernel: Kernel, result: number, what: string): number {
  if (result < 0) throw new Error(`cannot ${what} (${errorNumber(kernel)})`);
  return result;
}

function errorNumber(kernel: Kernel): string {
  const location = kernel.__errno_location();
  return location === null ? "unknown error" : `error ${read.i32(location)}`;
}

function landlockVersion(kernel: Kernel): number | null {
  const version = Number(kernel.syscall(callCreateRuleset, 0n, 0n, 1n, 0n, 0n));
  return version > 0 ? version : null;
}

function seccompAvailable(kernel: Kernel): boolean {
  return kernel.prctl(prGetSeccomp, 0n, 0n, 0n, 0n) >= 0;
}

/** Asks the kernel which layers it has; changes nothing. */
export function fenceLayers(): FenceLayers {
  if (process.platform !== "linux" || !["x64", "arm64"].includes(process.arch)) {
    return missing(`The fence knows Linux on x64 and arm64, not ${process.platform}`);
  }
  try {
    const kernel = openKernel();
    const landlock = landlockVersion(kernel);
    const seccomp = seccompAvailable(kernel);
    const reasons = [
      landlock === null
        ? "The kernel has no Landlock (Linux 5.13 or newer with lsm=landlock): ffmpeg can read every file that this service can. Use a newer kernel, or do not accept media from people you do not trust."
        : "",
      seccomp
        ? ""
        : "The kernel has no seccomp filter: ffmpeg could open network connections. Use a kernel with CONFIG_SECCOMP_FILTER.",
    ];
    return { landlock, seccomp, reason: reasons.filter((text) => text !== "").join(" ") };
  } catch (trouble) {
    return missing(trouble instanceof Error ? trouble.message : String(trouble));
  }
}

function missing(reason: string): FenceLayers {
  return { landlock: null, seccomp: false, reason };
}
