/** The life of the service under a real systemd: it starts, works inside its fence, and outlives what happens to it. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { realpathSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { eventually } from "../appliance.ts";
import { plainClip, slowClip } from "../clips.ts";
import { Machine } from "./machine.ts";

const root = resolve(import.meta.dir, "../..");
const bunFolder = dirname(realpathSync(process.execPath));
const url = "http://127.0.0.1:7600";
const unit = "kinomill.service";
const command = "/opt/kinomill/current/kinomill";

/** Deadlines are for two cores on which other tests encode; on a quiet machine a start takes a second. */
const START_LIMIT_MS = 300_000;
/** Longer than each wait within. */
const TEST_LIMIT_MS = 900_000;
setDefaultTimeout(TEST_LIMIT_MS);

let machine: Machine;
let token: string;

beforeAll(async () => {
  machine = await Machine.boot({ [root]: "/mnt/kinomill", [bunFolder]: "/mnt/bun" });
  await machine.shell(`
    mkdir -p /opt/kinomill/test /etc/kinomill/credentials
    cp /mnt/kinomill/dist/kinomill /opt/kinomill/test/
    ln -s test /opt/kinomill/current
    cp /mnt/kinomill/systemd/kinomill.* /etc/systemd/system/
    echo 'data = "/var/lib/kinomill"' >/etc/kinomill/config.toml
    echo 'the secret of a bucket' >/etc/kinomill/credentials/bucket
    chmod 600 /etc/kinomill/credentials/bucket
    systemctl daemon-reload
    systemctl enable --now kinomill.socket kinomill.service`);
  token = await machine.shell(`
    echo correct horse battery staple | ${command} users create ann --role admin --password-stdin >/dev/null
    ${command} tokens create --user ann`);
}, TEST_LIMIT_MS);

afterAll(async () => {
  await machine[Symbol.asyncDispose]();
}, TEST_LIMIT_MS);

const mainPid = () => machine.property(unit, "MainPID");

const ready = () =>
  eventually("the service is ready", START_LIMIT_MS, async () => {
    const { output } = await machine.run("curl", "-s", "-m", "5", `${url}/health/ready`);
    return output.startsWith('{"status":"ok"');
  });

/** Waits until another process serves than before. */
const restarted = (before: string) =>
  eventually("systemd has started it anew", START_LIMIT_MS, async () => {
    const pid = await mainPid();
    const state = await machine.property(unit, "ActiveState");
    return pid !== before && pid !== "0" && state === "active";
  });

async function resultOf(child: Bun.Subprocess<"ignore", "pipe", "pipe">) {
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0) throw new Error(stderr + stdout);
  return JSON.parse(stdout);
}

const cancelAll = () =>
  machine.run("sh", "-c", `KINOMILL_TOKEN=${token} ${command} jobs cancel --all`);

const job = (file: string) => machine.program("job.ts", url, token, file);

test("a start is over when all parts work, and the status says where it listens", async () => {
  await machine.run("systemctl", "restart", unit);
  // At once: the command above waited for READY=1.
  const { output } = await machine.run("curl", "-s", `${url}/health/ready`);
  expect(JSON.parse(output)).toMatchObject({ status: "ok", failing: [] });
  expect(await machine.property(unit, "StatusText")).toBe("Ready at http://localhost:7600");
  expect(await machine.property(unit, "NRestarts")).toBe("0");
});

test("a job runs inside the unit, with every layer of the fence", async () => {
  const done = await resultOf(job(plainClip()));
  expect(done.job).toMatchObject({ state: "succeeded", error: null });
  expect(done.outputBytes).toBeGreaterThan(10_000);
  expect(done.sandbox.missing).toEqual([]);
  expect(done.sandbox.layers).toContainEqual(expect.stringMatching(/^Landlock/));
  expect(done.sandbox.layers).toContain("seccomp");
});

test("the service is exposed no more than systemd's scale of 2.0", async () => {
  const { exitCode, output } = await machine.run(
    ...["systemd-analyze", "security", "--threshold=20", "--no-pager", unit],
  );
  expect(output).toContain("Overall exposure level");
  expect(exitCode).toBe(0);
});

