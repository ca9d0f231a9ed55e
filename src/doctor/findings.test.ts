import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { ManualClock, systemClock } from "../clock.ts";
import { type Config, loadConfig } from "../config.ts";
import { waitingForFfmpeg } from "../media/gpu.ts";
import { Failure } from "../trouble.ts";
import { cacheFinding, cacheFindings } from "./cache.ts";
import { clockFinding, timeServerFindings } from "./clock.ts";
import { containerFinding } from "./container.ts";
import { dataFindings, fileSystemFinding } from "./data-folder.ts";
import { deviceNodeFindings } from "./device-nodes.ts";
import { diskSpeedFindings, measureDisk, speedFinding } from "./disk-speed.ts";
import type { Box } from "./finding.ts";
import { findingsOf, worstOf } from "./findings.ts";
import { memoryFinding, readMemory } from "./memory.ts";
import { portFindings } from "./port.ts";
import { sandboxFindings } from "./sandbox.ts";

const folder = mkdtempSync(join(tmpdir(), "doctor-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function boxWith(
  flags: Record<string, unknown> = {},
  asker: Box["asker"] = "command",
): Promise<Box> {
  const config: Config = await loadConfig({
    ...{ file: null, environment: {} },
    flags: { data: folder, listen: "127.0.0.1:0", ...flags },
  });
  const toolchain = new Failure("tool_missing", "ffmpeg is not here.", { hint: "Install it." });
  return { config, clock: systemClock, toolchain, gpus: waitingForFfmpeg, asker, sinceMs: null };
}

test("every finding says what is so, and what is no fault needs no remedy", async () => {
  const findings = await findingsOf(await boxWith());
  const parts = new Set(findings.map(({ id }) => id.split(".")[0]));
  for (const part of [
    "ffmpeg",
    "devices",
    "gpus",
    "sandbox",
    "data",
    "storage",
    "backups",
    "port",
    "clock",
  ]) {
    expect(parts).toContain(part);
  }
  for (const { id, title, meaning, level, remedy } of findings) {
    expect(id).toMatch(/^[a-z]+(:\d+)?(\.[a-z0-9-]+)?$/);
    expect(title).not.toBe("");
    expect(meaning).toMatch(/[.)]$/);
    if (level === "fault") expect(remedy).not.toBeNull();
  }
  expect(new Set(findings.map(({ id }) => id)).size).toBe(findings.length);
  expect(findings.find(({ id }) => id === "ffmpeg")).toMatchObject({ level: "fault" });
  expect(worstOf(findings)).toBe("fault");
});

test("the server's findings name no path of the machine, and it neither writes nor listens", async () => {
  const before = readdirSync(folder);
  const findings = await findingsOf(await boxWith({}, "server"));
  expect(JSON.stringify(findings)).not.toContain(folder);
  expect(findings.map(({ id }) => id)).not.toContain("port");
  expect(findings.map(({ id }) => id)).not.toContain("data.speed");
  expect(readdirSync(folder)).toEqual(before);
});

test("a look that never ends is told of, and the others are there", async () => {
  const box = await boxWith();
  const never = {
    ...box.clock,
    nowMs: () => {
      throw Object.assign(new Error(), { code: "EIO" });
    },
  };
  const findings = await findingsOf({ ...box, clock: never });
  expect(findings.find(({ id }) => id === "clock.unknown")?.meaning).toContain("EIO");
  const silent = { part: "data", look: () => new Promise<never>(() => {}) };
  const well = { part: "sandbox", look: sandboxFindings };
  const late = await findingsOf(box, 20, [silent, well]);
  expect(late.map(({ id }) => id)).toEqual(["data.silent", "sandbox"]);
});

test("a folder that may not be written to is a fault, with the command that mends it", async () => {
  // Root may write everywhere, and even root cannot go into a file.
  const file = join(folder, "file");
  writeFileSync(file, "");
  const [rights, ...more] = await dataFindings(await boxWith({ data: join(file, "kinomill") }));
  expect(rights).toMatchObject({ id: "data.rights", level: "fault" });
  expect(rights?.remedy).toContain("sudo chown");
  expect(more).toEqual([]);
});

