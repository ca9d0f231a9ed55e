/** What Kinomill can do, for programs that build forms or check parameters. */
import { z } from "zod";
import { findOperation } from "../operations/index.ts";
import type { Operation } from "../operations/operation.ts";
import { operationJsonSchema } from "../operations/parameters.ts";
import { type Endpoint, endpoint, json } from "./endpoint.ts";
import type { Parts } from "./parts.ts";

const operationShape = z
  .strictObject({
    name: z.string(),
    title: z.string(),
    description: z.string(),
    inputs: z.strictObject({ min: z.int(), max: z.int() }),
    parameters: z.record(z.string(), z.unknown()).describe("JSON Schema of `params`"),
    example: z.record(z.string(), z.unknown()).describe("`params` that work as they are"),
  })
  .meta({ id: "Operation" });

export function operationEndpoints(parts: Parts): Endpoint[] {
  return [
    endpoint({
      method: "GET",
      path: "/api/v1/operations",
      tag: "operations",
      summary: "All operations, with the JSON Schema of their parameters.",
      answers: {
        200: {
          description: "All of them.",
          schema: z.strictObject({ items: z.array(operationShape) }),
        },
      },
      handle: () => json({ items: parts.operations.map(operationJson) }),
    }),
    endpoint({
      method: "GET",
      path: "/api/v1/operations/:name",
      tag: "operations",
      summary: "One operation.",
      answers: {
        200: { description: "It.", schema: operationShape },
        404: { description: "`unknown_operation`" },
      },
      handle: (call) => json(operationJson(findOperation(call.params["name"] ?? ""))),
    }),
  ];
}

function operationJson(operation: Operation): z.input<typeof operationShape> {
  const { name, title, description, inputs } = operation;
  return {
    name,
    title,
    description,
    inputs: { min: inputs.min, max: inputs.max },
    parameters: { ...operationJsonSchema(operation) },
    example: operation.example as Record<string, unknown>,
  };
}
