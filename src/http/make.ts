/** Making something from one or several files: what can be chosen, the form, the start. */
import type { Elysia } from "elysia";
import { type EstimateView, estimateInside } from "../../views/estimate.ts";
import { makePage } from "../../views/make.ts";
import { operationForm } from "../../views/operation-form.ts";
import { texts } from "../../views/texts/texts.ts";
import { formErrors } from "../../views/trouble.ts";
import { assert, type FieldFault, Refusal } from "../trouble.ts";
import { readForm } from "./body.ts";
import { askerOf, route } from "./endpoint.ts";
import { findAsset } from "./entries.ts";
import { estimateOfAll } from "./estimates.ts";
import { htmlResponse } from "./headers.ts";
import { assetsOf, formKeyOf, requestsOf } from "./job-form.ts";
import { askedForm, makeView } from "./make-view.ts";
import { viewerOf } from "./pages.ts";
import type { Parts } from "./parts.ts";
import { isHtmx } from "./visit.ts";

export function mountMake(app: Elysia, parts: Parts): void {
  route(app, "GET", "/make", (request) =>
    answerPage(parts, request, new URL(request.url).searchParams),
  );
  // More files than an address holds come in a form.
  route(app, "POST", "/make", async (request) =>
    answerPage(parts, request, await readForm(request)),
  );
  route(app, "POST", "/ui/make/form", async (request) => {
    const form = await readForm(request);
    return htmlResponse(operationForm(askedForm(parts, askerOf(request).id, form)));
  });
  route(app, "POST", "/ui/jobs", (request) => startJobs(parts, request));
  route(app, "POST", "/ui/jobs/estimate", async (request) =>
    htmlResponse(estimateInside(await estimateOf(parts, request))),
  );
}

function answerPage(parts: Parts, request: Request, asked: URLSearchParams): Response {
  const viewer = viewerOf(parts, request);
  return htmlResponse(makePage(viewer, makeView(parts, viewer.id, asked, { page: "make" })));
}

/** The form of an operation. Its faults go above its fields and not into a notice. */
async function startJobs(parts: Parts, request: Request): Promise<Response> {
  const form = await readForm(request);
  try {
    const location = await submitted(parts, request, form);
    if (isHtmx(request)) {
      return new Response(null, { status: 204, headers: { "hx-redirect": location } });
    }
    return new Response(null, { status: 303, headers: { location } });
  } catch (cause) {
    if (!isHtmx(request) || !(cause instanceof Refusal) || cause.status !== 422) throw cause;
    const { message, errors } = ofOneFile(parts, askerOf(request).id, form, cause);
    return htmlResponse(formErrors({ status: 422, sentence: message, errors }), 422);
  }
}

/** All jobs of a form in one transaction. The address that shows them. */
async function submitted(parts: Parts, request: Request, form: URLSearchParams): Promise<string> {
  const { requests, many } = requestsOf(form);
  const key = formKeyOf(form);
  const asker = askerOf(request);
  const [only] = requests;
  assert(only !== undefined, "a form asks for a job at least");
  if (!many || requests.length === 1) {
    const { job } = await parts.jobs.submit(asker, only, key);
    return `/jobs/${job.id}`;
  }
  const { batch } = await parts.jobs.submitMany(asker, requests, key);
  return `/jobs?batch=${batch}`;
}

/** A refusal of one job of several: its place becomes the name of its file, its faults those of the form. */
function ofOneFile(
  parts: Parts,
  ownerId: string,
  form: URLSearchParams,
  { code, message, errors }: Refusal,
): { message: string; errors: readonly FieldFault[] } {
  const place = /^jobs\.(\d+)\.?/.exec(errors[0]?.path ?? "");
  if (place === null) return { message, errors };
  const asset = findAsset(parts, ownerId, assetsOf(form)[Number(place[1])] ?? "");
  const own = errors.map((fault) => ({ ...fault, path: fault.path.slice(place[0].length) }));
  const sentence = message.replace(/^Job \d+ of the call .*?: /, "");
  // Wrong parameters are wrong for all of them.
  const named = asset !== null && code !== "invalid_params";
  const said = named ? texts.make.faultOfFile(asset.name, sentence) : sentence;
  return { message: said, errors: own.filter(({ path }) => path !== "") };
}

/** A form that is not filled in yet is no trouble: what is missing stands in the place of the estimate. */
async function estimateOf(parts: Parts, request: Request): Promise<EstimateView> {
  const form = await readForm(request);
  try {
    return await estimateOfAll(parts.jobs, askerOf(request).id, requestsOf(form).requests);
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause;
    return { refusal: ofOneFile(parts, askerOf(request).id, form, cause).message };
  }
}
