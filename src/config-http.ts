/** The settings of how the server is reached: what stands before it, and under which path. */
import { z } from "zod";
import { parsePlace } from "./network-place.ts";

/** Beginnings of this site's own paths: under one of them the site could not be told from its pages. */
export const ownBeginnings: ReadonlySet<string> = new Set(
  "api assets bin docs favicon.ico health invitation jobs login logout make metrics settings setup static storage styleguide system ui welcome".split(
    " ",
  ),
);

/** Without a slash at its end; "" is the top. Also what a proxy may say of it. */
export const basePathForm = /^(\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*){1,8}$/;

/** Longer ones would make addresses that proxies refuse. */
export const BASE_PATH_LENGTH_MAX = 200;

const basePath = z
  .string()
  .max(BASE_PATH_LENGTH_MAX)
  .transform((text) => text.replace(/\/$/, ""))
  .refine((text) => text === "" || basePathForm.test(text), "must be like /kinomill")
  .refine(
    (text) => !ownBeginnings.has(text.split("/")[1] ?? ""),
    "begins like a path of Kinomill's own; choose another, like /kinomill",
  );

const addressRange = z.string().max(100).refine(isRange, {
  error: "must be an address or a range, like 127.0.0.1, 10.0.0.0/8 or fd00::/8",
});

function isRange(text: string): boolean {
  const place = parsePlace(text);
  return place !== null && "range" in place;
}

export const httpSettings = z
  .strictObject({
    basePath: basePath
      .default("")
      .describe(
        "Path under which a reverse proxy offers the site, like /kinomill; empty: at the top. The proxy may take it off the address or leave it there.",
      ),
    trustedProxies: z
      .array(addressRange)
      .max(64)
      .meta({ commasOnly: true })
      .default([])
      .describe(
        "Addresses and ranges of reverse proxies whose X-Forwarded-For, -Proto, -Host and -Prefix are believed. Of everybody else they are ignored. The host names under which browsers come belong into hosts.",
      ),
  })
  .prefault({});
