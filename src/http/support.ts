/** The support bundle of a server that runs, for admins. */
import { z } from "zod";
import { Refusal } from "../trouble.ts";
import { adminOfCall, type Endpoint, endpoint } from "./endpoint.ts";
import type { Parts } from "./parts.ts";

export function supportEndpoints(parts: Pick<Parts, "supportBundle">): Endpoint[] {
  let making = false;
  return [
    endpoint({
      method: "GET",
      path: "/api/v1/system/support-bundle",
      tag: "system",
      summary: "Facts for somebody who helps from afar, as an archive.",
      description:
        "For admins. Versions, findings, settings, file systems, numbers of jobs, the newest failures and lines of the log: no secrets, no films, and no names of files and people unless they are asked for. `README.txt` says what it holds.",
      query: z.strictObject({
        withNames: z
          .enum(["true", "false"])
          .default("false")
          .describe("true: with names, titles, parameters and all that ffmpeg said of failed jobs"),
      }),
      answers: {
        200: { description: "Gzipped tar.", mediaType: "application/gzip" },
        403: { description: "`forbidden`: only an admin may." },
        429: { description: "`busy`: another one is being made." },
      },
      handle: async (call) => {
        adminOfCall(call, "make a support bundle");
        if (making) {
          throw new Refusal(429, "busy", "A support bundle is being made. Try again in a moment.", {
            headers: { "retry-after": "5" },
          });
        }
        making = true;
        try {
          const { name, bytes } = await parts.supportBundle(call.query.withNames === "true");
          const headers = {
            "content-type": "application/gzip",
            "content-disposition": `attachment; filename="${name}.tar.gz"`,
          };
          return new Response(Buffer.from(bytes), { headers });
        } finally {
          making = false;
        }
      },
    }),
  ];
}
