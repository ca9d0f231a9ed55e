/**
 * A bare HTTP/1.1 connection that is kept alive: it sends bytes made before and counts what comes back. The
 * machine is shared with the server under test, so the client must cost as little as it can.
 */
import type { Socket } from "bun";

/** An answer that takes longer hangs. */
const ANSWER_LIMIT_MS = 60_000;

export interface Answer {
  status: number;
  bodyBytes: number;
}

const headEnd = Buffer.from("\r\n\r\n");

export class Connection {
  private socket: Socket | null = null;
  private head = Buffer.alloc(0);
  private status = 0;
  private expectedBytes = -1;
  private bodyBytes = 0;
  private settle: { resolve(answer: Answer): void; reject(cause: Error): void } | null = null;

  static async open(url: string): Promise<Connection> {
    const { hostname, port } = new URL(url);
    const connection = new Connection();
    connection.socket = await Bun.connect({
      hostname,
      port: Number(port),
      socket: {
        data: (_, chunk) => connection.take(chunk),
        close: () => connection.settle?.reject(new Error("the server closed the connection")),
        error: (_, cause) => connection.settle?.reject(cause),
      },
    });
    return connection;
  }

  /** Sends one request, made by `requestBytes`, and resolves when the whole answer is there. */
  request(bytes: Uint8Array): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
      this.expectedBytes = -1;
      this.bodyBytes = 0;
      this.socket?.timeout(ANSWER_LIMIT_MS / 1000);
      this.socket?.write(bytes);
    });
  }

  close(): void {
    this.settle = null;
    this.socket?.end();
  }

  private take(chunk: Buffer): void {
    if (this.expectedBytes === -1) this.takeHead(chunk);
    else this.bodyBytes += chunk.length;
    if (this.expectedBytes === -1 || this.bodyBytes < this.expectedBytes) return;
    this.settle?.resolve({ status: this.status, bodyBytes: this.bodyBytes });
  }

  private takeHead(chunk: Buffer): void {
    const all = this.head.length === 0 ? chunk : Buffer.concat([this.head, chunk]);
    const end = all.indexOf(headEnd);
    this.head = end === -1 ? Buffer.from(all) : Buffer.alloc(0);
    if (end === -1) return;
    const head = all.subarray(0, end).toString("latin1");
    this.status = Number(head.slice(9, 12));
    const length = /^content-length: (\d+)/im.exec(head)?.[1];
    if (length === undefined) this.settle?.reject(new Error(`no Content-Length in:\n${head}`));
    this.expectedBytes = Number(length);
    this.bodyBytes = all.length - end - headEnd.length;
  }
}

export function requestBytes(url: string, headers: Record<string, string> = {}): Uint8Array {
  const { host, pathname, search } = new URL(url);
  const lines = Object.entries({ Host: host, ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return Buffer.from(`GET ${pathname}${search} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
}

export const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

/**
 * Closed loop: `connections` at once, each sends the next request when its answer came.
 * @returns seconds that all took
 */
export async function flood(
  url: string,
  headers: Record<string, string>,
  extent: { connections: number; requests: number },
): Promise<number> {
  const bytes = requestBytes(url, headers);
  const open = Array.from({ length: extent.connections }, () => Connection.open(url));
  const connections = await Promise.all(open);
  let left = extent.requests;
  const started = performance.now();
  await Promise.all(
    connections.map(async (connection) => {
      while (left > 0) {
        left -= 1;
        const { status } = await connection.request(bytes);
        if (status !== 200 && status !== 206) throw new Error(`GET ${url} answered ${status}`);
      }
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  for (const connection of connections) connection.close();
  return seconds;
}
