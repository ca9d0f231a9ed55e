/** `kinomill operations [NAME]`: what can be done to a video, and with which parameters. */
import { findOperation, operations } from "../operations/index.ts";
import type { Operation } from "../operations/operation.ts";
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
  const fields = parameterFields(operation).map((field) => {
    const values =
      field.kind === "select"
        ? field.options.map(({ value }) => value).join("|")
        : [field.kind, field.unit].filter(Boolean).join(", ");
    const fallback = field.default === null ? "" : ` [${String(field.default)}]`;
    return `  ${`${field.path}=${values}${fallback}`}\n      ${field.description}`;
  });
  return [
    `${operation.title}. ${operation.description}`,
    "",
    "Parameters (--param key=value):",
    ...fields,
  ];
}
