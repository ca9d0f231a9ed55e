/** The parts of the job pages that htmx fetches, and what their buttons and forms do. */
import type { Elysia } from "elysia";
import { bulkQuestion, bulkResult } from "../../views/bulk-jobs.ts";
import { jobPanel, reportInside } from "../../views/job.ts";
import { jobRows, jobsList } from "../../views/jobs.ts";
import type { Asker } from "../jobs/asks.ts";
import { type BulkVerb, onlyDevices } from "../jobs/job.ts";
import { Refusal } from "../trouble.ts";
import { readForm } from "./body.ts";
import { askerOf, route } from "./endpoint.ts";
import { htmlResponse } from "./headers.ts";
import { jobsView, namedRows, selectionOf, subjectOf } from "./job-lists.ts";
import { jobView, reportText } from "./job-view.ts";
import type { Parts } from "./parts.ts";

/** Has every list and panel of the page fetch itself. */
const lookAgain = { "hx-trigger": "job" };

export function mountJobFragments(app: Elysia, parts: Parts): void {
  route(app, "GET", "/ui/jobs", (request) =>
    htmlResponse(jobsList(jobsView(parts, askerOf(request).id, request.url))),
  );
  route(app, "GET", "/ui/jobs/rows", (request) =>
    htmlResponse(jobRows(namedRows(parts, askerOf(request).id, request.url))),
  );
  for (const verb of ["cancel", "retry"] as const) mountBulk(app, parts, verb);
  route(app, "GET", "/ui/jobs/:id", (request, { id = "" }) =>
    htmlResponse(jobPanel(jobView(parts, askerOf(request).id, id))),
  );
  route(app, "GET", "/ui/jobs/:id/report", async (request, { id = "" }) =>
    htmlResponse(reportInside(await reportText(parts, askerOf(request).id, id))),
  );
  mountActions(app, parts);
}

function mountBulk(app: Elysia, parts: Parts, verb: BulkVerb): void {
  route(app, "GET", `/ui/jobs/bulk/${verb}`, (request) => {
    const chosen = new URL(request.url).searchParams.getAll("id");
    const subject = subjectOf(parts, request.url, chosen);
    const survey = parts.jobs.survey(askerOf(request).id, verb, selectionOf(subject));
    return htmlResponse(bulkQuestion(verb, subject, survey));
  });
  route(app, "POST", `/ui/jobs/bulk/${verb}`, async (request) => {
    const form = await readForm(request);
    const asker = askerOf(request);
    const selection = selectionOf(subjectOf(parts, request.url, form.getAll("id")));
    const outcome =
      verb === "cancel"
        ? parts.jobs.cancelMany(asker, selection)
        : parts.jobs.retryMany(asker, selection, wantedDevice(form));
    return htmlResponse(bulkResult(verb, outcome), 200, lookAgain);
  });
}

function wantedDevice(form: URLSearchParams) {
  const device = form.get("device") ?? "";
  return onlyDevices.find((each) => each === device) ?? null;
}

function mountActions(app: Elysia, parts: Parts): void {
  const { jobs } = parts;
  const action = (verb: string, act: (asker: Asker, id: string, request: Request) => unknown) =>
    route(app, "POST", `/ui/jobs/:id/${verb}`, async (request, { id = "" }) => {
      await showingWhy(() => act(askerOf(request), id, request));
      return new Response(null, { status: 204, headers: lookAgain });
    });
  action("cancel", (asker, id) => jobs.cancel(asker, id));
  action("retry", (asker, id) => jobs.retry(asker, id));
  action("retry-on-cpu", (asker, id) => jobs.retry(asker, id, "cpu"));
  action("pause", (asker, id) => jobs.pause(asker, id));
  action("resume", (asker, id) => jobs.resume(asker, id));
  action("priority", async (asker, id, request) => {
    const priority = priorityOf((await readForm(request)).get("priority") ?? "");
    return jobs.change(asker, id, { priority });
  });
}

/** A refusal tells what somebody else did meanwhile: the page then shows that, too. */
async function showingWhy(act: () => unknown): Promise<void> {
  try {
    await act();
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause;
    const { status, code, message, errors, headers } = cause;
    throw new Refusal(status, code, message, { errors, headers: { ...headers, ...lookAgain } });
  }
}

/** @throws Refusal 422 `invalid` */
function priorityOf(text: string): number {
  const priority = Number(text);
  if (/^-?\d{1,3}$/.test(text) && Math.abs(priority) <= 100) return priority;
  const message = "must be a whole number from -100 to 100";
  throw new Refusal(422, "invalid", `The priority ${message}.`, {
    errors: [{ path: "priority", message }],
  });
}
