/** The commands of accounts and tokens, as the command line has them. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Add, Run } from "./program.ts";

const role = () =>
  new Option("--role <role>", "what it may do").choices(["admin", "member"]).default("member");

export function addAccounts(program: Command, add: Add, run: Run): void {
  const users = program.command("users").description("accounts").exitOverride();
  const create = add(users, "create", "make an account")
    .argument("<name>")
    .addOption(role())
    .option("--password-stdin", "read the password from standard input (required)");
  run(create, async () => (await import("./accounts.ts")).createUser);
  const invite = add(
    users,
    "invite",
    "print a code with which somebody sets a password: of a new account, or of one whose password is lost",
  )
    .argument("<name>")
    .addOption(role());
  run(invite, async () => (await import("./accounts.ts")).inviteUser);
  const list = add(users, "list", "list the accounts").option("--json", "print JSON");
  run(list, async () => (await import("./accounts.ts")).listUsers);
  const change = add(users, "role", "make somebody an admin or a member")
    .argument("<name>")
    .argument("<role>", "admin or member", (text: string) => {
      if (text === "admin" || text === "member") return text;
      throw new InvalidArgumentError("must be admin or member");
    });
  run(change, async () => (await import("./accounts.ts")).changeRole);
  const disable = add(users, "disable", "let somebody in no more; their files and jobs stay");
  run(disable.argument("<name>"), async () => (await import("./accounts.ts")).disableUser(true));
  const enable = add(users, "enable", "let somebody in again").argument("<name>");
  run(enable, async () => (await import("./accounts.ts")).disableUser(false));
  const quota = add(users, "quota", "how much somebody may keep")
    .argument("<name>")
    .argument("<size>", "500M, 100G, 2TiB; none: no limit; default: as the settings say");
  run(quota, async () => (await import("./retention.ts")).setQuota);
  addTokens(program, add, run);
}

function addTokens(program: Command, add: Add, run: Run): void {
  const tokens = program.command("tokens").description("API tokens").exitOverride();
  const token = add(tokens, "create", "make an API token; prints only the token")
    .requiredOption("--user <name>", "whose it is")
    .option("--name <label>", "what it is for", "command line")
    .option(
      "--scopes <list>",
      "what it may, by commas: read, write, jobs, account, admin (default: everything that its owner may)",
    )
    .option("--days <number>", "days after which it ends (default: never)");
  run(token, async () => (await import("./accounts.ts")).createToken);
  const list = add(tokens, "list", "list somebody's tokens, without their secrets");
  run(
    list.requiredOption("--user <name>", "whose they are"),
    async () => (await import("./accounts.ts")).listTokens,
  );
  const revoke = add(tokens, "revoke", "end a token at once").argument("<id>");
  run(
    revoke.requiredOption("--user <name>", "whose it is"),
    async () => (await import("./accounts.ts")).revokeToken,
  );
}
