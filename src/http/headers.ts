/** Headers that every answer carries unless the controller said otherwise. */
import type { Html } from "../../views/html.ts";
import { contentSecurityPolicy, newNonce } from "../../views/layout.ts";
import { rebase } from "./base-path.ts";
import type { Visit } from "./visit.ts";

const common: readonly (readonly [string, string])[] = [
  ["x-content-type-options", "nosniff"],
  // `same-origin` and not `no-referrer`: with the latter browsers send `Origin: null` with a plain form,
  // and over plain HTTP on a LAN, where there is no Sec-Fetch-Site, Origin is all that the guard has.
  ["referrer-policy", "same-origin"],
  ["cross-origin-resource-policy", "same-origin"],
];

/** For everything that is no page: nothing in it may run, load or be framed (so no X-Frame-Options). */
const closedPolicy = "default-src 'none'; frame-ancestors 'none'; sandbox";

/** The headers of a plain JSON answer, made once: filling them in for each answer cost more than routing it. */
const jsonHeaders = new Headers([
  ...common.map(([name, value]): [string, string] => [name, value]),
  ["content-security-policy", closedPolicy],
  ["cache-control", "no-store"],
]);

/** Answers that had all their headers from the start. */
const complete = new WeakSet<Response>();

/** A JSON answer with the common headers. */
export function jsonResponse(
  value: unknown,
  status: number,
  headers: Record<string, string> | null,
): Response {
  const response = Response.json(value, { status, headers: jsonHeaders });
  if (headers === null) complete.add(response);
  else for (const [name, text] of Object.entries(headers)) response.headers.set(name, text);
  return response;
}

/**
 * Puts the common headers on an answer; what it already has stays.
 * @param bucketOrigins whence pages may load media besides this server
 */
export function secure(
  response: Response,
  { id, idWasSent, base }: Pick<Visit, "id" | "idWasSent" | "base">,
  bucketOrigins: readonly string[] = [],
): Response {
  if (base !== "")
    return secure(rebased(response, base), { id, idWasSent, base: "" }, bucketOrigins);
  if (complete.has(response)) {
    if (idWasSent) response.headers.set("x-request-id", id);
    return response;
  }
  const headers = response.headers;
  for (const [name, value] of common) {
    if (!headers.has(name)) headers.set(name, value);
  }
  if (!headers.has("content-security-policy")) {
    headers.set("content-security-policy", closedPolicy);
  }
  if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
  headers.set("kinomill-request", id);
  headers.set("x-request-id", id);
  if (bucketOrigins.length > 0 && headers.get("content-type")?.startsWith("text/html") === true) {
    const policy = headers.get("content-security-policy") ?? "";
    headers.set("content-security-policy", widened(policy, bucketOrigins));
  }
  return response;
}

/** The policy with further places for pictures, media and what the player fetches. Nothing runs from there. */
function widened(policy: string, origins: readonly string[]): string {
  const widens = /^(img|media|connect)-src 'self'/;
  return policy
    .split("; ")
    .map((directive) => (widens.test(directive) ? [directive, ...origins].join(" ") : directive))
    .join("; ");
}

/** Views that were sent for the top of a server, to be sent again for a path under it. */
const views = new WeakMap<Response, { view: Html; nonce: string }>();

/** The same answer for an asker who finds the site under a path. */
function rebased(response: Response, base: string): Response {
  if (complete.has(response)) return response;
  const sent = views.get(response);
  const { status, headers } = response;
  const again =
    sent === undefined
      ? response
      : new Response(sent.view.render(sent.nonce, base), { status, headers });
  rebase(again.headers, base);
  return again;
}

/** A page or a fragment, with the policy and the nonce that each carries. */
export function htmlResponse(
  view: Html,
  status = 200,
  headers: Record<string, string> = {},
): Response {
  const nonce = newNonce();
  const response = new Response(view.render(nonce), {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": contentSecurityPolicy(nonce),
      "cross-origin-opener-policy": "same-origin",
      vary: "hx-request",
      ...headers,
    },
  });
  views.set(response, { view, nonce });
  return response;
}
