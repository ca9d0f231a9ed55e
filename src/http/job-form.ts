/** What the form of an operation sends: files, parameters as texts, and fields of its own. */
import { BULK_MAX } from "../jobs/job.ts";
import type { JobRequest } from "../jobs/submission.ts";
import { findOperation } from "../operations/index.ts";
import { paramsFromTexts } from "../operations/parameter-texts.ts";
import { Refusal } from "../trouble.ts";

/** Fields of the form that are no parameters; a test holds that no operation has one of these names. */
export const formFields: ReadonlySet<string> = new Set([
  ...["operation", "asset", "way", "input", "inputs", "further", "furthers", "input-search"],
  ...["preset", "preset-name", "preset-version", "choice", "form-key", "try-at"],
]);

/** Forms send a line's end as two characters; parameters have one. */
export function parameterTexts(form: URLSearchParams): [path: string, text: string][] {
  return [...form]
    .filter(([name]) => !formFields.has(name))
    .map(([name, text]) => [name, text.replaceAll("\r\n", "\n")]);
}

/** Ids of the files of one job's list, and of those that were typed in where there are no scripts. */
export function inputsOf(form: URLSearchParams): string[] {
  return [...form.getAll("input"), ...typedIds(form.get("inputs"))].filter((id) => id !== "");
}

/** What every job of several gets besides its own file. */
export function furtherOf(form: URLSearchParams): string[] {
  return [...form.getAll("further"), ...typedIds(form.get("furthers"))].filter((id) => id !== "");
}

function typedIds(text: string | null): string[] {
  return (text ?? "").split(/[\s,]+/).filter((id) => id !== "");
}

/** Ids of the chosen files, each once, in their order. @throws Refusal 422 for more than one call can take */
export function assetsOf(form: URLSearchParams): string[] {
  const ids = [...new Set(form.getAll("asset").filter((id) => id !== ""))];
  if (ids.length <= BULK_MAX) return ids;
  const sentence = `Up to ${BULK_MAX} files can be worked on at once, and ${ids.length} were chosen. Choose fewer.`;
  throw new Refusal(422, "too_many_files", sentence);
}

/** The jobs that a form asks for, and whether they are a call for many. */
export interface FormRequests {
  requests: JobRequest[];
  /** Of each job the file that it is for, to name it where something is wrong; of one job none. */
  many: boolean;
}

/** @throws Refusal 404 `unknown_operation`, 422 for parameters that cannot be read */
export function requestsOf(form: URLSearchParams): FormRequests {
  const operation = findOperation(form.get("operation") ?? "");
  const params = paramsFromTexts(operation, parameterTexts(form));
  const about = { operation: operation.name, params, priority: 0, labels: {} };
  const assets = assetsOf(form);
  if (assets.length === 0 || form.get("way") === "together") {
    return { requests: [{ ...about, inputs: inputsOf(form) }], many: false };
  }
  const further = furtherOf(form);
  return { requests: assets.map((id) => ({ ...about, inputs: [id, ...further] })), many: true };
}

/** The key under which a sending of the form is made once; null where there is none. */
export function formKeyOf(form: URLSearchParams): string | null {
  const key = form.get("form-key") ?? "";
  return /^[\w-]{16,64}$/.test(key) ? `form-${key}` : null;
}
