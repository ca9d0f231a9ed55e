/** What an account is, and which names and passwords it may have. */
import { Refusal } from "../trouble.ts";
import type { Scope } from "./scopes.ts";

export const roles = ["admin", "member"] as const;
export type Role = (typeof roles)[number];

export interface User {
  id: string;
  name: string;
  role: Role;
  /** ISO 8601 UTC. */
  createdAt: string;
  /** Label of the token with which a program came in the person's name; absent: the person. */
  token?: string;
  /** What that token may do; without `admin` the role is a member's. */
  scopes?: readonly Scope[];
}

/** What admins see of somebody besides. Times are ISO 8601 UTC. */
export interface Person extends User {
  /** Null: they may come in. */
  disabledAt: string | null;
  /** To the minute; null: never. */
  lastSeenAt: string | null;
  /** Until when the code holds with which they can set a password; null when there is none. */
  invitedUntil: string | null;
  /** Whether they have a password: somebody who was invited has none yet. */
  hasPassword: boolean;
}

/** Characters (code points) of a user's name and of a token's label, at most. */
const NAME_LIMIT = 64;
export const LABEL_LIMIT = 100;

/** Characters of a password. Short ones are guessed; a hash of a huge one would be free work for an attacker. */
export const PASSWORD_MIN = 10;
export const PASSWORD_MAX = 256;

/** Control characters, broken surrogates, line ends, and marks that turn the direction of what follows. */
const unprintable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

/**
 * The name as it is kept: in Unicode's composed form (NFC), so that the same name typed on two systems
 * is one name.
 * @throws Refusal 422 `invalid_name`
 */
export function checkName(text: string): string {
  return checkText(text, { what: "name", limit: NAME_LIMIT, code: "invalid_name" });
}

/** The same for the label of a token, 1–100 characters. @throws Refusal 422 `invalid_label` */
export function checkLabel(text: string): string {
  return checkText(text, { what: "label", limit: LABEL_LIMIT, code: "invalid_label" });
}

function checkText(text: string, rule: { what: string; limit: number; code: string }): string {
  const name = text.normalize("NFC");
  const length = codePoints(name);
  if (length < 1 || length > rule.limit) {
    throw invalid(rule, `must have 1 to ${rule.limit} characters; this one has ${length}`);
  }
  if (unprintable.test(name)) {
    throw invalid(rule, "must not contain control characters or line ends");
  }
  if (name !== name.trim()) throw invalid(rule, "must not begin or end with a space");
  return name;
}

function invalid(rule: { what: string; code: string }, message: string): Refusal {
  return new Refusal(422, rule.code, `The ${rule.what} ${message}.`, {
    errors: [{ path: rule.what, message }],
  });
}

/**
 * The password in the form that is hashed (NFC, so that every keyboard makes the same one).
 * @throws Refusal 422 `invalid_password`, which never repeats it
 */
export function checkPassword(text: string): string {
  const password = normalPassword(text);
  if (password !== null && codePoints(password) >= PASSWORD_MIN) return password;
  const message = `must have ${PASSWORD_MIN} to ${PASSWORD_MAX} characters`;
  throw invalid({ what: "password", code: "invalid_password" }, message);
}

/** The form that is hashed, or null when no account can have this password. */
export function normalPassword(text: string): string | null {
  if (!text.isWellFormed() || text.length > 2 * PASSWORD_MAX) return null;
  const password = text.normalize("NFC");
  return codePoints(password) <= PASSWORD_MAX && !password.includes("\0") ? password : null;
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
