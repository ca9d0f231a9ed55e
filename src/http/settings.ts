/** The settings over HTTP: what holds, why, and changes of what the page may change. For admins. */
import { z } from "zod";
import type { User } from "../accounts/accounts.ts";
import type { Actor } from "../settings/acts.ts";
import type { SettingState } from "../settings/settings.ts";
import { Refusal } from "../trouble.ts";
import { adminOfCall, type Endpoint, endpoint, json, userOfCall } from "./endpoint.ts";
import { hostGuard } from "./guard.ts";
import type { Parts } from "./parts.ts";

/** As it stands behind "Only an admin may". */
export const SETTINGS_DOING = "look at the settings or change them";

/** More are not there. */
const CHANGES_MAX = 200;

const anything = z.unknown();

const settingShape = z
  .strictObject({
    key: z.string().describe("As in the file of settings: jobs.cpuSlots"),
    title: z.string().nullable().describe("For a person; null where only the host says it"),
    sentence: z.string(),
    environmentName: z.string(),
    editable: z.boolean().describe("Whether this call and the page may change it at all"),
    locked: z
      .boolean()
      .describe("Whether file, environment or a flag say it, which hold over the page"),
    effect: z.enum(["at once", "restart"]).describe("When a change holds"),
    kind: z.enum(["number", "bytes", "switch", "choice", "list", "text"]),
    unit: z.string().nullable(),
    min: z.number().nullable(),
    max: z.number().nullable(),
    options: z.array(z.string()),
    value: anything.describe("What holds now; of a secret only whether there is one"),
    origin: z
      .enum(["default", "page", "file", "environment", "flag"])
      .describe("Where it comes from"),
    default: anything,
    pageValue: anything.describe("What an admin said; null when it is the default's turn"),
    ignored: z
      .enum(["locked", "invalid", "unknown"])
      .nullable()
      .describe("Why what an admin said does not hold"),
    restartNeeded: z.boolean().describe("What an admin said holds from the next start on"),
    changedAt: z.iso.datetime().nullable(),
    changedBy: z.string().nullable(),
  })
  .meta({ id: "Setting" });

const listShape = z
  .strictObject({
    revision: z.int().describe("Counts changes; the ETag says it too"),
    restartNeeded: z.boolean(),
    items: z.array(settingShape),
  })
  .meta({ id: "Settings" });

const admins = { 403: { description: "`forbidden`: only an admin may." } };

type Needs = Pick<Parts, "settings">;

/** Who acts, for the trail. */
export function actorOf({ id, name, token }: User): Actor {
  return { id, name, ...(token === undefined ? {} : { token }) };
}

export function settingsEndpoints({ settings }: Needs): Endpoint[] {
  const answer = () => {
    const items = settings.list().map(told);
    const { revision, restartNeeded } = settings;
    return json({ revision, restartNeeded, items }, 200, { etag: `"${revision}"` });
  };
  return [
    endpoint({
      method: "GET",
      path: "/api/v1/settings",
      tag: "settings",
      summary: "Every setting: what holds, where it comes from, who changed it.",
      answers: { 200: { description: "With their ETag.", schema: listShape }, ...admins },
      handle: (call) => {
        adminOfCall(call, SETTINGS_DOING);
        return answer();
      },
    }),
    endpoint({
      method: "PATCH",
      path: "/api/v1/settings",
      tag: "settings",
      summary: "Change settings; null is back to the default.",
      description:
        "For admins. All of them or none. What file, environment or a flag say cannot be changed here. A change holds at once or from the next start on: `effect` says which.",
      headers: [{ name: "If-Match", description: "The ETag of the list that you saw." }],
      body: z.strictObject({
        values: z
          .record(z.string().max(100), z.unknown())
          .refine((values) => Object.keys(values).length <= CHANGES_MAX, "are too many"),
      }),
      answers: {
        200: { description: "All of them as they are now.", schema: listShape },
        ...admins,
        412: { description: "`precondition_failed`: somebody changed one of them meanwhile." },
        422: { description: "`invalid_settings`: `errors` names every fault by its key." },
        428: { description: "`precondition_required`: say with If-Match what you saw." },
      },
      handle: (call) => {
        adminOfCall(call, SETTINGS_DOING);
        const seen = revisionSeen(call.request);
        changeSettings({ settings }, call, call.body.values, seen);
        return answer();
      },
    }),
  ];
}

/**
 * Changes settings for whoever asks, and keeps them from shutting themselves out.
 * @throws Refusal as `Settings.change`
 */
export function changeSettings(
  { settings }: Needs,
  call: Parameters<typeof userOfCall>[0] & { request: Request },
  values: Record<string, unknown>,
  seenRevision: number,
): SettingState[] {
  const { hosts } = values;
  if (Array.isArray(hosts)) keepOwnHost(call, hosts.map(String));
  return settings.change(actorOf(userOfCall(call)), values, seenRevision);
}

function keepOwnHost(
  { request, visit }: { request: Request; visit: { host: string } },
  hosts: readonly string[],
): void {
  try {
    hostGuard(hosts)(request, visit.host);
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause;
    const message = `must have ${visit.host}, by which you are here: you would be shut out`;
    const sentence = "The settings were not changed: see what is wrong with each.";
    throw new Refusal(422, "invalid_settings", sentence, { errors: [{ path: "hosts", message }] });
  }
}

function revisionSeen(request: Request): number {
  const header = request.headers.get("if-match");
  if (header === null) {
    const sentence = "Send If-Match with the ETag of the settings that you saw.";
    throw new Refusal(428, "precondition_required", sentence);
  }
  // A tag that is none of ours is older than everything.
  return Number(/^"(\d{1,12})"$/.exec(header.trim())?.[1] ?? 0);
}

function told(state: SettingState): z.output<typeof settingShape> {
  const { key, sentence, environmentName, kind, unit, min, max, value, origin } = state;
  return {
    ...{ key, title: state.editable?.title ?? null, sentence, environmentName },
    editable: state.editable !== null,
    locked: isLocked(state),
    effect: state.editable?.effect ?? "restart",
    ...{ kind, unit, min, max, options: [...state.options], value, origin },
    default: state.default,
    pageValue: state.pageValue ?? null,
    ignored: state.ignored,
    restartNeeded: state.afterRestart !== undefined,
    ...{ changedAt: state.changedAt, changedBy: state.changedBy },
  };
}

/** Whether the host says it, which holds over the page. */
export function isLocked({ origin }: Pick<SettingState, "origin">): boolean {
  return origin !== "default" && origin !== "page";
}
