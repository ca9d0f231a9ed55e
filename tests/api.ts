/** The API as a program uses it: a token, JSON, and nothing of Kinomill's own code. */
import { eventually } from "./appliance.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape and assert on them.
export type Json = any;

export interface Answer {
  status: number;
  headers: Headers;
  body: Json;
}

/** Longest job of these tests on a busy two-core machine. */
const JOB_LIMIT_MS = 120_000;

export class Api {
  readonly url: string;
  readonly token: string;

  constructor(url: string, token: string) {
    this.url = url;
    this.token = token;
  }

  async call(method: string, path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`, {
      ...init,
      method,
      // Tests with TLS have certificates of their own making.
      ...{ tls: { rejectUnauthorized: false } },
      redirect: "manual",
      headers: { Authorization: `Bearer ${this.token}`, ...(init.headers as object) },
      signal: AbortSignal.timeout(JOB_LIMIT_MS),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") ?? false;
    return {
      status: response.status,
      headers: response.headers,
      body: isJson && text !== "" ? JSON.parse(text) : text,
    };
  }

  get(path: string): Promise<Answer> {
    return this.call("GET", path);
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.call("POST", path, {
      body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", ...headers },
    });
  }

  /** Asks again while the server is only starting, as a program does that is told 503 `starting`. */
  private async patiently(ask: () => Promise<Answer>): Promise<Answer> {
    return await eventually("the server has started", JOB_LIMIT_MS, async () => {
      const answer = await ask();
      return answer.status === 503 && answer.body.code === "starting" ? null : answer;
    });
  }

  upload(name: string, body: Blob | ArrayBuffer | Uint8Array<ArrayBuffer>): Promise<Answer> {
    return this.call("POST", `/api/v1/assets?name=${encodeURIComponent(name)}`, { body });
  }

  /** Uploads a file that must be accepted and gives the asset. */
  async add(path: string, name = path.slice(path.lastIndexOf("/") + 1)): Promise<Json> {
    const bytes = await Bun.file(path).bytes();
    const answer = await this.patiently(() => this.upload(name, bytes));
    if (answer.status !== 201) throw new Error(`upload of ${name}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** Starts a job that must be accepted and gives it. */
  async start(operation: string, inputs: string[], params: Json = {}): Promise<Json> {
    const request = { operation, inputs, params };
    const answer = await this.patiently(() => this.post("/api/v1/jobs", request));
    if (answer.status !== 202) throw new Error(`job: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** Waits until the job is in one of the states and gives it. */
  waitFor(jobId: string, ...states: string[]): Promise<Json> {
    return eventually(`job ${jobId} is ${states.join(" or ")}`, JOB_LIMIT_MS, async () => {
      const { body } = await this.get(`/api/v1/jobs/${jobId}`);
      return states.includes(body.state) ? body : null;
    });
  }

  /** Runs a job to its end. */
  async run(operation: string, inputs: string[], params: Json = {}): Promise<Json> {
    const { id } = await this.start(operation, inputs, params);
    return this.waitFor(id, "succeeded", "failed", "cancelled");
  }

  async download(assetId: string): Promise<Uint8Array> {
    const response = await fetch(`${this.url}/api/v1/assets/${assetId}/content`, {
      headers: { Authorization: `Bearer ${this.token}` },
    });
    if (!response.ok) throw new Error(`download of ${assetId}: ${response.status}`);
    return response.bytes();
  }
}
