/** Tells of every call of a storage that failed. */
import { Failure, Refusal } from "../trouble.ts";
import type { Storage } from "./storage.ts";

const calls: ReadonlySet<string> = new Set<keyof Storage>([
  ...(["put", "adopt", "copy", "open", "stat", "delete", "hold", "presign", "freeBytes"] as const),
]);

/** Words for why; a closed list, because they become labels. */
const reasons: ReadonlySet<string> = new Set([
  ...["storage_full", "storage_unreachable", "storage_denied", "disk_full", "disk_failed"],
  ...["ENOSPC", "EDQUOT", "EIO", "EROFS", "EACCES", "EPERM", "EMFILE", "ENOENT"],
]);

/** The same storage; `onTrouble` hears of what is not the asker's fault. It must not throw. */
export function watched<Kept extends Storage>(
  storage: Kept,
  onTrouble: (call: string, reason: string) => void,
): Kept {
  const note = (call: string, cause: unknown) => {
    const reason = reasonOf(cause);
    if (reason !== null) onTrouble(call, reason);
  };
  return new Proxy(storage, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      if (typeof name !== "string" || !calls.has(name)) return member.bind(target);
      return (...values: unknown[]) => {
        const answer: unknown = member.apply(target, values);
        if (answer instanceof Promise) answer.catch((cause: unknown) => note(name, cause));
        return answer;
      };
    },
  });
}

/** Null when the asker gave up, or asked for what cannot be. */
function reasonOf(cause: unknown): string | null {
  if (cause instanceof Error && cause.name === "AbortError") return null;
  if (cause instanceof Refusal && cause.status < 500) return null;
  const word =
    cause instanceof Refusal
      ? cause.code
      : cause instanceof Failure
        ? cause.report.code
        : cause instanceof Error && "code" in cause
          ? String(cause.code)
          : "";
  return reasons.has(word) ? word : "other";
}
