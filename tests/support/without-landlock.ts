#!/usr/bin/env bun
/**
 * Becomes the compiled executable on a kernel that has no Landlock: its system calls are answered with
 * "no such call" from here on, as an older kernel does. Its arguments are those of the executable.
 */
import { dlopen, ptr } from "bun:ffi";
import { executable } from "../appliance.ts";

const { symbols: kernel } = dlopen("libc.so.6", {
  prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
  execv: { args: ["ptr", "ptr"], returns: "i32" },
});

const setNoNewPrivileges = 38;
const setSeccomp = 22;
/** The same numbers on every architecture. */
const landlockCalls = [444, 445, 446];

/** Load the call's number; one of ours: "no such call" (38); all others: allowed. */
const program: [code: number, ifTrue: number, ifFalse: number, operand: number][] = [
  [0x20, 0, 0, 0],
  ...landlockCalls.map((call, index): [number, number, number, number] => [
    0x15,
    landlockCalls.length - index,
    0,
    call,
  ]),
  [0x06, 0, 0, 0x7fff0000],
  [0x06, 0, 0, 0x00050000 | 38],
];

function encode(): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(program.length * 8));
  program.forEach(([code, ifTrue, ifFalse, operand], index) => {
    bytes.setUint16(index * 8, code, true);
    bytes.setUint8(index * 8 + 2, ifTrue);
    bytes.setUint8(index * 8 + 3, ifFalse);
    bytes.setUint32(index * 8 + 4, operand, true);
  });
  return new Uint8Array(bytes.buffer);
}

const filter = encode();
const header = new DataView(new ArrayBuffer(16));
header.setUint16(0, program.length, true);
header.setBigUint64(8, BigInt(ptr(filter)), true);
const words = [executable, ...process.argv.slice(2)].map((word) => Buffer.from(`${word}\0`));
const table = new BigUint64Array([...words.map((word) => BigInt(ptr(word))), 0n]);

kernel.prctl(setNoNewPrivileges, 1n, 0n, 0n, 0n);
if (kernel.prctl(setSeccomp, 2n, BigInt(ptr(header)), 0n, 0n) !== 0) {
  throw new Error("this kernel takes no system call filter");
}
kernel.execv(ptr(words[0] as Uint8Array), ptr(table));
throw new Error(`cannot start ${executable}`);
