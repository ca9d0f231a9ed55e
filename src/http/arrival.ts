/**
 * How a request came here: from whom, by which name, with TLS or not, under which path. A reverse proxy that is trusted
 * says it in X-Forwarded-*; of everybody else these headers are what anybody can write.
 */
import ipaddr from "ipaddr.js";
import { BASE_PATH_LENGTH_MAX, basePathForm } from "../config-http.ts";
import { type Address, type AddressRange, parsePlace } from "../network-place.ts";

export interface Arrival {
  /** Address of whoever asks: the other end of the connection, or what a trusted proxy says of it. */
  peer(): string;
  /** The name that was asked for, with its port: the Host header, or a trusted proxy's X-Forwarded-Host. */
  host: string;
  /** Whether the asker came by TLS, as far as it is known. */
  tls: boolean;
  /** Path under which the asker finds the site, without a slash at its end; "" for the top. */
  base: string;
}

/** The connection that a request came through. */
export interface Line {
  peer(): string;
  tls: boolean;
}

/** Proxies that one request may have come through; a longer list is somebody's joke. */
const HOPS_MAX = 20;

/** @param http the settings; with neither a proxy nor a path nothing is looked at */
export function arrivals(http: {
  basePath: string;
  trustedProxies: readonly string[];
}): (request: Request, line: Line) => Arrival {
  const trusted = trustOf(http.trustedProxies);
  return (request, line) => {
    const { headers } = request;
    const host = headers.get("host") ?? "";
    const direct = { peer: line.peer, host, tls: line.tls, base: http.basePath };
    if (trusted === null || !trusted(line.peer())) return direct;
    const client = clientOf(headers.get("x-forwarded-for"), trusted);
    return {
      peer: client === null ? line.peer : () => client,
      host: firstOf(headers.get("x-forwarded-host")) ?? host,
      tls: line.tls || /^(https|wss)$/i.test(firstOf(headers.get("x-forwarded-proto")) ?? ""),
      base: prefixOf(headers.get("x-forwarded-prefix")) ?? http.basePath,
    };
  };
}

/** Says of an address whether it is a trusted proxy's; null where none is trusted. */
export function trustOf(proxies: readonly string[]): ((address: string) => boolean) | null {
  const ranges = proxies.flatMap((text) => {
    const place = parsePlace(text);
    return place !== null && "range" in place ? [unmapped(place.range)] : [];
  });
  if (ranges.length === 0) return null;
  return (text) => {
    const address = addressOf(text);
    if (address === null) return false;
    return ranges.some(
      ([base, bits]) => base.kind() === address.kind() && address.match([base, bits] as never),
    );
  };
}

/** ::ffff:10.0.0.0/104 is 10.0.0.0/8. */
function unmapped([base, bits]: AddressRange): AddressRange {
  if (!(base instanceof ipaddr.IPv6) || !base.isIPv4MappedAddress() || bits < 96)
    return [base, bits];
  return [base.toIPv4Address(), bits - 96];
}

/** Also ::ffff:192.168.1.5, which is an IPv4 address on a socket for both. */
function addressOf(text: string): Address | null {
  if (!ipaddr.isValid(text)) return null;
  return ipaddr.process(text);
}

/**
 * The last address that no trusted proxy has: everything left of it is what that one says, who may say anything.
 * Null where the list says nothing; a list that is broken ends at its last good entry.
 */
function clientOf(header: string | null, trusted: (address: string) => boolean): string | null {
  const hops = (header ?? "").split(",").slice(-HOPS_MAX).reverse();
  let client: string | null = null;
  for (const hop of hops) {
    const address = addressOf(withoutPort(hop.trim()));
    if (address === null) return client;
    client = address.toString();
    if (!trusted(client)) return client;
  }
  return client;
}

/** Some proxies write `1.2.3.4:5678` and `[::1]:5678`. */
function withoutPort(hop: string): string {
  return /^\[(.+)\](?::\d+)?$/.exec(hop)?.[1] ?? /^([\d.]+):\d+$/.exec(hop)?.[1] ?? hop;
}

/** Where several proxies wrote, the first stood next to the asker. */
function firstOf(header: string | null): string | null {
  const [first = ""] = (header ?? "").split(",");
  return first.trim() === "" ? null : first.trim();
}

/** Null for what is no path: it would stand in every link. */
function prefixOf(header: string | null): string | null {
  const prefix = firstOf(header)?.replace(/\/$/, "") ?? null;
  if (prefix === null || prefix.length > BASE_PATH_LENGTH_MAX) return null;
  return prefix === "" || basePathForm.test(prefix) ? prefix : null;
}
