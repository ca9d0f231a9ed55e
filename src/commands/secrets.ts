/** `kinomill secret set | list | remove`: on the data folder, server or no server. */

import type { Config } from "../config.ts";
import { openDatabase } from "../database/open.ts";
import type { Vault } from "../secrets/vault.ts";
import { Refusal } from "../trouble.ts";
import { exitCodes } from "./exit.ts";
import type { CommonOptions } from "./program.ts";
import { configOf } from "./settings.ts";
import { openVault, storedSettings } from "./vault.ts";

async function withVault(
  options: CommonOptions,
  work: (vault: Vault, config: Config) => void | Promise<void>,
): Promise<number> {
  const config = await configOf(options, { secrets: false });
  const database = openDatabase(config.data);
  try {
    await work(openVault(config, database), config);
    return exitCodes.done;
  } finally {
    database.close();
  }
}

const afterwards = "A running server has it after a restart: sudo systemctl restart kinomill";

export async function setSecret(name: string, options: CommonOptions): Promise<number> {
  if (process.stdin.isTTY === true) {
    console.error(`Type the secret ${name}, then Enter and Ctrl-D. It is shown while you type.`);
  }
  const value = (await Bun.stdin.text()).replace(/\r?\n$/, "");
  return withVault(options, (vault) => {
    vault.set(name, value);
    console.log(`Keeps the secret ${name}. ${afterwards}`);
  });
}

const states = {
  open: "",
  "other-key": "\tBROKEN: sealed with another key",
  damaged: "\tBROKEN: damaged",
};

export function listSecrets(options: CommonOptions & { json?: boolean }): Promise<number> {
  return withVault(options, (vault, config) => {
    const used = storedSettings(config);
    const secrets = vault.list().map((facts) => ({
      ...facts,
      usedBy: used.filter(({ name }) => name === facts.name).map(({ key }) => key),
    }));
    if (options.json) console.log(JSON.stringify(secrets, null, 2));
    else {
      for (const { name, changedAt, state, usedBy } of secrets) {
        const use = usedBy.length === 0 ? "not used by a setting" : `used by ${usedBy.join(", ")}`;
        console.log(`${name}\tof ${changedAt}\t${use}${states[state]}`);
      }
    }
  });
}

export function removeSecret(name: string, options: CommonOptions): Promise<number> {
  return withVault(options, (vault) => {
    if (!vault.remove(name)) {
      throw new Refusal(404, "not_found", `There is no secret ${name}. See: kinomill secret list`);
    }
    console.log(`Removed the secret ${name}. ${afterwards}`);
  });
}
