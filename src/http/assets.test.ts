/** Assets over HTTP, without a socket. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Furnished, furnish, tableFor } from "../../tests/http/furnished.ts";

let home: Furnished;

beforeAll(async () => {
  home = await furnish();
});

afterAll(() => home.site.close());

const table = tableFor(() => home);

table("assets", [
  {
    name: "a film is stored and described",
    path: "/api/v1/assets?name=..%2F..%2Fmatch%0A.mov",
    as: "ann",
    body: "FILM and more",
    status: 201,
    has: ['"name":"match .mov"', '"codec":"h264"', '"sizeBytes":13', '"kind":"upload"'],
    lacks: ["ownerId"],
    answers: { location: /^\/api\/v1\/assets\/as_/ },
  },
  {
    name: "what is no film is refused",
    path: "/api/v1/assets?name=a.txt",
    as: "ann",
    body: "hello",
    status: 422,
    has: ['"not_media"'],
    lacks: ["hello"],
  },
  {
    name: "an empty body is refused",
    path: "/api/v1/assets?name=a.mp4",
    method: "POST",
    as: "ann",
    status: 422,
  },
  {
    name: "an upload without a name is told so",
    path: "/api/v1/assets",
    as: "ann",
    body: "FILM",
    status: 422,
    has: ['"path":"name"'],
  },
  {
    name: "more than may be stored is refused before it comes",
    path: "/api/v1/assets?name=a.mp4",
    as: "ann",
    body: "FILM",
    headers: { "content-length": "900000000000000" },
    status: 413,
    has: ['"too_large"'],
  },
  {
    name: "the list shows own assets only",
    path: "/api/v1/assets",
    as: "ann",
    status: 200,
    has: ["used.mp4", '"next":null'],
    lacks: ["secret-of-bob", "ownerId"],
  },
  {
    name: "the list pages and filters",
    path: "/api/v1/assets?limit=1&kind=video&search=USED",
    as: "ann",
    status: 200,
    has: ["used.mp4"],
  },
  {
    name: "all faults of a query are named at once",
    path: "/api/v1/assets?limit=1e3&kind=film&colour=red&limits=2",
    as: "ann",
    status: 422,
    has: ['"path":"limit"', '"path":"kind"', '"path":"colour"', '"path":"limits"'],
  },
  {
    name: "a parameter given twice is refused",
    path: "/api/v1/assets?limit=1&limit=2",
    as: "ann",
    status: 422,
    has: ["more than once"],
  },
  {
    name: "another's asset does not exist",
    path: "/api/v1/assets/{others}",
    as: "ann",
    status: 404,
    has: ['"not_found"'],
    lacks: ["secret-of-bob"],
  },
  { name: "nor do its bytes", path: "/api/v1/assets/{others}/content", as: "ann", status: 404 },
  {
    name: "nor can it be deleted",
    path: "/api/v1/assets/{others}",
    method: "DELETE",
    as: "ann",
    status: 404,
  },
  {
    name: "an asset in use is kept",
    path: "/api/v1/assets/{used}",
    method: "DELETE",
    as: "ann",
    status: 409,
    has: ['"in_use"'],
  },
  {
    name: "bytes come with their type, a sandbox and a name that cannot break the header",
    path: "/api/v1/assets/{film}/content?download=1",
    as: "ann",
    status: 200,
    has: ["FILM0123456789"],
    answers: {
      "content-type": "video/mp4",
      "content-security-policy": /^sandbox;/,
      "content-disposition": /^attachment; filename="S__e _Ente_ \.mp4"; filename\*=UTF-8''S%C3/,
      etag: /^"[0-9a-f]{64}"$/,
      "accept-ranges": "bytes",
    },
  },
  {
    name: "a range is a part",
    path: "/api/v1/assets/{film}/content",
    as: "ann",
    headers: { range: "bytes=4-6" },
    status: 206,
    has: ["012"],
    answers: { "content-range": "bytes 4-6/14" },
  },
  {
    name: "a range beyond the end is told the size",
    path: "/api/v1/assets/{film}/content",
    as: "ann",
    headers: { range: "bytes=14-" },
    status: 416,
    has: ['"bad_range"'],
    answers: { "content-range": "bytes */14" },
  },
  {
    name: "a picture that is not made yet is not there",
    path: "/api/v1/assets/{film}/thumbnail",
    as: "ann",
    status: 404,
    has: ['"no_thumbnail"'],
  },
]);

test("HEAD of bytes opens none of them", async () => {
  const { open } = home.site.parts.storage;
  let opened = 0;
  home.site.parts.storage.open = () => {
    opened += 1;
    return Promise.resolve(null);
  };
  try {
    const options = { method: "HEAD", as: "ann" as const };
    const whole = await home.site.ask(`/api/v1/assets/${home.places["film"]}/content`, options);
    expect([whole.status, whole.headers.get("content-length")]).toEqual([200, "14"]);
    const headers = { range: "bytes=1-3" };
    const part = await home.site.ask(`/api/v1/assets/${home.places["film"]}/content`, {
      ...options,
      headers,
    });
    expect([part.status, part.headers.get("content-length")]).toEqual([206, "3"]);
    expect(opened).toBe(0);
  } finally {
    home.site.parts.storage.open = open;
  }
});
