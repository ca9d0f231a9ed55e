/** What a token may do in its owner's name. A login on the page may do everything that its person may. */

/**
 * `read` looks at what is one's own; `write` changes files, uploads and presets; `jobs` starts, stops and moves jobs;
 * `account` is what concerns the account itself: password, logins, tokens; `admin` is what only admins may.
 */
export const scopes = ["read", "write", "jobs", "account", "admin"] as const;
export type Scope = (typeof scopes)[number];

/** What most programs need; whoever wants more says so. */
export const usualScopes: readonly Scope[] = ["read", "write", "jobs"];

/** The scopes of a text as the database has it; words that mean nothing to this Kinomill are left out. */
export function scopesOf(text: string): Scope[] {
  const words = text.split(" ");
  return scopes.filter((scope) => words.includes(scope));
}

const safeMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

const begins = (path: string, ...starts: string[]) =>
  starts.some((start) => path === start || path.startsWith(`${start}/`));

/**
 * The scope that a request needs. What is not named here is `read` or `write`, so that a new call cannot be forgotten.
 * Calls for admins alone need `admin` besides: a token without it has no admin's role.
 * @param path without the base path
 */
export function scopeNeeded(method: string, path: string): Scope {
  if (begins(path, "/api/v1/me/sessions", "/api/v1/me/tokens", "/api/v1/me/password")) {
    return "account";
  }
  if (begins(path, "/settings/account")) return "account";
  if (safeMethods.has(method)) return "read";
  if (begins(path, "/api/v1/settings", "/api/v1/users", "/api/v1/system", "/settings")) {
    return "admin";
  }
  if (begins(path, "/ui/system", "/ui/users")) return "admin";
  return begins(path, "/api/v1/jobs", "/ui/jobs", "/ui/tries") ? "jobs" : "write";
}
