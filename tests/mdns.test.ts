/** kinomill.local: the whole server is found by multicast DNS from a neighbouring machine, and where it should be silent it is. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createSocket, type Socket } from "node:dgram";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Answer, decode, encode, type Packet, type RecordType } from "dns-packet";
import { Appliance, eventually, executable } from "./appliance.ts";

setDefaultTimeout(180_000);

const WAIT_MS = 60_000;
/** A question of UDP may be lost, and is asked again after this. */
const ASK_AGAIN_MS = 250;
/** What is silent is asked as often as this, and each time its neighbour answers. */
const SILENT_ROUNDS = 10;

const GROUP = "224.0.0.251";
const MDNS_PORT = 5353;
const PORT = 7600;

/** A machine beside this one: a network of its own, joined by one cable. */
const name = `kinomill-${process.pid}`;
const cable = `kmdns${process.pid % 100_000}`;
const network = `10.203.${process.pid % 250}`;
const [here, there] = [`${network}.1`, `${network}.2`];

function ip(line: string): void {
  const done = Bun.spawnSync(["ip", ...line.split(" ")]);
  if (done.exitCode !== 0) throw new Error(`ip ${line} (is this root?): ${done.stderr}`);
}

let folder: string;
let asker: Asker;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "mdns-"));
  ip(`netns add ${name}`);
  ip(`link add ${cable} type veth peer name eth0 netns ${name}`);
  ip(`address add ${here}/30 dev ${cable}`);
  ip(`link set ${cable} up`);
  ip(`-n ${name} address add ${there}/30 dev eth0`);
  ip(`-n ${name} link set eth0 up`);
  ip(`-n ${name} link set lo up`);
  asker = await Asker.open();
});
afterAll(() => {
  asker?.close();
  // The other end of the cable goes with the network.
  Bun.spawnSync(["ip", "netns", "delete", name]);
  rmSync(folder, { recursive: true });
});

/**
 * What stands before the server on the machine beside this one. Its files are those of this machine but for the mark of a
 * container, which this one may have itself.
 */
const entry = (inside: string) => `#!/bin/sh
set -eu
[ "\${1:-}" = inside ] || exec ip netns exec ${name} unshare --mount --propagation private "$0" inside "$@"
shift
mkdir -p ${folder}/machine
mount -t tmpfs -o mode=755 none ${folder}/machine
cd ${folder}/machine
mkdir changes work root
mount -t overlay -o lowerdir=/,upperdir=changes,workdir=work none root
rm -f root/.dockerenv root/run/.containerenv
for place in /proc /dev ${tmpdir()} ${dirname(executable)}; do
  mkdir -p root$place
  mount --rbind $place root$place
done
${inside}
exec env --unset=container chroot root env --chdir=/ \${MARK:+"container=$MARK"} ${executable} "$@"
`;

/** Starts a server on the machine beside this one. `inside` is what a shell does before it. */
async function start(environment: Record<string, string>, port = PORT, inside = "") {
  const program = join(folder, `kinomill-${port}`);
  await Bun.write(program, entry(inside));
  chmodSync(program, 0o755);
  const url = `http://${there}:${port}`;
  return await Appliance.start({ executable: program, url, environment });
}

/** Somebody in the network who asks and hears, from the port of mDNS and from another as ordinary resolvers do. */
class Asker {
  /** What was answered so far, with the port that it came to. */
  readonly heard: { port: number; answer: Answer }[] = [];
  private readonly sockets: Map<number, Socket>;

  private constructor(sockets: Map<number, Socket>) {
    this.sockets = sockets;
    for (const [port, socket] of sockets) {
      socket.on("message", (bytes) => {
        const { type, answers = [] } = decode(bytes);
        if (type === "response")
          this.heard.push(...answers.map((answer) => ({ port, answer: answer as Answer })));
      });
    }
  }

  static async open(): Promise<Asker> {
    const sockets = new Map<number, Socket>();
    for (const port of [MDNS_PORT, 0]) {
      const socket = createSocket({ type: "udp4", reuseAddr: true });
      sockets.set(port, socket);
      await new Promise<void>((resolve, reject) => {
        socket.once("error", reject);
        socket.bind(port, resolve);
      });
      if (port === MDNS_PORT) socket.addMembership(GROUP, here);
      socket.setMulticastInterface(here);
      socket.setMulticastTTL(255);
    }
    return new Asker(sockets);
  }

