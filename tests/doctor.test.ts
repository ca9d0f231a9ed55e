/** The doctor in its three places: the command, the page and the API say the same of a box that lacks something. */
import { expect, test } from "bun:test";
import { Api } from "./api.ts";
import { Appliance, eventually, kinomill } from "./appliance.ts";
import { gpuBox } from "./gpu-box.ts";

interface Finding {
  id: string;
  level: string;
  meaning: string;
  remedy: string | null;
}

/** Two GPUs are tried twice; the rest is for a busy machine. */
const LIMIT_MS = 90_000;

/** Differs from moment to moment, and what only a command may try or say. */
const moving = new Set(["data.space", "data.speed", "data.rights", "clock", "port", "backups"]);
const lasting = (findings: Finding[]) => findings.filter(({ id }) => !moving.has(id));

test(
  "the command, the API and the page agree on a box whose encoder library is missing",
  async () => {
    using box = gpuBox({ gpus: "twoL4", without: "libnvidia-encode.so.1" });
    await using appliance = await Appliance.start({ environment: box.environment });
    const api = new Api(appliance.url, await appliance.token("ann"));
    const told = await eventually("the GPUs are known", LIMIT_MS, async () => {
      const { body } = await api.get("/api/v1/system");
      return body.gpus.state === "found" && (body.findings as Finding[]);
    });
    const argv = ["doctor", "--json", "--data", appliance.dataFolder];
    const listen = new URL(appliance.url).host;
    const environment = { ...box.environment, KINOMILL_LISTEN: listen };
    const { stdout, exitCode } = await kinomill(argv, { environment });
    expect(exitCode).toBe(0);
    const said = JSON.parse(stdout) as Finding[];
    expect(lasting(told)).toEqual(lasting(said));
    const gpu = said.find(({ id }) => id === "gpu:1");
    expect(gpu).toMatchObject({ level: "warning", remedy: expect.stringContaining("Install") });
    // The command sees the server, and what only it may try.
    const port = said.find(({ id }) => id === "port");
    expect(port).toMatchObject({
      level: "ok",
      meaning: expect.stringMatching(/^Kinomill .* answers/),
    });
    expect(said.map(({ id }) => id)).toContain("data.speed");
    expect(JSON.stringify(told)).not.toContain(appliance.dataFolder);
    const page = await fetch(`${appliance.url}/system`, {
      headers: { authorization: `Bearer ${api.token}`, accept: "text/html" },
    });
    // Commands are set apart, each with a button that copies it.
    const text = unescaped((await page.text()).replaceAll(/<[^>]+>/g, ""));
    for (const { meaning, remedy } of lasting(told)) {
      expect(text).toContain(meaning);
      if (remedy !== null) expect(text).toContain(remedy);
    }
  },
  LIMIT_MS,
);

function unescaped(html: string): string {
  const names: Record<string, string> = { lt: "<", gt: ">", quot: '"', "#39": "'", amp: "&" };
  return html.replaceAll(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => names[name] ?? "");
}

test("another program on the port is a fault, and the exit code tells", async () => {
  using other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("hello") });
  using box = gpuBox({ gpus: "noNvidiaSmi" });
  const environment = { KINOMILL_LISTEN: `127.0.0.1:${other.port}` };
  const argv = ["doctor", "--data", `${box.stateFolder}/data`];
  const { stdout, exitCode } = await kinomill(argv, { environment });
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^BAD {3}port {6}Another program uses port \d+ .* sudo ss -ltnp/m);
});
