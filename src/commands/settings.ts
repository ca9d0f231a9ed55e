/** From a command's options to the configuration. */
import { existsSync } from "node:fs";
import { type Config, loadConfig } from "../config.ts";
import { processEnvironment } from "../environment.ts";
import { configureFence } from "../media/fence-settings.ts";
import type { CommonOptions } from "./program.ts";

/** Where install.sh puts executables and settings: commands of an installed Kinomill find its settings by themselves. */
const installed = { programs: "/opt/kinomill/", config: "/etc/kinomill/config.toml" };

function installedConfig(): string | null {
  const ours = process.execPath.startsWith(installed.programs) && existsSync(installed.config);
  return ours ? installed.config : null;
}

/**
 * Reads the configuration and sets the fence of this process by it.
 * @throws Refusal 400 `bad_config` with every fault
 */
export async function configOf(options: CommonOptions & { listen?: string }): Promise<Config> {
  const config = await loadConfig({
    file: options.config ?? installedConfig(),
    environment: processEnvironment(),
    flags: { data: options.data, listen: options.listen },
  });
  configureFence(config.ffmpeg);
  return config;
}
