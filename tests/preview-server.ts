/**
 * The pages with sample data and the real policy, for looking at them (`bun tests/preview-server.ts`)
 * and for `views.preview.test.ts`. It answers as `views/README.md` asks the server to.
 */

import { type WorkMode, workModes } from "../src/jobs/work-mode.ts";
import { parseParams } from "../src/operations/index.ts";
import { paramsFromTexts } from "../src/operations/parameter-texts.ts";
import { Refusal } from "../src/trouble.ts";
import { staticFiles } from "../static/embedded.ts";
import { assetJobs, assetPage } from "../views/asset.ts";
import { checkupPanel } from "../views/checkup.ts";
import { devicesMessage, devicesPanel } from "../views/devices.ts";
import { loginPage, setupPage } from "../views/entrance.ts";
import { estimateInside } from "../views/estimate.ts";
import { type Html, html } from "../views/html.ts";
import { importsList } from "../views/imports.ts";
import { jobPage } from "../views/job.ts";
import { inputsFound } from "../views/job-inputs.ts";
import { jobsList, jobsPage } from "../views/jobs.ts";
import { buildId, contentSecurityPolicy, newNonce, type Viewer } from "../views/layout.ts";
import { type LibraryView, libraryGrid, libraryMore, libraryPage } from "../views/library.ts";
import { everything, kindFilters } from "../views/library-filter.ts";
import { jobProgressMessage, sseMessage } from "../views/live.ts";
import { gpuTable } from "../views/load-table.ts";
import { makePage } from "../views/make.ts";
import { operationForm } from "../views/operation-form.ts";
import { paletteFound } from "../views/palette.ts";
import { presetBar } from "../views/presets.ts";
import { selfTestPanel } from "../views/self-test.ts";
import { styleguidePage } from "../views/styleguide.ts";
import { type SystemReport, systemPage } from "../views/system.ts";
import { errorFragment, formErrors, notFoundPage } from "../views/trouble.ts";
import { workBanner, workMenu, workPanel } from "../views/work.ts";
import { companions, lineageFragment, sampleLineage } from "./preview-asset.ts";
import { busyGpu, machineHour, report as sampleReport } from "./preview-box.ts";
import { jobChoices, jobFragment, jobsOf, viewOf } from "./preview-jobs.ts";
import { sampleForm, sampleMake, samplePresets } from "./preview-make.ts";
import { everyField } from "./preview-operation.ts";
import { assets, entries, viewer as sampleViewer } from "./preview-samples.ts";
import { answerUpload } from "./preview-uploads.ts";

export interface Preview {
  origin: string;
  /** Requests that only hostile markup would make. */
  hits: string[];
  /** Sends progress of the first job to every open stream. */
  progress(percent: number): void;
  /** Sends the event that makes lists fetch themselves. */
  change(): void;
  /** Switches all work, and tells every open stream, as when another admin does it. */
  switchWork(mode: WorkMode): void;
  /** Sends the load of the devices: the encoders of the first GPU at so many percent. */
  load(encoderPercent: number): void;
  stop(): Promise<void>;
}

function htmlResponse(view: Html, status = 200, headers: Record<string, string> = {}): Response {
  const nonce = newNonce();
  return new Response(view.render(nonce), {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": contentSecurityPolicy(nonce),
      ...headers,
    },
  });
}

