/** Style sheet, scripts, typeface and icon, from inside the executable. Their names change with their bytes. */
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { Elysia } from "elysia";
import { asset, type StaticFile, staticFiles } from "../../static/embedded.ts";
import { route } from "./endpoint.ts";

export type Coding = "br" | "gzip" | "identity";

export function mountStatic(app: Elysia): void {
  for (const file of staticFiles) {
    const send = sender(file);
    route(app, "GET", file.path, send);
  }
  // Browsers ask for it whatever the page says.
  route(
    app,
    "GET",
    "/favicon.ico",
    () => new Response(null, { status: 301, headers: { location: asset("icon.svg") } }),
  );
}

/** Compressed on first use, away from the thread that answers, and kept: there are a few dozen small files. */
function sender(file: StaticFile): (request: Request) => Promise<Response> {
  const kept = new Map<Coding, Promise<Uint8Array<ArrayBuffer>>>();
  // A typeface is compressed already.
  const may = !file.contentType.startsWith("font/");
  return async (request) => {
    const coding = may ? codingFor(request.headers.get("accept-encoding") ?? "") : "identity";
    const etag = coding === "identity" ? file.etag : file.etag.replace(/"$/, `-${coding}"`);
    const headers: Record<string, string> = {
      "content-type": file.contentType,
      "cache-control": "public, max-age=31536000, immutable",
      etag,
      ...(may ? { vary: "accept-encoding" } : {}),
    };
    if (request.headers.get("if-none-match") === etag) {
      return new Response(null, { status: 304, headers });
    }
    if (coding === "identity") return new Response(file.body, { headers });
    let packed = kept.get(coding);
    if (packed === undefined) {
      packed = compressed(file.body, coding);
      kept.set(coding, packed);
    }
    return new Response(await packed, { headers: { ...headers, "content-encoding": coding } });
  };
}

const packers = { br: promisify(brotliCompress), gzip: promisify(gzip) };

/** As small as it gets: it is done once for each file. */
export async function compressed(
  body: StaticFile["body"],
  coding: Exclude<Coding, "identity">,
): Promise<Uint8Array<ArrayBuffer>> {
  const packed =
    coding === "br"
      ? await packers.br(body, {
          params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY },
        })
      : await packers.gzip(body, { level: constants.Z_BEST_COMPRESSION });
  return new Uint8Array(packed);
}

/** The best coding that the asker takes (RFC 9110, 12.5.3): Brotli, then gzip, then none. */
export function codingFor(accepted: string): Coding {
  const weights = new Map<string, number>();
  for (const part of accepted.toLowerCase().split(",")) {
    const [name = "", ...parameters] = part.split(";").map((text) => text.trim());
    const weight = parameters.find((text) => text.startsWith("q="))?.slice(2) ?? "1";
    weights.set(name, Number(weight) || 0);
  }
  const any = weights.get("*") ?? 0;
  const takes = (coding: string) => (weights.get(coding) ?? any) > 0;
  return takes("br") ? "br" : takes("gzip") ? "gzip" : "identity";
}
