/** What the page of a file fetches and sends, without a socket. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { addFilm, openSite, type SiteRig } from "../../tests/http/site.ts";

let rig: SiteRig;
let id = "";

beforeAll(async () => {
  rig = await openSite();
  id = await addFilm(rig, "ann");
});

afterAll(() => rig.close());

const htmx = { "hx-request": "true" };
const nameNow = () => rig.library.get(rig.people.ann.id, id).name;

async function part(path: string, form?: Record<string, string>, browser: "ann" | "bob" = "ann") {
  const answer = await rig.ask(`/ui/assets/${id}${path}`, {
    ...{ browser, headers: htmx },
    ...(form === undefined ? {} : { form }),
  });
  return { status: answer.status, text: await answer.text() };
}

test("a name is changed where it stands, unless somebody else was faster", async () => {
  const before = nameNow();
  const form = await part("/head?rename=yes");
  expect(form.text).toContain(`<input type="hidden" name="before" value="${before}">`);
  const done = await part("/name", { before, name: "<b>match.mp4" });
  expect([done.status, nameNow()]).toEqual([200, "<b>match.mp4"]);
  expect(done.text).toContain("&lt;b&gt;match");

  const late = await part("/name", { before, name: "mine.mp4" });
  expect([late.status, nameNow()]).toEqual([409, "<b>match.mp4"]);
  expect(late.text).toContain('value="mine.mp4"');
  expect(late.text).toContain("It was renamed on another page meanwhile");
  // Whoever wants the name that it has by now is told of no conflict.
  expect((await part("/name", { before, name: "<b>match.mp4" })).status).toBe(200);
  const again = await part("/name", { before: nameNow(), name: "mine.mp4" });
  expect([again.status, nameNow()]).toEqual([200, "mine.mp4"]);
});

test("without a script the form leads back to the page", async () => {
  const form = { before: nameNow(), name: "plain.mp4" };
  const answer = await rig.ask(`/ui/assets/${id}/name`, { browser: "ann", form });
  expect([answer.status, answer.headers.get("location")]).toEqual([303, `/assets/${id}`]);
});

test("labels come and go one by one, whatever the others are", async () => {
  await part("/labels", { add: "  second   half " });
  await part("/labels", { add: "home" });
  const shown = await part("/labels");
  expect(shown.text).toContain("second half");
  expect(shown.text).toContain('aria-label="Remove home"');
  await part("/labels", { remove: "second half" });
  expect(rig.library.get(rig.people.ann.id, id).labels).toEqual(["home"]);
  expect((await part("/labels", {})).status).toBe(422);
  expect((await part("/labels", { add: "x".repeat(500) })).status).toBe(422);
});

test("the page shows what it is, where it comes from, and all that was found", async () => {
  const page = await (await rig.ask(`/assets/${id}`, { browser: "ann" })).text();
  for (const words of ["Nothing was made of it yet", "All that the probe found", "Copy as JSON"]) {
    expect(page).toContain(words);
  }
  expect(page).toContain("data-player");
  expect(page).not.toContain("hls-");
  expect((await part("/lineage")).text).toContain('id="lineage"');
});

test("another person finds none of it", async () => {
  for (const path of ["/head", "/labels", "/lineage", "/jobs"]) {
    expect((await part(path, undefined, "bob")).status).toBe(404);
  }
  expect((await part("/name", { before: nameNow(), name: "theirs" }, "bob")).status).toBe(404);
  expect((await part("/labels", { add: "theirs" }, "bob")).status).toBe(404);
  expect((await part("/restore", {}, "bob")).status).toBe(404);
});

test("what was deleted says whether it can come back, and does", async () => {
  await rig.library.delete(rig.people.ann.id, id);
  expect((await part("/head")).status).toBe(404);
  expect((await part("/gone")).text).toContain("Bring it back");
  expect((await part("/gone", undefined, "bob")).text).not.toContain("Bring it back");
  const back = await rig.ask(`/ui/assets/${id}/restore`, { browser: "ann", form: {} });
  expect([back.status, back.headers.get("location")]).toEqual([303, `/assets/${id}`]);
  await rig.library.delete(rig.people.ann.id, id, { forever: true });
  const gone = await part("/gone");
  expect(gone.text).toContain("It is gone.");
  expect(gone.text).not.toContain("Bring it back");
});
