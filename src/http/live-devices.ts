/** The devices on the page of the box: their panel, and the stream that keeps it up to date. */
import type { Elysia } from "elysia";
import { devicesMessage, devicesPanel } from "../../views/devices.ts";
import type { DeviceWatch } from "./device-watch.ts";
import { route } from "./endpoint.ts";
import { deviceView, systemView } from "./entries.ts";
import { watchdog } from "./events.ts";
import { htmlResponse } from "./headers.ts";
import type { Parts } from "./parts.ts";
import type { Streams } from "./stream.ts";
import { visitOf } from "./visit.ts";

export function mountDeviceFragments(
  app: Elysia,
  parts: Parts,
  streams: Streams,
  watch: DeviceWatch,
): void {
  route(app, "GET", "/ui/system/devices", async () =>
    htmlResponse(devicesPanel(systemView(parts, await parts.system()))),
  );
  route(app, "GET", "/ui/system/events", (request) => {
    const visit = visitOf(request);
    return streams.open(visit, watchdog(parts, visit), (send) => {
      const known = { devices: "", message: "", running: parts.work().running };
      const tell = () => {
        const report = parts.devices();
        // Whatever is not live: a device that came, went or was tried. The page then fetches its panel.
        const devices = JSON.stringify(report, steady);
        if (devices !== known.devices) send({ event: "devices", data: "{}" });
        const message = devicesMessage(report.map((device) => deviceView(parts, device)));
        // On a box that does nothing, nothing is sent.
        if (message !== known.message) send({ data: message });
        const { running } = parts.work();
        if (running !== known.running) send(workEvent);
        Object.assign(known, { devices, message, running });
      };
      tell();
      const unfollow = parts.workSwitch.follow(() => send(workEvent));
      const unsubscribe = watch.subscribe(tell);
      return () => {
        unfollow();
        unsubscribe();
      };
    });
  });
}

/** The panel of the switch says how many jobs run. */
const workEvent = { event: "work", data: "{}" };

/** Leaves out what a sample or a look at the box changes all the time. */
function steady(name: string, value: unknown): unknown {
  return name === "busy" || name === "memoryUsedBytes" ? undefined : value;
}
