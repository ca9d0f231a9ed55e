/** Secrets that systemd hands to the service (LoadCredential), as settings name them: `credential:NAME`. */
import { Refusal } from "../trouble.ts";

/** Where root puts them; the unit loads the whole folder under the name of the product. */
const folder = "/etc/kinomill/credentials";
const loadedAs = "kinomill_";
const scheme = "credential:";

/**
 * The path of the file that a setting means: `credential:NAME` is what systemd gave the service, and for a command of
 * root beside it the file that systemd takes it from. Anything else is a path already.
 * @param directory the variable `CREDENTIALS_DIRECTORY`
 * @throws Refusal 400 `bad_config` for a name that is none
 */
export function credentialPath(value: string, directory: string | undefined): string {
  if (!value.startsWith(scheme)) return value;
  const name = value.slice(scheme.length);
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(name)) {
    const sentence = `${value} is not the name of a credential: write credential:NAME for the file ${folder}/NAME.`;
    throw new Refusal(400, "bad_config", sentence);
  }
  return directory === undefined ? `${folder}/${name}` : `${directory}/${loadedAs}${name}`;
}
