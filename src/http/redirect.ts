/** Plain HTTP on a port of its own: it answers with the way to TLS and nothing else. */
import { cannotListen, splitAddress } from "./listener.ts";

export interface Redirect {
  port: number;
  stop(): Promise<void>;
}

/** Nobody sends a body here. */
const BODY_BYTES_MAX = 0;

/**
 * @param address `HOST:PORT` of the plain side
 * @param port of the side with TLS
 * @throws Refusal 409 `port_in_use`, 400 `cannot_listen`
 */
export function openRedirect(address: string, port: number): Redirect {
  const place = splitAddress(address);
  try {
    const server = Bun.serve({
      ...place,
      reusePort: false,
      development: false,
      maxRequestBodySize: BODY_BYTES_MAX,
      fetch: (request) => answer(request, port),
    });
    return { port: server.port ?? place.port, stop: () => server.stop(true) };
  } catch (cause) {
    throw cannotListen(cause, place.hostname, place.port);
  }
}

/** Only a host that has the form of one is put into an address; what came with the request is not sent back. */
const hostForm = /^(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])$/i;

function answer(request: Request, port: number): Response {
  const host = (request.headers.get("host") ?? "").replace(/:\d{1,5}$/, "");
  const headers = { "cache-control": "no-store", "content-type": "text/plain; charset=utf-8" };
  const isRead = request.method === "GET" || request.method === "HEAD";
  if (!isRead || !hostForm.test(host) || !URL.canParse(request.url)) {
    const sentence = `This server speaks TLS: use https:// and port ${port}.\n`;
    return new Response(sentence, { status: 400, headers });
  }
  const { pathname, search } = new URL(request.url);
  const at = port === 443 ? host : `${host}:${port}`;
  // For a while only: whoever turns TLS off again should not find browsers that remember.
  const location = `https://${at}${pathname}${search}`;
  return new Response(`This server speaks TLS: ${location}\n`, {
    status: 307,
    headers: { ...headers, location },
  });
}
