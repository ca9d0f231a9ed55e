/** Presets over HTTP: named parameters, those that come with Kinomill and one's own. */
import { z } from "zod";
import type { User } from "../accounts/accounts.ts";
import type { Preset } from "../jobs/presets.ts";
import { Refusal } from "../trouble.ts";
import { adminOfCall, type Call, type Endpoint, endpoint, json, userOfCall } from "./endpoint.ts";
import type { Parts } from "./parts.ts";
import { actorOf } from "./settings.ts";

/** Days after which things go into the bin; 0: never; null: as said elsewhere. */
export const expireDays = z.int().min(0).max(36_500).nullable();

const presetShape = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    operation: z.string(),
    params: z.record(z.string(), z.unknown()),
    builtIn: z.boolean().describe("Comes with Kinomill and cannot be changed"),
    shared: z.boolean().describe("Everybody may use it"),
    sharedBy: z
      .string()
      .nullable()
      .describe("Its owner, where it is somebody else's: it can be used and not changed"),
    expireDays: z
      .int()
      .nullable()
      .describe(
        "Days after which what it makes goes into the bin; 0: never; null: as the settings say",
      ),
    version: z.int().min(1).describe("Counts changes; the ETag says it too"),
    createdAt: z.iso.datetime().nullable().describe("Null for those that come with Kinomill"),
    updatedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "Preset" });

const wishShape = z
  .strictObject({
    name: z.string().max(200),
    operation: z.string().min(1).max(64),
    params: z.record(z.string().max(100), z.unknown()).default({}),
    expireDays: expireDays.default(null),
  })
  .meta({ id: "PresetWish" });

const ifMatch = { name: "If-Match", description: "The ETag of the version that you saw." };

const wishFaults = {
  404: { description: "`unknown_operation`, or `no_such_preset`." },
  409: { description: "`name_taken`, `too_many_presets`" },
  422: { description: "`invalid_name`, `invalid_params`: `errors` names every fault." },
};

const changeFaults = {
  403: { description: "`read_only`: it comes with Kinomill." },
  412: { description: "`precondition_failed`: it has changed since." },
};

export function presetEndpoints(parts: Pick<Parts, "presets" | "settings">): Endpoint[] {
  return [...readEndpoints(parts), ...changeEndpoints(parts), shareEndpoint(parts)];
}

function shareEndpoint(parts: Pick<Parts, "presets" | "settings">): Endpoint {
  return endpoint({
    method: "POST",
    path: "/api/v1/presets/:id/share",
    tag: "presets",
    summary: "Let everybody use a preset of yours, or take it back.",
    description: "For admins. It stays yours: others use it and cannot change it.",
    body: z.strictObject({ shared: z.boolean() }),
    answers: {
      200: { description: "It, with its ETag.", schema: presetShape },
      403: { description: "`forbidden`: only an admin may. `read_only`: it is not yours." },
      404: { description: "`no_such_preset`" },
    },
    handle: (call) => {
      const admin = adminOfCall(call, SHARING);
      return answer(sharePreset(parts, admin, idOf(call), call.body.shared));
    },
  });
}

/** As it stands behind "Only an admin may". */
export const SHARING = "share a preset with everybody";

/** @throws Refusal as `Presets.share` */
export function sharePreset(
  { presets, settings }: Pick<Parts, "presets" | "settings">,
  admin: User,
  id: string,
  shared: boolean,
): Preset {
  const preset = presets.share(admin.id, id, shared);
  settings.acts.note(actorOf(admin), shared ? "preset.shared" : "preset.unshared", preset.name);
  return preset;
}

function readEndpoints({ presets }: Pick<Parts, "presets">): Endpoint[] {
  return [
    endpoint({
      method: "GET",
      path: "/api/v1/presets",
      tag: "presets",
      summary: "All presets: those that come with Kinomill, then your own.",
      query: z.strictObject({ operation: z.string().min(1).max(64).optional() }),
      answers: {
        200: {
          description: "All of them.",
          schema: z.strictObject({ items: z.array(presetShape) }),
        },
      },
      handle: (call) =>
        json({ items: presets.list(userOfCall(call).id, call.query.operation ?? null) }),
    }),
    endpoint({
      method: "GET",
      path: "/api/v1/presets/:id",
      tag: "presets",
      summary: "One preset.",
      answers: {
        200: { description: "It, with its ETag.", schema: presetShape },
        404: { description: "`no_such_preset`" },
      },
      handle: (call) => answer(presets.get(userOfCall(call).id, idOf(call))),
    }),
  ];
}

function changeEndpoints({ presets }: Pick<Parts, "presets">): Endpoint[] {
  return [
    endpoint({
      method: "POST",
      path: "/api/v1/presets",
      tag: "presets",
      summary: "Save a preset.",
      body: wishShape,
      answers: { 201: { description: "It, with its ETag.", schema: presetShape }, ...wishFaults },
      handle: (call) => {
        const preset = presets.create(userOfCall(call).id, call.body);
        return answer(preset, 201, { location: `/api/v1/presets/${preset.id}` });
      },
    }),
    endpoint({
      method: "PUT",
      path: "/api/v1/presets/:id",
      tag: "presets",
      summary: "Replace a preset of your own.",
      headers: [ifMatch],
      body: wishShape,
      answers: {
        200: { description: "It afterwards, with its ETag.", schema: presetShape },
        ...wishFaults,
        ...changeFaults,
        428: { description: "`precondition_required`: say with If-Match what you saw." },
      },
      handle: (call) => {
        const seen = versionSeen(call.request);
        if (seen === null) {
          const sentence = "Send If-Match with the ETag of the preset that you want to replace.";
          throw new Refusal(428, "precondition_required", sentence);
        }
        const preset = presets.replace(userOfCall(call).id, idOf(call), seen, call.body);
        if (preset === null) throw changedSince();
        return answer(preset);
      },
    }),
    endpoint({
      method: "DELETE",
      path: "/api/v1/presets/:id",
      tag: "presets",
      summary: "Delete a preset of your own. Jobs that were started with it are not touched.",
      headers: [ifMatch],
      answers: {
        204: { description: "It is gone." },
        404: { description: "`no_such_preset`" },
        ...changeFaults,
      },
      handle: (call) => {
        const seen = versionSeen(call.request);
        if (!presets.delete(userOfCall(call).id, idOf(call), seen)) throw changedSince();
        return new Response(null, { status: 204 });
      },
    }),
  ];
}

function answer(preset: Preset, status = 200, headers: Record<string, string> = {}): Response {
  return json(preset, status, { ...headers, etag: `"${preset.version}"` });
}

/** A tag that is none of ours matches no version. Null without If-Match. */
function versionSeen(request: Request): number | null {
  const header = request.headers.get("if-match");
  if (header === null) return null;
  return Number(/^"(\d{1,9})"$/.exec(header.trim())?.[1] ?? 0);
}

function changedSince(): Refusal {
  const sentence = "The preset has changed since you saw it. Fetch it again and repeat the change.";
  return new Refusal(412, "precondition_failed", sentence);
}

function idOf(call: Call<unknown, unknown>): string {
  return call.params["id"] ?? "";
}
