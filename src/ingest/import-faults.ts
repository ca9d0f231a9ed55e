/** Why an import failed, besides what the link's server did. */
import { Failure, Refusal } from "../trouble.ts";
import { type LinkFault, LinkTrouble } from "./link-trouble.ts";

export function tooLarge(limitBytes: number): LinkTrouble {
  return new LinkTrouble(
    "too_large",
    `The file is larger than the ${limitBytes} bytes that an import may have.`,
    "Use a smaller file, or have the admin raise imports.maxBytes and uploads.maxBytes.",
  );
}

export function storageFull(): LinkTrouble {
  return new LinkTrouble(
    "storage_full",
    "There is not enough free space on Kinomill's disk for this file.",
    "Delete what is not needed, then try again.",
  );
}

export function tookTooLong(limitSeconds: number): LinkFault {
  return {
    code: "time_limit",
    message: `The file had not come after ${Math.round(limitSeconds / 36) / 100} hours.`,
    hint: "Try again: what has arrived is kept for a day. The admin can raise imports.limitSeconds.",
    retryable: false,
  };
}

const fullDisk = new Set(["ENOSPC", "EDQUOT"]);

/** Anything that ended an import, for its record. What is ours says so and no more. */
export function faultOf(cause: unknown): LinkFault {
  if (cause instanceof LinkTrouble) return cause.fault;
  if (cause instanceof Failure) return faultOf(new Refusal(500, cause.report.code, cause.message));
  if (fullDisk.has((cause as NodeJS.ErrnoException | null)?.code ?? "")) return storageFull().fault;
  if (!(cause instanceof Refusal)) {
    return {
      code: "internal",
      message: "An error of Kinomill's own ended this import.",
      hint: "Try again. If it comes again, look into the server's log.",
      retryable: false,
    };
  }
  switch (cause.code) {
    case "storage_full":
    case "disk_full":
      return { ...storageFull().fault, message: cause.message };
    case "quota_exceeded":
      return { code: "quota_exceeded", message: cause.message, hint: "", retryable: false };
    case "link_refused": {
      const hint = "The admin opens places by imports.allowPrivate and imports.buckets.";
      return { code: "link_refused", message: cause.message, hint, retryable: false };
    }
    case "too_large":
      return { code: "too_large", message: cause.message, hint: "", retryable: false };
    case "not_media": {
      const hint = "Open the link in a browser: it may lead to a page or to an archive.";
      return { code: "not_media", message: cause.message, hint, retryable: false };
    }
    default:
      return {
        code: "internal",
        message: cause.message,
        hint: "Try again later.",
        retryable: false,
      };
  }
}
