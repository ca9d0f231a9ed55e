/** A line to a server that can be cut, mended, slowed down, and led to another server, under one address. */
import { connect, createServer, type Server, type Socket } from "node:net";
import { Transform } from "node:stream";

export class BadLine {
  /** As a browser or a program is given it. */
  readonly url: string;
  /** Bytes that went to the server so far. */
  sentBytes = 0;
  private target: string;
  private broken = false;
  private bytesPerSecond = Number.POSITIVE_INFINITY;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  private constructor(server: Server, target: string) {
    this.server = server;
    this.target = target;
    const address = server.address();
    this.url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  }

  static async to(target: string): Promise<BadLine> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const line = new BadLine(server, target);
    server.on("connection", (socket) => line.carry(socket));
    return line;
  }

  /** Every connection breaks, and no new one is made until it is mended. */
  cut(): void {
    this.broken = true;
    for (const socket of this.sockets) socket.destroy();
  }

  /** @param target another server from now on; absent: the same */
  mend(target = this.target): void {
    this.target = target;
    this.broken = false;
  }

  /** How fast bytes go to the server from now on. */
  slow(bytesPerSecond: number): void {
    this.bytesPerSecond = bytesPerSecond;
  }

  private carry(from: Socket): void {
    if (this.broken) {
      from.destroy();
      return;
    }
    const { hostname, port } = new URL(this.target);
    const to = connect(Number(port), hostname);
    for (const [socket, other] of [
      [from, to],
      [to, from],
    ] as const) {
      this.sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        this.sockets.delete(socket);
        other.destroy();
      });
    }
    to.pipe(from);
    from.pipe(this.brake()).pipe(to);
  }

  private brake(): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.sentBytes += chunk.byteLength;
        const waitMs = (chunk.byteLength / this.bytesPerSecond) * 1000;
        if (waitMs < 1) done(null, chunk);
        else setTimeout(() => done(null, chunk), waitMs);
      },
    });
  }

  [Symbol.dispose](): void {
    this.cut();
    this.server.close();
  }
}
