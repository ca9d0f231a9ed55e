/** Why a link could not be fetched: said to a person, and whether trying again can help. */

/** What programs match on; words never change. */
export const linkFaultCodes = [
  "link_refused",
  "link_lost",
  "link_unreachable",
  "link_not_found",
  "link_denied",
  "link_failed",
  "link_certificate",
  "link_not_a_file",
  "link_cut",
  "link_slow",
  "too_large",
  "time_limit",
  "storage_full",
  "quota_exceeded",
  "not_media",
  "internal",
] as const;
export type LinkFaultCode = (typeof linkFaultCodes)[number];

export interface LinkFault {
  code: LinkFaultCode;
  /** What happened, in a sentence. */
  message: string;
  /** What to do. */
  hint: string;
  /** It may pass by itself: tried again some times before the import fails. */
  retryable: boolean;
}

/** Ends one attempt at a link. */
export class LinkTrouble extends Error {
  override readonly name = "LinkTrouble";
  readonly fault: LinkFault;
  /** Seconds that the server asked us to wait; null when it did not say. */
  readonly waitSeconds: number | null;

  constructor(
    code: LinkFaultCode,
    message: string,
    hint: string,
    more: { retryable?: boolean; waitSeconds?: number | null } = {},
  ) {
    super(message);
    this.fault = { code, message, hint, retryable: more.retryable ?? false };
    this.waitSeconds = more.waitSeconds ?? null;
  }
}

/** A link that leads where it must not; the address is not told, it would map the inside for the asker. */
export function refusedHost(host: string, own: boolean): LinkTrouble {
  const where = own ? "is this server itself" : "lies in a private or reserved network";
  return new LinkTrouble(
    "link_refused",
    `${host} ${where}, and Kinomill does not fetch from there.`,
    "Use a public link, or have the admin add the host or its range to imports.allowPrivate.",
  );
}

const certificateWords: Record<string, string> = {
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not valid yet",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is signed by itself only",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is signed by an authority that is not known here",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the authority behind its certificate is not known here",
  UNABLE_TO_GET_ISSUER_CERT: "the authority behind its certificate is not known here",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "it does not send the whole chain of its certificate",
  CERT_REVOKED: "its certificate was revoked",
};

/** A failed connection in words. @param began whether an answer had begun */
export function connectionTrouble(cause: unknown, host: string, began: boolean): LinkTrouble {
  const code = (cause as NodeJS.ErrnoException | null)?.code ?? "";
  const certificate = certificateWords[code];
  if (certificate !== undefined) {
    return new LinkTrouble(
      "link_certificate",
      `The connection to ${host} cannot be trusted: ${certificate}.`,
      "Tell whoever runs that server, or look at the clock of this machine.",
    );
  }
  if (code.startsWith("ERR_SSL") || code === "EPROTO") {
    return new LinkTrouble(
      "link_certificate",
      `No secure connection to ${host} came about.`,
      "Check whether the link should begin with http:// or name another port.",
    );
  }
  if (code.startsWith("HPE_")) {
    return new LinkTrouble(
      "link_failed",
      `${host} does not answer in HTTP.`,
      "Check the address and the port of the link.",
    );
  }
  if (began) {
    return new LinkTrouble(
      "link_cut",
      `The connection to ${host} broke off again and again.`,
      "Try again later: what has arrived is kept for a day.",
      { retryable: true },
    );
  }
  const why = code === "ECONNREFUSED" ? "refuses the connection" : "does not answer";
  return new LinkTrouble(
    "link_unreachable",
    `${host} ${why}.`,
    "Check the link, and whether this server can reach the internet. Then try again.",
    { retryable: true },
  );
}

/** An answer that is no file. */
export function statusTrouble(
  status: number,
  host: string,
  waitSeconds: number | null,
): LinkTrouble {
  if (status === 404 || status === 410) {
    const hint = "Check the link: it may have expired, or the file was removed.";
    return new LinkTrouble("link_not_found", `${host} has no such file (${status}).`, hint);
  }
  if (status === 401 || status === 403 || status === 407) {
    return new LinkTrouble(
      "link_denied",
      `${host} does not give this file to everybody (${status}).`,
      "Use a link that works without a login: open it in a private window to see whether it does. A signed link may have expired.",
    );
  }
  const passing = status === 408 || status === 425 || status === 429 || status >= 500;
  const retryable = passing && status !== 501 && status !== 505;
  return new LinkTrouble(
    "link_failed",
    `${host} answers with status ${status} instead of the file.`,
    retryable ? "Try again later." : "Check the link.",
    { retryable, waitSeconds },
  );
}
