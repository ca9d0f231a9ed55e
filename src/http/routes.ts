/** Every route of the site, in one list. */
import type { Elysia } from "elysia";
import { accountEndpoints } from "./account.ts";
import { mountAccountPages } from "./account-pages.ts";
import { actEndpoints } from "./acts.ts";
import { mountAssetPages } from "./asset-pages.ts";
import { assetEndpoints } from "./assets.ts";
import { backupEndpoints } from "./backups.ts";
import { binEndpoints } from "./bin.ts";
import { mountBinPages } from "./bin-pages.ts";
import { bulkAssetEndpoints } from "./bulk-assets.ts";
import { checkupEndpoints, Looking, mountCheckupFragments } from "./checkup.ts";
import { companionEndpoints } from "./companions.ts";
import { DeviceWatch } from "./device-watch.ts";
import { deviceEndpoints } from "./devices.ts";
import { directUploadEndpoints } from "./direct-uploads.ts";
import { mountDocs } from "./docs.ts";
import { type Endpoint, endpoint, json, mount } from "./endpoint.ts";
import { mountEntrance } from "./entrance.ts";
import { eventEndpoints } from "./events.ts";
import { mountFragments } from "./fragments.ts";
import { newRouter } from "./handler.ts";
import { healthEndpoints } from "./health.ts";
import { importEndpoints } from "./imports.ts";
import { jobEndpoints } from "./jobs.ts";
import { mountKeepingPages } from "./keeping-pages.ts";
import { mountLibraryPages } from "./library-pages.ts";
import { mountDeviceFragments } from "./live-devices.ts";
import { mountWorkFragments } from "./live-work.ts";
import { machineEndpoints } from "./machine.ts";
import { mountMake } from "./make.ts";
import { metricsEndpoints } from "./metrics.ts";
import { openApiDocument } from "./openapi.ts";
import { operationEndpoints } from "./operations.ts";
import { outputEndpoints } from "./outputs.ts";
import { mountPageLife } from "./page-life.ts";
import { mountPages } from "./pages.ts";
import type { Parts } from "./parts.ts";
import { mountPeoplePages } from "./people-pages.ts";
import { mountPresetPages } from "./preset-pages.ts";
import { presetEndpoints } from "./presets.ts";
import { retentionEndpoints } from "./retention.ts";
import { mountSelfTestFragments, SelfTestNews, selfTestEndpoints } from "./self-test.ts";
import { logEndpoints, mountLogPage } from "./server-log.ts";
import { settingsEndpoints } from "./settings.ts";
import { mountSettingsPages } from "./settings-pages.ts";
import { mountStatic } from "./static.ts";
import { mountStorage } from "./storage.ts";
import { storageCheckEndpoints } from "./storage-check.ts";
import { storageMoveEndpoints } from "./storage-moves.ts";
import type { Streams } from "./stream.ts";
import { supportEndpoints } from "./support.ts";
import { systemEndpoints } from "./system.ts";
import { mountSystemPage } from "./system-page.ts";
import { mountTries } from "./tries.ts";
import { uploadEndpoints } from "./uploads.ts";
import { userEndpoints } from "./users.ts";
import { mountWelcome } from "./welcome.ts";
import { mountZip, zipEndpoints } from "./zip.ts";

/** The calls that the OpenAPI document describes. */
export function apiEndpoints(
  parts: Parts,
  streams: Streams,
  { watch, looking, news }: { watch: DeviceWatch; looking: Looking; news: SelfTestNews },
): Endpoint[] {
  return [
    ...assetEndpoints(parts),
    ...bulkAssetEndpoints(parts),
    ...companionEndpoints(parts),
    ...binEndpoints(parts),
    ...uploadEndpoints(parts),
    ...directUploadEndpoints(parts),
    ...importEndpoints(parts),
    ...zipEndpoints(parts),
    ...operationEndpoints(parts),
    ...jobEndpoints(parts),
    ...outputEndpoints(parts),
    ...presetEndpoints(parts),
    ...eventEndpoints(parts, streams),
    ...systemEndpoints(parts),
    ...supportEndpoints(parts),
    ...backupEndpoints(parts),
    ...storageMoveEndpoints(parts),
    ...storageCheckEndpoints(parts),
    ...retentionEndpoints(parts),
    ...settingsEndpoints(parts),
    ...actEndpoints(parts),
    ...accountEndpoints(parts),
    ...userEndpoints(parts),
    ...deviceEndpoints(parts, streams, watch),
    ...machineEndpoints(parts, streams),
    ...checkupEndpoints(parts, looking),
    ...selfTestEndpoints(parts, news),
    ...logEndpoints(parts, streams),
    ...healthEndpoints(parts),
    ...metricsEndpoints(parts, streams),
  ];
}

export function createRoutes(parts: Parts, streams: Streams): Elysia {
  const app = newRouter();
  const watch = new DeviceWatch(parts);
  const looking = new Looking(parts);
  const news = new SelfTestNews();
  const endpoints = apiEndpoints(parts, streams, { watch, looking, news });
  const documentEndpoint: Endpoint = endpoint({
    method: "GET",
    path: "/api/v1/openapi.json",
    tag: "system",
    summary: "This document.",
    answers: { 200: { description: "OpenAPI 3.1.", mediaType: "application/json" } },
    handle: ({ visit }) => json({ ...document(), servers: [{ url: `${visit.base}/` }] }),
  });
  const all = [...endpoints, documentEndpoint];
  // Made on first use: it takes some milliseconds that a start need not wait for.
  let made: Record<string, unknown> | null = null;
  const document = () => {
    made ??= openApiDocument(all, parts.operations);
    return made;
  };
  mount(app, all);
  mountZip(app, parts);
  mountStorage(app, parts);
  mountStatic(app);
  mountEntrance(app, parts);
  mountPages(app, parts);
  mountSettingsPages(app, parts);
  mountAccountPages(app, parts);
  mountPeoplePages(app, parts);
  mountPresetPages(app, parts);
  mountAssetPages(app, parts);
  mountKeepingPages(app, parts);
  mountMake(app, parts);
  mountPageLife(app, parts);
  mountTries(app, parts);
  mountWelcome(app, parts);
  mountLibraryPages(app, parts);
  mountFragments(app, parts, streams);
  mountSystemPage(app, parts, streams);
  mountDeviceFragments(app, parts, streams, { watch, news });
  mountCheckupFragments(app, parts, looking);
  mountSelfTestFragments(app, parts, news);
  mountWorkFragments(app, parts);
  mountLogPage(app, parts);
  mountBinPages(app, parts);
  mountDocs(app, all, parts.operations, parts);
  return app;
}
