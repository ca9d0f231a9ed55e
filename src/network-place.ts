/** Places in a network as an admin writes them: addresses, ranges and hosts. */
import ipaddr from "ipaddr.js";

export type Address = ReturnType<typeof ipaddr.parse>;

/** An address and how many of its first bits count. */
export type AddressRange = [Address, number];

/** A host is in lower case, without a dot at its end; one that begins with a dot stands for all names below it. */
export type NetworkPlace = { range: AddressRange } | { host: string };

const nameForm = /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/;

/** `10.0.0.0/8`, `192.168.1.5`, `fd00::/8`, `nas.lan`, `*.lan`; null for what is none of these. */
export function parsePlace(text: string): NetworkPlace | null {
  const entry = text.trim().toLowerCase().replace(/\.$/, "");
  const bare = entry.replace(/^\[(.*)\]$/, "$1");
  // The four-part form alone: "10.1" is an address to some and a name to others.
  const [base = ""] = bare.split("/");
  if (!ipaddr.IPv4.isValidFourPartDecimal(base) && !ipaddr.IPv6.isValid(base)) {
    if (/^[\d.]+$/.test(entry) || entry.length > 253 || !nameForm.test(entry)) return null;
    return { host: entry.replace(/^\*/, "") };
  }
  if (base === bare) {
    const address = ipaddr.parse(bare);
    return { range: [address, address.kind() === "ipv4" ? 32 : 128] };
  }
  return ipaddr.isValidCIDR(bare) ? { range: ipaddr.parseCIDR(bare) } : null;
}
