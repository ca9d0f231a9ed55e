/** What ffmpeg and ffprobe opened, as the kernel saw it: strace's log, read. */

/** Something that a run opened. */
export interface Opened {
  /** Which run: the label of the last marker before. */
  label: string;
  /** Absolute path as the kernel resolved it, or the family of a socket (`AF_INET`). */
  what: string;
  /** True when it only tried, and the kernel said no. Refused sockets are not seen: the fence comes first. */
  refused: boolean;
}

/** The follower opens a path of this folder, which does not exist, to say what runs next. */
export const markerFolder = "/nonexistent/run/";

/** Only these system calls stop the traced process; the others run at full speed. */
export const straceFlags = [
  ...["-f", "-qq", "-y", "-s", "400", "--seccomp-bpf"],
  ...["-e", "trace=open,openat,openat2,creat,socket,execve,clone,clone3,fork,vfork"],
];

const line = /^(\d+) +(.*)$/;
const starts = /^execve\("([^"]*)"/;
const tool = /\/ff(?:mpeg|probe)$/;
const call = /^(?:<\.\.\. )?(\w+)[ (]/;
const madeChild = /= (\d+)(?:<.*>)?$/;
const gotDescriptor = /= \d+<(.*)>$/;
const named = /^(?:open|creat)\w*\((?:[^,"]*, )?"((?:[^"\\]|\\.)*)"/;
const refusal = /= -1 E(?:ACCES|PERM) /;
const family = /^socket\((AF_\w+)/;

/**
 * Opened files and sockets of ffmpeg and ffprobe; what else runs in the trace (the test itself, the
 * process that builds the fence) is left out, and so is what is not there.
 */
export function openedByTools(log: string): Opened[] {
  const lines = log.split("\n").flatMap((text): [string, string][] => {
    const match = line.exec(text);
    return match?.[1] === undefined || match[2] === undefined ? [] : [[match[1], match[2]]];
  });
  const parents = parentsOf(lines);
  const tools = new Set<string>();
  const isTool = (pid: string): boolean => {
    if (tools.has(pid)) return true;
    const parent = parents.get(pid);
    return parent !== undefined && isTool(parent);
  };
  const opened: Opened[] = [];
  const families = new Map<string, string>();
  const starting = new Map<string, string>();
  const opening = new Map<string, string>();
  let label = "";
  for (const [pid, text] of lines) {
    label = markerOf(text) ?? label;
    const name = call.exec(text)?.[1];
    const program = starts.exec(text)?.[1];
    if (program !== undefined) starting.set(pid, program);
    const started = name === "execve" && text.endsWith("= 0");
    if (started && tool.test(starting.get(pid) ?? "")) tools.add(pid);
    const asked = family.exec(text)?.[1];
    if (asked !== undefined) families.set(pid, asked);
    const wanted = named.exec(text)?.[1];
    if (wanted !== undefined) opening.set(pid, wanted);
    if (refusal.test(text) && /^(open|creat)/.test(name ?? "") && isTool(pid)) {
      opened.push({ label, what: unescapePath(opening.get(pid) ?? ""), refused: true });
    }
    const path = gotDescriptor.exec(text)?.[1];
    if (path === undefined || name === undefined || !isTool(pid)) continue;
    if (name === "socket") {
      opened.push({ label, what: families.get(pid) ?? "AF_UNKNOWN", refused: false });
    } else if (/^(open|creat)/.test(name)) {
      opened.push({ label, what: unescapePath(path), refused: false });
    }
  }
  return opened;
}

/** Child to parent, for processes and threads alike. A child may speak before its parent's call returns. */
function parentsOf(lines: [string, string][]): Map<string, string> {
  const parents = new Map<string, string>();
  for (const [pid, text] of lines) {
    if (!/^(?:<\.\.\. )?(?:clone3?|v?fork)\b/.test(text)) continue;
    const child = madeChild.exec(text)?.[1];
    if (child !== undefined) parents.set(child, pid);
  }
  return parents;
}

function markerOf(text: string): string | undefined {
  const from = text.indexOf(`"${markerFolder}`);
  return from < 0 ? undefined : text.slice(from + markerFolder.length + 1).split('"')[0];
}

/** strace writes quotes and backslashes as C does. */
function unescapePath(path: string): string {
  return path.replaceAll(/\\(["\\<>])/g, "$1");
}

/** What every dynamically linked ffmpeg opens: libraries, fonts, settings of the system. */
const ofTheSystem = [
  ...["/usr/", "/lib/", "/lib64/", "/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/fonts/"],
  ...["/etc/ssl/openssl.cnf", "/var/cache/fontconfig/", "/sys/devices/system/", "/etc/localtime"],
  "/etc/locale.alias",
  ...["/dev/null", "/dev/urandom", "/dev/random", "/proc/self/", "/proc/cpuinfo", "/proc/meminfo"],
  // libselinux looks whether it is there.
  "/proc/filesystems",
  // The C library, before it takes a lot of memory.
  "/proc/sys/vm/overcommit_memory",
];

/** True for a path of the system or below `/proc/PID/` of the process itself. */
export function isOfTheSystem(path: string): boolean {
  return ofTheSystem.some((known) => path.startsWith(known)) || /^\/proc\/\d+\//.test(path);
}
