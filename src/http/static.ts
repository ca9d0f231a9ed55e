/** Style sheet, scripts and icon, from inside the executable. Their names change with their bytes. */
import type { Elysia } from "elysia";
import { asset, staticFiles } from "../../static/embedded.ts";
import { route } from "./endpoint.ts";

export function mountStatic(app: Elysia): void {
  for (const file of staticFiles) {
    const headers = {
      "content-type": file.contentType,
      "cache-control": "public, max-age=31536000, immutable",
      etag: file.etag,
    };
    route(app, "GET", file.path, (request) =>
      request.headers.get("if-none-match") === file.etag
        ? new Response(null, { status: 304, headers })
        : new Response(file.body, { headers }),
    );
  }
  // Browsers ask for it whatever the page says.
  route(
    app,
    "GET",
    "/favicon.ico",
    () => new Response(null, { status: 301, headers: { location: asset("icon.svg") } }),
  );
}
