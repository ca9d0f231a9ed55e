/** Hashes: slow ones for passwords, a few at a time; fast ones for secrets that nobody can guess. */
import { Refusal } from "../trouble.ts";

/** OWASP's least for argon2id with one lane: 19 MiB, two passes. About 100 ms of a core. */
const argon2id = { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 } as const;

/** Hashes at once: more would take memory (19 MiB each) and cores from the page and from jobs. */
const AT_ONCE = 2;

/** Logins that wait for their turn: the last of them waits about a second and a half. */
const WAITING_LIMIT = 32;

/**
 * A hash that no password has, with the same cost as a real one: verifying against it makes an unknown
 * name take as long as a wrong password.
 */
export const nobodysHash = `$argon2id$v=19$m=19456,t=2,p=1$${"A".repeat(43)}$${"A".repeat(43)}`;

/** Hashes passwords with argon2id on Bun's threads, never more than a few at once. */
export class PasswordHasher {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  /** @throws Refusal 503 `busy` when too many wait already */
  hash(password: string): Promise<string> {
    return this.inTurn(() => Bun.password.hash(password, argon2id));
  }

  /** @throws Refusal 503 `busy` when too many wait already */
  verify(password: string, hash: string): Promise<boolean> {
    return this.inTurn(() => Bun.password.verify(password, hash));
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= AT_ONCE) {
      if (this.waiting.length >= WAITING_LIMIT) throw tooBusy();
      // The one that ends hands its place over, so `running` stays as it is.
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    } else {
      this.running += 1;
    }
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.running -= 1;
      else next();
    }
  }
}

function tooBusy(): Refusal {
  return new Refusal(
    503,
    "busy",
    "Too many people are logging in at this moment. Try again in a few seconds.",
    { headers: { "Retry-After": "3" } },
  );
}

/** Hexadecimal SHA-256: enough for a secret of 256 random bits, and quick enough for every request. */
export function sha256(text: string): string {
  return Bun.CryptoHasher.hash("sha256", text, "hex");
}
