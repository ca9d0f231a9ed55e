/** The trail of what admins did, and what people did to their accounts. For admins. */
import { z } from "zod";
import { type Act, actKinds } from "../settings/acts.ts";
import { adminOfCall, type Endpoint, endpoint, json } from "./endpoint.ts";
import type { Parts } from "./parts.ts";

const actShape: z.ZodType<Act> = z
  .strictObject({
    id: z.int(),
    at: z.iso.datetime(),
    whoId: z.string().describe("Empty for the command line"),
    who: z.string().describe("The name as it was then"),
    token: z.string().nullable().describe("Label of the token with which a program came"),
    kind: z.enum(actKinds),
    subject: z.string().describe("Whom or what: a name, a setting's key"),
    detail: z.record(z.string(), z.unknown()).describe("What matters besides; never a secret"),
  })
  .meta({ id: "Act" });

export function actEndpoints({ settings }: Pick<Parts, "settings">): Endpoint[] {
  return [
    endpoint({
      method: "GET",
      path: "/api/v1/system/acts",
      tag: "settings",
      summary: "What admins did, the newest first.",
      description: "For admins. The newest 10,000 are kept.",
      query: z.strictObject({
        kind: z.enum(actKinds).optional(),
        subject: z.string().max(200).optional(),
        before: z.int().min(1).optional().describe("Only those before this id: the next page"),
        limit: z.int().min(1).max(200).default(50),
      }),
      answers: {
        200: {
          description: "The newest first.",
          schema: z.strictObject({ items: z.array(actShape) }),
        },
        403: { description: "`forbidden`: only an admin may." },
      },
      handle: (call) => {
        adminOfCall(call, "see what others did");
        return json({ items: settings.acts.list(call.query) });
      },
    }),
  ];
}
