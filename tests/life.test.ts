/** The life of jobs on the compiled executable: stopped where they stand, gone when cancelled, told over a restart. */
import { expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { readFile, readlink } from "node:fs/promises";
import { Api, type Json } from "./api.ts";
import { Appliance, eventually } from "./appliance.ts";
import { plainClip, slowClip } from "./clips.ts";

/** The ffmpeg processes of this appliance, each with its state letter as the kernel has it: R, S, T … */
async function ffmpegs(appliance: Appliance): Promise<Map<string, string>> {
  const states = new Map<string, string>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const program = await readlink(`/proc/${pid}/exe`).catch(() => "");
    const argv = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (!/ffmpeg$/.test(program) || !argv.includes(appliance.folder)) continue;
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    states.set(pid, stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3));
  }
  return states;
}

test("a paused job stands still for the kernel too, others run meanwhile, and cancel ends it within 2 s", async () => {
  await using appliance = await Appliance.start({ environment: { KINOMILL_JOBS_CPU_SLOTS: "1" } });
  const api = new Api(appliance.url, await appliance.token("ann"));
  const asset = await api.add(slowClip());
  const job = await api.start("transcode", [asset.id], { video: { codec: "h264", quality: 50 } });
  await eventually("ffmpeg encodes", 60_000, async () => {
    const { body } = await api.get(`/api/v1/jobs/${job.id}`);
    return body.progressPercent > 0 && (await ffmpegs(appliance)).size > 0;
  });
  const paused = await api.post(`/api/v1/jobs/${job.id}/pause`, {});
  expect([paused.status, paused.body.state]).toEqual([200, "running"]);
  await eventually("it is stopped", 5_000, async () =>
    [...(await ffmpegs(appliance)).values()].every((state) => state === "T"),
  );
  const standing = [...(await ffmpegs(appliance)).keys()];
  expect(standing).toHaveLength(1);
  const small = await api.add(plainClip());
  const other = await api.run("thumbnails", [small.id], {});
  expect([other.state, other.error]).toEqual(["succeeded", null]);
  // The server may be at a poster of the file that was added: that is no job, and it runs.
  const states = await ffmpegs(appliance);
  expect(standing.map((pid) => states.get(pid))).toEqual(["T"]);

  const since = performance.now();
  expect((await api.post(`/api/v1/jobs/${job.id}/cancel`, {})).body.state).toBe("cancelled");
  await eventually("ffmpeg is gone", 10_000, async () =>
    standing.every((pid) => !existsSync(`/proc/${pid}`)),
  );
  expect(performance.now() - since).toBeLessThan(2_000);
  const { body } = await api.get(`/api/v1/jobs/${job.id}`);
  expect(body.history.map(({ what, who }: Json) => `${what} ${who}`.trim())).toEqual([
    ...["submit ann (token command line)", "claim"],
    ...["pause ann (token command line)", "cancel ann (token command line)"],
  ]);
}, 180_000);

test("an event stream goes on over a restart where it broke off", async () => {
  await using first = await Appliance.start();
  const token = await first.token("ann");
  const api = new Api(first.url, token);
  const asset = await api.add(plainClip());
  const { id } = await api.start("thumbnails", [asset.id], {});
  await api.waitFor(id, "succeeded");
  const lastId = await lastEventId(first, token, {});
  await api.post("/api/v1/jobs", { operation: "thumbnails", inputs: [asset.id], params: {} });
  await first.end("SIGKILL");

  await using second = await Appliance.start({ folder: first.folder });
  const missed = await streamText(second, token, { "Last-Event-ID": lastId });
  expect(missed).toContain('"operation":"thumbnails"');
  expect(missed).not.toContain(id);
}, 120_000);

/** What a stream says in its first moments. */
async function streamText(
  appliance: Appliance,
  token: string,
  headers: Record<string, string>,
): Promise<string> {
  const stop = new AbortController();
  const response = await fetch(`${appliance.url}/api/v1/events`, {
    headers: { Authorization: `Bearer ${token}`, ...headers },
    signal: stop.signal,
  });
  const reader = response.body?.getReader();
  let text = "";
  while (reader !== undefined && !text.includes("event: job")) {
    const { done, value } = await reader.read();
    if (done) break;
    text += new TextDecoder().decode(value);
  }
  stop.abort();
  return text;
}

/** The number of the last event of the log: of an asset that was just changed. */
async function lastEventId(
  appliance: Appliance,
  token: string,
  headers: Record<string, string>,
): Promise<string> {
  const text = await streamText(appliance, token, { "Last-Event-ID": "0", ...headers });
  const ids = Array.from(text.matchAll(/^id: (\d+)$/gm), ([, id]) => Number(id));
  return String(Math.max(...ids));
}
