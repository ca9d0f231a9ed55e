/**
 * Which addresses a link may lead to. Whoever may import could otherwise make this server fetch what only it can
 * reach: its own services, the router, the metadata of a cloud with the keys of the machine. Pure, but for the list
 * of this machine's own addresses.
 */
import ipaddr from "ipaddr.js";
import { type Address, type AddressRange, parsePlace } from "../network-place.ts";
import { assert } from "../trouble.ts";

/** What the admin has opened. */
export interface Allowed {
  ranges: readonly AddressRange[];
  hosts: ReadonlySet<string>;
}

/** @throws Error for an entry that the settings would have refused */
export function allowedFrom(entries: readonly string[]): Allowed {
  const ranges: AddressRange[] = [];
  const hosts = new Set<string>();
  for (const text of entries) {
    const place = parsePlace(text);
    assert(place !== null, `${text} is an address, a range or a host name`);
    if ("host" in place) hosts.add(place.host);
    else ranges.push(place.range);
  }
  return { ranges, hosts };
}

/** Whether the admin has opened this host by its name, whatever it resolves to. */
export function hostIsAllowed(host: string, { hosts }: Allowed): boolean {
  const labels = host.toLowerCase().replace(/\.$/, "").split(".");
  if (hosts.has(labels.join("."))) return true;
  return labels.some((_, index) => index > 0 && hosts.has(`.${labels.slice(index).join(".")}`));
}

/** Public by its number, and yet the inside of a cloud: Azure's wire server. */
const insideThough = new Set(["168.63.129.16"]);

/** The space of IPv6 that is routed in the internet; what lies outside is local, reserved or IPv4 in disguise. */
const globalUnicast: AddressRange = [ipaddr.parse("2000::"), 3];

export type AddressVerdict = "public" | "allowed" | "own" | "inside";

/**
 * Judges one address.
 * @param own addresses of this machine: also a public one leads past its firewall
 */
export function judgeAddress(
  text: string,
  allowed: Allowed,
  own: ReadonlySet<string> = new Set(),
): AddressVerdict {
  if (!ipaddr.isValid(text)) return "inside";
  const address = ipaddr.parse(text);
  // The machine itself sees through the disguise, so the admin's word for the IPv4 address counts.
  const seen = address.kind() === "ipv6" ? ipaddr.process(text) : address;
  if (allowed.ranges.some((range) => lies(address, range) || lies(seen, range))) return "allowed";
  if (own.has(seen.toString())) return "own";
  const open = address.range() === "unicast" && !insideThough.has(address.toString());
  if (!open || (address.kind() === "ipv6" && !lies(address, globalUnicast))) return "inside";
  return "public";
}

function lies(address: Address, range: AddressRange): boolean {
  return address.kind() === range[0].kind() && address.match(range[0], range[1]);
}
