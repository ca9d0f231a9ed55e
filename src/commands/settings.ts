/** From a command's options to the configuration. */
import { type Config, loadConfig, processEnvironment } from "../config.ts";
import type { CommonOptions } from "./program.ts";

/** @throws Refusal 400 `bad_config` with every fault */
export function configOf(options: CommonOptions & { listen?: string }): Promise<Config> {
  return loadConfig({
    file: options.config ?? null,
    environment: processEnvironment(),
    flags: { data: options.data, listen: options.listen },
  });
}
