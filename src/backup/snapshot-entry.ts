/** From source there is no compiled executable to start again: this file is started instead. */
import { makeSnapshot } from "./snapshot.ts";

process.exitCode = makeSnapshot(process.argv.slice(2));
