/** How soon a server that died with a long queue works again: the compiled executable, its ffmpeg and its disk. */
import { Appliance } from "../tests/appliance.ts";
import { dieWithQueued, untilFirstClaim } from "../tests/support/full-queue.ts";
import { type Extent, type Figure, median, milliseconds } from "./figure.ts";

const QUEUED = 10_000;

export async function queueRestart({ quick }: Extent): Promise<Figure> {
  await using first = await Appliance.start();
  await dieWithQueued(first, QUEUED);
  const times: number[] = [];
  for (let round = 0; round < (quick ? 3 : 9); round += 1) {
    times.push(await untilFirstClaim(first.folder));
  }
  return {
    what: `kill -9, then from the start to the first claim with ${QUEUED.toLocaleString("en")} queued, median in ms`,
    ours: `${milliseconds(median(times))} (worst ${milliseconds(Math.max(...times))})`,
    other: null,
    value: median(times),
    target: { atMost: 1_000 },
  };
}
