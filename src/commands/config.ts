/** `kinomill config check`: every fault at once, and what holds. */
import { type LoadedConfig, sampleConfig, settings, shownValue, valueAt } from "../config.ts";
import { layUnder, type Stored, storedIn } from "../settings/stored.ts";
import { exitCodes } from "./exit.ts";
import type { CommonOptions } from "./program.ts";
import { hostConfigOf } from "./settings.ts";

export async function checkConfig(
  options: CommonOptions & { list?: boolean; sample?: boolean; json?: boolean },
): Promise<number> {
  if (options.sample) {
    process.stdout.write(sampleConfig());
    return exitCodes.done;
  }
  const loaded = await hostConfigOf(options);
  const list = listed(loaded, storedIn(loaded.config.data));
  if (options.json) console.log(JSON.stringify(list, null, 2));
  else if (options.list) {
    for (const { key, value, from, sentence, environmentName } of list) {
      console.log(`${key} = ${JSON.stringify(value)}  # ${from}`);
      console.log(`    ${sentence} (${environmentName})`);
    }
  } else {
    console.log("The configuration is good.");
  }
  for (const { key, ignored } of list.filter(({ ignored }) => ignored !== null)) {
    console.error(`kinomill: ${key} was set on the page too, which does not hold: ${ignored}`);
  }
  return exitCodes.done;
}

interface Listed {
  key: string;
  value: unknown;
  origin: string;
  /** The same in words: with the file, the variable, or who changed it when. */
  from: string;
  sentence: string;
  environmentName: string;
  ignored: string | null;
}

const reasons = {
  locked: "the host says it.",
  invalid: "its value is not allowed any more.",
  unknown: "the page may not change it.",
};

/** Each setting with what holds and where that comes from, as the page shows them. */
function listed(loaded: LoadedConfig, stored: readonly Stored[]): Listed[] {
  const ignored = new Map(layUnder(loaded, stored).map(({ key, reason }) => [key, reason]));
  return settings.map(({ key, sentence, environmentName }) => {
    const page = stored.find((each) => each.key === key && each.value !== undefined);
    const reason = ignored.get(key) ?? null;
    const held = page === undefined || reason !== null ? "default" : "page";
    const origin = loaded.origins.get(key) ?? held;
    const words: Record<string, string> = {
      default: "default",
      page: `page: ${page?.changedBy}, ${page?.changedAt}`,
      file: `file: ${loaded.file}`,
      environment: `environment: ${environmentName}`,
      flag: "flag",
    };
    return {
      ...{ key, value: JSON.parse(shownValue(key, valueAt(loaded.config, key))), origin },
      ...{ from: words[origin] ?? origin, sentence, environmentName },
      ignored: reason === null ? null : reasons[reason],
    };
  });
}
