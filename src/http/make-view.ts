/** What can be made from the chosen files, as the page of making and the page of a file show it. */
import { type MakeChoice, type MakeView, SHOWN_FILES_MAX } from "../../views/make.ts";
import type { OperationFormView } from "../../views/operation-form.ts";
import { texts } from "../../views/texts/texts.ts";
import type { Asset } from "../assets/asset.ts";
import type { Preset } from "../jobs/presets.ts";
import { findOperation } from "../operations/index.ts";
import { type Operation, operationFamilies } from "../operations/operation.ts";
import { parameterFields } from "../operations/parameters.ts";
import { type ChosenFile, suitability } from "../operations/suitability.ts";
import { findAsset } from "./entries.ts";
import { assetsOf, furtherOf, inputsOf } from "./job-form.ts";
import type { Parts } from "./parts.ts";

/** An operation, and the preset that fills its form in. */
interface Wanted {
  operation: Operation;
  preset: string;
}

/** What is chosen: a card, or an operation and a preset. @throws Refusal 404 for what there is not */
function wantedOf(parts: Parts, ownerId: string, asked: URLSearchParams): Wanted {
  const [kind = "", name = ""] = (asked.get("choice") ?? "").split(/:(.*)/s);
  const preset = kind === "preset" ? name : (asked.get("preset") ?? "");
  const named = kind === "operation" ? name : (asked.get("operation") ?? "");
  if (preset === "" || (named !== "" && kind === "")) {
    return { operation: operationOf(parts, named), preset };
  }
  const { operation } = parts.presets.get(ownerId, preset);
  return { operation: operationOf(parts, operation), preset };
}

function operationOf(parts: Parts, wanted: string): Operation {
  return parts.operations.find(({ name }) => name === wanted) ?? findOperation(wanted);
}

/** The files that were asked for, and how many of those are there no more. */
function filesOf(parts: Parts, ownerId: string, asked: URLSearchParams) {
  const ids = assetsOf(asked);
  const chosen = ids.length > 0 ? ids : inputsOf(asked).slice(0, 1);
  const files = chosen.flatMap((id) => findAsset(parts, ownerId, id) ?? []);
  return { files, gone: chosen.length - files.length };
}

/** The form that was asked for: of a card, or of an operation and a preset, for the files that are in it. */
export function askedForm(
  parts: Parts,
  ownerId: string,
  asked: URLSearchParams,
): OperationFormView {
  const { files } = filesOf(parts, ownerId, asked);
  return formView(parts, ownerId, files, wantedOf(parts, ownerId, asked), asked);
}

/** For the page of several files, and for the part of a file's own page. */
export function makeView(
  parts: Parts,
  ownerId: string,
  asked: URLSearchParams,
  place: MakeView["place"],
): MakeView {
  const { files, gone } = filesOf(parts, ownerId, asked);
  const chosenFiles = files.map(chosenFile);
  const unfitOf = (operation: Operation) =>
    files.length === 0 ? null : suitability(operation, chosenFiles).unfit;
  const presets = parts.presets.list(ownerId);
  const card = (preset: Preset) => presetChoice(parts, preset, unfitOf);
  const operations = Object.fromEntries(
    operationFamilies.map((family) => [
      family,
      parts.operations
        .filter((operation) => (operation.family ?? "convert") === family)
        .map((operation) => operationChoice(operation, unfitOf)),
    ]),
  ) as unknown as MakeView["operations"];
  const all = [...presets.map(card), ...Object.values(operations).flat()];
  const chosen = all.find(({ value }) => value === choiceOf(asked));
  const open = chosen !== undefined && chosen.unfit === null && files.length > 0;
  return {
    ...{ place, gone, operations, chosen: open ? chosen.value : null },
    ids: files.map(({ id }) => id),
    shown: files.slice(0, SHOWN_FILES_MAX),
    presets: {
      own: presets.filter(({ builtIn }) => !builtIn).map(card),
      builtIn: presets.filter(({ builtIn }) => builtIn).map(card),
    },
    form: open ? formView(parts, ownerId, files, wantedOf(parts, ownerId, asked), asked) : null,
  };
}

/** The card that an address names: `?choice=`, or `?operation=` and `?preset=` as people write it. */
function choiceOf(asked: URLSearchParams): string {
  const [choice, preset, operation] = ["choice", "preset", "operation"].map((name) =>
    asked.get(name),
  );
  if (choice) return choice;
  return preset ? `preset:${preset}` : `operation:${operation ?? ""}`;
}

function chosenFile({ kind, media }: Asset): ChosenFile {
  return { kind: media?.kind ?? kind, container: media?.container ?? null };
}

function operationChoice(operation: Operation, unfitOf: (of: Operation) => MakeChoice["unfit"]) {
  const { name, title, description } = operation;
  const [sentence = ""] = description.split(/(?<=\.) /);
  return { value: `operation:${name}`, title, sentence, unfit: unfitOf(operation) };
}

function presetChoice(
  parts: Parts,
  preset: Preset,
  unfitOf: (of: Operation) => MakeChoice["unfit"],
): MakeChoice {
  const { id, name: title, builtIn } = preset;
  const operation = parts.operations.find(({ name }) => name === preset.operation);
  const { presetSentences, ownPreset } = texts.make;
  const own = ownPreset(operation?.title ?? preset.operation);
  return {
    ...{ value: `preset:${id}`, title, sentence: builtIn ? (presetSentences[id] ?? own) : own },
    unfit: operation === undefined ? null : unfitOf(operation),
  };
}

/** @param asked lists of files that the form had before, which stay when it is filled in anew */
function formView(
  parts: Parts,
  ownerId: string,
  files: readonly Asset[],
  { operation, preset }: Wanted,
  asked: URLSearchParams,
): OperationFormView {
  const { name, title, description, inputs } = operation;
  const presets = parts.presets.list(ownerId, name);
  const chosen = presets.find(({ id }) => id === preset) ?? null;
  const most = inputs.max + (inputs.texts ?? 0);
  const found = (ids: readonly string[]) =>
    ids.slice(0, most).flatMap((id) => findAsset(parts, ownerId, id) ?? []);
  const before = found(inputsOf(asked));
  const ways = suitability(operation, files.map(chosenFile));
  return {
    ids: files.map(({ id }) => id),
    inputs: before.length > 0 ? before : files.slice(0, most),
    further: found(furtherOf(asked)),
    ...{ ways, way: asked.get("way"), presets, chosen },
    operation: { name, title, description, inputs },
    fields: parameterFields(operation),
    filling: chosen?.params ?? null,
    triable:
      operation.part !== undefined &&
      files.some(({ kind }) => kind === "video" || kind === "audio"),
    key: crypto.randomUUID(),
  };
}
