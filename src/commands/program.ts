/** The command line: what there is and what it takes. Each command's work is in a file of its own. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { product } from "../product.ts";
import { Failure, Refusal } from "../trouble.ts";
import { addAccounts } from "./account-commands.ts";
import { exitCodes } from "./exit.ts";

/** Options that every command takes. */
export interface CommonOptions {
  config?: string;
  data?: string;
}

/** A command's work: gets its arguments and options, answers with the exit code. */
export type Action = (...values: never[]) => Promise<number>;

/**
 * Runs one command and answers with the exit code: 0 done, 1 failed, 2 bad usage, 130 interrupted.
 * @param argv the words after the program's name
 */
export async function runCommandLine(argv: string[]): Promise<number> {
  let exitCode: number = exitCodes.done;
  const program = buildProgram((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (cause) {
    return report(cause);
  }
}

function report(cause: unknown): number {
  if (cause instanceof CommanderError) {
    return cause.exitCode === 0 ? exitCodes.done : exitCodes.badUsage;
  }
  if (cause instanceof Refusal) {
    console.error(`kinomill: ${cause.message}`);
    if (cause.code !== "bad_config") {
      for (const { path, message } of cause.errors) console.error(`  ${path}: ${message}`);
    }
    return usageCodes.has(cause.code) ? exitCodes.badUsage : exitCodes.failed;
  }
  if (cause instanceof Failure) {
    console.error(`kinomill: ${cause.report.message}`);
    if (cause.report.hint !== "") console.error(cause.report.hint);
    return exitCodes.failed;
  }
  console.error(`kinomill: an error of Kinomill's own: ${(cause as Error)?.stack ?? cause}`);
  return exitCodes.failed;
}

/** Refusals that say "you typed something that cannot be"; all others say "it did not work out". */
const usageCodes = new Set([
  "bad_config",
  "bad_usage",
  "bad_certificate",
  "unknown_operation",
  "invalid_params",
]);

function buildProgram(done: (exitCode: number) => void): Command {
  const program = new Command("kinomill")
    .description("Turns a GPU server into a video appliance: page, API and job queue in one.")
    .exitOverride()
    .showHelpAfterError("(kinomill --help shows what there is)")
    .enablePositionalOptions();
  const add = (parent: Command, name: string, description: string) =>
    parent
      .command(name)
      .description(description)
      .exitOverride()
      .option("--data <dir>", "folder for database, files and work in progress")
      .option("--config <file>", "TOML file with settings");
  const run = (command: Command, load: () => Promise<Action>) =>
    command.action(async (...values: unknown[]) => {
      const action = (await load()) as (...values: unknown[]) => Promise<number>;
      done(await action(...values));
    });
  addServing(program, add, run);
  addStorage(program, run);
  addMedia(program, add, run);
  addBackups(program, add, run);
  addJobs(program, run);
  addImport(program, run);
  addExposure(program, add, run);
  addSecrets(program, add, run);
  addAccounts(program, add, run);
  run(add(program, "version", "print the version"), async () => async () => {
    console.log(`kinomill ${product.version} (${product.commit}, Bun ${Bun.version})`);
    return exitCodes.done;
  });
  return program;
}

export type Add = (parent: Command, name: string, description: string) => Command;
export type Run = (command: Command, load: () => Promise<Action>) => Command;

function addServing(program: Command, add: Add, run: Run): void {
  const serve = add(program, "serve", "serve the page and the API, and run jobs").option(
    "--listen <host:port>",
    "address and port (default 0.0.0.0:7600)",
  );
  run(serve, async () => (await import("./serve.ts")).serve);
  const ready = add(program, "ready", "ask the server on this box whether all its parts work")
    .option("--url <url>", "another server")
    .option("--wait <seconds>", "ask again until it is ready, so long at most");
  run(ready, async () => (await import("./ready.ts")).ready);
  const doctor = add(program, "doctor", "look at this box and say what is missing").option(
    "--json",
    "print JSON",
  );
  run(doctor, async () => (await import("./doctor.ts")).doctor);
  const test = add(program, "selftest", "let every device make a film, prove it, say how quickly")
    .option("--quick", "half a second of film on all devices at once: for upgrades")
    .option("--json", "print JSON");
  run(test, async () => (await import("./selftest.ts")).selftest);
  const bundle = add(
    program,
    "support-bundle",
    "write facts for somebody who helps, without secrets",
  )
    .option("-o, --output <file>", "where to (default kinomill-support-TIME.tar.gz here)")
    .option(
      "--with-names",
      "with names of files and people, and all that ffmpeg said of failed jobs",
    )
    .option("--selftest", "let every device make a film first, and put in what came of it")
    .option("--log <file>", "the server's log, where it is not in systemd's journal")
    .option("--dry-run", "say what it would hold and write nothing");
  run(bundle, async () => (await import("./support-bundle.ts")).supportBundle);
  const config = program.command("config").description("the settings").exitOverride();
  const check = add(config, "check", "check file and environment, print every fault at once")
    .option("--list", "list all settings: what holds, and where it comes from")
    .option("--json", "the same as JSON")
    .option("--sample", "print the commented sample file");
  run(check, async () => (await import("./config.ts")).checkConfig);
}

function addStorage(program: Command, run: Run): void {
  const storage = program
    .command("storage")
    .description("where the bytes of assets live (KINOMILL_URL, KINOMILL_TOKEN of an admin)")
    .exitOverride();
  const migrate = storage
    .command("migrate")
    .description("bring what lies in the storage before into that of the settings, while it serves")
    .exitOverride()
    .addOption(
      new Option("--to <kind>", "storage.kind of the server's settings")
        .choices(["disk", "s3"])
        .makeOptionMandatory(),
    )
    .option("--stop", "stop it; another call goes on where it was")
    .option("--no-wait", "start it and do not wait for its end")
    .option("--url <url>", "the server (default KINOMILL_URL, or http://localhost:7600)")
    .option("--json", "print JSON");
  run(migrate, async () => (await import("./storage-migrate.ts")).migrateStorage);
  const create = storage
    .command("create-bucket")
    .description("make the bucket of the settings where it is not there")
    .exitOverride()
    .option("--data <dir>", "folder for database, files and work in progress")
    .option("--config <file>", "TOML file with settings");
  run(create, async () => (await import("./create-bucket.ts")).createBucket);
  const check = storage
    .command("check")
    .description("look for objects without an asset, and assets whose bytes are gone or damaged")
    .exitOverride()
    .option("--repair", "delete what belongs to nobody, move assets without bytes into the bin")
    .option("--deep", "read every object and compare its hash")
    .option("--url <url>", "the server (default KINOMILL_URL, or http://localhost:7600)")
    .option("--offline", "without a server, on the data folder")
    .option("--data <dir>", "folder for database, files and work in progress, with --offline")
    .option("--config <file>", "TOML file with settings, with --offline")
    .option("--json", "print JSON");
  run(check, async () => (await import("./storage-check.ts")).checkStorage);
}

function addMedia(program: Command, add: Add, run: Run): void {
  const work = add(program, "run", "run one operation here, without a server")
    .argument("<operation>", "name of the operation (kinomill operations lists them)")
    .argument("<input...>", "files to work on")
    .option(
      "-o, --output <path>",
      "file to write; without an ending, or for several outputs, a folder",
    )
    .option("--estimate", "print steps, devices, time and size, and make nothing")
    .addOption(
      new Option(
        "-p, --param <key=value>",
        "parameter, for example video.codec=hevc or ranges.0.from=1:30",
      )
        .argParser(collectParam)
        .default([]),
    )
    .option("--params <file.json>", "parameters as JSON; those of --param go over them")
    .option("--device <which>", "auto (a GPU where it can) or cpu", "auto")
    .option("--overwrite", "replace the output when it exists")
    .option("--json", "print JSON lines");
  run(work, async () => (await import("./run.ts")).runOperation);
  const probe = add(program, "probe", "say what a media file is")
    .argument("<file>")
    .option("--json", "print JSON");
  run(probe, async () => (await import("./probe.ts")).probeFile);
  const operations = add(program, "operations", "list the operations, or one with its parameters")
    .argument("[name]")
    .option("--json", "print JSON");
  run(operations, async () => (await import("./operations.ts")).listOperations);
}

function addBackups(program: Command, add: Add, run: Run): void {
  const backup = program.command("backup").description("backups of the database").exitOverride();
  const now = add(backup, "now", "make one, also while the server runs").option(
    "--json",
    "print JSON",
  );
  run(now, async () => (await import("./backup.ts")).backupNow);
  const list = add(backup, "list", "list them, the newest first").option("--json", "print JSON");
  run(list, async () => (await import("./backup.ts")).listBackups);
  const restore = add(program, "restore", "put a backup in the place of the database").argument(
    "<backup>",
    "a name of backup list, or a file; the server must be stopped",
  );
  run(restore, async () => (await import("./backup.ts")).restore);
  const sweep = add(program, "sweep", "take away what has expired, as a server does by itself")
    .option("--dry-run", "say what would go and touch nothing; also while the server runs")
    .option("--json", "print JSON");
  run(sweep, async () => (await import("./retention.ts")).sweepNow);
}

function addJobs(program: Command, run: Run): void {
  const jobs = program
    .command("jobs")
    .description("look after the jobs of a server (KINOMILL_URL, KINOMILL_TOKEN)")
    .exitOverride();
  const add = (name: string, description: string) =>
    jobs
      .command(name)
      .description(description)
      .exitOverride()
      .option("--url <url>", "the server (default KINOMILL_URL, or http://localhost:7600)")
      .option("--json", "print JSON");
  const filtered = (command: Command) =>
    command
      .option("--state <state>", "only jobs in this state")
      .option("--operation <name>", "only jobs of this operation")
      .option("--device <id>", "only jobs that run or ran there: cpu, gpu:0")
      .addOption(
        new Option("--label <name:value>", "only jobs with this label; may be given again")
          .argParser((text: string, before: string[]) => [...before, text])
          .default([]),
      )
      .option("-q, --query <text>", "part of the title or of a label")
      .option("--limit <number>", "jobs to show", "50");
  run(filtered(add("list", "list jobs, the newest first")), async () => {
    return (await import("./jobs.ts")).listJobs;
  });
  const show = add("show", "one job with its history").argument("<id>");
  run(show, async () => (await import("./jobs.ts")).showJob);
  for (const verb of ["pause", "resume"] as const) {
    const does = verb === "pause" ? "let it stand still" : "let a paused one go on";
    const move = add(verb, does).argument("<id>");
    run(move, async () => (await import("./jobs.ts")).moveJob(verb));
  }
  for (const verb of ["cancel", "retry"] as const) {
    const change = filtered(add(verb, `${verb} jobs: those named, or --all that fit a filter`))
      .argument("[id...]")
      .option("--all", "all jobs that fit the filter, up to a thousand");
    if (verb === "retry") {
      const on = new Option("--on <device>", "run them there, though a GPU could do it");
      change.addOption(on.choices(["cpu"]));
    }
    run(change, async () => (await import("./jobs.ts")).changeJobs(verb));
  }
}

function addImport(program: Command, run: Run): void {
  const command = program
    .command("import")
    .description("let a server fetch files from links (KINOMILL_URL, KINOMILL_TOKEN)")
    .exitOverride()
    .argument("<link...>", "addresses of files, with https:// or http://")
    .option("--url <url>", "the server (default KINOMILL_URL, or http://localhost:7600)")
    .option("--name <name>", "name of the file; with one link")
    .addOption(
      new Option("--if-exists <what>", "when you have the file: keep both, or reuse that one")
        .choices(["keep", "reuse"])
        .default("keep"),
    )
    .option("--no-wait", "begin and do not wait for the end")
    .option("--json", "print a JSON line for each");
  run(command, async () => (await import("./import.ts")).importLinks);
}

function addExposure(program: Command, add: Add, run: Run): void {
  const expose = program
    .command("expose")
    .description("reach this server from outside")
    .exitOverride();
  const tailscale = add(
    expose,
    "tailscale",
    "print what to type for Tailscale, and look whether it was typed; changes nothing",
  ).option("--funnel", "for everybody in the internet instead of the devices of the tailnet");
  run(tailscale, async () => (await import("./expose.ts")).exposeByTailscale);
}

function addSecrets(program: Command, add: Add, run: Run): void {
  const secret = program
    .command("secret")
    .description("keys and passwords that Kinomill keeps sealed")
    .exitOverride();
  const set = add(secret, "set", "keep a secret; it is read from standard input").argument(
    "<name>",
  );
  run(set, async () => (await import("./secrets.ts")).setSecret);
  const list = add(secret, "list", "names of the secrets, and what uses them").option(
    "--json",
    "print JSON",
  );
  run(list, async () => (await import("./secrets.ts")).listSecrets);
  const remove = add(secret, "remove", "forget a secret").argument("<name>");
  run(remove, async () => (await import("./secrets.ts")).removeSecret);
}

function collectParam(text: string, before: string[]): string[] {
  if (!/^[^=\s]+=/.test(text)) {
    throw new InvalidArgumentError("must be key=value, for example video.codec=hevc");
  }
  return [...before, text];
}