/** A picture without a camera: two colours that differ from asset to asset. */
function thumbnail(id: string): Response {
  const hue = (Number.parseInt(id.slice(-4), 16) * 67) % 360;
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 180"><defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1"><stop stop-color="hsl(${hue} 55% 62%)"/><stop offset="1" stop-color="hsl(${(hue + 70) % 360} 60% 26%)"/></linearGradient></defs><rect width="320" height="180" fill="url(#g)"/><circle cx="${80 + (hue % 160)}" cy="70" r="34" fill="#fff" opacity=".3"/><path d="M0 180l90-70 60 40 80-64 90 60v34z" opacity=".35"/></svg>`;
  return new Response(drawing, { headers: { "content-type": "image/svg+xml" } });
}

function library(url: URL): LibraryView {
  const { searchParams } = url;
  const query = searchParams.get("q") ?? "";
  const kind = kindFilters.find((each) => each === searchParams.get("kind")) ?? null;
  const layout = searchParams.get("view") === "list" ? "list" : "grid";
  const filter = { ...everything, query, kind, layout, label: searchParams.get("label") } as const;
  const choices = { codecs: ["h264", "hevc"], labels: [{ name: "Cup final", assets: 3 }] };
  const shown = { filter, next: null, choices, imports: [] };
  if (searchParams.has("empty")) return { ...shown, assets: [], total: 0 };
  const found = assets.filter(
    (asset) =>
      asset.name.toLowerCase().includes(query.toLowerCase()) && (!kind || asset.kind === kind),
  );
  return { ...shown, assets: found, total: found.length };
}

interface Stage {
  viewer: Viewer;
  report: SystemReport;
}

/** `?work=paused` and `?role=member` show a page as it would be then. */
function stageOf(url: URL, now: WorkMode): Stage {
  const mode = workModes.find((each) => each === url.searchParams.get("work")) ?? now;
  const role = url.searchParams.get("role") === "member" ? "member" : "admin";
  const since = new Date().toISOString();
  const running = url.searchParams.has("idle") ? 0 : sampleReport.work.running;
  return {
    viewer: { ...sampleViewer, role, work: mode },
    report: { ...sampleReport, work: { mode, since, running } },
  };
}

function pageFor(url: URL, { viewer, report }: Stage): Response | null {
  const [, section = "", id = ""] = url.pathname.split("/");
  if (url.pathname === "/") return htmlResponse(libraryPage(viewer, library(url)));
  if (section === "styleguide") return htmlResponse(styleguidePage(viewer));
  if (section === "login") {
    const error = url.searchParams.has("error") ? "The name or the password is wrong." : null;
    return htmlResponse(loginPage({ name: "", next: "/", error }));
  }
  if (section === "setup") {
    const errors = url.searchParams.has("error")
      ? [{ path: "code", message: "This is not the code in the log." }]
      : [];
    return htmlResponse(setupPage({ values: { code: "", name: "Ana" }, errors }));
  }
  if (section === "system") return htmlResponse(systemPage(viewer, report));
  if (section === "jobs" && id === "") {
    const shown = url.searchParams.has("empty") ? [] : entries;
    return htmlResponse(jobsPage(viewer, jobsOf(shown), jobChoices));
  }
  const entry = entries.find(({ job }) => job.id === id);
  if (section === "jobs" && entry !== undefined)
    return htmlResponse(jobPage(viewer, viewOf(entry)));
  if (section === "make") return htmlResponse(makePage(viewer, sampleMake(url, null)));
  const asset = assets.find((candidate) => candidate.id === id);
  if (section !== "assets" || asset === undefined) return null;
  const made =
    asset.origin.kind === "job"
      ? { jobId: asset.origin.jobId, title: "Transcode: match.mov" }
      : null;
  return htmlResponse(
    assetPage(viewer, {
      asset,
      origin: made,
      make: asset.media === null ? null : sampleMake(url, asset.id),
      lineage: sampleLineage(asset.origin.kind === "job"),
      jobs: entries.slice(0, 2),
    }),
  );
}

/** Every form is refused: that of a real operation for its quality, that of all fields for its own faults. */
function startJob(form: URLSearchParams): Response {
  let errors = [{ path: "video.quality", message: "must be at most 100" }];
  if (form.get("operation") === everyField.name) {
    const given = [...form].filter(
      ([name]) => !/^(operation|asset|form-key|input.*|preset.*)$/.test(name),
    );
    try {
      parseParams(everyField, paramsFromTexts(everyField, given));
    } catch (cause) {
      if (cause instanceof Refusal) errors = cause.errors;
    }
  }
  const sentence = "The parameters are not right.";
  return htmlResponse(formErrors({ status: 422, sentence, errors }), 422);
}

/** As many seconds as the quality; a refusal where that is none. */
function estimate(form: URLSearchParams): Response {
  const quality = Number(form.get("video.quality") || 65);
  if (quality > 100) {
    const refusal = "The parameters are not right: video.quality must be at most 100.";
    return htmlResponse(estimateInside({ refusal }));
  }
  const predicted = {
    predictedSeconds: quality,
    predictedSecondsRange: { low: quality / 2, high: quality * 2 },
    predictedBytes: 3_100_000,
    predictedBytesRange: { low: 2_000_000, high: 5_000_000 },
    basis: "from 14 jobs like it on this box",
  };
  const step = { name: "encode", title: "Encode", device: "cpu", deviceReason: "", ...predicted };
  const { steps, ...rest } = { ...step, steps: [step], operation: "transcode", notes: [] };
  return htmlResponse(estimateInside({ estimate: { ...rest, steps, queuedAhead: 2 } }));
}

async function fragmentFor(
  request: Request,
  url: URL,
  { viewer, report }: Stage,
): Promise<Response | null> {
  const path = url.pathname;
  const [, , kind = "", id = ""] = path.split("/");
  if (path === "/ui/library") {
    const view = library(url);
    return htmlResponse(url.searchParams.has("after") ? libraryMore(view) : libraryGrid(view));
  }
  if (kind === "assets" && path.endsWith("/thumbnail")) return thumbnail(id);
  if (kind === "assets" && path.endsWith("/lineage")) {
    const shown = lineageFragment(id);
    return shown === null ? null : htmlResponse(shown);
  }
  if (kind === "assets" && path.endsWith("/jobs")) {
    return htmlResponse(assetJobs(id, entries.slice(0, 2)));
  }
  if (path === "/ui/make/form") {
    return htmlResponse(operationForm(sampleForm(new URLSearchParams(await request.text()))));
  }
  if (path === "/ui/here") return Response.json({ build: buildId, viewer: viewer.id });
  if (path === "/ui/find") {
    const query = (url.searchParams.get("q") ?? "").toLowerCase();
    const named = assets.filter(({ name }) => query !== "" && name.toLowerCase().includes(query));
    const jobs = entries.filter(({ job }) => job.title.toLowerCase().includes(query));
    return htmlResponse(paletteFound({ assets: named, jobs: jobs.slice(0, 1) }));
  }
  if (path === "/ui/imports") return htmlResponse(importsList([]));
  if (path === "/ui/inputs") {
    const query = url.searchParams.get("input-search") ?? "";
    return htmlResponse(inputsFound(assets.filter(({ name }) => name.includes(query))));
  }
  if (path === "/ui/jobs" && request.method === "POST") {
    return startJob(new URLSearchParams(await request.text()));
  }
  if (path === "/ui/jobs/estimate") {
    return estimate(new URLSearchParams(await request.text()));
  }
  if (path.startsWith("/ui/presets")) {
    const [, chosen = null] = samplePresets;
    const view = { operation: everyField.name, chosen };
    return htmlResponse(presetBar({ ...view, presets: samplePresets, said: "Saved." }));
  }
  if (path === "/ui/work/menu") return htmlResponse(workMenu(viewer, viewer.work) ?? html``);
  if (path === "/ui/work") return htmlResponse(workBanner(viewer, viewer.work));
  if (path === "/ui/system/work") return htmlResponse(workPanel(viewer, report.work));
  if (path === "/ui/system/devices") return htmlResponse(devicesPanel(viewer, report));
  if (path === "/ui/system/checkup") {
    return htmlResponse(checkupPanel(viewer, report.findings, report.lookedAt));
  }
  if (path === "/ui/system/selftest") return htmlResponse(selfTestPanel(viewer, report.selfTest));
  if (path === "/ui/system/load-table") {
    return htmlResponse(gpuTable("NVIDIA L4", busyGpu.slice(-12)));
  }
  if (path === "/ui/jobs") return htmlResponse(jobsList(jobsOf(entries)));
  if (request.method === "POST" && path.endsWith("/cancel") && !path.includes("bulk")) {
    const sentence = "This job has already ended, so it cannot be cancelled.";
    return htmlResponse(errorFragment({ status: 409, sentence }), 409);
  }
  const ofJobs = jobFragment(url, request.method, entries);
  if (ofJobs !== null) return htmlResponse(ofJobs);
  if (kind === "assets" && request.method === "DELETE") {
    return new Response(null, { status: 204, headers: { "hx-redirect": "/" } });
  }
  return null;
}

/** The histories that graphs fetch. */
function samples(path: string): Response | null {
  const shown = ({ atMs: _, ...rest }: { atMs: number }) => rest;
  if (path === "/api/v1/system/load") {
    return Response.json({ load: null, eventStreams: 3, history: machineHour.map(shown) });
  }
  if (path !== "/api/v1/system/devices") return null;
  return Response.json({ devices: [{ uuid: "GPU-aa", history: busyGpu.map(shown) }] });
}

/** Starts it on a free port of the loopback. `clip` is a video file for every player. */
export function startPreview(clip: string, port = 0): Preview {
  const hits: string[] = [];
  const streams = new Set<ReadableStreamDefaultController<string>>();
  const send = (text: string) => {
    for (const stream of streams) stream.enqueue(text);
  };
  let mode: WorkMode = "running";
  const switchWork = (wanted: WorkMode) => {
    mode = wanted;
    send(sseMessage({ event: "work", data: "{}" }));
  };
  const events = (request: Request) => {
    const body = new ReadableStream<string>({
      start(controller) {
        streams.add(controller);
        controller.enqueue(sseMessage({ event: "job", data: "{}" }));
        request.signal.addEventListener("abort", () => streams.delete(controller));
      },
    });
    return new Response(body as unknown as ReadableStream<Uint8Array>, {
      headers: { "content-type": "text/event-stream", "cache-control": "no-store" },
    });
  };
  const server = Bun.serve({
    port,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch(request) {
      const url = new URL(request.url);
      const file = staticFiles.find(({ path }) => path === url.pathname);
      if (file !== undefined) {
        return new Response(file.body, { headers: { "content-type": file.contentType } });
      }
      const figures = samples(url.pathname);
      if (figures !== null) return figures;
      if (/^\/ui\/(system\/)?events$/.test(url.pathname)) return events(request);
      const beside = companions(url.pathname, request.method, clip);
      if (beside !== null) return beside;
      if (url.pathname.endsWith("/content")) return new Response(Bun.file(clip));
      if (url.pathname.startsWith("/api/v1/uploads")) {
        const upload = await answerUpload(request);
        if (upload !== null) return upload;
      }
      if (url.pathname.endsWith("/companions/sprite")) {
        return Response.json({ state: "none" }, { status: 202 });
      }
      if (url.pathname === "/ui/system/work" && request.method === "POST") {
        const wanted = (await request.formData()).get("mode");
        switchWork(workModes.find((each) => each === wanted) ?? "running");
        return new Response(null, { status: 204, headers: { "hx-trigger": "work" } });
      }
      const stage = stageOf(url, mode);
      const answer = url.pathname.startsWith("/ui/")
        ? await fragmentFor(request, url, stage)
        : pageFor(url, stage);
      if (answer !== null) return answer;
      hits.push(url.pathname);
      return htmlResponse(notFoundPage(stage.viewer), 404);
    },
  });
  const first = entries[0];
  return {
    origin: `http://127.0.0.1:${server.port}`,
    hits,
    progress: (percent) => {
      if (first === undefined) return;
      send(sseMessage({ data: jobProgressMessage({ ...first.job, progressPercent: percent }) }));
    },
    change: () => send(sseMessage({ event: "job", data: "{}" })),
    switchWork,
    load: (encoderPercent) => {
      const devices = sampleReport.devices.map((device) =>
        device.load === null ? device : { ...device, load: { ...device.load, encoderPercent } },
      );
      send(sseMessage({ data: devicesMessage(devices) }));
    },
    stop: async () => {
      for (const stream of streams) stream.close();
      await server.stop(true);
    },
  };
}
