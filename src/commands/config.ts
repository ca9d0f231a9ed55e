/** `kinomill config check`: every fault at once, and what holds. */
import { sampleConfig, settings, shownValue } from "../config.ts";
import { exitCodes } from "./exit.ts";
import type { CommonOptions } from "./program.ts";
import { configOf } from "./settings.ts";

export async function checkConfig(
  options: CommonOptions & { list?: boolean; sample?: boolean },
): Promise<number> {
  if (options.sample) {
    process.stdout.write(sampleConfig());
    return exitCodes.done;
  }
  const config = await configOf(options);
  if (options.list) {
    for (const { key, environmentName, sentence } of settings) {
      console.log(`${key} = ${shownValue(key, valueAt(config, key))}`);
      console.log(`    ${sentence} (${environmentName})`);
    }
  } else {
    console.log("The configuration is good.");
  }
  return exitCodes.done;
}

function valueAt(config: unknown, key: string): unknown {
  return key
    .split(".")
    .reduce<unknown>((node, part) => (node as Record<string, unknown>)[part], config);
}
