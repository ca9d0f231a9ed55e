/** The samples of the last minutes as a table: what graphs show, for readers of the screen and for whoever wants numbers. */
import type { GpuSample } from "../src/media/gpu-samples.ts";
import type { MachineSample } from "../src/metrics/machine-samples.ts";
import type { Unit } from "./graphs.ts";
import { type Html, html } from "./html.ts";
import { sizeText, spanText } from "./quantities.ts";
import { texts } from "./texts/texts.ts";

const words = texts.system;

interface Column<Sample> {
  title: string;
  figure: keyof Sample;
  unit: Unit;
}

const gpuColumns: readonly Column<GpuSample>[] = [
  { title: words.encoder, figure: "encoderPercent", unit: "percent" },
  { title: words.decoder, figure: "decoderPercent", unit: "percent" },
  { title: words.cores, figure: "gpuPercent", unit: "percent" },
  { title: words.memory, figure: "memoryUsedBytes", unit: "bytes" },
  { title: words.temperature, figure: "temperatureCelsius", unit: "celsius" },
  { title: words.power, figure: "powerWatts", unit: "watts" },
  { title: words.sessions, figure: "sessionCount", unit: "count" },
];

const machineColumns: readonly Column<MachineSample>[] = [
  { title: words.processor, figure: "cpuPercent", unit: "percent" },
  { title: words.memory, figure: "memoryUsedBytes", unit: "bytes" },
  { title: words.server, figure: "serverBytes", unit: "bytes" },
  { title: words.running, figure: "runningJobs", unit: "count" },
  { title: words.waiting, figure: "waitingJobs", unit: "count" },
  { title: words.oldest, figure: "oldestWaitingSeconds", unit: "seconds" },
  { title: words.lag, figure: "loopLagMs", unit: "milliseconds" },
];

/** @param title of the device @param samples the oldest first, as many as rows are wanted */
export function gpuTable(title: string, samples: readonly GpuSample[]): Html {
  return table(title, gpuColumns, samples);
}

export function machineTable(samples: readonly MachineSample[]): Html {
  return table(words.machine, machineColumns, samples);
}

function table<Sample extends { takenAt: string }>(
  title: string,
  columns: readonly Column<Sample>[],
  samples: readonly Sample[],
): Html {
  if (samples.length === 0) return html`<p class="muted">${words.tableNothing}</p>`;
  return html`<div class="table-frame"><table class="table"><caption class="sr-only">${words.tableCaption(title)}</caption>
<thead><tr><th scope="col">${words.tableTime}</th>${columns.map((column) => html`<th scope="col" class="numeric">${column.title}</th>`)}</tr></thead>
<tbody>${samples.map(
    (sample) =>
      html`<tr><th scope="row"><time datetime="${sample.takenAt}" data-clock>${sample.takenAt.slice(11, 19)}</time></th>${columns.map(
        (column) =>
          html`<td class="numeric" data-title="${column.title}">${said(sample[column.figure], column.unit)}</td>`,
      )}</tr>`,
  )}</tbody></table></div>`;
}

function said(value: unknown, unit: Unit): string {
  if (typeof value !== "number") return "–";
  switch (unit) {
    case "bytes":
      return sizeText(value);
    case "percent":
      return `${Math.round(value)} %`;
    case "celsius":
      return `${Math.round(value)} °C`;
    case "watts":
      return `${Math.round(value)} W`;
    case "milliseconds":
      return `${value} ms`;
    case "seconds":
      return spanText(value);
    case "count":
      return String(value);
  }
}