describe("inside the unit", () => {
  /** Runs a line of shell as the service would, by systemd itself: same user, same view, same rules. */
  const asService = async (line: string) => {
    await machine.shell(`
      sed -e 's,^ExecStart=.*,ExecStart=/bin/sh -c "\${LINE}",' -e '/^ExecStartPre/d' -e 's/^Type=.*/Type=oneshot/' \\
        -e '/^Watchdog/d' -e '/^Restart/d' -e '/^Requires/d' /etc/systemd/system/kinomill.service >/run/systemd/system/look.service
      printf '[Service]\\nEnvironment="LINE=%s"\\nStandardOutput=truncate:/run/look\\nStandardError=inherit\\n' '${line}' |
        { mkdir -p /run/systemd/system/look.service.d && cat >/run/systemd/system/look.service.d/line.conf; }
      systemctl daemon-reload`);
    const { exitCode } = await machine.run("systemctl", "start", "look.service");
    return { exitCode, output: await machine.shell("cat /run/look") };
  };

  test("only the data can be written", async () => {
    expect(await asService("touch /var/lib/kinomill/x && rm /var/lib/kinomill/x")).toEqual({
      exitCode: 0,
      output: "",
    });
    for (const place of ["/etc", "/opt/kinomill", "/usr", "/var/lib", "/root", "/home"]) {
      const { exitCode, output } = await asService(`touch ${place}/x`);
      expect(exitCode).not.toBe(0);
      expect(output).toMatch(/Read-only file system|Permission denied|No such file/);
    }
  });

  test("a secret is readable that the service cannot read where it lies", async () => {
    const read = await asService("cat /run/credentials/look.service/kinomill_bucket");
    expect(read).toEqual({ exitCode: 0, output: "the secret of a bucket" });
    expect((await asService("cat /etc/kinomill/credentials/bucket")).exitCode).not.toBe(0);
  });
});

test("the doctor finds nothing in the way of the service, asked through the service", async () => {
  const { output } = await machine.run(
    ...["curl", "-s", "-H", `Authorization: Bearer ${token}`, `${url}/api/v1/system`],
  );
  const { findings } = JSON.parse(output);
  expect(findings.length).toBeGreaterThan(5);
  expect(findings.filter(({ level }: { level: string }) => level === "fault")).toEqual([]);
});

test("with a bucket that cannot be reached it starts, and says so instead of ending", async () => {
  await machine.shell(`
    mkdir -p /run/systemd/system/kinomill.service.d
    cat >/run/systemd/system/kinomill.service.d/bucket.conf <<'END'
[Service]
Environment=KINOMILL_STORAGE_KIND=s3 KINOMILL_STORAGE_S3_ENDPOINT=http://127.0.0.1:9 KINOMILL_STORAGE_S3_BUCKET=films
Environment=KINOMILL_STORAGE_S3_ACCESS_KEY_ID=a KINOMILL_STORAGE_S3_SECRET_ACCESS_KEY_FILE=credential:bucket
END
    systemctl daemon-reload
    systemctl restart kinomill`);
  expect(await machine.property(unit, "ActiveState")).toBe("active");
  expect(await machine.property(unit, "StatusText")).toContain("but not ready: ");
  await machine.shell(`
    rm /run/systemd/system/kinomill.service.d/bucket.conf
    systemctl daemon-reload
    systemctl restart kinomill`);
  await ready();
});

test("settings that cannot be end it with a sentence and no loop; mended, it starts", async () => {
  await machine.shell(`
    cp /etc/kinomill/config.toml /var/tmp/config.toml
    echo 'colour = "red"' >>/etc/kinomill/config.toml`);
  expect((await machine.run("systemctl", "restart", unit)).exitCode).toBe(1);
  await eventually("it has failed", START_LIMIT_MS, async () => {
    return (await machine.property(unit, "ActiveState")) === "failed";
  });
  expect(await machine.property(unit, "NRestarts")).toBe("0");
  expect(await machine.shell("journalctl -u kinomill -o cat --no-pager -n 20")).toContain("colour");
  await machine.shell(
    "cp /var/tmp/config.toml /etc/kinomill/config.toml; systemctl restart kinomill",
  );
  await ready();
});

test("the journal knows how severe a line is", async () => {
  await machine.run("curl", "-s", "-X", "POST", `${url}/api/v1/nothing`);
  const priorities = await machine.shell(
    `journalctl -u kinomill -o json --output-fields=PRIORITY,MESSAGE --no-pager`,
  );
  const lines = priorities
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ MESSAGE }) => String(MESSAGE).startsWith("{"));
  expect(lines.length).toBeGreaterThan(2);
  const expected: Record<string, string> = { error: "3", warn: "4", info: "6", debug: "7" };
  for (const { PRIORITY, MESSAGE } of lines) {
    expect(PRIORITY).toBe(expected[JSON.parse(MESSAGE).level]);
  }
});

