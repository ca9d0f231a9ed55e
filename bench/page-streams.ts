/** A thousand open pages: what they cost in memory, and when the last of them hears of a change. */
import type { Socket } from "bun";
import { Appliance, eventually } from "../tests/appliance.ts";
import { bearer } from "./connection.ts";
import { type Extent, type Figure, median, milliseconds } from "./figure.ts";
import { residentBytes } from "./usage.ts";

const PAGES = 1_000;
/** Fewer than the server allows one person. */
const PAGES_PER_PERSON = 25;
const HEARD_LIMIT_MS = 10_000;

/** An open event stream, read as bytes: the machine is shared with the server. */
class Page {
  heard = 0;
  private socket: Socket | null = null;
  private rest = "";

  static async open(url: string, headers: Record<string, string>): Promise<Page> {
    const page = new Page();
    const { hostname, port, host } = new URL(url);
    page.socket = await Bun.connect({
      hostname,
      port: Number(port),
      socket: { data: (_, chunk) => page.take(chunk.toString("latin1")) },
    });
    const sent = Object.entries({ Host: host, Accept: "text/event-stream", ...headers });
    const lines = sent.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    page.socket.write(`GET /ui/events HTTP/1.1\r\n${lines}\r\n`);
    return page;
  }

  private take(text: string): void {
    const all = this.rest + text;
    this.heard += all.split("event: work\n").length - 1;
    this.rest = all.slice(-"event: work".length);
  }

  close(): void {
    this.socket?.end();
  }
}

export async function pageStreams({ quick }: Extent): Promise<Figure[]> {
  await using appliance = await Appliance.start();
  const { url } = appliance;
  const admin = bearer(await appliance.token("bench", "admin"));
  const count = quick ? 50 : PAGES;
  const people: Record<string, string>[] = [];
  while (people.length * PAGES_PER_PERSON < count) {
    people.push(bearer(await appliance.token(`person${people.length}`)));
  }
  const before = residentBytes(appliance.pid);
  const pages: Page[] = [];
  for (let at = 0; at < count; at += 1) {
    pages.push(await Page.open(url, people[Math.floor(at / PAGES_PER_PERSON)] ?? {}));
  }
  const allHeard = (times: number) => pages.every(({ heard }) => heard >= times);
  await eventually("every page is told how things stand", HEARD_LIMIT_MS, async () => allHeard(1));
  const grown = (residentBytes(appliance.pid) - before) / 1e6;
  const waits: number[] = [];
  for (let round = 0; round < (quick ? 4 : 20); round += 1) {
    const heard = pages.map((page) => page.heard);
    const started = performance.now();
    const answer = await fetch(`${url}/api/v1/system/work`, {
      method: "PATCH",
      headers: { ...admin, "Content-Type": "application/json" },
      body: JSON.stringify({ mode: round % 2 === 0 ? "paused" : "running" }),
    });
    if (!answer.ok) throw new Error(`the switch answered ${answer.status}`);
    const lastPage = () => pages.every((page, at) => page.heard > (heard[at] ?? 0));
    while (!lastPage()) {
      if (performance.now() - started > HEARD_LIMIT_MS) throw new Error("a page heard nothing");
      await Bun.sleep(1);
    }
    waits.push(performance.now() - started);
  }
  for (const page of pages) page.close();
  const worst = Math.max(...waits);
  return [
    {
      what: `memory that ${count} open pages take, in MB`,
      ours: `${grown.toFixed(1)} MB`,
      other: null,
      value: grown,
      target: { atMost: 100 },
    },
    {
      what: `from a change being asked for until the last of ${count} pages has heard of it, worst in ms`,
      ours: `${milliseconds(worst)} (median ${milliseconds(median(waits))})`,
      other: null,
      value: worst,
      target: { atMost: 250 },
    },
  ];
}
