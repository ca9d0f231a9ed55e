/**
 * What a server acknowledged, kept outside of it: after a fault everything in here must be there, whole and
 * once. Requests that got no answer are open: they are asked again under the same key.
 */
import { Database } from "bun:sqlite";
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Api, type Json } from "../api.ts";
import { type Appliance, eventually } from "../appliance.ts";
import { ffprobe } from "../clips.ts";
import { everything } from "../support/long-form.ts";

/** What a check of everything found. */
export interface Audit {
  acknowledged: number;
  lost: string[];
  doubled: string[];
  falsified: string[];
}

/** All jobs of a test end in this time, also on two cores that do a lot besides; in the long form they are a thousand. */
const SETTLE_LIMIT_MS = everything ? 3_600_000 : 300_000;

interface Asked {
  key: string;
  inputs: string[];
  /** Null until it was acknowledged. */
  id: string | null;
}

export class Ledger {
  /** Ids and hashes of files that were acknowledged. */
  readonly files = new Map<string, string>();
  private readonly jobs: Asked[] = [];
  private readonly token: string;
  private api: Api;
  private keys = 0;
  private deaf = false;

  constructor(url: string, token: string) {
    this.token = token;
    this.api = new Api(url, token);
  }

  /** The server answers somewhere else now; resolves when it takes jobs again. */
  async moveTo(url: string): Promise<void> {
    this.api = new Api(url, this.token);
    this.deaf = false;
    await eventually("the server is ready", 20_000, async () => {
      return (await this.api.get("/health/ready")).status === 200;
    });
  }

  /** What arrives from now on counts as no answer, until the server answers somewhere else. */
  ignoreAnswers(): void {
    this.deaf = true;
  }

  /** Sends a file; false when it was not acknowledged. */
  async addFile(path: string, name: string): Promise<boolean> {
    const bytes = await Bun.file(path).bytes();
    const answer = await this.api.upload(name, bytes).catch(() => null);
    if (answer?.status !== 201 || this.deaf) return false;
    this.files.set(answer.body.id, createHash("sha256").update(bytes).digest("hex"));
    return true;
  }

  /** Asks for a job on one of the files; false when it was not acknowledged. */
  async addJob(): Promise<boolean> {
    return (await this.addJobStatus()) === 202;
  }

  /** The same; gives the status of the answer, or null when there was none. */
  async addJobStatus(): Promise<number | null> {
    const [asset] = [...this.files.keys()].slice(this.jobs.length % this.files.size);
    if (asset === undefined) throw new Error("a job needs a file");
    this.keys += 1;
    const asked: Asked = { key: `key-${this.keys}`, inputs: [asset], id: null };
    this.jobs.push(asked);
    return await this.ask(asked);
  }

  private async ask(asked: Asked): Promise<number | null> {
    const request = { operation: "thumbnails", inputs: asked.inputs, params: {} };
    const headers = { "Idempotency-Key": asked.key };
    const answer = await this.api.post("/api/v1/jobs", request, headers).catch(() => null);
    if (this.deaf) return null;
    if (answer?.status !== 202) return answer?.status ?? null;
    if (asked.id !== null && asked.id !== answer.body.id) {
      throw new Error(`${asked.key} made two jobs: ${asked.id} and ${answer.body.id}`);
    }
    asked.id = answer.body.id;
    return answer.status;
  }

  /** Asks again for what got no answer, as a program with a key does. */
  async askAgain(): Promise<void> {
    for (const asked of this.jobs) {
      if (asked.id !== null) continue;
      await eventually(`${asked.key} is acknowledged`, 20_000, async () => {
        return (await this.ask(asked)) === 202;
      });
    }
  }

  /** Waits for all jobs, and has those run again that failed with one of the codes. */
  async retryWhatFailedOf(...codes: string[]): Promise<void> {
    for (const { id } of this.jobs) {
      const job = id === null ? null : await this.ended(id);
      if (job?.state === "failed" && codes.includes(job.error.code)) {
        await this.api.post(`/api/v1/jobs/${id}/retry`, {});
      }
    }
  }

  get acknowledged(): number {
    return this.files.size + this.jobs.filter(({ id }) => id !== null).length;
  }

  /** Waits until every job ended, then looks at everything that there is. */
  async audit(appliance: Appliance): Promise<Audit> {
    const audit: Audit = { acknowledged: this.acknowledged, lost: [], doubled: [], falsified: [] };
    await this.auditFiles(audit);
    const outputs = await this.auditJobs(audit);
    await this.auditLibrary(audit, outputs);
    this.auditDisk(audit, appliance);
    return audit;
  }

