/** The API for people. What its calls do is said where they are defined. */
export const docs = {
  title: "API",
  document: "OpenAPI document",
  contents: "Contents",
  login:
    "Programs log in with a token: `Authorization: Bearer kmt_…`, made by `kinomill tokens create --user NAME`.",
  errors:
    "Errors are `application/problem+json` with `code`, `detail` and, for 422, every fault in `errors`.",
  parameters: "operations",
  parametersTitle: "Parameters of the operations",
  example: "Example",
  schema: "JSON Schema of the parameters",
} as const;
