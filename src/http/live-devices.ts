/** The devices on the page of the box: their panel, and the stream that keeps it and the graphs up to date. */
import type { Elysia } from "elysia";
import { devicesMessage, devicesPanel } from "../../views/devices.ts";
import { machineMessage } from "../../views/machine.ts";
import type { GpuSample } from "../media/gpu-samples.ts";
import type { DeviceWatch } from "./device-watch.ts";
import { followMachine, tryDeviceAgain } from "./devices.ts";
import { adminOfCall, askerOf, route } from "./endpoint.ts";
import { watchdog } from "./events.ts";
import { htmlResponse } from "./headers.ts";
import { machineJson } from "./machine.ts";
import type { Parts } from "./parts.ts";
import type { SelfTestNews } from "./self-test.ts";
import type { Send, Streams } from "./stream.ts";
import { deviceViews } from "./system-page.ts";
import { isHtmx, visitOf } from "./visit.ts";

export function mountDeviceFragments(
  app: Elysia,
  parts: Parts,
  streams: Streams,
  { watch, news }: { watch: DeviceWatch; news: SelfTestNews },
): void {
  route(app, "GET", "/ui/system/devices", (request) => {
    const viewer = askerOf(request);
    const devices = deviceViews(parts, parts.devices(), viewer);
    return htmlResponse(devicesPanel(viewer, { devices, gpus: parts.gpus() }));
  });
  route(app, "POST", "/ui/system/devices/:id/retry", (request, { id = "" }) => {
    adminOfCall({ visit: visitOf(request) }, "try a GPU again");
    tryDeviceAgain(parts, id);
    return isHtmx(request)
      ? new Response(null, { status: 204, headers: { "hx-trigger": "devices" } })
      : new Response(null, { status: 303, headers: { location: "/system#devices" } });
  });
  route(app, "GET", "/ui/system/events", (request) => {
    const visit = visitOf(request);
    return streams.open(visit, watchdog(parts, visit), (send) => {
      const tell = devicesTold(parts, request, send);
      tell();
      const ends = [
        parts.workSwitch.follow(() => send(workEvent)),
        watch.subscribe(tell),
        news.follow(() => send({ event: "selftest", data: "{}" })),
        parts.gpuLoad.onSample((samples) => send(samplesEvent(samples))),
        followMachine(parts, (sample) => {
          send({ event: "machine-sample", data: JSON.stringify(machineJson(sample)) });
          send({ data: machineMessage(sample, streams.count) });
        }),
      ];
      return () => {
        for (const end of ends) end();
      };
    });
  });
}

/** Tells what changed since it was called last: what is live as HTML, the rest as a word at which the page asks. */
function devicesTold(parts: Parts, request: Request, send: Send): () => void {
  const viewer = askerOf(request);
  const known = { devices: "", message: "", running: parts.work().running };
  return () => {
    const report = parts.devices();
    // Whatever is not live: a device that came, went or was tried, a job that sat down or rose. The page then
    // fetches its panel.
    const devices = JSON.stringify([report, parts.seats()], steady);
    if (devices !== known.devices) send({ event: "devices", data: "{}" });
    const message = devicesMessage(deviceViews(parts, report, viewer));
    // On a box that does nothing, nothing is sent.
    if (message !== known.message) send({ data: message });
    const { running } = parts.work();
    if (running !== known.running) send(workEvent);
    Object.assign(known, { devices, message, running });
  };
}

/** What the graphs draw, by UUID. */
function samplesEvent(samples: readonly GpuSample[]) {
  const byUuid = samples.map(({ uuid, atMs: _, ...shown }) => [uuid, shown]);
  return { event: "gpu-samples", data: JSON.stringify(Object.fromEntries(byUuid)) };
}

/** The panel of the switch says how many jobs run. */
const workEvent = { event: "work", data: "{}" };

/** Leaves out what a sample or a look at the box changes all the time. */
function steady(name: string, value: unknown): unknown {
  return name === "busy" || name === "memoryUsedBytes" ? undefined : value;
}