  /** Asks the whole network once. */
  ask(port: number, host: string, type: RecordType): void {
    const question: Packet = { type: "query", id: 7, questions: [{ name: host, type }] };
    this.sockets.get(port)?.send(encode(question), MDNS_PORT, GROUP);
  }

  answersOf(host: string, type?: string): Answer[] {
    return this.heard
      .map(({ answer }) => answer)
      .filter((answer) => answer.name === host && (type ?? answer.type) === answer.type);
  }

  /** Asks until the answer comes. */
  found(port: number, host: string, type: RecordType): Promise<Answer> {
    this.heard.length = 0;
    return eventually(`${host} is found (${type})`, WAIT_MS, async () => {
      this.ask(port, host, type);
      const until = performance.now() + ASK_AGAIN_MS;
      const answered = () =>
        this.heard.find(({ port: to, answer }) => {
          return to === port && answer.name === host && answer.type === type;
        })?.answer;
      while (answered() === undefined && performance.now() < until) await Bun.sleep(5);
      return answered();
    });
  }

  close(): void {
    for (const socket of this.sockets.values()) socket.close();
  }
}

/** Whether a process holds a socket of UDP on the port of mDNS. */
function listensToMulticast(pid: number): boolean {
  const inodes = readFileSync(`/proc/${pid}/net/udp`, "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = ""]) => local.endsWith(`:${MDNS_PORT.toString(16).toUpperCase()}`))
    .map((columns) => `socket:[${columns[9]}]`);
  return readdirSync(`/proc/${pid}/fd`).some((number) => {
    return inodes.includes(readlinkSync(`/proc/${pid}/fd/${number}`));
  });
}

test("a neighbour finds its address, its port and where the page is, and hears when it goes", async () => {
  await using appliance = await start({});
  expect(await asker.found(MDNS_PORT, "kinomill.local", "A")).toMatchObject({ data: there });
  expect(await asker.found(0, "kinomill.local", "A")).toMatchObject({ data: there });
  const instance = "kinomill._http._tcp.local";
  const service = await asker.found(MDNS_PORT, "_http._tcp.local", "PTR");
  expect(service).toMatchObject({ data: instance });
  expect(await asker.found(MDNS_PORT, instance, "SRV")).toMatchObject({
    data: { port: PORT, target: "kinomill.local" },
  });
  expect(String(asker.answersOf(instance, "TXT").map((text) => "data" in text && text.data))).toBe(
    "path=/",
  );
  expect(listensToMulticast(appliance.pid)).toBe(true);
  // The name leads to a server that answers to it.
  const byName = await fetch(`${appliance.url}/login`, {
    ...{ redirect: "manual", headers: { host: `kinomill.local:${PORT}` } },
  });
  expect(byName.status).toBeLessThan(400);
  asker.heard.length = 0;
  expect(await appliance.end()).toBe(0);
  await eventually("it says that it goes", WAIT_MS, async () => {
    return asker.answersOf("kinomill.local", "A").some((answer) => "ttl" in answer && !answer.ttl);
  });
});

describe("is not found", () => {
  test.each<[string, Record<string, string>, string]>([
    ["when it is turned off", { KINOMILL_MDNS_MODE: "off" }, ""],
    ["in a container that says so in its environment", { MARK: "docker" }, ""],
    ["in a container that has Docker's mark", {}, "touch root/.dockerenv"],
  ])("%s", async (_when, environment, inside) => {
    await using silent = await start(environment, PORT, inside);
    // On the same machine, started later: when this one answers, that one has had the same questions, and more time.
    await using control = await start({ KINOMILL_MDNS_NAME: "control" }, PORT + 1);
    for (let round = 0; round < SILENT_ROUNDS; round += 1) {
      asker.ask(MDNS_PORT, "kinomill.local", "A");
      asker.ask(0, "kinomill.local", "A");
      expect(await asker.found(MDNS_PORT, "control.local", "A")).toMatchObject({ data: there });
      expect(asker.answersOf("kinomill.local")).toEqual([]);
    }
    expect([silent, control].map(({ pid }) => listensToMulticast(pid))).toEqual([false, true]);
  });
});
