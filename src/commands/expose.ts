/** `kinomill expose tailscale`: what makes this server reachable through Tailscale, and whether it is. It changes nothing itself. */
import { z } from "zod";
import type { Config } from "../config.ts";
import { openToRead } from "../database/open.ts";
import { Refusal } from "../trouble.ts";
import { exitCodes } from "./exit.ts";
import { runHostProgram } from "./host-programs.ts";
import type { CommonOptions } from "./program.ts";
import { configOf } from "./settings.ts";

/** It asks a program on this machine; when that hangs, a person should learn it. */
const ANSWER_LIMIT_MS = 10_000;

const statusShape = z.object({
  BackendState: z.string(),
  Self: z.object({ DNSName: z.string().optional() }).optional(),
});

const serveShape = z.object({
  Web: z
    .record(
      z.string(),
      z.object({
        Handlers: z.record(z.string(), z.object({ Proxy: z.string().optional() })).optional(),
      }),
    )
    .nullish(),
  AllowFunnel: z.record(z.string(), z.boolean()).nullish(),
});

/** How far it is: nothing, in the tailnet, or for everybody. */
type Exposure = "not" | "tailnet" | "internet";

export async function exposeByTailscale(
  options: CommonOptions & { funnel?: boolean },
): Promise<number> {
  const config = await configOf(options);
  refuseWhileOpen(config);
  const name = tailnetName();
  const target = targetOf(config);
  const wanted: Exposure = options.funnel === true ? "internet" : "tailnet";
  const exposure = exposureOf(name, target);
  const missing = missingSettings(config, name);
  const url = `https://${name}${config.http.basePath}/`;
  if (exposure === wanted) console.log(`Kinomill is reachable at ${url} ${whom(exposure)}.`);
  else tellHow(config, { exposure, wanted, target, url });
  for (const line of missing) console.log(line);
  return missing.length > 0 && exposure === wanted ? exitCodes.failed : exitCodes.done;
}

/** @throws Refusal 409 `setup_open`: whoever came first would be the admin */
function refuseWhileOpen(config: Config): void {
  const database = openToRead(config.data);
  try {
    const sql = "SELECT count(*) AS n FROM user WHERE role = 'admin'";
    const admins = database?.query<{ n: number }, []>(sql).get()?.n ?? 0;
    if (admins > 0) return;
  } catch {
    // A database without tables has no admin either.
  } finally {
    database?.close();
  }
  const sentence =
    "Kinomill has no admin yet: whoever came first from outside could become one. Open it here, enter the setup code, then expose it.";
  throw new Refusal(409, "setup_open", sentence);
}

/** This machine's name in the tailnet. @throws Refusal 503 `no_tailscale` with what to do */
function tailnetName(): string {
  const status = told(["tailscale", "status", "--json"], statusShape);
  const { BackendState: state, Self } = status;
  if (state === "NeedsLogin" || state === "NoState") {
    throw unable("This machine is in no tailnet yet. Join one: sudo tailscale up");
  }
  if (state === "Stopped")
    throw unable("Tailscale is switched off here. Switch it on: sudo tailscale up");
  if (state !== "Running")
    throw unable(`Tailscale is not ready (${state}). Look: tailscale status`);
  const name = (Self?.DNSName ?? "").replace(/\.$/, "").toLowerCase();
  if (/^[a-z0-9.-]+\.[a-z0-9-]+$/.test(name)) return name;
  throw unable(
    "This machine has no name in the tailnet. Switch MagicDNS and HTTPS certificates on: https://login.tailscale.com/admin/dns",
  );
}

function exposureOf(name: string, target: string): Exposure {
  const { Web, AllowFunnel } = told(["tailscale", "serve", "status", "--json"], serveShape);
  const place = `${name}:443`;
  const handlers = Object.values(Web?.[place]?.Handlers ?? {});
  const isOurs = handlers.some(({ Proxy: proxy }) => proxy === target);
  if (!isOurs) return "not";
  return AllowFunnel?.[place] === true ? "internet" : "tailnet";
}

/** @throws Refusal 503 `no_tailscale` */
function told<Shape extends z.ZodType>(argv: string[], shape: Shape): z.output<Shape> {
  const { exitCode, stdout, stderr } = runHostProgram(argv, ANSWER_LIMIT_MS);
  const words = argv.join(" ");
  if (exitCode === null) {
    const how = "Install it: https://tailscale.com/download/linux";
    throw unable(
      stderr.includes("not installed") ? `${stderr}. ${how}` : `"${words}" did not answer in time.`,
    );
  }
  // A tailnet without anything served gives no JSON, or null.
  const text = stdout.trim() === "" || stdout.trim() === "null" ? "{}" : stdout;
  try {
    return shape.parse(JSON.parse(text));
  } catch {
    const said = (stderr || stdout).trim().split("\n").at(-1)?.slice(0, 300) ?? "";
    throw unable(`"${words}" gave no answer that Kinomill understands: ${said || "nothing"}`);
  }
}

function unable(sentence: string): Refusal {
  return new Refusal(503, "no_tailscale", sentence);
}

/** Where tailscaled finds the server: by the loopback. */
function targetOf({ listen, tls, http }: Config): string {
  const colon = listen.lastIndexOf(":");
  const host = listen.slice(0, colon);
  const near = ["0.0.0.0", "[::]"].includes(host) ? "127.0.0.1" : host;
  const scheme = tls.mode === "off" ? "http" : "https+insecure";
  return `${scheme}://${near}${listen.slice(colon)}${http.basePath}`;
}

function tellHow(
  config: Config,
  how: { exposure: Exposure; wanted: Exposure; target: string; url: string },
): void {
  const { exposure, wanted, target, url } = how;
  const path = config.http.basePath === "" ? "" : ` --set-path ${config.http.basePath}`;
  const verb = wanted === "internet" ? "funnel" : "serve";
  if (exposure !== "not") console.log(`Kinomill is reachable at ${url} ${whom(exposure)} now.`);
  console.log(`For ${url}, ${whom(wanted)}, type`);
  if (exposure === "internet") console.log("  sudo tailscale funnel --https=443 off");
  console.log(`  sudo tailscale ${verb} --bg${path} ${target}`);
  console.log("and look again with this command. To end it:");
  console.log(`  sudo tailscale ${verb} --https=443${path} off`);
  if (wanted === "internet") {
    console.log("Everybody in the internet will see the login page: use long passwords.");
  }
}

function whom(exposure: Exposure): string {
  return exposure === "internet"
    ? "for everybody in the internet"
    : "for the devices of your tailnet";
}

/** What the settings lack for requests that come by this name through tailscaled. */
function missingSettings({ hosts, http }: Config, name: string): string[] {
  const lines: string[] = [];
  if (!hosts.some((host) => host.toLowerCase() === name)) {
    lines.push(`  hosts = ${JSON.stringify([...hosts, name])}`);
  }
  if (!http.trustedProxies.includes("127.0.0.1")) {
    lines.push(
      "  [http]",
      `  trustedProxies = ${JSON.stringify([...http.trustedProxies, "127.0.0.1"])}`,
    );
  }
  if (lines.length === 0) return [];
  return ["Put this into the settings and restart, or it will answer to nobody there:", ...lines];
}
