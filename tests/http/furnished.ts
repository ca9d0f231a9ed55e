/** A site with something in it: films of ann and of bob, a job that waits and one that was cancelled. */
import { describe } from "bun:test";
import { runScenarios, type Scenario } from "./scenarios.ts";
import { addFilm, openSite, type SiteRig } from "./site.ts";

export interface Furnished {
  site: SiteRig;
  /**
   * Ids for addresses: `film` (with a difficult name) and `used` (an input of `job`) are ann's,
   * `others` is bob's, `ended` is ann's cancelled job, `nobody` does not exist.
   */
  places: Record<string, string>;
}

export async function furnish(): Promise<Furnished> {
  const site = await openSite();
  const asker = { id: site.people.ann.id, name: "ann" };
  const film = await addFilm(site, "ann", 'Süße "Ente"\n.mp4');
  const others = await addFilm(site, "bob", "secret-of-bob.mp4");
  const used = await addFilm(site, "ann", "used.mp4");
  const request = { operation: "transcode", inputs: [used], params: {}, priority: 0, labels: {} };
  const job = (await site.parts.jobs.submit(asker, request, null)).job.id;
  const ended = (await site.parts.jobs.submit(asker, request, null)).job.id;
  site.parts.jobs.cancel(asker, ended);
  return { site, places: { film, others, used, job, ended, nobody: `as_${"0".repeat(32)}` } };
}

/** Makes a function that turns a table of scenarios into tests on this home. */
export function tableFor(home: () => Furnished): (name: string, scenarios: Scenario[]) => void {
  return (name, scenarios) =>
    describe(name, () =>
      runScenarios(
        () => home().site,
        () => home().places,
        scenarios,
      ),
    );
}
