/**
 * A TCP proxy before an HTTP server that can do to a request what networks and servers do: nothing at all, errors,
 * slowness, cuts. What it does not touch passes through byte for byte, so that signatures hold.
 */
import { connect, createServer, type Server, type Socket } from "node:net";

export interface SeenRequest {
  method: string;
  /** Path and query as sent. */
  target: string;
}

export type Fault =
  /** The server is not asked; this is the answer. */
  | { kind: "answer"; status: number; body: string }
  /** The request arrives nowhere, and nothing comes back. */
  | { kind: "silence" }
  /** The connection ends after so many bytes of the request, its head among them. */
  | { kind: "cut"; afterBytes: number }
  /** It ends after so many bytes of the answer. */
  | { kind: "cut answer"; afterBytes: number }
  /** The answer stops coming after so many bytes, and the connection stays. */
  | { kind: "stall answer"; afterBytes: number }
  /** The request is carried out, and its answer gets lost. */
  | { kind: "lose answer" };

/** Bodies never begin like this in these tests. */
const requestLine = /^(GET|HEAD|PUT|POST|DELETE|OPTIONS) (\S+) HTTP\/1\.1\r\n/;

export class FaultProxy {
  /** What happens to a request; null lets it pass. */
  rule: (request: SeenRequest) => Fault | null = () => null;
  /** Every request since the last `seen.length = 0`. */
  readonly seen: SeenRequest[] = [];
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.server = server;
  }

  /** @param target "http://127.0.0.1:7480" */
  static async start(target: string): Promise<FaultProxy> {
    const { hostname, port } = new URL(target);
    const server = createServer();
    const proxy = new FaultProxy(server);
    server.on("connection", (client) => {
      const upstream = connect({ host: hostname, port: Number(port) });
      proxy.join(client, upstream);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    const address = this.server.address();
    if (address === null || typeof address === "string") throw new Error("not listening");
    return `http://127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private join(client: Socket, upstream: Socket): void {
    let fault: Fault | null = null;
    let sentBytes = 0;
    let answeredBytes = 0;
    const cut = () => {
      client.destroy();
      upstream.destroy();
    };
    client.on("data", (data: Buffer) => {
      const [, method = "", target = ""] = requestLine.exec(data.toString("latin1", 0, 4096)) ?? [];
      if (method !== "") {
        this.seen.push({ method, target });
        fault = this.rule({ method, target });
        sentBytes = 0;
        answeredBytes = 0;
        if (fault?.kind === "answer") return answer(client, fault, cut);
      }
      if (fault?.kind === "silence" || fault?.kind === "answer") return;
      sentBytes += data.byteLength;
      if (fault?.kind === "cut" && sentBytes >= fault.afterBytes) return cut();
      if (!upstream.write(data)) {
        client.pause();
        upstream.once("drain", () => client.resume());
      }
    });
    upstream.on("data", (data: Buffer) => {
      if (fault?.kind === "lose answer") return cut();
      answeredBytes += data.byteLength;
      const limited = fault?.kind === "cut answer" || fault?.kind === "stall answer";
      const beyondBytes = limited && fault ? answeredBytes - afterOf(fault) : 0;
      if (beyondBytes > 0) {
        client.write(data.subarray(0, Math.max(0, data.byteLength - beyondBytes)));
        if (fault?.kind === "cut answer") client.end(cut);
        return;
      }
      if (!client.write(data)) {
        upstream.pause();
        client.once("drain", () => upstream.resume());
      }
    });
    for (const socket of [client, upstream]) {
      this.sockets.add(socket);
      socket.on("error", cut);
      socket.on("close", () => {
        this.sockets.delete(socket);
        cut();
      });
    }
  }
}

function afterOf(fault: Fault): number {
  return "afterBytes" in fault ? fault.afterBytes : 0;
}

function answer(client: Socket, fault: Fault & { kind: "answer" }, cut: () => void): void {
  const { status, body } = fault;
  const head = `HTTP/1.1 ${status} Fault\r\nContent-Type: application/xml\r\nConnection: close\r\n`;
  client.write(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  // The rest of the request is read and forgotten, so that the answer is not lost in a reset.
  setTimeout(cut, 500);
}
