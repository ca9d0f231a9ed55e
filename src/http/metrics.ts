/** `GET /metrics` for Prometheus: for API tokens, and for programs of this machine itself. */
import { Refusal } from "../trouble.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import type { Parts } from "./parts.ts";
import type { Streams } from "./stream.ts";
import type { Visit } from "./visit.ts";

export function metricsEndpoints(parts: Parts, streams: Streams): Endpoint[] {
  return [
    endpoint({
      method: "GET",
      path: "/metrics",
      tag: "system",
      summary: "Figures for Prometheus.",
      description:
        "For any API token, and without one from this machine itself (a loopback address, not through a proxy).",
      answers: {
        200: { description: "Prometheus text, version 0.0.4.", mediaType: "text/plain" },
        401: { description: "`unauthenticated`: it needs an API token from elsewhere." },
      },
      handle: async ({ request, visit }) => {
        if (!mayScrape(request, visit)) throw refusal();
        const text = await parts.metrics.text(streams.count);
        return new Response(text, { headers: { "content-type": parts.metrics.contentType } });
      },
    }),
  ];
}

/** What proxies put on what they pass on: behind one everybody comes from this machine. */
const proxyHeaders = [
  ...["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"],
  ...["x-forwarded-prefix", "x-real-ip", "via"],
];

function mayScrape(request: Request, visit: Visit): boolean {
  if (visit.credential.kind !== "none") {
    return visit.credential.kind === "token" && visit.user !== null;
  }
  if (proxyHeaders.some((name) => request.headers.has(name))) return false;
  return isLoopback(visit.peer());
}

/** 127.0.0.0/8, ::1, and the former as IPv6 writes it. */
export function isLoopback(address: string): boolean {
  return address === "::1" || /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/i.test(address);
}

function refusal(): Refusal {
  return new Refusal(
    401,
    "unauthenticated",
    "Metrics are for this machine itself and for API tokens (Authorization: Bearer kmt_…).",
    { headers: { "www-authenticate": 'Bearer realm="kinomill"' } },
  );
}
