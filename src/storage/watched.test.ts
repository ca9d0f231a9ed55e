import { expect, test } from "bun:test";
import { Failure, Refusal } from "../trouble.ts";
import type { Storage } from "./storage.ts";
import { watched } from "./watched.ts";

class Played {
  readonly kind = "disk";
  private readonly secret = 7;
  trouble: unknown = null;

  stat(): Promise<{ sizeBytes: number }> {
    return this.trouble === null
      ? Promise.resolve({ sizeBytes: this.secret })
      : Promise.reject(this.trouble);
  }

  isNear(): boolean {
    return this.secret === 7;
  }
}

test("a watched storage does the same, and its troubles are told by words of a list", async () => {
  const told: string[] = [];
  const played = new Played();
  const storage = watched(played as unknown as Storage, (...words) => told.push(words.join(" ")));
  expect(await storage.stat("a")).toEqual({ sizeBytes: 7 });
  expect(storage.isNear("a")).toBe(true);
  expect(storage.kind).toBe("disk");
  const troubles = [
    Object.assign(new Error("disk"), { code: "EIO" }),
    Object.assign(new Error("disk"), { code: 'made up"}\n' }),
    new Refusal(507, "storage_full", "Full."),
    new Refusal(413, "too_large", "Too large."),
    new Failure("disk_full", "Full."),
    new DOMException("gone", "AbortError"),
    "a text",
  ];
  for (const trouble of troubles) {
    played.trouble = trouble;
    let met: unknown = null;
    await storage.stat("a").catch((cause: unknown) => {
      met = cause;
    });
    expect(met).toBe(trouble as never);
  }
  expect(told).toEqual([
    ...["stat EIO", "stat other", "stat storage_full", "stat disk_full", "stat other"],
  ]);
});
