/** The settings of secrets. */
import { z } from "zod";

export const secretsSettings = z
  .strictObject({
    keyFile: z
      .string()
      .max(4096)
      .default("")
      .describe(
        "File with the key that secrets in the database are sealed with: 32 random bytes in base64, as openssl rand -base64 32 prints them. Empty: /etc/kinomill/credentials/secrets-key when it is there, or else secrets.key in the data folder, which is made on first use. Backups of the database go without it.",
      ),
  })
  .prefault({});
