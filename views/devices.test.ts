import { expect, test } from "bun:test";
import { busyGpu, report } from "../tests/preview-samples.ts";
import { type DeviceView, devicesMessage, devicesPanel } from "./devices.ts";
import { loadGraph } from "./load-graph.ts";

function deviceOf(id: string): DeviceView {
  const found = report.devices.find((device) => device.id === id);
  if (found === undefined) throw new Error(`there is a sample ${id}`);
  return found;
}

const gpu = deviceOf("gpu:0");
const gpus = report.gpus;
const nonce = "MDEyMzQ1Njc4OWFiY2RlZg";

/** What a person reads. */
const wordsOf = (markup: { toString(): string } | string) =>
  markup
    .toString()
    .replace(/<[^>]+>/g, " ")
    .replace(/\s+/g, " ");

test("a GPU shows its load, with words beside every meter", () => {
  const words = wordsOf(devicesPanel({ devices: [gpu], gpus }));
  for (const piece of [
    ...["Jobs 3 of 4", "Encoder 82 %", "Decoder 41 %", "1.4 GB of 24.2 GB"],
    ...["61 °C", "54 W", "3 encode sessions at 142 fps", "driver 570.133.07", "last 5 minutes"],
  ]) {
    expect(words).toContain(piece);
  }
});

test("what is not known is not drawn as nothing", () => {
  const markup = devicesPanel({ devices: [{ ...gpu, load: null, samples: [] }], gpus });
  expect(wordsOf(markup)).toContain("Encoder –");
  expect(markup.toString()).not.toMatch(/NaN|Infinity|null|undefined|°C|aria-label="Encoders/);
});

test("a GPU that is split by MIG says why it shows no load", () => {
  const words = wordsOf(devicesPanel({ devices: [deviceOf("gpu:1")], gpus }));
  expect(words).toContain("split by MIG");
  expect(words).not.toContain("Encoder –");
});

test("a box without a GPU is plain", () => {
  const sentence = "This machine has no NVIDIA GPU. Jobs are encoded on the CPU.";
  const plain = { state: "none", sentence, remedy: null } as const;
  const markup = devicesPanel({ devices: [deviceOf("cpu")], gpus: plain }).toString();
  expect(markup).not.toMatch(/svg class="load-graph"|°C|across/);
  expect(markup).toContain(sentence);
});

test("a message finds the place of each device and carries no behaviour", () => {
  const page = devicesPanel(report).render(nonce);
  const message = devicesMessage(report.devices);
  const targets = [...message.matchAll(/hx-target="#([^"]+)"/g)].map(([, id]) => id);
  expect(targets).toEqual(["live-cpu", "live-gpu-0", "live-gpu-1"]);
  for (const id of targets) expect(page).toContain(`id="${id}"`);
  expect(message.replace(/<\/?hx-partial[^>]*>/g, "")).not.toMatch(/hx-| id=/);
});

test("the graph ends at the newest sample, leaves gaps empty and stays inside", () => {
  const drawing = loadGraph(busyGpu, 300_000).toString();
  const [, encoder = ""] = /class="graph-encoder" d="([^"]*)"/.exec(drawing) ?? [];
  // Not looked at in between: two lines.
  expect(encoder.match(/M/g)?.length).toBe(2);
  const numbers = encoder.split(/[ML]/).filter((place) => place !== "");
  expect(numbers.at(-1)).toStartWith("240 ");
  for (const place of numbers) {
    const [across = Number.NaN, down = Number.NaN] = place.split(" ").map(Number);
    expect(across >= 0 && across <= 240 && down >= 1 && down <= 35).toBe(true);
  }
});

test("a graph of nothing, of one sample and of figures that are not given can be drawn", () => {
  expect(loadGraph([], 300_000).toString()).toContain('class="graph-encoder" d=""');
  const [first] = busyGpu;
  if (first === undefined) throw new Error("there is a sample");
  expect(loadGraph([first], 300_000).toString()).toContain('d="M240 35h0"');
  const unknown = { ...first, encoderPercent: null, decoderPercent: 250 };
  expect(loadGraph([unknown], 300_000).toString()).toContain(
    'class="graph-decoder" d="M240 1h0"/><path class="graph-encoder" d=""',
  );
});
