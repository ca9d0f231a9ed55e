/** Captions over HTTP: a file of them is an asset, and an input beside a film. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Furnished, furnish } from "../../tests/http/furnished.ts";
import { addFilm } from "../../tests/http/site.ts";

let home: Furnished;
beforeAll(async () => {
  home = await furnish();
});
afterAll(() => home.site.close());

const srt = "1\n00:00:00,500 --> 00:00:01,500\nHello\n";

async function upload(name: string, body: string) {
  const path = `/api/v1/assets?name=${name}`;
  const answer = await home.site.ask(path, { method: "POST", as: "ann", body });
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
}

async function ask(operation: string, inputs: string[]) {
  const json = { operation, inputs, params: {} };
  const answer = await home.site.ask("/api/v1/jobs", { method: "POST", as: "ann", json });
  return { status: answer.status, text: await answer.text() };
}

test("a file of captions is an asset of text, whatever its name", async () => {
  const { status, json } = await upload("film.txt", srt);
  expect(status).toBe(201);
  expect(json).toMatchObject({ kind: "text", mimeType: "application/x-subrip", media: null });
  const web = await upload("film.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n");
  expect(web.json).toMatchObject({ kind: "text", mimeType: "text/vtt" });
});

test("what begins like captions and has a fault is refused with its line", async () => {
  const { status, json } = await upload("film.srt", srt.replace("01,500", "00,100"));
  expect(status).toBe(422);
  expect(json["code"]).toBe("not_media");
  expect(json["detail"]).toContain("Line 2 ends before it begins");
});

test("a playlist under the name of captions is none", async () => {
  const { status, json } = await upload("film.srt", "#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n");
  expect([status, json["code"]]).toEqual([422, "not_media"]);
});

test("captions are an input of the operation that takes them, in any place, and of no other", async () => {
  const film = await addFilm(home.site, "ann");
  const { json } = await upload("film.srt", srt);
  const id = String(json["id"]);
  expect((await ask("captions", [film, id])).status).toBe(202);
  expect((await ask("captions", [id, film])).status).toBe(202);
  const none = await ask("captions", [film]);
  expect([none.status, none.text.includes("There are no captions")]).toEqual([422, true]);
  const other = await ask("transcode", [film, id]);
  expect(other.status).toBe(422);
  expect(other.text).toContain("film.srt is a text file");
});
