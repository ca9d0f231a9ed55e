import { expect, test } from "bun:test";
import { report } from "../tests/preview-box.ts";
import { type DeviceView, devicesMessage, devicesPanel } from "./devices.ts";

function deviceOf(id: string): DeviceView {
  const found = report.devices.find((device) => device.id === id);
  if (found === undefined) throw new Error(`there is a sample ${id}`);
  return found;
}

const gpu = deviceOf("gpu:0");
const gpus = report.gpus;
const admin = { role: "admin" } as const;
const member = { role: "member" } as const;
const nonce = "MDEyMzQ1Njc4OWFiY2RlZg";

/** What a person reads. */
const wordsOf = (markup: { toString(): string } | string) =>
  markup
    .toString()
    .replace(/<[^>]+>/g, " ")
    .replace(/\s+/g, " ");

test("a GPU shows its load, with words beside every meter", () => {
  const words = wordsOf(devicesPanel(admin, { devices: [gpu], gpus }));
  for (const piece of [
    ...["Jobs 3 of 4", "Encoder 82 %", "Decoder 41 %", "1.4 GB of 24.2 GB"],
    ...["61 °C", "54 W", "3 encode sessions at 142 fps", "driver 570.133.07"],
    "1 encode session of another program",
  ]) {
    expect(words).toContain(piece);
  }
});

test("what is not known is not drawn as nothing", () => {
  const markup = devicesPanel(admin, { devices: [{ ...gpu, load: null }], gpus });
  expect(wordsOf(markup)).toContain("Encoder –");
  expect(markup.toString()).not.toMatch(/NaN|Infinity|null|undefined|°C|aria-label="Encoders/);
});

test("a GPU that is split by MIG says why it shows no load", () => {
  const words = wordsOf(devicesPanel(admin, { devices: [deviceOf("gpu:1")], gpus }));
  expect(words).toContain("split by MIG");
  expect(words).not.toContain("Encoder –");
});

test("a box without a GPU is plain", () => {
  const sentence = "This machine has no NVIDIA GPU. Jobs are encoded on the CPU.";
  const plain = { state: "none", sentence, remedy: null } as const;
  const markup = devicesPanel(admin, { devices: [deviceOf("cpu")], gpus: plain }).toString();
  expect(markup).not.toMatch(/data-graph|°C/);
  expect(markup).toContain(sentence);
});

test("a message finds the place of each device and carries no behaviour", () => {
  const page = devicesPanel(admin, report).render(nonce);
  const message = devicesMessage(report.devices);
  const targets = [...message.matchAll(/hx-target="#([^"]+)"/g)].map(([, id]) => id);
  expect(targets).toEqual([
    ...["live-cpu", "seat-cpu-0", "live-gpu-0", "seat-gpu-0-0", "seat-gpu-0-1", "live-gpu-1"],
  ]);
  for (const id of targets) expect(page).toContain(`id="${id}"`);
  expect(message.replace(/<\/?hx-partial[^>]*>/g, "")).not.toMatch(/hx-| id=/);
});

test("who sits on a device: the own job by its name and as a link, of others what one may know", () => {
  const [own] = gpu.seats;
  if (own === undefined) throw new Error("there is a sample");
  const seat = { job: null, operation: "Transcode", step: "Part 3", user: "bob" };
  const markup = devicesPanel(admin, {
    devices: [{ ...gpu, seats: [own, { ...own, ...seat }] }],
    gpus,
  });
  expect(markup.toString()).toContain('<a href="/jobs/jb_mine" hx-ignore>Transcode: ');
  const words = wordsOf(markup);
  expect(words).toContain("Transcode of bob Part 3 41 %, 1 encode session, 1 decoder, for 12 s");
  expect(words).toContain("2 places are free");
  const nobodys = { ...own, job: null, operation: null, step: null, progressPercent: null };
  const other = wordsOf(devicesPanel(member, { devices: [{ ...gpu, seats: [nobodys] }], gpus }));
  expect(other).toContain("A job of somebody else 1 encode session");
});

test("a GPU that is out of service says why and when it is tried again; admins need not wait", () => {
  const because = "Its encoder stopped in the middle of the work (generic error 20).";
  const suspended = { because, remedy: "sudo reboot", tryAgainAt: "2026-11-29T12:00:00.000Z" };
  const devices = [{ ...gpu, gpu: gpu.gpu === null ? null : { ...gpu.gpu, suspended } }];
  const seen = devicesPanel(admin, { devices, gpus });
  expect(wordsOf(seen)).toContain(`Out of service`);
  expect(wordsOf(seen)).toContain(`A job failed on it. ${because} sudo reboot`);
  expect(seen.toString()).toContain('hx-post="/ui/system/devices/gpu:0/retry"');
  expect(wordsOf(seen)).not.toContain("Ready for H.264");
  expect(devicesPanel(member, { devices, gpus }).toString()).not.toContain("/retry");
});

test("graphs say what they draw, and stand as a table besides", () => {
  const page = devicesPanel(admin, { devices: [gpu], gpus }).toString();
  const told = [...page.matchAll(/data-graph="([^"]+)"/g)].map(([, json = ""]) =>
    JSON.parse(json.replaceAll("&quot;", '"')),
  );
  expect(told.map(({ source }) => source)).toEqual(["GPU-aa", "GPU-aa", "GPU-aa"]);
  expect(told.map(({ top }) => top)).toEqual([100, "memoryTotalBytes", undefined]);
  expect(page).toContain("/ui/system/load-table?source=GPU-aa");
  const split = devicesPanel(admin, { devices: [deviceOf("gpu:1")], gpus }).toString();
  expect(split).not.toContain("data-graph");
});
