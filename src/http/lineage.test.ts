import { afterAll, beforeAll, expect, test } from "bun:test";
import { openSite, type SiteRig } from "../../tests/http/site.ts";
import type { AssetOrigin } from "../assets/asset.ts";
import { newId } from "../identity.ts";
import { lineageOf } from "./lineage.ts";

let rig: SiteRig;

beforeAll(async () => {
  rig = await openSite();
});

afterAll(() => rig.close());

/** A film of ann's, made by that job or brought. */
async function add(name: string, origin: AssetOrigin = { kind: "upload" }): Promise<string> {
  const path = `${rig.folder}/${name}`;
  await Bun.write(path, `FILM ${name}`);
  const { id: ownerId } = rig.people.ann;
  const arrival = { id: newId("asset"), ownerId, name, path, known: null, origin };
  return (await rig.library.adopt(arrival)).id;
}

/** A job that made so many files of this one, done at once. */
async function make(from: string, names: string[], params: Record<string, unknown> = {}) {
  const asker = { id: rig.people.ann.id, name: "ann" };
  const request = { operation: "transcode", inputs: [from], params, priority: 0, labels: {} };
  const { job } = await rig.parts.jobs.submit(asker, request, null);
  const made: string[] = [];
  for (const name of names)
    made.push(await add(name, { kind: "job", jobId: job.id, role: "main" }));
  rig.database
    .query(
      `UPDATE job SET state = 'succeeded', started_at = created_at, finished_at = created_at
       WHERE id = ?1`,
    )
    .run(job.id);
  return made;
}

const names = (files: readonly { name: string | null }[]) => files.map(({ name }) => name);

test("several generations are shown both ways, with what was done in words", async () => {
  const film = await add("film.mov");
  const [copy = ""] = await make(film, ["copy.mp4"], { video: { codec: "hevc", quality: 80 } });
  const [small = ""] = await make(copy, ["small.mp4", "b.mp4", "c.mp4", "d.mp4", "e.mp4"]);
  await make(small, ["tiny.mp4"]);

  const middle = lineageOf(rig.parts, rig.people.ann.id, copy);
  expect(middle.from).toHaveLength(1);
  expect(middle.from[0]?.making).toMatchObject({
    title: "Transcode",
    asked: ["Video codec: HEVC (H.265)", "Quality: 80"],
  });
  expect(names(middle.from[0]?.files ?? [])).toEqual(["film.mov"]);
  const [below] = middle.into;
  expect(below?.files).toHaveLength(3);
  expect(below?.more).toBe(2);
  expect(names(below?.into[0]?.files ?? [])).toEqual(["tiny.mp4"]);

  const last = lineageOf(rig.parts, rig.people.ann.id, small);
  expect(last.from.map(({ files }) => names(files))).toEqual([["film.mov"], ["copy.mp4"]]);
});

test("a source that was deleted says so, and nobody else's is shown", async () => {
  const film = await add("gone.mov");
  const [copy = ""] = await make(film, ["kept.mp4"]);
  await rig.library.delete(rig.people.ann.id, film, { forever: true });
  const { from } = lineageOf(rig.parts, rig.people.ann.id, copy);
  expect(names(from[0]?.files ?? [])).toEqual([null]);
  expect(lineageOf(rig.parts, rig.people.bob.id, copy)).toEqual({
    from: [],
    into: [],
    more: false,
  });
});

test("what has very many descendants shows some of them, and says that there are more", async () => {
  const film = await add("busy.mov");
  for (let number = 0; number < 8; number += 1) {
    const [first = ""] = await make(film, [`x${number}.mp4`, `y${number}.mp4`]);
    for (const turn of ["a", "b"]) await make(first, [`${turn}${number}.mp4`]);
  }
  const { into, more } = lineageOf(rig.parts, rig.people.ann.id, film);
  const count = (steps: typeof into): number =>
    steps.reduce((sum, step) => sum + step.files.length + count([...step.into]), 0);
  expect(more).toBe(true);
  expect(count(into)).toBeLessThanOrEqual(33);
});
