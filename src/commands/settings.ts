/** From a command's options to the configuration. */
import { type Config, loadConfig } from "../config.ts";
import { processEnvironment } from "../environment.ts";
import { configureFence } from "../media/fence-settings.ts";
import type { CommonOptions } from "./program.ts";

/**
 * Reads the configuration and sets the fence of this process by it.
 * @throws Refusal 400 `bad_config` with every fault
 */
export async function configOf(options: CommonOptions & { listen?: string }): Promise<Config> {
  const config = await loadConfig({
    file: options.config ?? null,
    environment: processEnvironment(),
    flags: { data: options.data, listen: options.listen },
  });
  configureFence(config.ffmpeg);
  return config;
}
