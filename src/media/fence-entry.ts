/** From source there is no compiled executable to start again: this file is started instead. */
import { enterFence } from "./fence.ts";

enterFence(process.argv.slice(2));
