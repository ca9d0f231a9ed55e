#!/usr/bin/env bun
/**
 * The executable. The fence comes first and alone: it is started for every run of ffmpeg, so it must
 * not pay for anything else.
 */
if (process.argv[2] === "fence") {
  const { enterFence } = await import("./media/fence.ts");
  enterFence(process.argv.slice(3));
} else if (process.argv[2] === "snapshot") {
  // The copy of a backup: it runs beside the server, at the lowest priority.
  const { makeSnapshot } = await import("./backup/snapshot.ts");
  process.exitCode = makeSnapshot(process.argv.slice(3));
} else {
  const { runCommandLine } = await import("./commands/program.ts");
  process.exitCode = await runCommandLine(process.argv.slice(2));
}
