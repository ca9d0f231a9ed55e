/** Jobs over HTTP, without a socket. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Furnished, furnish, tableFor } from "../../tests/http/furnished.ts";
import { addFilm, openSite } from "../../tests/http/site.ts";

let home: Furnished;

beforeAll(async () => {
  home = await furnish();
});

afterAll(() => home.site.close());

const table = tableFor(() => home);

const transcode = { operation: "transcode", inputs: ["{film}"], params: {} };

table("jobs", [
  {
    name: "a job is accepted",
    path: "/api/v1/jobs",
    as: "ann",
    json: { ...transcode, labels: { ticket: "7" } },
    status: 202,
    has: ['"state":"queued"', '"ticket":"7"', '"operation":"transcode"'],
    lacks: ["ownerId"],
    answers: { location: /^\/api\/v1\/jobs\/jb_/ },
  },
  {
    name: "all faults of a request are named at once",
    path: "/api/v1/jobs",
    as: "ann",
    json: {
      operation: 5,
      inputs: "x",
      priority: 1000,
      labels: { a: 1 },
      shoe: 1,
      password: "pw1234",
    },
    status: 422,
    has: ["operation", "inputs", "priority", "labels.a", "shoe"].map((path) => `"path":"${path}"`),
    lacks: ["pw1234"],
  },
  {
    name: "all faults of parameters are named at once",
    path: "/api/v1/jobs",
    as: "ann",
    json: { ...transcode, params: { video: { codec: "h999" }, nonsense: true } },
    status: 422,
    has: ['"invalid_params"', "video.codec", "nonsense"],
  },
  {
    name: "an unknown operation lists those that there are",
    path: "/api/v1/jobs",
    as: "ann",
    json: { ...transcode, operation: "fry" },
    status: 404,
    has: ['"unknown_operation"', "transcode"],
  },
  {
    name: "another's asset is no input",
    path: "/api/v1/jobs",
    as: "bob",
    json: transcode,
    status: 404,
    has: ['"not_found"'],
  },
  {
    name: "broken JSON is told without an echo",
    path: "/api/v1/jobs",
    as: "ann",
    body: '{"password": "hunter2",,',
    headers: { "content-type": "application/json" },
    status: 400,
    has: ['"bad_json"'],
    lacks: ["hunter2"],
  },
  {
    name: "a form is not JSON",
    path: "/api/v1/jobs",
    as: "ann",
    form: { operation: "transcode" },
    status: 415,
  },
  {
    name: "JSON that is nested without end is refused",
    path: "/api/v1/jobs",
    as: "ann",
    body: `{"params":${"[".repeat(20_000)}${"]".repeat(20_000)}}`,
    headers: { "content-type": "application/json" },
    status: 400,
  },
  {
    name: "JSON of more than 1 MiB is refused",
    path: "/api/v1/jobs",
    as: "ann",
    body: JSON.stringify({ operation: "x".repeat(1_100_000) }),
    headers: { "content-type": "application/json" },
    status: 413,
    has: ['"too_large"'],
  },
  {
    name: "an estimate says what would be done and starts nothing",
    path: "/api/v1/jobs/estimate",
    as: "ann",
    json: transcode,
    status: 200,
    has: [
      '"device":"cpu"',
      '"steps":[{',
      '"predictedSeconds":',
      '"predictedBytesRange":{"low":',
      '"basis":"a first guess; it learns from finished jobs"',
      '"queuedAhead":',
    ],
  },
  {
    name: "a bad idempotency key is refused",
    path: "/api/v1/jobs",
    as: "ann",
    json: transcode,
    headers: { "idempotency-key": "x".repeat(300) },
    status: 400,
    has: ['"bad_idempotency_key"'],
  },
  {
    name: "the list filters by state",
    path: "/api/v1/jobs?state=cancelled",
    as: "ann",
    status: 200,
    has: ['"state":"cancelled"'],
    lacks: ['"state":"queued"', "ownerId"],
  },
  {
    name: "the list filters by asset",
    path: "/api/v1/jobs?asset={nobody}",
    as: "ann",
    status: 200,
    has: ['{"items":[],"next":null}'],
  },
  { name: "another's job does not exist", path: "/api/v1/jobs/{job}", as: "bob", status: 404 },
  {
    name: "an ended job cannot be cancelled",
    path: "/api/v1/jobs/{ended}/cancel",
    method: "POST",
    as: "ann",
    status: 409,
    has: ['"wrong_state"'],
  },
  {
    name: "a priority can be changed while it waits",
    path: "/api/v1/jobs/{job}",
    method: "PATCH",
    as: "ann",
    json: { priority: 7 },
    status: 200,
    has: ['"priority":7'],
  },
  {
    name: "a priority outside the range is refused",
    path: "/api/v1/jobs/{job}",
    method: "PATCH",
    as: "ann",
    json: { priority: 7.5 },
    status: 422,
    has: ['"path":"priority"'],
  },
]);

test("the same idempotency key gives the same job, and another body is refused", async () => {
  const send = (labels: Record<string, string>) =>
    home.site.ask("/api/v1/jobs", {
      as: "ann",
      headers: { "idempotency-key": "once" },
      json: { operation: "transcode", inputs: [home.places["film"]], params: {}, labels },
    });
  const [first, second, other] = [await send({}), await send({}), await send({ a: "b" })];
  const { id } = (await first.json()) as { id: string };
  expect(await second.json()).toMatchObject({ id });
  expect(other.status).toBe(409);
  expect(await other.json()).toMatchObject({ code: "idempotency_mismatch" });
});

test("a full disk under the database is 507 with a sentence, and reading goes on", async () => {
  const other = await openSite();
  const film = await addFilm(other, "ann");
  const { page_count } = other.database.query("PRAGMA page_count").get() as { page_count: number };
  other.database.run(`PRAGMA max_page_count = ${page_count}`);
  const json = { operation: "transcode", inputs: [film], labels: { big: "x".repeat(256) } };
  let last = await other.ask("/api/v1/jobs", { as: "ann", json });
  for (let n = 0; n < 200 && last.status === 202; n += 1) {
    last = await other.ask("/api/v1/jobs", { as: "ann", json });
  }
  expect(last.status).toBe(507);
  expect(await last.json()).toMatchObject({ code: "storage_full" });
  expect((await other.ask("/api/v1/jobs", { as: "ann" })).status).toBe(200);
  other.close();
});
