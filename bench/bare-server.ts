/**
 * The least that Bun.serve can be: what Kinomill's start, memory and reads are compared with.
 * Usage: bare-server PORT [FILE [START END]]; FILE's JSON is what `GET /json` gives, or `GET /range` bytes of it.
 */
import { argv } from "node:process";

const [port = "0", file, start, end] = argv.slice(2);
const isRange = file !== undefined && start !== undefined;
const value: unknown = file === undefined || isRange ? {} : await Bun.file(file).json();
const part = isRange ? Bun.file(file).slice(Number(start), Number(end)) : null;

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  fetch(request) {
    if (part !== null) return new Response(part, { status: 206 });
    return new URL(request.url).pathname === "/json"
      ? Response.json(value)
      : Response.json({ status: "ok", timestamp: new Date().toISOString() });
  },
});
