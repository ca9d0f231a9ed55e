/**
 * Opaque ids: a prefix that says the kind and a UUIDv7 in hexadecimal. Version 7 begins with the time
 * and Bun keeps it monotonic within a process, so ids of one kind sort by creation: lists page by id.
 */
export const idKinds = {
  asset: "as",
  job: "jb",
  preset: "ps",
  user: "us",
  token: "tk",
  session: "se",
  upload: "up",
  trial: "tr",
} as const;
export type IdKind = keyof typeof idKinds;

export function newId(kind: IdKind): string {
  return `${idKinds[kind]}_${Bun.randomUUIDv7("hex").replaceAll("-", "")}`;
}

/** A secret of 256 random bits as base64url: session cookies, API tokens, signing keys. */
export function newSecret(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
}
