/** The library for browsers, over HTTP without a socket. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  type AskOptions,
  addFilm,
  type Name,
  openSite,
  type SiteRig,
} from "../../tests/http/site.ts";

let site: SiteRig;
const ids: string[] = [];

beforeAll(async () => {
  site = await openSite();
  for (const name of ["a.mp4", "b.mp4", "c.mp4"]) ids.push(await addFilm(site, "ann", name));
});
afterAll(() => site.close());

async function browse(path: string, options: AskOptions = {}, as: Name = "ann") {
  const response = await site.ask(path, { browser: as, ...options });
  return { status: response.status, headers: response.headers, text: await response.text() };
}
const form = (path: string, fields: [string, string][], as: Name = "ann", htmx = true) =>
  browse(
    path,
    {
      method: "POST",
      body: new URLSearchParams(fields).toString(),
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        ...(htmx ? { "hx-request": "true" } : {}),
      },
    },
    as,
  );
const all = () => ids.map((id): [string, string] => ["id", id]);
const cardsIn = (text: string) =>
  [...text.matchAll(/class="card-name"[^>]*>([^<]*)</g)].map(([, name]) => name);

test("the page and its list are filtered and sorted by the address; what is wrong in it is ignored", async () => {
  expect(cardsIn((await browse("/")).text)).toEqual(["c.mp4", "b.mp4", "a.mp4"]);
  expect(cardsIn((await browse("/ui/library?sort=name")).text)).toEqual([
    "a.mp4",
    "b.mp4",
    "c.mp4",
  ]);
  expect(cardsIn((await browse("/ui/library?q=b&kind=video&codec=h264")).text)).toEqual(["b.mp4"]);
  expect(cardsIn((await browse("/ui/library?minSeconds=0:03")).text)).toEqual([]);
  const wrong = "/?sort=best&state=gone&resolution=1&minSeconds=x&view=wall&count=-1&kind=data";
  expect(cardsIn((await browse(wrong)).text)).toHaveLength(3);
  expect(cardsIn((await browse("/ui/library?sort=name&after=nonsense")).text)).toHaveLength(3);
  expect(cardsIn((await browse("/", {}, "bob")).text)).toEqual([]);
});

test("how it is shown is kept for the person, and for nobody else", async () => {
  expect((await browse("/")).text).toContain('class="cards grid"');
  expect((await browse("/ui/library?view=list")).text).toContain('class="cards list"');
  expect((await browse("/")).text).toContain('class="cards list"');
  await addFilm(site, "bob", "bob.mp4");
  expect((await browse("/", {}, "bob")).text).toContain('class="cards grid"');
  await browse("/?view=grid");
  expect((await browse("/")).text).toContain('class="cards grid"');
});

test("chosen files are labelled; a fault stands above the field", async () => {
  const given = await form("/ui/library/labels", [...all(), ["add", "cup, , final "]]);
  expect([given.status, given.headers.get("hx-trigger")]).toEqual([204, "library, labelled"]);
  const { text } = await browse("/?label=cup");
  expect(cardsIn(text)).toHaveLength(3);
  expect(text).toContain("Without this filter: cup");
  const taken = await form("/ui/library/labels", [...all(), ["remove", "cup"]]);
  expect(taken.status).toBe(204);
  expect(cardsIn((await browse("/?label=cup")).text)).toEqual([]);
  const long = await form("/ui/library/labels", [...all(), ["add", "x".repeat(65)]]);
  expect(long.status).toBe(422);
  expect(long.text).toContain("1 to 64 characters");
  const many = Array.from({ length: 25 }, (_, index) => `l${index}`).join(",");
  expect((await form("/ui/library/labels", [...all(), ["add", many]])).status).toBe(422);
  expect((await form("/ui/library/labels", all(), "ann", false)).headers.get("location")).toBe("/");
});

test("chosen files go into the bin and come back, and another's stay where they are", async () => {
  const foreign = await form("/ui/library/delete", all(), "bob");
  expect(foreign.text).toContain("3 files stayed:");
  const gone = await form("/ui/library/delete", all());
  expect([gone.status, gone.headers.get("hx-trigger")]).toEqual([200, "library"]);
  expect(gone.text).toContain("3 files went into the");
  expect(gone.text.match(/name="id"/g)).toHaveLength(3);
  expect((await browse("/")).text).toContain("data-pick-files");
  const back = await form("/ui/library/restore", all());
  expect([back.status, back.headers.get("hx-trigger")]).toEqual([200, "library"]);
  expect(back.text).not.toContain("callout");
  expect(cardsIn((await browse("/")).text)).toHaveLength(3);
  const one = await form("/ui/library/delete", [["id", ids[0] ?? ""]]);
  expect(one.text).toContain("“a.mp4”");
  await form("/ui/library/restore", all());
});

test("every page has the tray, with whose it is", async () => {
  for (const path of ["/", "/jobs", "/bin", `/assets/${ids[0]}`]) {
    const { text } = await browse(path);
    expect(text).toContain(`data-user="${site.people.ann.id}"`);
    expect(text.match(/id="uploads"/g)).toHaveLength(1);
  }
  expect((await site.ask("/login", {})).headers.get("content-type")).toContain("text/html");
  expect(await (await site.ask("/login", {})).text()).not.toContain('id="uploads"');
});
