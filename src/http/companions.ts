/** What is kept beside an asset for looking at it: how it stands, having it made, its bytes. */
import { z } from "zod";
import type { Asset } from "../assets/asset.ts";
import {
  type CompanionKind,
  companionKey,
  companionKinds,
  companionStates,
  companionTypes,
} from "../assets/companion.ts";
import type { Standing } from "../assets/companions.ts";
import { Refusal } from "../trouble.ts";
import { disposition, givesBytes, mediaPolicy, sendObject } from "./content.ts";
import { sendElsewhere } from "./direct.ts";
import { type Call, type Endpoint, endpoint, idOf, json, userOfCall } from "./endpoint.ts";
import type { Parts } from "./parts.ts";

const count = z.int().min(0);

const gridShape = z.strictObject({
  every: z.number().describe("Seconds that each picture stands for"),
  count,
  columns: count,
  rows: count,
  tileWidth: count,
  tileHeight: count,
});

const companionShape = z
  .strictObject({
    asset: z.string().describe("Id of the asset"),
    kind: z.enum(companionKinds),
    state: z
      .enum(companionStates)
      .describe("`absent`: nobody asked for it yet; `none`: it cannot be made, see `problem`"),
    sizeBytes: count.nullable(),
    facts: gridShape.nullable().describe("Of a sprite: how its pictures lie"),
    problem: z.string().nullable(),
    progressPercent: z.number().nullable().describe("While it is made"),
    etaSeconds: z.number().nullable().describe("Until it is there, as far as anybody can tell"),
    ahead: count.describe("How many are made before it"),
  })
  .meta({ id: "Companion" });

/** As the API and the event streams tell it. */
export function companionJson(assetId: string, standing: Standing): unknown {
  const { kind, state, sizeBytes, facts, problem, progressPercent, etaSeconds, ahead } = standing;
  const eta = etaSeconds === null ? null : Math.round(etaSeconds * 10) / 10;
  return {
    ...{ asset: assetId, kind, state, sizeBytes, facts, problem },
    ...{ progressPercent, etaSeconds: eta, ahead },
  };
}

/** How all of them stand. */
export function companionsJson(parts: Pick<Parts, "companions">, assetId: string): unknown[] {
  return companionKinds.map((kind) => companionJson(assetId, parts.companions.find(assetId, kind)));
}

export function companionEndpoints(parts: Parts): Endpoint[] {
  return [listEndpoint(parts), makeEndpoint(parts), bytesEndpoint(parts)];
}

function listEndpoint(parts: Parts): Endpoint {
  return endpoint({
    method: "GET",
    path: "/api/v1/assets/:id/companions",
    tag: "assets",
    summary: "What is kept beside an asset for looking at it.",
    description:
      "A `sprite` is a sheet of small pictures of the whole video, `peaks` the waveform of the first sound track, and a `proxy` a small copy (H.264 and AAC, at most 720 lines, a keyframe every second) that every browser plays. They are made when somebody asks for them, belong to nobody's quota, and go with the asset.",
    answers: {
      200: {
        description: "All of them.",
        schema: z.strictObject({ items: z.array(companionShape) }),
      },
      404: { description: "There is no such asset." },
    },
    handle: (call) => json({ items: companionsJson(parts, assetOf(parts, call).id) }),
  });
}

function makeEndpoint(parts: Parts): Endpoint {
  return endpoint({
    method: "POST",
    path: "/api/v1/assets/:id/companions/:kind",
    tag: "assets",
    summary: "Have one made.",
    description:
      "Nothing happens where it is there already or being made. One that could not be made is tried again. The event `companion` tells how far it is.",
    answers: {
      200: { description: "It is there.", schema: companionShape },
      202: { description: "It will be made.", schema: companionShape },
      404: { description: "There is no such asset, or no such kind." },
    },
    handle: (call) => {
      const kind = kindOf(call);
      const { id } = assetOf(parts, call);
      const standing = parts.companions.want(id, kind);
      return json(companionJson(id, standing), standing.state === "ready" ? 200 : 202);
    },
  });
}

function bytesEndpoint(parts: Parts): Endpoint {
  return endpoint({
    method: "GET",
    path: "/api/v1/assets/:id/companions/:kind",
    tag: "assets",
    summary: "The bytes of one, whole or one range of them.",
    description:
      "A `sprite` is a JPEG, `peaks` the JSON of audiowaveform (version 2), a `proxy` an MP4. HEAD, Range and conditions work as for the bytes of an asset.",
    answers: {
      200: { description: "All bytes.", mediaType: "application/octet-stream" },
      206: { description: "The range asked for.", mediaType: "application/octet-stream" },
      304: { description: "Not changed." },
      307: { description: "The bytes are in a bucket." },
      404: { description: "`not_found`; `no_companion`: it is not there (yet): have it made." },
      416: { description: "`bad_range`: it lies outside." },
    },
    handle: (call) => sendCompanion(parts, call.request, assetOf(parts, call), kindOf(call)),
  });
}

/** Sheets and peaks of an asset never change. A player asks for a small copy again and again, in ranges. */
const cached = "private, max-age=86400";

async function sendCompanion(
  parts: Parts,
  request: Request,
  asset: Asset,
  kind: CompanionKind,
): Promise<Response> {
  const { state, sizeBytes } = parts.companions.find(asset.id, kind);
  if (state !== "ready" || sizeBytes === null) throw notThere();
  const key = companionKey(asset.id, kind);
  const representation = {
    sizeBytes,
    etag: `"${asset.sha256.slice(0, 32)}-${kind}-${sizeBytes}"`,
    modifiedMs: null,
  };
  const audible = kind === "proxy" && asset.kind === "audio";
  const headers = {
    "content-type": audible ? "audio/mp4" : companionTypes[kind],
    "content-disposition": disposition("inline", asset.name),
    "content-security-policy": mediaPolicy,
    "cache-control": kind === "proxy" ? "private, no-cache" : cached,
  };
  parts.companions.noteUse(asset.id, kind);
  if (kind === "proxy" && givesBytes(request, representation)) {
    const elsewhere = await sendElsewhere(parts, request, { ...asset, id: key }, headers);
    if (elsewhere !== null) return elsewhere;
  }
  try {
    return await sendObject(request, parts.storage, key, representation, headers);
  } catch (cause) {
    if (!(cause instanceof Refusal) || cause.status !== 404) throw cause;
    parts.companions.lost(asset.id, kind);
    throw notThere();
  }
}

function notThere(): Refusal {
  return new Refusal(404, "no_companion", "It is not there, or not yet. Have it made with POST.");
}

function assetOf(parts: Parts, call: Call<unknown, unknown>): Asset {
  return parts.library.get(userOfCall(call).id, idOf(call));
}

function kindOf({ params }: Call<unknown, unknown>): CompanionKind {
  const kind = companionKinds.find((known) => known === params["kind"]);
  if (kind !== undefined) return kind;
  throw new Refusal(404, "not_found", `There is no such kind: ${companionKinds.join(", ")}.`);
}
