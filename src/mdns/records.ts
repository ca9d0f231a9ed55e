/** What multicast DNS says of this server (RFC 6762), and what it makes of what others say. Pure. */
import type { Answer, Packet, Question, StringAnswer } from "dns-packet";
import ipaddr from "ipaddr.js";

/** Who this server is on the network now. */
export interface Identity {
  /** "kinomill-2" */
  label: string;
  port: number;
  tls: boolean;
  /** The path of the site, with a slash at its end. */
  path: string;
  /** All addresses of this machine that others reach. */
  addresses: readonly string[];
}

/** Seconds for which others may remember: names of machines, and all else. */
const HOST_TTL = 120;
const SERVICE_TTL = 4500;

/** A question list as long as this is no question. */
const QUESTIONS_MAX = 50;

const service = "_http._tcp.local";
const services = "_services._dns-sd._udp.local";

export const hostOf = ({ label }: Identity) => `${label}.local`;
const instanceOf = ({ label }: Identity) => `${label}.${service}`;

/** @param here the address of the network that is asked in: of IPv4 that one alone is told there */
function addressRecords(identity: Identity, here: string): Answer[] {
  const name = hostOf(identity);
  const common = { name, class: "IN" as const, ttl: HOST_TTL, flush: true };
  const six = identity.addresses.filter((address) => address.includes(":"));
  return [
    { ...common, type: "A", data: here } as StringAnswer,
    ...six.map((data) => ({ ...common, type: "AAAA", data }) as StringAnswer),
  ];
}

function serviceRecords(identity: Identity): Answer[] {
  const instance = instanceOf(identity);
  const common = { class: "IN" as const, ttl: SERVICE_TTL };
  // Says where the site is; `https` is our own word, for _http._tcp has none.
  const text = [`path=${identity.path}`, ...(identity.tls ? ["https=1"] : [])];
  return [
    { ...common, name: service, type: "PTR", data: instance },
    { ...common, name: services, type: "PTR", data: service },
    {
      ...{ ...common, ttl: HOST_TTL, flush: true, name: instance, type: "SRV" as const },
      data: { port: identity.port, target: hostOf(identity), priority: 0, weight: 0 },
    },
    { ...common, flush: true, name: instance, type: "TXT", data: text },
  ];
}

/** Everything: for announcing, and with no time to live for going. */
export function allRecords(identity: Identity, here: string): Answer[] {
  return [...addressRecords(identity, here), ...serviceRecords(identity)];
}

/** What of it answers these questions; empty for none. */
export function answersTo(packet: Packet, identity: Identity, here: string): Answer[] {
  const questions = packet.questions ?? [];
  if (packet.type !== "query" || questions.length > QUESTIONS_MAX) return [];
  const all = allRecords(identity, here);
  const wanted = all.filter((record) => questions.some((question) => fits(question, record)));
  const known = packet.answers ?? [];
  const fresh = wanted.filter((record) => !known.some((other) => isSame(record, other)));
  if (fresh.length === 0) return [];
  // Whoever asks for the service will ask for its place next.
  const asksService = fresh.some(({ type }) => type === "PTR" || type === "SRV");
  return asksService ? [...new Set([...fresh, ...all])] : fresh;
}

function fits(question: Question, record: Answer): boolean {
  const type = question.type as string;
  const sameType = type === record.type || type === "ANY";
  return sameType && question.name.toLowerCase() === record.name.toLowerCase();
}

/** Known-answer suppression: the asker has it, and for long enough. */
function isSame(record: Answer, other: Answer): boolean {
  if (record.type !== other.type || record.name.toLowerCase() !== other.name.toLowerCase())
    return false;
  const [mine, theirs] = [record as StringAnswer, other as StringAnswer];
  return (
    JSON.stringify(mine.data) === JSON.stringify(theirs.data) &&
    (theirs.ttl ?? 0) * 2 >= (mine.ttl ?? 0)
  );
}

/** Whether another machine says that it has this name. */
export function isClaimed(packet: Packet, identity: Identity): boolean {
  const said =
    packet.type === "response"
      ? [...(packet.answers ?? []), ...(packet.additionals ?? [])]
      : // A probe of somebody who wants the name at the same moment: the one with the greater address has it.
        (packet.authorities ?? []).filter((record) => isGreater(record, identity));
  return said.some((record) => {
    const isAddress = record.type === "A" || record.type === "AAAA";
    if (!isAddress || record.name.toLowerCase() !== hostOf(identity)) return false;
    const { data, ttl } = record as StringAnswer;
    return ttl !== 0 && ipaddr.isValid(data) && !isOwn(data, identity);
  });
}

function isOwn(address: string, { addresses }: Identity): boolean {
  const text = ipaddr.process(address).toString();
  return addresses.includes(text) || ipaddr.parse(text).range() === "loopback";
}

function isGreater(record: Answer, { addresses }: Identity): boolean {
  const { type, data } = record as StringAnswer;
  if (type !== "A" || !ipaddr.IPv4.isValid(data)) return false;
  const own = addresses.filter((address) => !address.includes(":")).map(bytesOf);
  return own.every((each) => Buffer.compare(bytesOf(data), each) > 0);
}

const bytesOf = (address: string) => Buffer.from(ipaddr.parse(address).toByteArray());
