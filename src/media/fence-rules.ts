/**
 * What the fence lets through, as plain data, and its forms for the kernel: the seccomp program and the
 * Landlock masks. Pure, and without imports: it is loaded by the small process that becomes ffmpeg.
 */

/**
 * For the fence, which is Bun until it becomes the program. Bun reserves 6.3 GB of address space, all of which counts as
 * private memory: from the limit of memory on, which is the last thing before it becomes the program, whatever needs one
 * page more aborts the process, and ffprobe seems to have crashed (twice in ten thousand starts, on a busy machine). So it has no
 * other threads, and reserves 1.2 GB, less than any program here is limited to: 128 MB instead of 4 GB for the shapes of
 * objects, 32 MB instead of 1 GB for compiled code (VmData in /proc/self/status, Bun 1.4.5).
 */
export const smallBun = {
  BUN_JSC_useConcurrentJIT: "0",
  BUN_JSC_structureHeapSizeInKB: String(128 * 1024),
  BUN_JSC_jitMemoryReservationSize: String(32 * 1024 ** 2),
};

/** What one run of ffmpeg may do. Travels as JSON on the command line of the fence. */
export interface FenceRules {
  /** Process that must still be the parent once the death signal is armed; otherwise nothing runs. */
  parentPid: number;
  /** Absolute working folder of the program. */
  cwd: string;
  /** 0–19; added to nothing: the absolute niceness of the program. */
  niceness: number;
  /** Absolute files and folders of the program and its libraries, besides the system's: read and executed. */
  programPaths: string[];
  /** Absolute files and folders that may be read. */
  readPaths: string[];
  /** Absolute folders in which files may be made, changed and removed. */
  writePaths: string[];
  /** Absolute device nodes and folders of them that may be opened and driven: those of the GPU. */
  devicePaths: string[];
  /** Largest file that may be written (RLIMIT_FSIZE), or null for no limit. */
  fileBytes: number | null;
  /** Most private writable memory (RLIMIT_DATA), or null for no limit. */
  memoryBytes: number | null;
}

/** Exit code of the fence when it could not start the program; its stderr line begins with the mark. */
export const fenceExitCode = 125;
export const fenceMark = "kinomill-fence:";

/** Open files: an ffmpeg with 64 inputs and a thread per core stays far below. */
export const openFilesLimit = 1024;

/** 0–1000: when memory runs out the kernel ends ffmpeg before the server and the database. */
export const outOfMemoryScore = 800;

/** Folders and files that a dynamically linked ffmpeg needs; what is missing is skipped. */
export const systemProgramPaths: readonly string[] = [
  ...["/usr", "/lib", "/lib32", "/lib64", "/bin", "/nix/store"],
  ...["/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/alternatives", "/etc/fonts"],
  ...["/var/cache/fontconfig", "/etc/localtime", "/proc/self", "/proc/cpuinfo", "/proc/meminfo"],
  ...["/sys/devices/system", "/dev/urandom", "/dev/random", "/dev/zero"],
];

/** Device nodes that may be written too. */
export const systemWritePaths: readonly string[] = ["/dev/null"];

/** What a program finds of a GPU: its nodes in /dev, and what it reads to make them out. */
export interface GpuPaths {
  devicePaths: string[];
  readPaths: string[];
}

/**
 * What a run on a GPU needs besides, from the names in /dev. `nvidia-uvm-tools` is among them: driver
 * 570 and newer opens it and gives up when it cannot. Without /sys CUDA says error 304. That is what
 * others report, and the rest what the driver is known to read: the tests have an emulated driver, which
 * opens no nodes, so a first run on a real card has still to prove this list.
 */
export function gpuPaths(deviceNames: readonly string[]): GpuPaths {
  const names = deviceNames.filter((name) => /^nvidia(\d+|ctl|-[a-z0-9-]+)$/.test(name));
  return {
    devicePaths: names.sort().map((name) => `/dev/${name}`),
    readPaths: ["/proc/driver/nvidia", "/proc/devices", "/proc/modules", "/proc/sys/vm", "/sys"],
  };
}

const accessExecute = 1n << 0n;
const accessWriteFile = 1n << 1n;
const accessReadFile = 1n << 2n;
const accessReadFolder = 1n << 3n;
const accessRemoveFolder = 1n << 4n;
const accessRemoveFile = 1n << 5n;
const accessMakeFolder = 1n << 7n;
const accessMakeFile = 1n << 8n;
const accessRefer = 1n << 13n;
const accessTruncate = 1n << 14n;
const accessDeviceControl = 1n << 15n;

/** Rights that Landlock governs in this version of its interface (1 = Linux 5.13 … 5 = Linux 6.10). */
export function governedRights(abi: number): bigint {
  const first = (1n << 13n) - 1n;
  return (
    first |
    (abi >= 2 ? accessRefer : 0n) |
    (abi >= 3 ? accessTruncate : 0n) |
    (abi >= 5 ? accessDeviceControl : 0n)
  );
}

export type PathUse = "program" | "read" | "write" | "device";

/** Rights for a path, cut to what this interface version knows; `file` drops what only folders have. */
export function rightsFor(use: PathUse, abi: number, file: boolean): bigint {
  const read = accessReadFile | accessReadFolder;
  const change =
    accessWriteFile |
    accessRemoveFolder |
    accessRemoveFile |
    accessMakeFolder |
    accessMakeFile |
    accessRefer |
    accessTruncate;
  const wanted = {
    program: read | accessExecute,
    read,
    write: read | change,
    // Everything that a GPU does, it is told by ioctl.
    device: read | accessWriteFile | accessDeviceControl,
  }[use];
  const fileRights =
    accessExecute | accessWriteFile | accessReadFile | accessTruncate | accessDeviceControl;
  return wanted & governedRights(abi) & (file ? fileRights : ~0n);
}

