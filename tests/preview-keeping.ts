/** Sample data for the page of the box: backups, and what people keep. */
import type { BackupState } from "../src/backup/state.ts";
import type { PersonView } from "../views/people.ts";

export const people: PersonView[] = [
  {
    ...{ id: "us_1", name: "Ana", ownQuotaBytes: null },
    usage: { usedBytes: 7_000_000_000, binnedBytes: 0, assetCount: 12, quotaBytes: null },
  },
];

export const backups: BackupState = {
  backups: [
    {
      name: "kinomill-2026-11-20T03-15-00Z.sqlite",
      createdAt: "2026-11-20T03:15:00.000Z",
      sizeBytes: 18_400_000,
      sha256: "0".repeat(64),
    },
  ],
  schedule: "15 3 * * *",
  nextAt: "2026-11-21T03:15:00.000Z",
  last: null,
  bucket: null,
  warnings: [],
};
