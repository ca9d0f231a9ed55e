/** A web server that does wrong on purpose: what it sends is written byte by byte. */
import { createServer, type Server, type Socket } from "node:net";

export interface Asked {
  path: string;
  /** Names in lower case. */
  headers: Record<string, string>;
}

/** Answers one request; the socket is closed by whoever writes to it, or with the server. */
export type Answerer = (asked: Asked, socket: Socket, count: number) => void;

export class LinkServer {
  readonly asked: Asked[] = [];
  readonly host: string;
  answer: Answerer;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  private constructor(host: string, answer: Answerer) {
    this.host = host;
    this.answer = answer;
    this.server = createServer((socket) => this.serve(socket));
  }

  /** @param port 0: any that is free */
  static async start(answer: Answerer, host = "127.0.0.1", port = 0): Promise<LinkServer> {
    const made = new LinkServer(host, answer);
    await new Promise<void>((resolve, reject) => {
      made.server.once("error", reject).listen(port, host, resolve);
    });
    return made;
  }

  get port(): number {
    const address = this.server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  url(path = "/film.mp4", host = this.host): string {
    return `http://${host.includes(":") ? `[${host}]` : host}:${this.port}${path}`;
  }

  private serve(socket: Socket): void {
    this.sockets.add(socket);
    socket.on("close", () => this.sockets.delete(socket));
    socket.on("error", () => undefined);
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      const end = text.indexOf("\r\n\r\n");
      if (end < 0) return;
      const [first = "", ...lines] = text.slice(0, end).split("\r\n");
      text = text.slice(end + 4);
      const headers = Object.fromEntries(
        lines.map((line): [string, string] => {
          const colon = line.indexOf(":");
          return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
        }),
      );
      const asked = { path: first.split(" ")[1] ?? "", headers };
      this.asked.push(asked);
      this.answer(asked, socket, this.asked.length);
    });
  }

  /** Breaks off every connection. */
  drop(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.drop();
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
  }
}

/** The head of an answer. */
export function head(status: string, headers: Record<string, string | number>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status}\r\n${lines.join("")}\r\n`;
}

/** Serves bytes as a good server does: ETag, Range, If-Range. */
export function serves(bytes: Uint8Array, etag = '"one"'): Answerer {
  return (asked, socket) => {
    const from = rangeOf(asked, etag);
    const part = bytes.subarray(from ?? 0);
    const all = { etag, "accept-ranges": "bytes", "content-length": part.byteLength };
    const range = `bytes ${from ?? 0}-${bytes.byteLength - 1}/${bytes.byteLength}`;
    socket.write(
      from === null
        ? head("200 OK", all)
        : head("206 Partial Content", { ...all, "content-range": range }),
    );
    socket.end(part);
  };
}

/** First byte that is asked for, when the condition holds; null: all. */
export function rangeOf(asked: Asked, etag: string): number | null {
  const match = /^bytes=(\d+)-$/.exec(asked.headers["range"] ?? "");
  return match === null || asked.headers["if-range"] !== etag ? null : Number(match[1]);
}

export function redirects(location: string, status = 302): Answerer {
  return (_asked, socket) => {
    socket.end(head(`${status} Found`, { location, "content-length": 0 }));
  };
}
