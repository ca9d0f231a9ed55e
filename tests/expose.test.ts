/** `kinomill expose tailscale` against a program that answers as tailscale does. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kinomill } from "./appliance.ts";

let folder: string;
let data: string;

const running = { BackendState: "Running", Self: { DNSName: "Box.tail1234.ts.net." } };
const served = (proxy: string, more: object = {}) => ({
  TCP: { "443": { HTTPS: true } },
  Web: { "box.tail1234.ts.net:443": { Handlers: { "/": { Proxy: proxy } } } },
  ...more,
});
const ours = "http://127.0.0.1:7600";
const funnel = { AllowFunnel: { "box.tail1234.ts.net:443": true } };
const settings = {
  KINOMILL_HOSTS: "box.tail1234.ts.net",
  KINOMILL_HTTP_TRUSTED_PROXIES: "127.0.0.1",
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tailscale-"));
  data = join(folder, "data");
  writeFileSync(
    join(folder, "tailscale"),
    `#!/bin/sh
echo "$*" >> "${folder}/asked"
case "$1" in
status) cat "${folder}/status" ;;
serve) cat "${folder}/serve" ;;
*) echo "unexpected" >&2; exit 1 ;;
esac
`,
  );
  chmodSync(join(folder, "tailscale"), 0o755);
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Answers {
  status?: unknown;
  serve?: unknown;
  argv?: string[];
  environment?: Record<string, string>;
  path?: string;
}

async function expose({
  status = running,
  serve = {},
  argv = [],
  environment = settings,
  path,
}: Answers = {}) {
  const text = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  writeFileSync(join(folder, "status"), text(status));
  writeFileSync(join(folder, "serve"), text(serve));
  writeFileSync(join(folder, "asked"), "");
  const PATH = path ?? `${folder}:${process.env["PATH"]}`;
  const words = ["expose", "tailscale", "--data", data, ...argv];
  const done = await kinomill(words, { environment: { PATH, ...environment } });
  return { ...done, asked: readFileSync(join(folder, "asked"), "utf8") };
}

test("while nobody is admin, nothing is exposed and tailscale is not even asked", async () => {
  const { exitCode, stderr, asked } = await expose();
  expect([exitCode, asked]).toEqual([1, ""]);
  expect(stderr).toContain("no admin yet");
});

describe("with an admin", () => {
  beforeAll(async () => {
    const argv = ["users", "create", "ann", "--role", "admin", "--password-stdin", "--data", data];
    expect((await kinomill(argv, { stdin: "correct horse battery" })).exitCode).toBe(0);
  });

  test("the commands are printed, and no other is run than those that look", async () => {
    const { exitCode, stdout, asked } = await expose();
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`sudo tailscale serve --bg ${ours}\n`);
    expect(stdout).toContain("https://box.tail1234.ts.net/");
    expect(asked).toBe("status --json\nserve status --json\n");
  });

  test("for the internet it is the funnel, with a warning; a path and TLS are in the command", async () => {
    const { stdout } = await expose({ argv: ["--funnel"] });
    expect(stdout).toContain(`sudo tailscale funnel --bg ${ours}\n`);
    expect(stdout).toContain("Everybody in the internet");
    const environment = {
      ...settings,
      ...{ KINOMILL_HTTP_BASE_PATH: "/kinomill", KINOMILL_TLS_MODE: "self-signed" },
      KINOMILL_LISTEN: "[::]:7700",
    };
    const other = await expose({ environment });
    expect(other.stdout).toContain(
      "sudo tailscale serve --bg --set-path /kinomill https+insecure://127.0.0.1:7700/kinomill\n",
    );
  });

  test("what is exposed is seen: for whom, and whether it is another program", async () => {
    const tailnet = await expose({ serve: served(ours) });
    expect([tailnet.exitCode, tailnet.stdout]).toEqual([
      0,
      "Kinomill is reachable at https://box.tail1234.ts.net/ for the devices of your tailnet.\n",
    ]);
    const wide = await expose({ serve: served(ours, funnel), argv: ["--funnel"] });
    expect(wide.stdout).toContain("for everybody in the internet.");
    const tooWide = await expose({ serve: served(ours, funnel) });
    expect(tooWide.stdout).toContain("sudo tailscale funnel --https=443 off");
    const foreign = await expose({ serve: served("http://127.0.0.1:3000") });
    expect(foreign.stdout).toContain("sudo tailscale serve --bg");
  });

  test("settings that would refuse everybody are named", async () => {
    const { exitCode, stdout } = await expose({ environment: {}, serve: served(ours) });
    expect(exitCode).toBe(1);
    expect(stdout).toContain('hosts = ["box.tail1234.ts.net"]');
    expect(stdout).toContain('trustedProxies = ["127.0.0.1"]');
  });

  test("a tailscale that is not there, not joined or not understood is a sentence", async () => {
    for (const [answers, words] of [
      [{ path: "/nowhere" }, "tailscale is not installed"],
      [{ status: { BackendState: "NeedsLogin" } }, "sudo tailscale up"],
      [{ status: { BackendState: "Stopped" } }, "switched off"],
      [{ status: { BackendState: "Starting" } }, "not ready (Starting)"],
      [{ status: { BackendState: "Running", Self: { DNSName: "" } } }, "MagicDNS"],
      [
        { status: "failed to connect to local tailscaled" },
        "failed to connect to local tailscaled",
      ],
      [{ status: "{}" }, "gave no answer that Kinomill understands"],
      [{ serve: "[1, 2]" }, "gave no answer that Kinomill understands"],
    ] as [Answers, string][]) {
      const { exitCode, stderr, stdout } = await expose(answers);
      expect([exitCode, stdout]).toEqual([1, ""]);
      expect(stderr).toContain(words);
    }
    expect((await expose({ serve: "" })).exitCode).toBe(0);
    expect((await expose({ serve: "null" })).exitCode).toBe(0);
  });
});
