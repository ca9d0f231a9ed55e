/** Ten seconds tried out: begun from the form, looked at in its dialog, thrown away. */
import type { Elysia } from "elysia";
import { trialPanel } from "../../views/trial.ts";
import { formErrors } from "../../views/trouble.ts";
import type { Trial, TrialFile } from "../jobs/trials.ts";
import { Refusal } from "../trouble.ts";
import { readForm } from "./body.ts";
import { disposition, mediaPolicy, sendObject } from "./content.ts";
import { askerOf, route } from "./endpoint.ts";
import { htmlResponse } from "./headers.ts";
import { requestsOf } from "./job-form.ts";
import type { Parts } from "./parts.ts";

export function mountTries(app: Elysia, parts: Parts): void {
  route(app, "POST", "/ui/tries", (request) => begin(parts, request));
  route(app, "GET", "/ui/tries/:id", (request, { id = "" }) =>
    htmlResponse(trialPanel(trialOf(parts, request, id))),
  );
  route(app, "DELETE", "/ui/tries/:id", async (request, { id = "" }) => {
    await parts.trials.end(askerOf(request).id, id);
    return new Response(null, { status: 204 });
  });
  route(app, "GET", "/ui/tries/:id/files/:place", (request, { id = "", place = "" }) =>
    sendFile(request, fileOf(trialOf(parts, request, id), place)),
  );
}

/** Of several jobs the first is tried. Faults go to the form, as when it is started. */
async function begin(parts: Parts, request: Request): Promise<Response> {
  const form = await readForm(request);
  try {
    const [first] = requestsOf(form).requests;
    if (first === undefined) throw gone();
    const trial = await parts.trials.start(askerOf(request).id, first, secondsOf(form));
    return htmlResponse(trialPanel(trial));
  } catch (cause) {
    if (!(cause instanceof Refusal) || cause.status !== 422) throw cause;
    const trouble = { status: 422, sentence: cause.message, errors: cause.errors };
    return htmlResponse(formErrors(trouble), 422);
  }
}

/** Where the player of the page stands; null for nowhere. */
function secondsOf(form: URLSearchParams): number | null {
  const text = form.get("try-at") ?? "";
  return /^\d{1,7}(?:\.\d{1,9})?$/.test(text) ? Number(text) : null;
}

function trialOf(parts: Parts, request: Request, id: string): Trial {
  const trial = parts.trials.find(askerOf(request).id, id);
  if (trial === null) throw gone();
  return trial;
}

function fileOf(trial: Trial, place: string): TrialFile {
  const file = place === "part" ? trial.part : trial.made[Number(place)];
  if (file === undefined || file === null) throw gone();
  return file;
}

function gone(): Refusal {
  return new Refusal(404, "not_found", "What was tried is not there any more. Try again.");
}

function sendFile(
  request: Request,
  { path, name, sizeBytes, mimeType }: TrialFile,
): Promise<Response> {
  const file = Bun.file(path);
  const storage = {
    open: async (_key: string, range?: { start: number; end: number }) => {
      if (!(await file.exists())) return null;
      return range === undefined ? file : file.slice(range.start, range.end);
    },
  };
  return sendObject(
    request,
    storage,
    path,
    { sizeBytes, etag: null, modifiedMs: null },
    {
      "content-type": mimeType,
      "content-disposition": disposition("inline", name),
      "content-security-policy": mediaPolicy,
      "cache-control": "private, no-store",
      "x-content-type-options": "nosniff",
    },
  );
}
