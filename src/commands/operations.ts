/** `kinomill operations [NAME]`: what can be done to a video, and with which parameters. */
import { findOperation, operations } from "../operations/index.ts";
import type { Operation } from "../operations/operation.ts";
import {
  allFields,
  commandLine,
  conditionWords,
  defaultWords,
  inputWords,
  pathWords,
  typeWords,
} from "../operations/parameter-words.ts";
import { operationJsonSchema, parameterFields } from "../operations/parameters.ts";
import { exitCodes } from "./exit.ts";

export async function listOperations(
  name: string | undefined,
  options: { json?: boolean },
): Promise<number> {
  const chosen = name === undefined ? [...operations] : [findOperation(name)];
  if (options.json) {
    const list = chosen.map((operation) => ({
      name: operation.name,
      title: operation.title,
      description: operation.description,
      inputs: operation.inputs,
      params: operationJsonSchema(operation),
      example: operation.example,
    }));
    console.log(JSON.stringify(name === undefined ? list : list[0], null, 2));
  } else if (name === undefined) {
    for (const operation of chosen) {
      console.log(`${operation.name.padEnd(14)}${operation.title}. ${operation.description}`);
    }
  } else {
    for (const line of chosen.flatMap(describeOperation)) console.log(line);
  }
  return exitCodes.done;
}

function describeOperation(operation: Operation): string[] {
  const fields = allFields(parameterFields(operation)).map((field) => {
    const words = defaultWords(field);
    const fallback = words === "–" ? "" : ` [${words}]`;
    const first = `  ${pathWords(field)}=${typeWords(field)}${fallback}`;
    return `${first}\n      ${field.description}${conditionWords(field)}`;
  });
  const inputs = ["INPUT", ...Array<string>(operation.inputs.min - 1).fill("INPUT")];
  return [
    `${operation.title}. ${operation.description}`,
    `Works on ${inputWords(operation)}.`,
    "",
    "Parameters (-p key=value; N is a place in a list, from 0; or all as JSON in --params FILE):",
    ...fields,
    "",
    "Example:",
    `  ${JSON.stringify(operation.example)}`,
    `  ${commandLine(operation, inputs, "OUTPUT").replaceAll("\n", "\n  ")}`,
  ];
}
