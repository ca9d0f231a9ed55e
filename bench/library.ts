/** The first page of a library with 100,000 assets: as a person opens it, and as a program lists and searches it. */
import { Database } from "bun:sqlite";
import { join } from "node:path";
import { Appliance, eventually } from "../tests/appliance.ts";
import { bearer } from "./connection.ts";
import { type Extent, type Figure, median, milliseconds, percentile } from "./figure.ts";
import { type ApiAsset, storeAsset } from "./material.ts";

export const ASSETS = 100_000;

/**
 * Copies of one asset's row under new ids. The bytes behind them are not there, and no list needs them.
 * Column by column from the table itself, so that the next migration does not break it.
 */
export async function multiply(dataFolder: string, asset: ApiAsset): Promise<void> {
  const database = new Database(join(dataFolder, "kinomill.sqlite"), { create: false });
  const wanted = database.query("SELECT 1 FROM asset WHERE thumbnail_state = 'wanted'");
  // A hundred thousand pictures would be made of nothing all through the measurement.
  await eventually("the picture of the first is made", 30_000, async () => wanted.get() === null);
  const columns = database.query<{ name: string }, []>("PRAGMA table_info(asset)").all();
  const values = columns.map(({ name }) => {
    if (name === "id") return "?1";
    return name === "name" ? "?2" : name;
  });
  const insert = database.query(
    `INSERT INTO asset SELECT ${values.join(", ")} FROM asset WHERE id = ?3`,
  );
  database.transaction(() => {
    for (let index = 0; index < ASSETS; index += 1) {
      const id = `as_${Bun.randomUUIDv7("hex").replaceAll("-", "")}`;
      insert.run(id, `match ${index}.mp4`, asset.id);
    }
    // Sizes, lengths, codecs and labels as in a library of many years.
    database.run(`UPDATE asset SET size_bytes = abs(random() % 10000000000), length_ms = abs(random() % 7200000),
      codec = CASE abs(random() % 4) WHEN 0 THEN 'hevc' WHEN 1 THEN 'av1' ELSE 'h264' END,
      lines = CASE abs(random() % 3) WHEN 0 THEN 2160 WHEN 1 THEN 720 ELSE 1080 END,
      labels = CASE abs(random() % 10) WHEN 0 THEN '["cup final","u17"]' ELSE '[]' END
      WHERE name LIKE 'match %'`);
  })();
  database.close();
}

export async function login(url: string, name: string, password: string): Promise<string> {
  const answer = await fetch(`${url}/login`, {
    method: "POST",
    headers: { Origin: url, "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ name, password }).toString(),
    redirect: "manual",
  });
  const cookies = answer.headers.getSetCookie().map((cookie) => cookie.split(";")[0] ?? "");
  if (cookies.length === 0) throw new Error(`the login was answered ${answer.status}`);
  return cookies.join("; ");
}

export async function times(url: string, headers: Record<string, string>, count: number) {
  const measured: number[] = [];
  for (let round = 0; round < count; round += 1) {
    const started = performance.now();
    const answer = await fetch(url, { headers });
    await answer.arrayBuffer();
    if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}`);
    measured.push(performance.now() - started);
  }
  return measured;
}

/** Orders, and filters that fit few or none: what takes the longest. */
const others = [
  ["by name", "sort=name"],
  ["the largest", "sort=largest"],
  ["the longest", "sort=longest"],
  ["a codec", "codec=av1"],
  ["a codec of which there is none", "codec=prores"],
  ["a label, the largest first", "label=cup%20final&sort=largest"],
  ["a label of which there is none", "label=nothing"],
  ["what jobs work on, by name", "state=working&sort=name"],
  [
    "six filters of which there is none, by name",
    "kind=video&codec=h264&resolution=8k&minSeconds=60&label=u17&search=match&sort=name",
  ],
] as const;

export async function library({ quick }: Extent): Promise<Figure[]> {
  await using appliance = await Appliance.start();
  const { url } = appliance;
  const headers = bearer(await appliance.token("bench"));
  const asset = await storeAsset(url, headers);
  await multiply(appliance.dataFolder, asset);
  const list = await fetch(`${url}/api/v1/assets?limit=100`, { headers });
  const page = (await list.json()) as { items: ApiAsset[] };
  if (page.items.length !== 100) throw new Error("the list does not show the assets");
  const cookie = await login(url, "bench", appliance.password);
  const count = quick ? 10 : 100;
  // The first is what a person meets who opens the page after a start.
  const pageTimes = await times(`${url}/`, { Cookie: cookie }, count);
  const searchTimes = await times(`${url}/?q=match+7`, { Cookie: cookie }, count);
  const listTimes = await times(`${url}/api/v1/assets?limit=100`, headers, count);
  // Of all names the last that is looked at.
  const rare = `${url}/api/v1/assets?limit=100&search=${encodeURIComponent("match 0.mp4")}`;
  const rareTimes = await times(rare, headers, count);
  const kindTimes = await times(`${url}/api/v1/assets?limit=100&kind=audio`, headers, count);
  const lists: Figure[] = [];
  for (const [what, query] of others) {
    const measured = await times(`${url}/api/v1/assets?limit=100&${query}`, headers, count);
    lists.push(told(`${what}, through the API`, measured, { atMost: 50 }));
  }
  const worst = `${url}/?sort=name&codec=prores&label=cup+final&minSeconds=60&resolution=4k`;
  const worstTimes = await times(worst, { Cookie: cookie }, count);
  return [
    told("the library's first page", pageTimes, { atMost: 50 }),
    told("a search on it", searchTimes, { atMost: 50 }),
    told("five filters on it of which there is none", worstTimes, { atMost: 50 }),
    told("the first hundred through the API", listTimes, { atMost: 50 }),
    told("a search that looks at all names, through the API", rareTimes, { atMost: 50 }),
    told("a kind of which there is none, through the API", kindTimes, { atMost: 50 }),
    ...lists,
  ];
}

function told(what: string, measured: number[], target: Figure["target"]): Figure {
  return {
    what: `${what}, ${ASSETS.toLocaleString("en")} assets, p99 in ms`,
    ours: `${milliseconds(percentile(measured, 99))} (first ${milliseconds(measured[0] ?? 0)}, median ${milliseconds(median(measured))})`,
    other: null,
    value: percentile(measured, 99),
    target,
  };
}