test("a server that is killed is started anew, and what it did goes on", async () => {
  const before = await mainPid();
  const running = job(slowClip());
  const runs = () =>
    eventually("the job runs", START_LIMIT_MS, async () => {
      const list = `KINOMILL_TOKEN=${token} ${command} jobs list --state running`;
      return (await machine.shell(list)).includes("Transcode: slow.mp4");
    });
  await runs();
  await machine.shell(`kill -KILL ${before}`);
  await restarted(before);
  await ready();
  await runs();
  running.kill();
  await running.exited;
  await cancelAll();
  expect((await resultOf(job(plainClip()))).job.state).toBe("succeeded");
});

/** A program that holds the write lock of the database for a while; it has it when this returns. */
async function lockDatabase(forMs: number) {
  const hold = `
    const database = new (require("bun:sqlite").Database)("/var/lib/kinomill/kinomill.sqlite");
    database.run("PRAGMA busy_timeout = 60000");
    database.run("BEGIN IMMEDIATE");
    console.log("locked");
    setTimeout(() => process.exit(0), ${forMs});`;
  const holder = machine.start("/mnt/bun/bun", "-e", hold);
  await holder.stdout.getReader().read();
  return holder;
}

const pauseWork = `curl -s -m 10 -X PATCH ${url}/api/v1/system/work -d '{"mode":"paused"}' \
  -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json'`;

test("a server whose event loop hangs is killed by the watchdog and started anew", async () => {
  await machine.shell(`
    mkdir -p /run/systemd/system/kinomill.service.d
    printf '[Service]\\nWatchdogSec=2\\n' >/run/systemd/system/kinomill.service.d/watchdog.conf
    systemctl daemon-reload
    systemctl restart kinomill`);
  const fed = await mainPid();
  await Bun.sleep(5_000);
  // Two and a half times the limit: it is fed.
  expect(await mainPid()).toBe(fed);
  const holder = await lockDatabase(8_000);
  // A statement waits five seconds for the lock, and the event loop with it.
  void machine.run("env", `TOKEN=${token}`, "sh", "-c", pauseWork);
  await restarted(fed);
  expect(await holder.exited).toBe(0);
  await ready();
  const journal = await machine.shell("journalctl -u kinomill --no-pager");
  expect(journal).toContain("Watchdog timeout (limit 2s)");
  await machine.shell(`
    rm /run/systemd/system/kinomill.service.d/watchdog.conf
    systemctl daemon-reload
    systemctl restart kinomill`);
});

test("restarts refuse nobody: whoever connects meanwhile waits", async () => {
  const load = machine.program("load.ts", url);
  for (let count = 0; count < 5; count += 1) {
    const before = await mainPid();
    await machine.shell("systemctl restart kinomill");
    expect(await mainPid()).not.toBe(before);
    await ready();
  }
  load.kill("SIGTERM");
  const { answers, troubles } = await resultOf(load);
  expect(troubles).toEqual([]);
  expect(answers).toBeGreaterThan(50);
});

test("a stop puts what runs back into the queue and leaves no ffmpeg behind", async () => {
  const running = job(slowClip());
  await eventually("ffmpeg runs", START_LIMIT_MS, async () => {
    return (await machine.run("pgrep", "-x", "ffmpeg")).exitCode === 0;
  });
  await machine.shell("systemctl stop kinomill.service kinomill.socket");
  expect((await machine.run("pgrep", "-x", "ffmpeg")).exitCode).toBe(1);
  // It would be "timeout" when systemd had to kill it.
  expect(await machine.property(unit, "Result")).toBe("success");
  const journal = await machine.shell("journalctl -u kinomill --no-pager -n 20");
  expect(journal).toContain('"msg":"stopped"');
  running.kill();
  await running.exited;
  await machine.shell("systemctl start kinomill");
  await ready();
  await cancelAll();
});

test("it is back after the machine was restarted", async () => {
  await machine.reboot();
  await ready();
  const jobs = await machine.shell(
    `curl -s -H 'Authorization: Bearer ${token}' '${url}/api/v1/jobs?limit=50'`,
  );
  expect(jobs).toContain('"succeeded"');
});
