/**
 * What a job made, under the names that its files call each other by: a playlist and its streams lie in one
 * folder here as they would on a disk, so that a player finds all of them from the one address.
 */
import type { Asset } from "../assets/asset.ts";
import { Refusal } from "../trouble.ts";
import { sendAsset } from "./assets.ts";
import { type Call, type Endpoint, endpoint, userOfCall } from "./endpoint.ts";
import type { Parts } from "./parts.ts";
import { visitOf } from "./visit.ts";

export function outputEndpoints(parts: Parts): Endpoint[] {
  return [
    endpoint({
      method: "GET",
      path: "/api/v1/jobs/:id/outputs/:name",
      tag: "jobs",
      summary: "The bytes of an output by its name, whole or one range of them.",
      description:
        "Open the playlist of a ladder here and a player finds its streams beside it. HEAD, Range, If-Range, If-None-Match and If-Modified-Since work as in RFC 9110.",
      answers: {
        200: { description: "All bytes.", mediaType: "application/octet-stream" },
        206: { description: "The range asked for.", mediaType: "application/octet-stream" },
        304: { description: "Not changed." },
        404: { description: "There is no such job, or no such output of it (yet)." },
        416: { description: "`bad_range`: it lies outside." },
      },
      handle: (call) => sendOutput(parts, call),
    }),
  ];
}

/** A player that was given a token sends it to wherever it is sent, and S3 refuses two proofs at once. */
function sendOutput(parts: Parts, call: Call<unknown, unknown>): Promise<Response> {
  const bucket = visitOf(call.request).credential.kind === "session" ? parts.bucket : null;
  return sendAsset({ ...parts, bucket }, call.request, outputOf(parts, call), false);
}

function outputOf(parts: Parts, call: Call<unknown, unknown>): Asset {
  const { id = "", name = "" } = call.params;
  const found = parts.library.outputOf(userOfCall(call).id, id, decoded(name));
  if (found !== null) return found;
  throw new Refusal(
    404,
    "not_found",
    "There is no such job, or it has no output of that name. Outputs are there when the job has succeeded.",
  );
}

/** What is no text in UTF-8 is no name. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}
