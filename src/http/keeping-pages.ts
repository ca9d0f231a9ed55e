/** The pages of storage, retention and backups. For admins. */
import type { Elysia } from "elysia";
import { backupsPage } from "../../views/backup-page.ts";
import { retentionPage } from "../../views/retention.ts";
import { type StorageView, storageLive, storagePage, testCard } from "../../views/storage.ts";
import { route } from "./endpoint.ts";
import { htmlResponse } from "./headers.ts";
import { type ViewerParts, viewerOf } from "./pages.ts";
import type { Parts } from "./parts.ts";
import { actorOf } from "./settings.ts";
import { adminOfPage } from "./settings-pages.ts";
import { done, saidIn } from "./settings-room.ts";
import { visitOf } from "./visit.ts";

type Needs = Pick<Parts, "accounts" | "settings" | "sweep" | "backups" | "storage" | "stock"> &
  Pick<Parts, "migration" | "bucket" | "testStorage" | "system"> &
  ViewerParts;

export function mountKeepingPages(app: Elysia, parts: Needs): void {
  mountRetention(app, parts);
  mountBackups(app, parts);
  mountStorageRoom(app, parts);
}

function mountRetention(app: Elysia, parts: Needs): void {
  const { accounts, library, sweep, settings } = parts;
  route(app, "GET", "/settings/retention", (request) => {
    adminOfPage(request, "look at retention");
    const people = accounts.listUsers();
    const exceptions = people
      .map(({ id, name }) => ({ id, name, allowance: library.allowances.of(id) }))
      .filter(({ allowance }) => Object.values(allowance).some((value) => value !== null));
    const view = {
      ...{ rules: library.allowances.settings, exceptions, plan: sweep.plan() },
      owners: new Map(people.map(({ id, name }) => [id, name])),
      said: saidIn(request),
    };
    return htmlResponse(retentionPage(viewerOf(parts, request), view));
  });
  route(app, "POST", "/settings/retention/sweep", async (request) => {
    const actor = actorOf(adminOfPage(request, "sweep"));
    const { expired, deleted } = await sweep.round();
    const counts = { expired: expired.length, deleted: deleted.length };
    settings.acts.note(actor, "sweep.made", "", counts);
    return done(request, "/settings/retention", "swept");
  });
}

/** A copy of some gigabytes is silent for as long. */
const BACKUP_SILENCE_SECONDS = 255;

function mountBackups(app: Elysia, parts: Needs): void {
  const { backups, settings } = parts;
  route(app, "GET", "/settings/backups", async (request) => {
    adminOfPage(request, "look at backups or make one");
    const state = await backups.state();
    return htmlResponse(backupsPage(viewerOf(parts, request), state, saidIn(request)));
  });
  route(app, "POST", "/settings/backups", async (request) => {
    const actor = actorOf(adminOfPage(request, "look at backups or make one"));
    visitOf(request).allowSilence(BACKUP_SILENCE_SECONDS);
    const { name, sizeBytes } = await backups.take();
    settings.acts.note(actor, "backup.made", name, { sizeBytes });
    return done(request, "/settings/backups", "backup");
  });
}

const HERE = "/settings/storage";

function mountStorageRoom(app: Elysia, parts: Needs): void {
  const { settings, migration, stock } = parts;
  const admin = (request: Request) => actorOf(adminOfPage(request, "look at storage or change it"));
  route(app, "GET", HERE, async (request) => {
    admin(request);
    const view = await storageViewOf(parts, saidIn(request));
    return htmlResponse(storagePage(viewerOf(parts, request), view));
  });
  route(app, "GET", `${HERE}/live`, (request) => {
    admin(request);
    const part = new URL(request.url).searchParams.get("part") === "move" ? "move" : "check";
    const move = migration?.report() ?? null;
    return htmlResponse(storageLive(part, { move, stock: stock.report() }));
  });
  route(app, "POST", `${HERE}/test`, async (request) => {
    admin(request);
    return htmlResponse(testCard(await parts.testStorage()));
  });
  route(app, "POST", `${HERE}/move`, (request) => {
    const actor = admin(request);
    migration?.start();
    settings.acts.note(actor, "storage.moved", parts.storage.kind);
    return done(request, HERE, "moving");
  });
  route(app, "DELETE", `${HERE}/move`, async (request) => {
    const actor = admin(request);
    await migration?.stop();
    settings.acts.note(actor, "storage.stopped", parts.storage.kind);
    return done(request, HERE, "stopped");
  });
  route(app, "POST", `${HERE}/check`, (request) => {
    const actor = admin(request);
    const { searchParams } = new URL(request.url);
    const wish = {
      deep: searchParams.get("deep") === "true",
      repair: searchParams.get("repair") === "true",
    };
    stock.start(wish);
    settings.acts.note(actor, "storage.checked", parts.storage.kind, wish);
    return done(request, HERE, "checking");
  });
}

async function storageViewOf(parts: Needs, said: string | null): Promise<StorageView> {
  const { config, migration, stock } = parts;
  const { storage } = await parts.system();
  const { secretAccessKey, secretAccessKeyFile } = config.storage.s3;
  return {
    settings: config.storage,
    hasSecret: secretAccessKey !== "" || secretAccessKeyFile !== "",
    ...{ freeBytes: storage.freeBytes, usedBytes: storage.usedBytes },
    ...{ assetCount: storage.assetCount, move: migration?.report() ?? null },
    ...{ stock: stock.report(), said },
  };
}
