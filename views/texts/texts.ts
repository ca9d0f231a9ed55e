/**
 * What people read on the pages, in one language: a translation is another folder beside `en/` with the same shape.
 * A text is a string, or a function of what it mentions. Names that people gave stand beside texts, never in them, where
 * a page must mark them with `hx-ignore`.
 */

import { asset } from "./en/asset.ts";
import { docs } from "./en/docs.ts";
import { entrance } from "./en/entrance.ts";
import { estimate } from "./en/estimate.ts";
import { facts } from "./en/facts.ts";
import { frame } from "./en/frame.ts";
import { job, timeline } from "./en/job.ts";
import { jobList, jobsAtOnce } from "./en/jobs.ts";
import { keyboard } from "./en/keyboard.ts";
import { library } from "./en/library.ts";
import { live } from "./en/live.ts";
import { make } from "./en/make.ts";
import { media } from "./en/media.ts";
import { people } from "./en/people.ts";
import { player } from "./en/player.ts";
import { settings } from "./en/settings.ts";
import { styleguide } from "./en/styleguide.ts";
import { system } from "./en/system.ts";
import { trouble } from "./en/trouble.ts";
import { uploads } from "./en/uploads.ts";
import { welcome } from "./en/welcome.ts";
import { work } from "./en/work.ts";

export const texts = {
  /** As BCP 47 names it. */
  language: "en",
  media,
  docs,
  asset,
  entrance,
  estimate,
  facts,
  frame,
  keyboard,
  job,
  jobList,
  jobsAtOnce,
  live,
  library,
  make,
  people,
  settings,
  player,
  styleguide,
  system,
  timeline,
  trouble,
  uploads,
  welcome,
  work,
} as const;
