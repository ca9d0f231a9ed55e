/**
 * The least that Bun.serve can be: what Kinomill's start, memory and reads are compared with.
 * Usage: bare-server PORT [FILE]; FILE's JSON is what `GET /json` gives.
 */
import { argv } from "node:process";

const [port = "0", file] = argv.slice(2);
const value: unknown = file === undefined ? {} : await Bun.file(file).json();

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  fetch(request) {
    return new URL(request.url).pathname === "/json"
      ? Response.json(value)
      : Response.json({ status: "ok", timestamp: new Date().toISOString() });
  },
});
