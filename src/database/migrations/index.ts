import initial from "./0001_initial.sql" with { type: "text" };
import places from "./0002_places.sql" with { type: "text" };
import presets from "./0003_presets.sql" with { type: "text" };
import steps from "./0004_steps.sql" with { type: "text" };
import life from "./0005_life.sql" with { type: "text" };
import search from "./0006_search.sql" with { type: "text" };
import workFigures from "./0007_work_figures.sql" with { type: "text" };
import dataAssets from "./0008_data_assets.sql" with { type: "text" };
import fewerIndexes from "./0009_fewer_indexes.sql" with { type: "text" };
import captionTexts from "./0010_caption_texts.sql" with { type: "text" };
import repeats from "./0011_repeats.sql" with { type: "text" };
import uploads from "./0012_uploads.sql" with { type: "text" };
import storageMoves from "./0013_storage_moves.sql" with { type: "text" };
import imports from "./0014_imports.sql" with { type: "text" };
import retention from "./0015_retention.sql" with { type: "text" };
import directUploads from "./0016_direct_uploads.sql" with { type: "text" };
import assetLists from "./0017_asset_lists.sql" with { type: "text" };
import retryOnCpu from "./0018_retry_on_cpu.sql" with { type: "text" };
import assetFilters from "./0019_asset_filters.sql" with { type: "text" };
import settings from "./0020_settings.sql" with { type: "text" };
import companions from "./0021_companions.sql" with { type: "text" };
import sealedSecrets from "./0022_sealed_secrets.sql" with { type: "text" };
import people from "./0023_people.sql" with { type: "text" };
import libraryViews from "./0024_library_views.sql" with { type: "text" };
import sharedPresets from "./0025_shared_presets.sql" with { type: "text" };
import leanerJobs from "./0026_leaner_jobs.sql" with { type: "text" };
import plainChecks from "./0027_plain_checks.sql" with { type: "text" };
import fewerPages from "./0028_fewer_pages.sql" with { type: "text" };

/** One step of the schema. `version` is the `user_version` of a database that has it. */
export interface Migration {
  version: number;
  name: string;
  sql: string;
}

/** Every migration in order: a new one is a file beside this and a line here. A released one never changes. */
export const migrations: readonly Migration[] = [
  { version: 1, name: "initial", sql: initial },
  { version: 2, name: "places", sql: places },
  { version: 3, name: "presets", sql: presets },
  { version: 4, name: "steps", sql: steps },
  { version: 5, name: "life", sql: life },
  { version: 6, name: "search", sql: search },
  { version: 7, name: "work-figures", sql: workFigures },
  { version: 8, name: "data-assets", sql: dataAssets },
  { version: 9, name: "fewer-indexes", sql: fewerIndexes },
  { version: 10, name: "caption-texts", sql: captionTexts },
  { version: 11, name: "repeats", sql: repeats },
  { version: 12, name: "uploads", sql: uploads },
  { version: 13, name: "storage-moves", sql: storageMoves },
  { version: 14, name: "imports", sql: imports },
  { version: 15, name: "retention", sql: retention },
  { version: 16, name: "direct-uploads", sql: directUploads },
  { version: 17, name: "asset-lists", sql: assetLists },
  { version: 18, name: "retry-on-cpu", sql: retryOnCpu },
  { version: 19, name: "asset-filters", sql: assetFilters },
  { version: 20, name: "settings", sql: settings },
  { version: 21, name: "companions", sql: companions },
  { version: 22, name: "sealed-secrets", sql: sealedSecrets },
  { version: 23, name: "people", sql: people },
  { version: 24, name: "library-views", sql: libraryViews },
  { version: 25, name: "shared-presets", sql: sharedPresets },
  { version: 26, name: "leaner-jobs", sql: leanerJobs },
  { version: 27, name: "plain-checks", sql: plainChecks },
  { version: 28, name: "fewer-pages", sql: fewerPages },
];
