/** From a command's options to the configuration. */
import { existsSync } from "node:fs";
import { type Config, type LoadedConfig, readConfig } from "../config.ts";
import { processEnvironment } from "../environment.ts";
import { configureFence } from "../media/fence-settings.ts";
import { layUnder, storedIn } from "../settings/stored.ts";
import type { CommonOptions } from "./program.ts";
import { layStoredSecrets } from "./vault.ts";

/** Where install.sh puts executables and settings: commands of an installed Kinomill find its settings by themselves. */
const installed = { programs: "/opt/kinomill/", config: "/etc/kinomill/config.toml" };

function installedConfig(): string | null {
  const ours = process.execPath.startsWith(installed.programs) && existsSync(installed.config);
  return ours ? installed.config : null;
}

/**
 * Reads the configuration and sets the fence of this process by it. With what admins said on the page, where the data
 * folder has a database that says it, and with the secrets that are stored there.
 * @param how.secrets false for a command that works on the secrets themselves
 * @throws Refusal 400 `bad_config` with every fault
 */
export async function configOf(
  options: CommonOptions & { listen?: string },
  how: { secrets: boolean } = { secrets: true },
): Promise<Config> {
  const loaded = await hostConfigOf(options, how);
  layUnder(loaded, storedIn(loaded.config.data));
  return loaded.config;
}

/** The same without what the page said: for whoever opens the database. @throws Refusal as `configOf` */
export async function hostConfigOf(
  options: CommonOptions & { listen?: string },
  how: { secrets: boolean } = { secrets: true },
): Promise<LoadedConfig> {
  const loaded = await readConfig({
    file: options.config ?? installedConfig(),
    environment: processEnvironment(),
    flags: { data: options.data, listen: options.listen },
  });
  configureFence(loaded.config.ffmpeg);
  if (how.secrets) layStoredSecrets(loaded.config);
  return loaded;
}
