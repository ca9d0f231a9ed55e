/** As much of tus as the page of the library needs where no server is: every upload ends well but those of text. */

const headers = { "tus-resumable": "1.0.0" };

/** What was left behind by a tab that was closed; the page says so where its address asks for it. */
const left = {
  id: "up_left",
  name: "championship-final-second-half.mov",
  state: "receiving",
  offset: 3_400_000_000,
  length: 12_000_000_000,
  active: false,
  metadata: { filename: "championship-final-second-half.mov" },
  assetId: null,
};

/** The answer to a request under `/api/v1/uploads`; null for one that the page does not make. */
export async function answerUpload(request: Request): Promise<Response | null> {
  const isLeft = request.headers.get("referer")?.includes("left=1") ?? false;
  switch (request.method) {
    case "GET":
      return Response.json({ items: isLeft ? [left] : [] });
    case "POST": {
      const name = atob(
        /filename ([^,]*)/.exec(request.headers.get("upload-metadata") ?? "")?.[1] ?? "",
      );
      const kind = name.endsWith(".txt") ? "text" : "media";
      const location = `/api/v1/uploads/up_${kind}`;
      return new Response(null, { status: 201, headers: { ...headers, location } });
    }
    case "PATCH": {
      const { byteLength } = await request.arrayBuffer();
      if (request.url.endsWith("text")) {
        const detail = "This is not media that Kinomill knows.";
        return Response.json({ detail }, { status: 422, headers });
      }
      const offset = { "upload-offset": String(byteLength) };
      return new Response(null, { status: 204, headers: { ...headers, ...offset } });
    }
    case "DELETE":
      return new Response(null, { status: 204, headers });
    default:
      return null;
  }
}
