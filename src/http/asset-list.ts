/** `GET /api/v1/assets`: the library as a list, with all that the page can filter and sort by. */
import { z } from "zod";
import { assetKinds } from "../assets/asset.ts";
import { cleanLabel } from "../assets/labels.ts";
import {
  type AssetFilter,
  assetSorts,
  listedStates,
  resolutionClasses,
} from "../assets/listing.ts";
import { type Endpoint, endpoint, json, userOfCall } from "./endpoint.ts";
import type { Parts } from "./parts.ts";
import { assetJson, assetShape, idText, pageLimit, pageShape } from "./shapes.ts";

/** A cursor holds a name at most, written as base64. */
const CURSOR_MAX = 2_048;

/** The longest length that may be asked for: a month of recording. */
const SECONDS_MAX = 2_678_400;

const seconds = z.int().min(0).max(SECONDS_MAX).optional();

export const listQuery = z.strictObject({
  limit: pageLimit,
  after: z
    .string()
    .min(1)
    .max(CURSOR_MAX)
    .optional()
    .describe("`next` of the page before, in the same order"),
  sort: z
    .enum(assetSorts)
    .default("newest")
    .describe("By age, name, size or length; what has no length counts as the shortest"),
  kind: z.enum(assetKinds).optional(),
  search: z.string().max(200).optional().describe("Part of the name"),
  codec: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe("In ffmpeg's word, for example `h264`: of the picture, or of what is sound alone"),
  resolution: z
    .enum(resolutionClasses)
    .optional()
    .describe("By lines, also of what stands upright or is cropped wide; `sd`: below 720"),
  minSeconds: seconds.describe("At least so long; what has no length is left out"),
  maxSeconds: seconds.describe("At most so long; what has no length is left out"),
  label: z.string().min(1).max(200).optional().describe("Only what has this label"),
  origin: z.enum(["upload", "import", "job"]).optional().describe("How it came"),
  job: idText.optional().describe("Only what this job made"),
  sha256: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/, "must be 64 hexadecimal digits")
    .optional()
    .describe("Only what has these bytes: whether a file is here before it is sent"),
  state: z
    .enum(listedStates)
    .default("ready")
    .describe(
      "`working`: what a job that has not ended reads; `expiring`: what goes into the bin by itself one day; `binned`: what is in the bin",
    ),
});

export function listEndpoint(parts: Pick<Parts, "library">): Endpoint {
  return endpoint({
    method: "GET",
    path: "/api/v1/assets",
    tag: "assets",
    summary: "List assets, filtered and in any order.",
    description:
      "Your own: nobody sees what belongs to others, so there is no filter by owner. Filters can be combined. Each page begins right behind the one before, whatever came or went meanwhile.",
    query: listQuery,
    answers: {
      200: { description: "A page.", schema: pageShape(assetShape) },
      422: { description: "`invalid`: also for an `after` of another order." },
    },
    handle: (call) => {
      const page = parts.library.list(filterOf(userOfCall(call).id, call.query));
      return json({ items: page.items.map(assetJson), next: page.next });
    },
  });
}

function filterOf(ownerId: string, query: z.output<typeof listQuery>): AssetFilter {
  return {
    ownerId,
    limit: query.limit,
    after: query.after ?? null,
    sort: query.sort,
    kind: query.kind ?? null,
    search: query.search === undefined || query.search === "" ? null : query.search,
    codec: query.codec ?? null,
    resolution: query.resolution ?? null,
    minSeconds: query.minSeconds ?? null,
    maxSeconds: query.maxSeconds ?? null,
    label: query.label === undefined ? null : cleanLabel(query.label),
    origin: query.origin ?? null,
    jobId: query.job ?? null,
    sha256: query.sha256?.toLowerCase() ?? null,
    state: query.state,
  };
}