test("space is a fault below the reserve, a warning when soon full", async () => {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const spaceAt = async (reserveBytes: number) => {
    const box = await boxWith();
    box.config.storage.reserveBytes = reserveBytes;
    return (await dataFindings(box)).find(({ id }) => id === "data.space")?.level;
  };
  expect(await spaceAt(free * 2)).toBe("fault");
  expect(await spaceAt(Math.max(0, free - 5e9))).toBe("warning");
});

test("file systems: a real tmpfs is one, and the others are known by their numbers", async () => {
  const box = await boxWith();
  const onShm = (await dataFindings(await boxWith({ data: "/dev/shm/kinomill" })))[1];
  expect(onShm).toMatchObject({ id: "data.filesystem", level: "warning" });
  expect(onShm?.meaning).toContain("tmpfs, which is memory");
  expect(fileSystemFinding(box, 0x6969).meaning).toContain("NFS");
  expect(fileSystemFinding(box, 0x794c7630).remedy).toContain("docker run -v");
  // statfs gives this one as a negative number on some systems.
  expect(fileSystemFinding(box, 0xff534d42 | 0).level).toBe("warning");
  for (const magic of [0xef53, 0x58465342, 0x9123683e, 0x2fc12fc1]) {
    expect(fileSystemFinding(box, magic).level).toBe("ok");
  }
});

test("the disk is measured and nothing stays", async () => {
  const speed = await measureDisk(folder);
  expect(speed.bytesPerSecond).toBeGreaterThan(0);
  expect(readdirSync(folder).filter((name) => name.startsWith(".doctor"))).toEqual([]);
  expect(speedFinding({ bytesPerSecond: 5e8, syncMs: 2 }).level).toBe("ok");
  expect(speedFinding({ bytesPerSecond: 2e7, syncMs: 2 }).level).toBe("warning");
  expect(speedFinding({ bytesPerSecond: 5e8, syncMs: 120 }).level).toBe("warning");
  const full = await boxWith();
  full.config.storage.reserveBytes = 1e18;
  expect(await diskSpeedFindings(full)).toEqual([]);
});

test("the port: free, Kinomill's own, another program's", async () => {
  using other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("hello") });
  const taken = await portFindings(await boxWith({ listen: `127.0.0.1:${other.port}` }));
  expect(taken).toMatchObject([{ level: "fault" }]);
  expect(taken[0]?.remedy).toContain(`sport = :${other.port}`);
  using ours = Bun.serve({
    ...{ hostname: "127.0.0.1", port: 0 },
    fetch: () => Response.json({ service: "kinomill", version: "1.2.3" }),
  });
  const own = await portFindings(await boxWith({ listen: `127.0.0.1:${ours.port}` }));
  expect(own).toMatchObject([{ level: "ok", meaning: expect.stringContaining("Kinomill 1.2.3") }]);
  expect(await portFindings(await boxWith())).toMatchObject([{ level: "ok" }]);
  const foreign = await portFindings(await boxWith({ listen: "192.0.2.1:7600" }));
  expect(foreign).toMatchObject([{ level: "fault" }]);
});

test("the clock: plausible, impossible, set back", () => {
  const now = new ManualClock().nowMs();
  expect(clockFinding(now, null).level).toBe("ok");
  expect(clockFinding(now, now + 60_000).level).toBe("ok");
  expect(clockFinding(now, now + 86_400_000).level).toBe("warning");
  expect(clockFinding(0, null).level).toBe("fault");
});

test("a time server: kept by another service, found, not found", () => {
  const folderOf = mkdtempSync(join(folder, "timesync-"));
  expect(timeServerFindings(join(folderOf, "nothing"))).toEqual([]);
  expect(timeServerFindings(folderOf)).toMatchObject([{ id: "clock.server", level: "warning" }]);
  expect(timeServerFindings(folderOf)[0]?.remedy).toContain("sudo timedatectl set-ntp true");
  writeFileSync(join(folderOf, "synchronized"), "");
  expect(timeServerFindings(folderOf)).toMatchObject([{ level: "ok", remedy: null }]);
});

