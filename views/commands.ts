/** Commands inside of what the doctor says: set apart, and to be copied with one press. */
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { texts } from "./texts/texts.ts";

const words = texts.system;

/** What a command begins with in the doctor's words. */
const programs = [
  ...["sudo", "nvidia-smi", "kinomill", "timedatectl", "systemctl", "journalctl", "docker run"],
  ...["ls -", "du -", "df -", "iostat", "ip addr", "top", "cp -", "findmnt"],
];

/**
 * What ends it: the end of a sentence, a dash, a bracket, the next command after a semicolon, or a comma with words
 * behind it. What stands in quotes is part of it, whatever it is.
 */
const word = String.raw`(?:'[^']*'|"[^"]*"|(?![.,;)](?:\s|$))[^\s'";)]|[;)](?=\S))+`;
const command = new RegExp(
  String.raw`(?<![\w/.-])(?:${programs.map((each) => each.replaceAll("-", "\\-")).join("|")})(?:${word})?(?: (?!—)${word})*`,
  "g",
);

/** The commands of a remedy, in order. */
export function commandsIn(remedy: string): string[] {
  return Array.from(remedy.matchAll(command), ([found]) => found).filter(isTyped);
}

/** "Kinomill" and "top" may be words of a sentence: what is typed has more than one, or is known to stand alone. */
function isTyped(found: string): boolean {
  return found.includes(" ") || ["nvidia-smi", "top", "timedatectl"].includes(found);
}

/** The remedy with its commands set apart; each has a button that copies it. */
export function remedyText(remedy: string): Html {
  const pieces: Html[] = [];
  let at = 0;
  for (const { 0: found, index } of remedy.matchAll(command)) {
    if (!isTyped(found)) continue;
    pieces.push(html`${remedy.slice(at, index)}${typed(found)}`);
    at = index + found.length;
  }
  return html`${pieces}${remedy.slice(at)}`;
}

function typed(found: string): Html {
  return html`<span class="command"><code>${found}</code><button type="button" class="icon-button" data-copy="${found}" data-copied="${words.copied}" data-failed="${words.notCopied}" aria-label="${words.copyCommand(found)}" title="${words.copy}">${icon("copy")}<span class="copy-said" role="status"></span></button></span>`;
}
