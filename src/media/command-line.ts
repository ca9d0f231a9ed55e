/** The command by which ffmpeg made something, as a person reads it, copies it and runs it somewhere else. */
import { safeInputFlags } from "./safety.ts";
import { hidePaths, type PathName } from "./stderr.ts";

/** What is longer is cut: a crop that follows hundreds of keyframes is an expression of all of them. */
const COMMAND_CHARS_MAX = 8_000;

/** Each with a value; they keep ffmpeg from what a hostile file would have it open, and change nothing of the result. */
const guards = new Set(safeInputFlags().filter((_, index) => index % 2 === 0));

/** Needs no quotes in a POSIX shell. */
const plainWord = /^[\w@%+=:,./-]+$/;

/**
 * `argv` without what guards ffmpeg, quoted for a POSIX shell. Paths of this machine become the names that stand for
 * them: "input 1", or a plain file name inside the step's folder.
 */
export function commandOf(argv: readonly string[], names: PathName[]): string {
  const words = ["ffmpeg"];
  for (let place = 0; place < argv.length; place += 1) {
    const word = argv[place] ?? "";
    if (guards.has(word)) place += 1;
    else words.push(quoted(hidePaths(word, names)));
  }
  const command = words.join(" ");
  return command.length > COMMAND_CHARS_MAX ? `${command.slice(0, COMMAND_CHARS_MAX)}…` : command;
}

function quoted(word: string): string {
  return plainWord.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
