/** The page of one's presets. */
import type { Elysia } from "elysia";
import { z } from "zod";
import { type ListedPreset, type PresetListView, presetsPage } from "../../views/preset-list.ts";
import { texts } from "../../views/texts/texts.ts";
import type { Preset } from "../jobs/presets.ts";
import { Refusal } from "../trouble.ts";
import { readForm } from "./body.ts";
import { route } from "./endpoint.ts";
import { htmlResponse } from "./headers.ts";
import { type ViewerParts, viewerOf } from "./pages.ts";
import type { Parts } from "./parts.ts";
import { SHARING, sharePreset } from "./presets.ts";
import { adminOfPage, userOfPage } from "./settings-pages.ts";
import { attempt, done, saidIn } from "./settings-room.ts";

type Needs = Pick<Parts, "presets" | "settings" | "operations"> & ViewerParts;

const HERE = "/settings/presets";

/** What is exported, and read in again here or elsewhere. */
const fileShape = z.strictObject({
  presets: z
    .array(
      z.strictObject({
        name: z.string().max(200),
        operation: z.string().max(64),
        params: z.record(z.string().max(100), z.unknown()),
        expireDays: z.int().min(0).max(36_500).nullable().default(null),
      }),
    )
    .max(200),
});

export function mountPresetPages(app: Elysia, parts: Needs): void {
  const { presets } = parts;
  route(app, "GET", HERE, (request) => show(parts, request, { said: saidIn(request) }));
  route(app, "GET", `${HERE}/export`, (request) => {
    const own = presets
      .mine(userOfPage(request).id)
      .map(({ name, operation, params, expireDays }) => ({ name, operation, params, expireDays }));
    return new Response(`${JSON.stringify({ presets: own }, null, 2)}\n`, {
      headers: {
        "content-type": "application/json",
        "content-disposition": 'attachment; filename="presets.json"',
      },
    });
  });
  route(app, "POST", `${HERE}/import`, (request) => readIn(parts, request));
  route(app, "POST", `${HERE}/:id/rename`, (request, { id = "" }) => rename(parts, request, id));
  route(app, "POST", `${HERE}/:id/delete`, (request, { id = "" }) => {
    const seen = Number(new URL(request.url).searchParams.get("version") ?? 0);
    if (!presets.delete(userOfPage(request).id, id, seen)) throw stale();
    return done(request, HERE, "deleted");
  });
  for (const [verb, shared] of [
    ["share", true],
    ["unshare", false],
  ] as const) {
    route(app, "POST", `${HERE}/:id/${verb}`, (request, { id = "" }) => {
      sharePreset(parts, adminOfPage(request, SHARING), id, shared);
      return done(request, HERE, shared ? "shared" : "unshared");
    });
  }
}

function show(
  parts: Needs,
  request: Request,
  rest: Partial<PresetListView>,
  status = 200,
): Response {
  const all = parts.presets.list(userOfPage(request).id);
  const listed = (preset: Preset): ListedPreset => ({
    ...preset,
    operation:
      parts.operations.find(({ name }) => name === preset.operation)?.title ?? preset.operation,
  });
  const pick = (fits: (preset: Preset) => boolean) => all.filter(fits).map(listed);
  const view = {
    own: pick(({ builtIn, sharedBy }) => !builtIn && sharedBy === null),
    shared: pick(({ sharedBy }) => sharedBy !== null),
    builtIn: pick(({ builtIn }) => builtIn),
    ...rest,
  };
  return htmlResponse(presetsPage(viewerOf(parts, request), view), status);
}

async function rename(parts: Needs, request: Request, id: string): Promise<Response> {
  const form = await readForm(request);
  const userId = userOfPage(request).id;
  const { operation, params } = parts.presets.get(userId, id);
  const refused = await attempt(() => {
    const wish = { name: form.get("name") ?? "", operation, params };
    const seen = Number(form.get("version") ?? 0);
    if (parts.presets.replace(userId, id, seen, wish) === null) throw stale();
  }, []);
  if (refused === null) return done(request, HERE, "saved");
  return show(parts, request, { refused: refused.refused }, refused.status);
}

/** One that has the name of another of one's own takes its place. All are looked at before the first is kept. */
async function readIn(parts: Needs, request: Request): Promise<Response> {
  const typed = (await readForm(request)).get("presets") ?? "";
  const userId = userOfPage(request).id;
  const refused = await attempt(() => {
    const { presets: wishes } = presetsIn(typed);
    parts.presets.takeAll(userId, wishes);
  }, []);
  if (refused === null) return done(request, HERE, "imported");
  return show(parts, request, { typed, refused: refused.refused }, refused.status);
}

function presetsIn(text: string): z.output<typeof fileShape> {
  const read = (): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  };
  const parsed = fileShape.safeParse(read());
  if (parsed.success) return parsed.data;
  throw new Refusal(422, "invalid", texts.settings.preset.notPresets);
}

function stale(): Refusal {
  const sentence = "This preset was changed on another page. Look at how it is now and try again.";
  return new Refusal(409, "stale", sentence);
}
