/** What the System page does besides showing: looking again, trying a GPU again, testing the devices; and what it shows to whom. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { type Furnished, furnish, tableFor } from "../../tests/http/furnished.ts";
import { StreamReader } from "../../tests/http/reader.ts";
import { systemOfRig } from "../../tests/http/site.ts";
import { Refusal } from "../trouble.ts";
import { Looking } from "./checkup.ts";
import type { DeviceReport } from "./parts.ts";

const gpu: DeviceReport = {
  ...{ id: "gpu:0", kind: "gpu", title: "NVIDIA L4", slots: 2, busy: 2, reason: "Out of service." },
  gpu: {
    ...{ uuid: "GPU-aa", driver: "570.1", computeCapability: "8.9", pciBusId: null, mig: false },
    ...{ memoryTotalBytes: 1, memoryUsedBytes: 1, inService: false, abilities: [] },
    suspended: {
      because: "Its encoder failed.",
      ...{ remedy: null, tryAgainAt: "2026-11-29T12:00:00.000Z" },
    },
  },
};

let home: Furnished;
let looks = 0;
let tried: string[] = [];
let endTest: () => void = () => undefined;

beforeAll(async () => {
  home = await furnish();
  const { parts, clock, people } = home.site;
  const devices = [...systemOfRig.devices, gpu];
  parts.devices = () => devices;
  const { system } = parts;
  const finding = {
    id: "clock",
    level: "warning" as const,
    title: "Clock",
    meaning: "It is set back.",
  };
  const findings = [{ ...finding, remedy: "Set it: sudo timedatectl set-ntp true" }];
  parts.system = async () => ({ ...(await system()), devices, findings });
  parts.lookAgain = async () => {
    looks += 1;
  };
  parts.tryGpuAgain = (uuid) => {
    tried.push(uuid);
    return uuid === "GPU-aa";
  };
  const seat = { deviceId: "gpu:0", sessions: 1, decoders: 1, lent: false };
  const takenAtMs = clock.monotonicMs() - 75_000;
  parts.seats = () => [
    {
      ...{ ...seat, takenAtMs },
      occupant: { jobId: home.places["job"] ?? "", ownerId: people.ann.id, step: "Encode" },
    },
    { ...{ ...seat, takenAtMs }, occupant: null },
  ];
  let running: string | null = null;
  parts.selfTest = {
    state: () => ({ runningSince: running, last: null }),
    start: (onEnd) => {
      if (running !== null) throw new Refusal(409, "busy", "A self-test is running already.");
      running = "2026-11-29T12:00:00.000Z";
      endTest = () => {
        running = null;
        onEnd();
      };
    },
  };
});

afterAll(() => home.site.close());
beforeEach(() => {
  tried = [];
});

const table = tableFor(() => home);
const asHtmx = { "hx-request": "true" };
const look = { path: "/api/v1/system/look", method: "POST" };
const lookForm = { path: "/ui/system/checkup", method: "POST", form: {} };

table("looking again", [
  { ...{ name: "is an admin's", ...look, as: "ann", status: 200 }, has: ['"It is set back."'] },
  { ...{ name: "is not a member's", ...look, as: "bob", status: 403, has: ["Only an admin may"] } },
  {
    ...{ name: "answers the page with the panel", ...lookForm, browser: "ann", headers: asHtmx },
    status: 200,
    has: ['id="checkup"', "It is set back.", 'data-copy="sudo timedatectl set-ntp true"'],
    lacks: ["<!doctype"],
  },
  {
    ...{ name: "works without scripts", ...lookForm, browser: "ann", status: 303 },
    answers: { location: "/system#checkup" },
  },
  {
    ...{ name: "shows members what is wrong, without the button", path: "/ui/system/checkup" },
    ...{ browser: "bob", headers: asHtmx, status: 200 },
    ...{ has: ["It is set back."], lacks: ["<form"] },
  },
]);

test("however often somebody asks, one look is taken in a while", async () => {
  home.site.clock.advance(60_000);
  const before = looks;
  await Promise.all([1, 2, 3].map(() => home.site.ask(look.path, { method: "POST", as: "ann" })));
  await home.site.ask(look.path, { method: "POST", as: "ann" });
  expect(looks).toBe(before + 1);
  home.site.clock.advance(60_000);
  await home.site.ask(look.path, { method: "POST", as: "ann" });
  expect(looks).toBe(before + 2);
});

test("who asks while a look is under way waits for it", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let begun = 0;
  const lookAgain = () => {
    begun += 1;
    return promise;
  };
  const looking = new Looking({ clock: home.site.clock, lookAgain });
  const both = Promise.all([looking.again(), looking.again()]);
  expect(begun).toBe(1);
  resolve();
  await both;
});

const retry = { path: "/api/v1/system/devices/gpu:0/retry", method: "POST" };

table("a GPU that is out of service", [
  { ...{ name: "is tried for an admin", ...retry, as: "ann", status: 202 } },
  { ...{ name: "not for a member", ...retry, as: "bob", status: 403 } },
  {
    ...{ name: "is tried from the page", ...retry, path: "/ui/system/devices/gpu:0/retry" },
    ...{ browser: "ann", headers: asHtmx, form: {}, status: 204 },
    answers: { "hx-trigger": "devices" },
  },
  {
    ...{ name: "must be one", ...retry, path: "/api/v1/system/devices/cpu/retry", as: "ann" },
    ...{ status: 409, has: ["wrong_state"] },
  },
  {
    ...{ name: "must be there", ...retry, path: "/api/v1/system/devices/gpu:9/retry", as: "ann" },
    status: 404,
  },
]);

test("and it is the right one", async () => {
  await home.site.ask(retry.path, { method: "POST", as: "ann" });
  await home.site.ask("/api/v1/system/devices/gpu%3A0/retry", { method: "POST", as: "ann" });
  expect(tried).toEqual(["GPU-aa", "GPU-aa"]);
});

const devices = "/api/v1/system/devices";

table("who sits on a device", [
  {
    ...{ name: "is told by the job's own name to its person", path: devices, as: "ann" },
    ...{ status: 200, has: ['"title":"Transcode', '"step":"Encode"', '"seconds":'] },
  },
  {
    ...{ name: "is nobody's business to other members", path: devices, as: "bob", status: 200 },
    has: ['"job":null,"operation":null,"step":null,"progressPercent":null,"user":null}'],
    lacks: ["Encode", "used.mp4", "ann"],
  },
  {
    ...{ name: "stands on the page as a link", path: "/system", browser: "ann", status: 200 },
    ...{ headers: { accept: "text/html" }, has: ["A job failed on it.", "Try it now", "/jobs/"] },
  },
  {
    ...{ name: "and for others not", path: "/system", browser: "bob", status: 200 },
    ...{ headers: { accept: "text/html" }, has: ["A job of somebody else"] },
    lacks: ["used.mp4", "Try it now", "/system/log", "Look again", "Run the self-test"],
  },
]);

test("an admin learns whose jobs sit there, and not what their files are called", async () => {
  const { parts, people } = home.site;
  const seats = parts.seats;
  const jobId = home.places["job"] ?? "";
  parts.seats = () => [
    {
      ...{ deviceId: "gpu:0", sessions: 1, decoders: 0, takenAtMs: 0, lent: false },
      occupant: { jobId, ownerId: people.bob.id, step: "Encode" },
    },
  ];
  const text = await (await home.site.ask(devices, { as: "ann" })).text();
  parts.seats = seats;
  expect(text).toContain('"job":null');
  expect(text).toContain('"user":"bob"');
});

const selfTest = "/api/v1/system/selftest";

table("the self-test", [
  { name: "has not been run", path: selfTest, as: "bob", status: 200, has: ['"last":null'] },
  { name: "is no member's", path: selfTest, method: "POST", as: "bob", status: 403 },
  {
    ...{ name: "is started by an admin", path: selfTest, method: "POST", as: "ann", status: 202 },
    has: ['"runningSince":"2026'],
  },
  { name: "once", path: selfTest, method: "POST", as: "ann", status: 409, has: ["busy"] },
  {
    ...{ name: "and the panel says so", path: "/ui/system/selftest", browser: "ann" },
    ...{ headers: asHtmx, status: 200, has: ["It runs", "disabled"] },
  },
]);

test("open pages hear of the end of a self-test, of samples, and of who sits where", async () => {
  const { site } = home;
  const reader = new StreamReader(await site.ask("/ui/system/events", { browser: "ann" }));
  await reader.until("event: machine-sample");
  endTest();
  await reader.until("event: selftest");
  const text = await reader.until("#machine-live");
  expect(text).toContain('data: {"takenAt":"2026');
  expect(text).toContain('hx-target="#seat-gpu-0-0"');
  await reader.leave();
  expect(site.site.streams.count).toBe(0);
});

const load = "/api/v1/system/load";

table("the load of the machine", [
  {
    ...{ name: "is told to every user", path: load, as: "bob", status: 200 },
    ...{ has: ['"cpuPercent":', '"waitingJobs":1', '"eventStreams":0'], lacks: ["history"] },
  },
  {
    ...{ name: "with its history", path: `${load}?history=300`, as: "ann", status: 200 },
    has: ['"history":[{"takenAt"'],
  },
  { name: "of an hour", path: `${load}?history=3601`, as: "ann", status: 422 },
  { name: "and not to strangers", path: load, status: 401 },
  {
    ...{ name: "is a table too", path: "/ui/system/load-table?source=machine", browser: "bob" },
    ...{ headers: asHtmx, status: 200, has: ["<table", "Processor", "<time"] },
  },
  {
    ...{ name: "and that of a GPU", path: "/ui/system/load-table?source=GPU-aa", browser: "bob" },
    ...{ headers: asHtmx, status: 200, has: ["Nothing has been sampled yet."] },
  },
  {
    ...{ name: "of one that there is", path: "/ui/system/load-table?source=GPU-zz" },
    ...{ browser: "bob", headers: asHtmx, status: 404 },
  },
]);
