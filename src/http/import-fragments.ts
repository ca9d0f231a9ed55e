/** Imports on the page: links come from a form, and each change answers with the rows anew. */
import type { Elysia } from "elysia";
import { importsAnswer, importsList } from "../../views/imports.ts";
import { formErrors } from "../../views/trouble.ts";
import type { ImportView } from "../ingest/import.ts";
import { LINKS_PER_CALL_MAX } from "../ingest/importer.ts";
import { LINK_LENGTH_MAX } from "../ingest/link.ts";
import { type FieldFault, Refusal } from "../trouble.ts";
import { readForm } from "./body.ts";
import { askerOf, route } from "./endpoint.ts";
import { htmlResponse } from "./headers.ts";
import type { Parts } from "./parts.ts";
import { isHtmx } from "./visit.ts";

/** Rows on the page: more than anybody follows; the API lists the others. */
const ROWS = 50;

/** A form of as many links as may be, each letter written as three. */
export const LINKS_FORM_BYTES_MAX = 3 * LINKS_PER_CALL_MAX * (LINK_LENGTH_MAX + 2);

export function shownImports(parts: Pick<Parts, "imports">, ownerId: string): ImportView[] {
  return parts.imports.list(ownerId, ROWS, null);
}

export function mountImportFragments(app: Elysia, parts: Parts): void {
  const list = (ownerId: string) => htmlResponse(importsList(shownImports(parts, ownerId)));
  route(app, "GET", "/ui/imports", (request) => list(askerOf(request).id));
  route(app, "POST", "/ui/imports", (request) => addLinks(parts, request));
  route(app, "DELETE", "/ui/imports/:id", async (request, { id = "" }) => {
    const ownerId = askerOf(request).id;
    await parts.imports.cancel(ownerId, id);
    return list(ownerId);
  });
  route(app, "POST", "/ui/imports/:id/retry", (request, { id = "" }) => {
    const ownerId = askerOf(request).id;
    parts.imports.retry(ownerId, id);
    return list(ownerId);
  });
  route(app, "POST", "/ui/imports/:id/keep", async (request, { id = "" }) => {
    const ownerId = askerOf(request).id;
    await keepBoth(parts, ownerId, id);
    return list(ownerId);
  });
}

/** The equal file was not kept: it comes once more. */
async function keepBoth(parts: Parts, ownerId: string, id: string): Promise<void> {
  const item = parts.imports.find(ownerId, id)?.item;
  if (item?.state !== "reused") return;
  await parts.imports.add(ownerId, [{ url: item.url, name: item.name }], "keep");
  await parts.imports.cancel(ownerId, id);
}

/** A file that the person has is not stored again; the row says so and offers to. */
async function addLinks(parts: Parts, request: Request): Promise<Response> {
  const form = await readForm(request, LINKS_FORM_BYTES_MAX);
  const ownerId = askerOf(request).id;
  const lines = (form.get("links") ?? "").split(/[\r\n]+/).map((line) => line.trim());
  const urls = lines.filter((line) => line !== "");
  try {
    refuseCount(urls.length);
    await parts.imports.add(
      ownerId,
      urls.map((url) => ({ url, name: null })),
      "reuse",
    );
  } catch (cause) {
    if (!isHtmx(request) || !(cause instanceof Refusal) || cause.status !== 422) throw cause;
    const trouble = { status: 422, title: "No link was taken", sentence: cause.message };
    return htmlResponse(formErrors({ ...trouble, errors: cause.errors.map(lineOf) }), 422);
  }
  if (!isHtmx(request)) return new Response(null, { status: 303, headers: { location: "/" } });
  return htmlResponse(importsAnswer(shownImports(parts, ownerId)));
}

function refuseCount(count: number): void {
  if (count >= 1 && count <= LINKS_PER_CALL_MAX) return;
  const sentence =
    count === 0
      ? "There is no link in this. Paste one that begins with https://."
      : `These are ${count} links. Add ${LINKS_PER_CALL_MAX} at a time.`;
  throw new Refusal(422, "bad_link", sentence);
}

/** `urls.2` is the third line. */
function lineOf({ path, message }: FieldFault): FieldFault {
  const index = /^urls\.(\d+)$/.exec(path)?.[1];
  return index === undefined
    ? { path, message }
    : { path: "", message: `Line ${Number(index) + 1}: ${message}` };
}