test("memory: the machine's, the least of what groups allow, and what is little", () => {
  const groups = mkdtempSync(join(folder, "groups-"));
  mkdirSync(join(groups, "system.slice/kinomill.service"), { recursive: true });
  const information = join(groups, "meminfo");
  const own = join(groups, "own");
  writeFileSync(information, "MemTotal:       16000000 kB\nMemFree: 1 kB\n");
  writeFileSync(own, "0::/system.slice/kinomill.service\n");
  const level = () => memoryFinding(readMemory(information, own, groups));
  expect(level()).toMatchObject([{ level: "ok", meaning: "The machine has 16.4 GB of memory." }]);
  writeFileSync(join(groups, "system.slice/kinomill.service/memory.max"), "max\n");
  writeFileSync(join(groups, "system.slice/memory.max"), "8000000000\n");
  expect(level()).toMatchObject([{ level: "ok" }]);
  expect(level()[0]?.meaning).toContain("may use 8.0 GB");
  writeFileSync(join(groups, "system.slice/kinomill.service/memory.max"), "1000000000\n");
  expect(level()).toMatchObject([{ id: "memory", level: "warning" }]);
  expect(level()[0]?.remedy).toContain("MemoryMax=");
  expect(memoryFinding({ totalBytes: 1e9, limitBytes: null })[0]?.remedy).toContain("more memory");
  // A limit that is larger than the machine is none.
  const large = memoryFinding({ totalBytes: 4e9, limitBytes: 8e9 });
  expect(large[0]?.meaning).toBe("The machine has 4.0 GB of memory.");
  expect(memoryFinding(readMemory("/nothing", "/nothing", "/nothing"))).toEqual([]);
});

test("the cache of a bucket is best on a disk of the machine; in the data folder it is told with that", async () => {
  expect(cacheFinding(0x6969)).toMatchObject({ id: "cache.filesystem", level: "warning" });
  expect(cacheFinding(0x01021994).meaning).toContain("tmpfs, which is memory");
  expect(cacheFinding(0xef53)).toMatchObject({ level: "ok", remedy: null });
  const box = await boxWith();
  expect(await cacheFindings(box)).toEqual([]);
  box.config.storage.kind = "s3";
  expect(await cacheFindings(box)).toEqual([]);
  box.config.storage.cache.folder = "/dev/shm/kinomill-cache";
  expect(await cacheFindings(box)).toMatchObject([{ level: "warning" }]);
});

test("device nodes: none and no driver is silence; missing and closed ones are told with what to type", () => {
  const nodes = mkdtempSync(join(folder, "dev-"));
  const driver = join(nodes, "version");
  const closed = new Set<string>();
  const look = () =>
    deviceNodeFindings({ nodes, driver, mayOpen: (path) => !closed.has(basename(path)) });
  expect(look()).toEqual([]);
  writeFileSync(driver, "NVRM");
  expect(look()).toMatchObject([{ id: "nodes", level: "warning" }]);
  expect(look()[0]?.meaning).toContain("/dev/nvidia-uvm, /dev/nvidia0, /dev/nvidiactl");
  for (const name of ["nvidiactl", "nvidia3", "nvidia-caps", "nvidia-uvm-tools"]) {
    writeFileSync(join(nodes, name), "");
  }
  expect(look()[0]?.meaning).toEndWith("missing: /dev/nvidia-uvm.");
  expect(look()[0]?.remedy).toContain("nvidia-modprobe");
  writeFileSync(join(nodes, "nvidia-uvm"), "");
  expect(look()).toMatchObject([{ level: "ok", remedy: null }]);
  closed.add("nvidia3");
  expect(look()).toMatchObject([
    { level: "warning", meaning: "This user may not open /dev/nvidia3." },
  ]);
});

test("a container without what GPUs need is told of, any other is well", () => {
  const level = (environment: Record<string, string>, kind: "none" | "found") => {
    const gpus = kind === "found" ? [{} as never] : [];
    return containerFinding(environment, { kind, gpus }).level;
  };
  const all = { NVIDIA_VISIBLE_DEVICES: "all" };
  expect(level({}, "none")).toBe("ok");
  expect(level({}, "found")).toBe("ok");
  expect(level({ NVIDIA_VISIBLE_DEVICES: "void" }, "none")).toBe("ok");
  expect(level(all, "none")).toBe("warning");
  // What NVIDIA's runtime gives when nothing is said.
  expect(level(all, "found")).toBe("warning");
  expect(level({ ...all, NVIDIA_DRIVER_CAPABILITIES: "compute, video" }, "found")).toBe("ok");
  expect(level({ ...all, NVIDIA_DRIVER_CAPABILITIES: "all" }, "found")).toBe("ok");
});
