import { describe, expect, test } from "bun:test";
import {
  type Architecture,
  governedRights,
  gpuPaths,
  rightsFor,
  seccompProgram,
} from "./fence-rules.ts";

const allow = 0x7fff0000;
const kill = 0x80000000;
const refuse = (errno: number) => 0x00050000 | errno;
const audit = { x64: 0xc000003e, arm64: 0xc00000b7 };

/** What the kernel would answer: a BPF machine with the five instructions that the program uses. */
function judge(
  architecture: Architecture,
  call: { number: number; argument?: number; audit?: number },
): number {
  const program = new DataView(seccompProgram(architecture).buffer);
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, call.number, true);
  data.setUint32(4, call.audit ?? audit[architecture], true);
  data.setUint32(16, call.argument ?? 0, true);
  let value = 0;
  for (let at = 0; at < program.byteLength / 8; at++) {
    const code = program.getUint16(at * 8, true);
    const operand = program.getUint32(at * 8 + 4, true);
    if (code === 0x06) return operand;
    if (code === 0x20) {
      value = data.getUint32(operand, true);
      continue;
    }
    const holds =
      code === 0x15
        ? value === operand
        : code === 0x35
          ? value >= operand
          : (value & operand) >>> 0 !== 0;
    at += program.getUint8(at * 8 + (holds ? 2 : 3));
  }
  throw new Error("the program ran off its end");
}

/** Numbers from the kernel's tables: x86 `unistd_64.h` and the generic `unistd.h` of arm64. */
const numbers = {
  x64: {
    allowed: { read: 0, openat: 257, mmap: 9, futex: 202, execve: 59, tgkill: 234, prctl: 157 },
    denied: {
      socket: 41,
      kill: 62,
      ptrace: 101,
      mount: 165,
      unshare: 272,
      setns: 308,
      bpf: 321,
      process_vm_readv: 310,
      io_uring_setup: 425,
      pidfd_getfd: 438,
      keyctl: 250,
      userfaultfd: 323,
      mknodat: 259,
    },
    clone: 56,
  },
  arm64: {
    allowed: { read: 63, openat: 56, mmap: 222, futex: 98, execve: 221, tgkill: 131, prctl: 167 },
    denied: {
      socket: 198,
      kill: 129,
      ptrace: 117,
      mount: 40,
      unshare: 97,
      setns: 268,
      bpf: 280,
      process_vm_readv: 270,
      io_uring_setup: 425,
      pidfd_getfd: 438,
      keyctl: 219,
      userfaultfd: 282,
      mknodat: 33,
    },
    clone: 220,
  },
} as const;

describe.each(["x64", "arm64"] as const)("the system call filter on %s", (architecture) => {
  const { allowed, denied, clone } = numbers[architecture];

  test.each(Object.entries(allowed))("lets %s pass", (_name, number) => {
    expect(judge(architecture, { number })).toBe(allow);
  });

  test.each(Object.entries(denied))("refuses %s", (_name, number) => {
    expect(judge(architecture, { number })).toBe(refuse(1));
  });

  test("lets threads be made but no namespaces", () => {
    const thread = 0x3d0f00;
    expect(judge(architecture, { number: clone, argument: thread })).toBe(allow);
    const newUser = 0x10000000;
    expect(judge(architecture, { number: clone, argument: newUser })).toBe(refuse(1));
    expect(judge(architecture, { number: 435 })).toBe(refuse(38));
  });

  test("ends a process that uses another architecture's calls", () => {
    expect(judge(architecture, { number: 0, audit: 0x40000003 })).toBe(kill);
  });
});

test("the x32 calls of x64, which have numbers of their own, end the process", () => {
  expect(judge("x64", { number: 0x40000029 })).toBe(kill);
});

describe("rights of paths", () => {
  const execute = 1n;
  const writeFile = 2n;

  test("only programs may be executed, and only written folders changed", () => {
    expect(rightsFor("program", 7, false) & execute).toBe(execute);
    expect(rightsFor("program", 7, false) & writeFile).toBe(0n);
    expect(rightsFor("read", 7, false) & (execute | writeFile)).toBe(0n);
    expect(rightsFor("write", 7, false) & (execute | writeFile)).toBe(writeFile);
  });

  test("no device, socket, pipe or link can be made anywhere", () => {
    const make = (1n << 6n) | (1n << 9n) | (1n << 10n) | (1n << 11n) | (1n << 12n);
    expect(governedRights(1) & make).toBe(make);
    expect(rightsFor("write", 7, false) & make).toBe(0n);
  });

  test("a device node is read, written and driven by ioctl, and nothing else is driven", () => {
    const drive = 1n << 15n;
    expect(rightsFor("device", 7, true)).toBe(drive | writeFile | 4n);
    expect(rightsFor("device", 4, true)).toBe(writeFile | 4n);
    for (const use of ["program", "read", "write"] as const) {
      expect(rightsFor(use, 7, true) & drive).toBe(0n);
    }
  });

  test.each([1, 2, 3, 5, 7])("interface %d is asked for nothing that it does not know", (abi) => {
    const highest = abi >= 5 ? 15 : abi >= 3 ? 14 : abi >= 2 ? 13 : 12;
    expect(governedRights(abi) >> BigInt(highest + 1)).toBe(0n);
    expect(rightsFor("write", abi, false) & ~governedRights(abi)).toBe(0n);
  });
});

describe("what a run on a GPU needs", () => {
  // The names are those of a server with two cards; no test here can ask a real driver.
  const server = [
    ...["null", "nvidia0", "nvidia1", "nvidiactl", "nvidia-modeset", "nvidia-uvm"],
    ...["nvidia-uvm-tools", "nvidia-caps", "nvidia-caps-imex-channels", "nvme0", "dri", "sda"],
  ];

  test("is every node of its driver and no other", () => {
    expect(gpuPaths(server).devicePaths).toEqual([
      ...["/dev/nvidia-caps", "/dev/nvidia-caps-imex-channels", "/dev/nvidia-modeset"],
      ...["/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia0", "/dev/nvidia1"],
      "/dev/nvidiactl",
    ]);
    expect(gpuPaths(["null", "sda"]).devicePaths).toEqual([]);
  });

  test("is to read how the kernel sees the cards", () => {
    expect(gpuPaths(server).readPaths).toContain("/sys");
    expect(gpuPaths(server).readPaths).toContain("/proc/driver/nvidia");
  });
});