/** TCP bind and connect, governed and allowed to nobody, from interface 4 on. */
export function governedNetwork(abi: number): bigint {
  return abi >= 4 ? 3n : 0n;
}

/** Abstract sockets and signals to processes outside the fence are refused from interface 6 on. */
export function scoped(abi: number): bigint {
  return abi >= 6 ? 3n : 0n;
}

export type Architecture = "x64" | "arm64";

interface SystemCalls {
  audit: number;
  clone: number;
  clone3: number;
  /** Answered with EPERM: sockets of every kind, other processes, namespaces, mounts, the kernel. */
  denied: number[];
}

/** Numbers that all architectures share: every system call since Linux 5.1, by the kernel's rule. */
const deniedEverywhere = [
  424, // pidfd_send_signal
  ...[425, 426, 427], // io_uring_setup, _enter, _register: they open sockets past seccomp
  ...[428, 429, 430, 431, 432, 433], // open_tree, move_mount, fsopen, fsconfig, fsmount, fspick
  ...[434, 438], // pidfd_open, pidfd_getfd
  ...[440, 442, 448], // process_madvise, mount_setattr, process_mrelease
];

const systemCalls: Record<Architecture, SystemCalls> = {
  x64: {
    audit: 0xc000003e,
    clone: 56,
    clone3: 435,
    denied: [
      41, // socket
      62, // kill
      200, // tkill
      101, // ptrace
      ...[310, 311, 312], // process_vm_readv, process_vm_writev, kcmp
      ...[272, 308], // unshare, setns
      ...[165, 166, 155, 161], // mount, umount2, pivot_root, chroot
      ...[321, 298, 323], // bpf, perf_event_open, userfaultfd
      ...[248, 249, 250], // add_key, request_key, keyctl
      ...[246, 320, 175, 313, 176], // kexec_load, kexec_file_load, init_, finit_, delete_module
      ...[303, 304, 300], // name_to_handle_at, open_by_handle_at, fanotify_init
      ...[163, 167, 168, 169, 103, 179, 135], // acct, swapon/off, reboot, syslog, quotactl, personality
      ...[133, 259], // mknod, mknodat
    ],
  },
  arm64: {
    audit: 0xc00000b7,
    clone: 220,
    clone3: 435,
    denied: [
      198, // socket
      129, // kill
      130, // tkill
      117, // ptrace
      ...[270, 271, 272], // process_vm_readv, process_vm_writev, kcmp
      ...[97, 268], // unshare, setns
      ...[40, 39, 41, 51], // mount, umount2, pivot_root, chroot
      ...[280, 241, 282], // bpf, perf_event_open, userfaultfd
      ...[217, 218, 219], // add_key, request_key, keyctl
      ...[104, 294, 105, 273, 106], // kexec_load, kexec_file_load, init_, finit_, delete_module
      ...[264, 265, 262], // name_to_handle_at, open_by_handle_at, fanotify_init
      ...[89, 224, 225, 142, 116, 60, 92], // acct, swapon/off, reboot, syslog, quotactl, personality
      33, // mknodat
    ],
  },
};

/** Namespaces that clone() can make: new user, process, network, mount, host name, IPC and cgroup. */
const namespaceFlags = 0x7e020000;

const loadWord = 0x20;
const jumpEqual = 0x15;
const jumpAtLeast = 0x35;
const jumpAnyBit = 0x45;
const answer = 0x06;
const allow = 0x7fff0000;
const killProcess = 0x80000000;
const errno = (code: number): number => 0x00050000 | code;
const EPERM = 1;
const ENOSYS = 38;

/** One BPF instruction: code, jump if true, jump if false, operand. */
type Instruction = [code: number, ifTrue: number, ifFalse: number, operand: number];

/**
 * The seccomp program: everything is allowed but the list above. A foreign architecture (32-bit calls
 * on a 64-bit kernel) ends the process, because the numbers would mean other calls.
 */
export function seccompProgram(architecture: Architecture): Uint8Array<ArrayBuffer> {
  const calls = systemCalls[architecture];
  const deny = (call: number, code: number): Instruction[] => [
    [jumpEqual, 0, 1, call],
    [answer, 0, 0, errno(code)],
  ];
  const program: Instruction[] = [
    [loadWord, 0, 0, 4], // seccomp_data.arch
    [jumpEqual, 1, 0, calls.audit],
    [answer, 0, 0, killProcess],
    [loadWord, 0, 0, 0], // seccomp_data.nr
  ];
  if (architecture === "x64") {
    program.push([jumpAtLeast, 0, 1, 0x40000000], [answer, 0, 0, killProcess]); // the x32 calls
  }
  for (const call of [...calls.denied, ...deniedEverywhere]) program.push(...deny(call, EPERM));
  // clone3 hides its flags behind a pointer; without it the C library falls back to clone.
  program.push(...deny(calls.clone3, ENOSYS));
  program.push(
    [jumpEqual, 0, 3, calls.clone],
    [loadWord, 0, 0, 16], // seccomp_data.args[0], low word
    [jumpAnyBit, 0, 1, namespaceFlags],
    [answer, 0, 0, errno(EPERM)],
    [answer, 0, 0, allow],
  );
  return encode(program);
}

/** `struct sock_filter[]`: 16-bit code, two 8-bit jumps, 32-bit operand, little-endian here. */
function encode(program: Instruction[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  program.forEach(([code, ifTrue, ifFalse, operand], index) => {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, ifTrue);
    view.setUint8(index * 8 + 3, ifFalse);
    view.setUint32(index * 8 + 4, operand, true);
  });
  return bytes;
}
