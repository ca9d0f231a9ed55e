/**
 * The addresses of this machine. From /proc, because the service of systemd may not ask the kernel by a netlink socket,
 * and then `networkInterfaces` knows nothing; elsewhere from that.
 */
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import ipaddr from "ipaddr.js";

/** Every one, the loopback's too, in the shortest form, without zones. */
export function ownAddresses(): string[] {
  const found = new Set([...fromProc(), ...fromInterfaces()]);
  return [...new Set([...found].map(shortest))];
}

/** Those under which others in the local network reach it: neither the loopback's nor those of one link. */
export function reachableAddresses(): string[] {
  return ownAddresses().filter((text) => {
    const range = ipaddr.parse(text).range();
    return range !== "loopback" && range !== "linkLocal";
  });
}

/**
 * Those that may stand in a certificate: reachable ones that stay. IPv6 addresses that a machine takes for a day and
 * throws away would want a new certificate each time.
 */
export function certificateAddresses(): string[] {
  const passing = new Set(passingIpv6(contentOf("/proc/net/if_inet6")).map(shortest));
  return reachableAddresses().filter((address) => !passing.has(address));
}

function shortest(text: string): string {
  return ipaddr.process(text).toString();
}

/** The fifth column has the flags; 01 is a temporary address. */
export function passingIpv6(lines: string): string[] {
  return lines.split("\n").flatMap((line) => {
    const flags = Number.parseInt(line.trim().split(/\s+/)[4] ?? "", 16);
    return (flags & 1) === 1 ? localIpv6(line) : [];
  });
}

function fromProc(): string[] {
  return [
    ...localIpv4(contentOf("/proc/net/fib_trie")),
    ...localIpv6(contentOf("/proc/net/if_inet6")),
  ];
}

/** Of `|-- 192.168.1.5` with `/32 host LOCAL` below it. */
export function localIpv4(trie: string): string[] {
  const found = trie.matchAll(/\|-- ([\d.]+)\n\s+\/32 host LOCAL/g);
  return [...new Set([...found].map(([, address = ""]) => address))];
}

/** Lines that begin with 32 hexadecimal digits. */
export function localIpv6(lines: string): string[] {
  const found = lines.matchAll(/^([0-9a-f]{32})\s/gm);
  return [...found].map(([, digits = ""]) => (digits.match(/.{4}/g) ?? []).join(":"));
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function fromInterfaces(): string[] {
  try {
    const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    return all.map(({ address }) => address.replace(/%.*$/, ""));
  } catch {
    return [];
  }
}
