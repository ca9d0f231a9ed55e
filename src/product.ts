/** What this executable is. The build puts version and commit in; from source they come from the package. */
import packageJson from "../package.json" with { type: "json" };

declare const KINOMILL_COMMIT: string | undefined;
declare const KINOMILL_VERSION: string | undefined;

export const product = {
  name: "kinomill",
  version: typeof KINOMILL_VERSION === "string" ? KINOMILL_VERSION : packageJson.version,
  /** Short commit hash, or "source" when not built by `script/build`. */
  commit: typeof KINOMILL_COMMIT === "string" ? KINOMILL_COMMIT : "source",
} as const;
