/** The presets of a form on the page: saved from what stands in it, changed, deleted. */
import type { Elysia } from "elysia";
import { type PresetChoice, presetBar } from "../../views/presets.ts";
import { texts } from "../../views/texts/texts.ts";
import { formErrors } from "../../views/trouble.ts";
import type { PresetWish } from "../jobs/presets.ts";
import { findOperation } from "../operations/index.ts";
import { paramsFromTexts } from "../operations/parameter-texts.ts";
import { Refusal } from "../trouble.ts";
import { readForm } from "./body.ts";
import { askerOf, route } from "./endpoint.ts";
import { htmlResponse } from "./headers.ts";
import { parameterTexts } from "./job-form.ts";
import type { Parts } from "./parts.ts";

type Change = (ownerId: string, form: URLSearchParams, id: string) => PresetChoice | null;

export function mountPresetFragments(app: Elysia, parts: Parts): void {
  const { presets } = parts;
  const { saved, deleted } = texts.make;
  const on = (path: string, said: string, change: Change) =>
    route(app, "POST", path, (request, { id = "" }) => answer(parts, request, id, said, change));
  on("/ui/presets", saved, (ownerId, form) => presets.create(ownerId, wishOf(form)));
  on("/ui/presets/:id", saved, (ownerId, form, id) => {
    const changed = presets.replace(ownerId, id, versionSeen(form), wishOf(form));
    if (changed === null) throw stale();
    return changed;
  });
  on("/ui/presets/:id/delete", deleted, (ownerId, form, id) => {
    if (!presets.delete(ownerId, id, versionSeen(form))) throw stale();
    return null;
  });
}

/** The bar anew; faults of parameters and of the name go to the form. */
async function answer(
  parts: Parts,
  request: Request,
  id: string,
  said: string,
  change: Change,
): Promise<Response> {
  const form = await readForm(request);
  const ownerId = askerOf(request).id;
  try {
    const chosen = change(ownerId, form, id);
    const { name: operation } = findOperation(form.get("operation") ?? "");
    const presets = parts.presets.list(ownerId, operation);
    return htmlResponse(presetBar({ operation, presets, chosen, said }));
  } catch (cause) {
    if (!(cause instanceof Refusal) || cause.status !== 422) throw cause;
    const trouble = { status: 422, sentence: cause.message, errors: cause.errors };
    return htmlResponse(formErrors(trouble), 422);
  }
}

function wishOf(form: URLSearchParams): PresetWish {
  const operation = findOperation(form.get("operation") ?? "");
  const params = paramsFromTexts(operation, parameterTexts(form));
  return { name: form.get("preset-name") ?? "", operation: operation.name, params };
}

function versionSeen(form: URLSearchParams): number {
  const text = form.get("preset-version") ?? "";
  return /^\d{1,9}$/.test(text) ? Number(text) : 0;
}

function stale(): Refusal {
  const sentence =
    "This preset was changed on another page. Choose it again to see how it is now, or save yours as a new one.";
  return new Refusal(409, "stale", sentence);
}
