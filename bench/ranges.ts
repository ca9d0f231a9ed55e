/** One range of a large file, as a player asks for it, next to the same bytes from a bare Bun.serve. */
import { Appliance, eventually } from "../tests/appliance.ts";
import { bearer, flood } from "./connection.ts";
import { type Extent, type Figure, median } from "./figure.ts";
import { paddedClip, storeAsset } from "./material.ts";
import { compileBareServer } from "./start.ts";

const BARE_PORT = 17613;
const FILE_BYTES = 100_000_000;
/** What a browser's player asks for at once is about as much. */
const RANGE = { start: 50_000_000, end: 51_000_000 };
const CONNECTIONS = 4;

export async function ranges({ quick }: Extent): Promise<Figure[]> {
  const file = await paddedClip(FILE_BYTES);
  await using appliance = await Appliance.start();
  const token = bearer(await appliance.token("bench"));
  const asset = await storeAsset(appliance.url, token, file);
  const { start, end } = RANGE;
  const argv = [await compileBareServer(), String(BARE_PORT), file, String(start), String(end)];
  const bare = Bun.spawn(argv, { stdio: ["ignore", "ignore", "inherit"] });
  const bareUrl = `http://127.0.0.1:${BARE_PORT}/range`;
  await eventually("the bare server answers", 5_000, () => fetch(bareUrl).catch(() => null));
  const ourUrl = `${appliance.url}/api/v1/assets/${asset.id}/content`;
  const headers = { ...token, Range: `bytes=${start}-${end - 1}` };
  const requests = quick ? 200 : 2_000;
  const perSecond = async (url: string, sent: Record<string, string>) =>
    requests / (await flood(url, sent, { connections: CONNECTIONS, requests }));
  const ours: number[] = [];
  const theirs: number[] = [];
  // The first round of each warms up and is left out.
  for (let round = 0; round < (quick ? 2 : 6); round += 1) {
    theirs.push(await perSecond(bareUrl, {}));
    ours.push(await perSecond(ourUrl, headers));
  }
  bare.kill();
  await bare.exited;
  const [mine, other] = [median(ours.slice(1)), median(theirs.slice(1))];
  return [
    {
      what: "ranges of 1 MB per second out of 100 MB",
      ours: mine.toFixed(0),
      other: `${other.toFixed(0)}, bare Bun.file`,
      value: mine / other,
      target: { atLeast: 0.8 },
    },
  ];
}