  private async auditFiles(audit: Audit): Promise<void> {
    for (const [id, sha256] of this.files) {
      const bytes = await this.api.download(id).catch(() => null);
      if (bytes === null) audit.lost.push(`file ${id}`);
      else if (createHash("sha256").update(bytes).digest("hex") !== sha256) {
        audit.falsified.push(`file ${id}`);
      }
    }
  }

  private async auditJobs(audit: Audit): Promise<Set<string>> {
    const outputs = new Set<string>();
    for (const { id, key } of this.jobs) {
      if (id === null) continue;
      const job = await this.ended(id);
      if (job === null) {
        audit.lost.push(`job ${id}`);
        continue;
      }
      const successes = job.history.filter(({ what }: Json) => what === "succeed");
      if (job.state !== "succeeded")
        audit.lost.push(`job ${key}: ${job.state} ${JSON.stringify(job.error)}`);
      if (successes.length > 1 || job.outputs.length > 1) audit.doubled.push(`job ${id}`);
      for (const output of job.outputs) {
        outputs.add(output);
        if (!(await this.isPicture(output))) audit.falsified.push(`output ${output}`);
      }
    }
    return outputs;
  }

  private async ended(id: string): Promise<Json | null> {
    let last = "";
    const ended = eventually(`job ${id} ends`, SETTLE_LIMIT_MS, async () => {
      const { status, body } = await this.api.get(`/api/v1/jobs/${id}`);
      if (status === 404) return { gone: true };
      last = JSON.stringify(body);
      return ["succeeded", "failed", "cancelled"].includes(body.state) ? body : null;
    });
    const job: Json = await ended.catch((cause: Error) => {
      throw new Error(`${cause.message}; last it was ${last}`);
    });
    return "gone" in job ? null : job;
  }

  /** The bytes are those that were recorded, and an independent program sees a picture in them. */
  private async isPicture(id: string): Promise<boolean> {
    const { body } = await this.api.get(`/api/v1/assets/${id}`);
    const bytes = await this.api.download(id).catch(() => null);
    if (bytes === null) return false;
    if (createHash("sha256").update(bytes).digest("hex") !== body.sha256) return false;
    const path = join("/tmp", `output-${process.pid}-${id}`);
    await Bun.write(path, bytes);
    const streams = ffprobe(path).streams;
    await Bun.file(path).delete();
    return Number(streams?.[0]?.["width"]) > 0;
  }

  /** In the library stands what was acknowledged, what jobs made of it, and what got no answer: nothing twice. */
  private async auditLibrary(audit: Audit, outputs: Set<string>): Promise<void> {
    const listed = await this.everything("/api/v1/assets");
    const made = listed.filter(({ origin }: Json) => origin.kind === "job");
    for (const { id } of made) if (!outputs.has(id)) audit.doubled.push(`output ${id} of no job`);
    const jobs = await this.everything("/api/v1/jobs");
    if (jobs.length > this.jobs.length)
      audit.doubled.push(`${jobs.length} jobs of ${this.jobs.length} keys`);
  }

  private async everything(path: string): Promise<Json[]> {
    const items: Json[] = [];
    for (let after = ""; ; ) {
      const { body } = await this.api.get(`${path}?limit=200${after}`);
      items.push(...body.items);
      if (body.next === null) return items;
      after = `&after=${body.next}`;
    }
  }

  /** The database is sound, and storage holds no object that nobody knows. */
  private auditDisk(audit: Audit, appliance: Appliance): void {
    const database = new Database(join(appliance.dataFolder, "kinomill.sqlite"), {
      readonly: true,
    });
    const sound = database.query("PRAGMA integrity_check").get() as { integrity_check: string };
    if (sound.integrity_check !== "ok") audit.falsified.push(`database: ${sound.integrity_check}`);
    const known = new Set(
      database
        .query<{ id: string }, []>("SELECT id FROM asset")
        .all()
        .map(({ id }) => id),
    );
    const intents = database.query<{ key: string }, []>("SELECT key FROM object_intent").all();
    for (const { key } of intents) known.add(key);
    database.close();
    for (const name of objectsOf(appliance)) {
      if (!known.has(name.replace(/\.thumbnail$/, "")))
        audit.doubled.push(`object ${name} of nobody`);
    }
  }
}

function objectsOf(appliance: Appliance): string[] {
  const folder = join(appliance.dataFolder, "storage", "objects");
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);
}
