/** Where the bytes of assets live. */
import type { Box, Finding } from "./finding.ts";

export function storageFindings({ config }: Box): Finding[] {
  const where = config.storage.kind === "disk" ? "on the disk of the data folder" : "in a bucket";
  const meaning = `The bytes of assets live ${where} (storage.kind = "${config.storage.kind}").`;
  return [{ id: "storage", level: "ok", title: "Storage", meaning, remedy: null }];
}
