/** The functions of the C library that talking to systemd takes, opened when the first of them is called. */
import { dlopen } from "bun:ffi";

export { ptr } from "bun:ffi";

/** Where the C library may be: glibc everywhere, musl by architecture. */
const libraries = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];

const signatures = {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  sendto: { args: ["i32", "ptr", "u64", "i32", "ptr", "u32"], returns: "i64" },
  dup3: { args: ["i32", "i32", "i32"], returns: "i32" },
  epoll_ctl: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
} as const;

type Libc = ReturnType<typeof dlopen<typeof signatures>>["symbols"];

let opened: Libc | null = null;

/** @throws Error when this system has no C library under a name that is known */
export function libc(): Libc {
  opened ??= open();
  return opened;
}

function open(): Libc {
  for (const library of libraries) {
    try {
      return dlopen(library, signatures).symbols;
    } catch {
      // The next name; after the last one the error below says what was tried.
    }
  }
  throw new Error(`cannot open the C library (tried ${libraries.join(", ")})`);
}
