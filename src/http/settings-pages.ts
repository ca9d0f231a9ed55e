/** The page of the settings, and the trail. For admins; members come to their own account. */
import type { Elysia } from "elysia";
import { actsPage } from "../../views/acts.ts";
import { formText, generalPage, groupOf, type SettingsView } from "../../views/settings.ts";
import { texts } from "../../views/texts/texts.ts";
import { bytesOf } from "../byte-words.ts";
import { type ActKind, actKinds } from "../settings/acts.ts";
import type { SettingState } from "../settings/settings.ts";
import { readForm } from "./body.ts";
import { adminOfCall, askerOf, route, userOfCall } from "./endpoint.ts";
import { htmlResponse } from "./headers.ts";
import { type ViewerParts, viewerOf } from "./pages.ts";
import type { Parts } from "./parts.ts";
import { changeSettings, isLocked, SETTINGS_DOING } from "./settings.ts";
import { attempt, done, saidIn } from "./settings-room.ts";
import { visitOf } from "./visit.ts";

type Needs = Pick<Parts, "settings"> & ViewerParts;

const words = texts.settings;

/** Acts on one page of the trail. */
const TRAIL_PAGE = 50;

export function mountSettingsPages(app: Elysia, parts: Needs): void {
  route(app, "GET", "/settings", (request) => {
    if (askerOf(request).role !== "admin") return done(request, "/settings/account", "");
    const view = { ...viewOf(parts), said: saidIn(request) };
    return htmlResponse(generalPage(viewerOf(parts, request), view));
  });
  route(app, "POST", "/settings", (request) => save(parts, request));
  route(app, "POST", "/settings/reset/:key", (request, { key = "" }) => {
    adminOfCall({ visit: visitOf(request) }, SETTINGS_DOING);
    const seen = Number(new URL(request.url).searchParams.get("revision") ?? 0);
    changeSettings(parts, { request, visit: visitOf(request) }, { [key]: null }, seen);
    return done(request, "/settings", "reset");
  });
  route(app, "GET", "/settings/acts", (request) => {
    adminOfCall({ visit: visitOf(request) }, "see what others did");
    const { searchParams } = new URL(request.url);
    const kind = actKinds.find((each) => each === searchParams.get("kind")) ?? null;
    const before = Number(searchParams.get("before") ?? 0);
    return htmlResponse(actsPage(viewerOf(parts, request), trailOf(parts, kind, before)));
  });
}

function trailOf({ settings }: Needs, kind: ActKind | null, before: number) {
  const acts = settings.acts.list({
    ...{ limit: TRAIL_PAGE + 1, kind: kind ?? undefined },
    before: Number.isSafeInteger(before) && before > 0 ? before : undefined,
  });
  const more = acts.length > TRAIL_PAGE;
  return { acts: acts.slice(0, TRAIL_PAGE), kind, more };
}

function viewOf({ settings }: Needs): SettingsView {
  const { revision, restartNeeded, file } = settings;
  return { settings: settings.list(), revision, restartNeeded, file };
}

/** Only what differs from what the page showed is a change: others may have changed the rest. */
async function save(parts: Needs, request: Request): Promise<Response> {
  const visit = visitOf(request);
  adminOfCall({ visit }, SETTINGS_DOING);
  const form = await readForm(request);
  const group = form.get("group") ?? "";
  const seen = Number(form.get("revision") ?? 0);
  const members = parts.settings
    .list()
    .filter((setting) => groupOf(setting.key) === group && form.has(setting.key));
  const typed = Object.fromEntries(members.map(({ key }) => [key, form.get(key) ?? ""]));
  const wanted = Object.fromEntries(
    members
      .filter((setting) => !isLocked(setting) && isChanged(setting, typed[setting.key] ?? ""))
      .map((setting) => [setting.key, givenIn(setting, typed[setting.key] ?? "")]),
  );
  if (Object.keys(wanted).length === 0) return done(request, "/settings", "unchanged");
  const refused = await attempt(
    () => changeSettings(parts, { request, visit }, wanted, seen),
    Object.keys(wanted),
  );
  if (refused === null) return done(request, "/settings", "saved");
  const sentence = refused.status === 412 ? words.stale : (refused.refused ?? words.faults);
  const view = { ...viewOf(parts), typed, faults: refused.faults, refused: sentence };
  return htmlResponse(generalPage(viewerOf(parts, request), view), refused.status);
}

function isChanged(setting: SettingState, text: string): boolean {
  return text.trim() !== formText(setting, setting.afterRestart ?? setting.value);
}

/** As the schema takes it; what cannot be read stays a text, which the schema then refuses with its own words. */
function givenIn({ kind }: SettingState, text: string): unknown {
  const trimmed = text.trim();
  if (kind === "bytes") return bytesOf(trimmed) ?? trimmed;
  if (kind === "number") return /^-?\d+$/.test(trimmed) ? Number(trimmed) : trimmed;
  if (kind === "switch") return trimmed === "true";
  if (kind !== "list") return trimmed;
  return trimmed === "" ? [] : trimmed.split(",").map((word) => word.trim());
}

/** Who is asked for, of a route of the page. @throws Refusal 403 */
export function adminOfPage(request: Request, doing: string) {
  return adminOfCall({ visit: visitOf(request) }, doing);
}

/** The same, anybody. */
export function userOfPage(request: Request) {
  return userOfCall({ visit: visitOf(request) });
}
