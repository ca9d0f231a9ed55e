/**
 * What Kinomill says of the GPUs of a box: the executable on emulated ones, with the real ffmpeg. The
 * texts are for people: when one changes here, read it aloud.
 */
import { expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { triedGpus } from "../src/commands/doctor.ts";
import { gpuFindings } from "../src/doctor/devices.ts";
import { Api } from "./api.ts";
import { Appliance, eventually, executable } from "./appliance.ts";
import { type BoxWish, type GpuBox, gpuBox } from "./gpu-box.ts";
import { toolchain } from "./support/toolchain.ts";

const hasAv1 = toolchain.encoders.has("av1_nvenc");

/** Seven probes of a tenth of a second for each GPU; the rest is for a busy machine. */
const BOX_LIMIT_MS = 30_000;

/** The lines of `doctor` about GPUs; what differs between versions of ffmpeg gets a letter. */
async function doctorOn(box: GpuBox): Promise<{ exitCode: number; lines: string[] }> {
  const child = Bun.spawn([executable, "doctor", "--data", join(box.stateFolder, "data")], {
    env: { ...process.env, ...box.environment },
    stdout: "pipe",
    stderr: "inherit",
  });
  const text = await child.stdout.text();
  const lines = text.split("\n").filter((line) => /^\S+ +gpu/.test(line));
  return { exitCode: await child.exited, lines: lines.map(withoutVersions) };
}

function withoutVersions(line: string): string {
  return line
    .replaceAll(`ffmpeg ${toolchain.version}`, "ffmpeg V")
    .replace(/needs NVENC [\d.]+;/, "needs NVENC N;")
    .replace(/Install driver [\d.]+ or newer/, "Install driver D or newer");
}

const noAv1 =
  "AV1, AV1 10 bit: ffmpeg V has no AV1 encoder for NVIDIA GPUs (av1_nvenc). Install ffmpeg 6.0 or newer, for example that of Debian 13 or Ubuntu 24.04.";
const onCpu = "Jobs are encoded on the CPU.";
const inContainer =
  "In a container, start it with --gpus all -e NVIDIA_DRIVER_CAPABILITIES=compute,video,utility.";

const ready = (title: string, part: string): string[] => [
  `ok    ${part}     ${title}, driver 570.133.07: Ready for H.264 and HEVC; HEVC in 10 bit too.`,
  `poor  ${part}     ${noAv1}`,
];

interface Case extends BoxWish {
  lines: string[];
  /** Says something else where ffmpeg has av1_nvenc. */
  av1?: true;
}

const cases: Record<string, Case> = {
  "two L4: what each is ready for, and what a newer ffmpeg would add": {
    gpus: "twoL4",
    lines: [...ready("NVIDIA L4, 24.2 GB", "gpu:0"), ...ready("NVIDIA L4, 24.2 GB", "gpu:1")],
    av1: true,
  },
  "a GeForce": {
    gpus: "geforce3",
    lines: ready("NVIDIA GeForce RTX 4090, 25.8 GB", "gpu:0"),
    av1: true,
  },
  "an H200: no encoder, which is no fault, and it decodes": {
    gpus: "h200",
    lines: [
      `ok    gpu:0     NVIDIA H200, 151 GB, driver 570.133.07: Cannot encode. This model is built without a video encoder (NVENC). It can decode.`,
    ],
  },
  "a GPU with H.264 alone": {
    gpus: "tooOldGpu",
    lines: [
      `ok    gpu:0     NVIDIA GeForce GTX 750 Ti, 2.1 GB, driver 570.133.07: Ready for H.264.`,
    ],
  },
  "all sessions in use: busy, not incapable": {
    gpus: "geforce3",
    fault: { openError: 10 },
    lines: [
      `poor  gpu:0     NVIDIA GeForce RTX 4090, 25.8 GB, driver 570.133.07: Busy, not tried: Other programs use all of its encode sessions or its memory. See who uses it: nvidia-smi. GeForce cards allow a few sessions for the whole machine.`,
      `poor  gpu:0     ${noAv1}`,
    ],
    av1: true,
  },
  "a driver that is too old": {
    gpus: "oldDriver",
    lines: [
      `poor  gpu:0     NVIDIA L4, 24.2 GB, driver 390.157: Cannot encode. The NVIDIA driver 390.157 is too old for ffmpeg V, which needs NVENC N; the driver offers 8.1. It can decode. Install driver D or newer and restart, or use an older ffmpeg.`,
    ],
  },
  "no device nodes": {
    gpus: "noDevice",
    lines: [
      `poor  gpu:0     NVIDIA L4, 24.2 GB, driver 570.133.07: Cannot encode. nvidia-smi sees it, but programs may not use it (CUDA finds no device). See whether the user of Kinomill may open the nodes: ls -l /dev/nvidia*. A container that lost them is started again with --gpus all.`,
    ],
  },
  "a driver in trouble": {
    gpus: "unknownError",
    lines: [
      `poor  gpu:0     NVIDIA L4, 24.2 GB, driver 570.133.07: Cannot encode. The GPU or its driver is in trouble (CUDA_ERROR_UNKNOWN). Restart the machine: sudo reboot. The kernel says more: sudo dmesg | grep -iE 'nvrm|xid'`,
    ],
  },
  "a driver that was upgraded under its feet": {
    gpus: "smiMismatch",
    lines: [
      `poor  gpus      The NVIDIA driver was upgraded, but the old one still runs in the kernel. ${onCpu} Restart the machine: sudo reboot`,
    ],
  },
  "a GPU that MIG has split, and one that it has not": {
    gpus: "mig",
    lines: [
      `poor  gpu:0     NVIDIA RTX PRO 6000 Blackwell, 103 GB, driver 570.133.07: Cannot encode. MIG has split this GPU, and Kinomill uses whole GPUs. Switch MIG off: sudo nvidia-smi -i GPU-fa4e0000-0000-4000-8000-000000000000 -mig 0`,
      ...ready("NVIDIA RTX PRO 6000 Blackwell, 103 GB", "gpu:1"),
    ],
    av1: true,
  },
  "two H200 whose link is not set up": {
    gpus: "noFabric",
    lines: ["gpu:0", "gpu:1"].map(
      (part) =>
        `poor  ${part}     NVIDIA H200, 151 GB, driver 570.133.07: Cannot encode. The link between the GPUs of this machine (NVSwitch) is not set up yet. Start its service: sudo systemctl enable --now nvidia-fabricmanager. Its version must be that of the driver.`,
    ),
  },
  "a container with libraries of a newer CUDA": {
    gpus: "cudaTooNew",
    lines: [
      `poor  gpu:0     NVIDIA L4, 24.2 GB, driver 570.133.07: Cannot encode. The CUDA libraries of this container are newer than the driver of the machine. Use a container image of an older CUDA, or update the driver of the machine.`,
    ],
  },
  "a GPU whose decoder takes nothing": {
    gpus: "noDecoder",
    lines: [
      `ok    gpu:0     NVIDIA L4, 24.2 GB, driver 570.133.07: Ready for H.264 and HEVC; HEVC in 10 bit too. It does not decode.`,
      `poor  gpu:0     ${noAv1}`,
    ],
    av1: true,
  },
  "a driver without its encoder": {
    gpus: "twoL4",
    without: "libnvidia-encode.so.1",
    lines: ["gpu:0", "gpu:1"].map(
      (part) =>
        `poor  ${part}     NVIDIA L4, 24.2 GB, driver 570.133.07: Cannot encode. The library libnvidia-encode of the NVIDIA driver is missing. It can decode. Install the driver's video libraries (on Debian: sudo apt-get install libnvidia-encode1 libnvcuvid1; Ubuntu has libnvidia-encode-NNN and libnvidia-decode-NNN of the driver's number). ${inContainer}`,
    ),
  },
  "a driver without CUDA": {
    gpus: "h200",
    without: "libcuda.so.1",
    lines: [
      `poor  gpu:0     NVIDIA H200, 151 GB, driver 570.133.07: Cannot encode. The library libcuda of the NVIDIA driver is missing. Install the driver's CUDA library (on Debian: sudo apt-get install libcuda1; Ubuntu has libnvidia-compute-NNN of the driver's number). ${inContainer}`,
    ],
  },
  "an nvidia-smi without its library": {
    gpus: "smiNoLibrary",
    lines: [
      `poor  gpus      The NVIDIA driver is incomplete: its library libnvidia-ml is missing. ${onCpu} Install the driver and restart: on Debian sudo apt-get install nvidia-driver, on Ubuntu sudo ubuntu-drivers install. ${inContainer}`,
    ],
  },
  "an nvidia-smi that this user may not ask": {
    gpus: "smiDenied",
    lines: [
      `poor  gpus      This user may not ask the NVIDIA driver. ${onCpu} Give the user of Kinomill the GPU nodes: sudo usermod -aG video,render USER, then start it again. See who may use them: ls -l /dev/nvidia*`,
    ],
  },
  "an nvidia-smi that talks nonsense": {
    gpus: "smiNonsense",
    lines: [
      `poor  gpus      nvidia-smi names no GPU in an answer that Kinomill understands; it said "<<<<<<<". ${onCpu} Run it by hand to see more: nvidia-smi`,
    ],
  },
  "a GPU that another program keeps for itself": {
    gpus: "tooOldGpu",
    fault: { contextError: 46 },
    lines: [
      `poor  gpu:0     NVIDIA GeForce GTX 750 Ti, 2.1 GB, driver 570.133.07: Cannot encode. Another program has it for itself, or it is being reset. See who uses it: nvidia-smi. When its compute mode is exclusive, open it to all: sudo nvidia-smi -c 0`,
    ],
  },
  "a driver that is not loaded": {
    gpus: "smiFails",
    lines: [
      `poor  gpus      The NVIDIA driver is installed but not loaded. ${onCpu} Load it: sudo modprobe nvidia. If that fails, it was not built for this kernel: install the kernel's headers, then the driver again, and restart.`,
    ],
  },
};

for (const [name, { lines, av1, ...wish }] of Object.entries(cases)) {
  test(
    `doctor on ${name}`,
    async () => {
      using box = gpuBox(wish);
      const said = await doctorOn(box);
      expect(said.exitCode).toBe(0);
      if (!(av1 && hasAv1)) expect(said.lines).toEqual(lines);
      else expect(said.lines[0]).toContain(lines[0]?.split(" and HEVC;")[0] ?? "");
    },
    BOX_LIMIT_MS,
  );
}

test(
  "doctor on a GPU that fell off the bus names it, and the other is ready",
  async () => {
    using box = gpuBox({ gpus: "twoL4" });
    box.lose(0);
    const [lost, other] = (await doctorOn(box)).lines;
    expect(lost).toBe(
      `poor  gpu:0     A GPU that does not say its name: Cannot encode. It has fallen off the bus: the machine no longer reaches it. Restart the machine: sudo reboot. When it comes back, look at its power, cooling and slot. The kernel says more: sudo dmesg | grep -iE 'nvrm|xid'`,
    );
    expect(other).toStartWith("ok    gpu:1     NVIDIA L4, 24.2 GB, driver 570.133.07: Ready for");
  },
  BOX_LIMIT_MS,
);

test(
  "doctor tries each GPU alone: an H200 does not borrow the encoder of the L4 beside it",
  async () => {
    using box = gpuBox({ gpus: "twoL4" });
    box.environment["NVFAKE_GPUS"] =
      "NVIDIA H200,9.0,143771,none;NVIDIA L4,8.9,23034,h264+hevc+av1,2";
    const { lines } = await doctorOn(box);
    expect(lines[0]).toContain("gpu:0     NVIDIA H200");
    expect(lines[0]).toContain("Cannot encode. This model is built without");
    expect(lines[1]).toContain("gpu:1     NVIDIA L4");
    expect(lines[1]).toContain("Ready for H.264");
  },
  BOX_LIMIT_MS,
);

test("doctor on a box without nvidia-smi is calm", async () => {
  using box = gpuBox({ gpus: "noNvidiaSmi" });
  const { exitCode, lines } = await doctorOn(box);
  expect(exitCode).toBe(0);
  // On a machine that really has an NVIDIA GPU its bus tells, and the driver is missed.
  expect(lines).toEqual([expect.stringMatching(/^(ok {4}gpus {6}This machine has no|poor)/)]);
});

test("doctor does not wait for an nvidia-smi that hangs", async () => {
  using box = gpuBox({ gpus: "smiHangs" });
  const tool = join(box.stateFolder, "nvidia-smi");
  const [folder = ""] = (box.environment["PATH"] ?? "").split(":");
  writeFileSync(tool, `#!/bin/sh\nexport NVFAKE_SMI=hang\nexec ${folder}/nvidia-smi "$@"\n`);
  chmodSync(tool, 0o755);
  const state = await triedGpus(toolchain, { inventory: { tool, limitMs: 300 } });
  expect(gpuFindings(state)).toEqual([
    {
      id: "gpus",
      level: "warning",
      title: "GPUs",
      meaning: `nvidia-smi does not answer: a GPU or its driver hangs. ${onCpu}`,
      remedy: `Restart the machine: sudo reboot. The kernel says more: sudo dmesg | grep -iE 'nvrm|xid'`,
    },
  ]);
});

test(
  "the server is up before the GPUs are known, then names them by UUID with what they can do",
  async () => {
    using box = gpuBox({ gpus: "twoL4", fault: { delayMs: 20 } });
    await using appliance = await Appliance.start({ environment: box.environment });
    const api = new Api(appliance.url, await appliance.token("ann"));
    const early = (await api.get("/api/v1/system")).body;
    expect(early.gpus.state).toBe("looking");
    const system = await eventually("the GPUs are known", BOX_LIMIT_MS, async () => {
      const { body } = await api.get("/api/v1/system");
      return body.gpus.state === "found" && body;
    });
    const [cpu, first, second, ...more] = system.devices;
    expect(more).toEqual([]);
    expect([cpu.id, first.id, second.id]).toEqual(["cpu", "gpu:0", "gpu:1"]);
    expect([first.gpu.uuid, second.gpu.uuid]).toEqual([box.uuid(0), box.uuid(1)]);
    expect(first).toMatchObject({ kind: "gpu", title: "NVIDIA L4", slots: 3, busy: 0 });
    expect(first.reason).toStartWith("Ready for H.264");
    expect(first.gpu.abilities[0]).toEqual({
      ...{ work: "encode", codec: "h264", bitDepth: 8, title: "H.264", state: "can" },
      ...{ because: null, remedy: null },
    });
    // Each GPU was tried by itself.
    const tried = box.logEvents().filter(({ ev }) => ev === "open");
    expect(new Set(tried.map(({ gpu }) => gpu))).toEqual(new Set([0, 1]));
  },
  BOX_LIMIT_MS,
);

test(
  "a server that is stopped while it looks leaves no process behind",
  async () => {
    using box = gpuBox({ gpus: "twoL4", fault: { encodeHangsAfter: 1 } });
    await using appliance = await Appliance.start({ environment: box.environment });
    await eventually("a probe is under way", BOX_LIMIT_MS, async () => box.logEvents().length > 0);
    expect(await appliance.end()).toBe(0);
    const pids = new Set(box.logEvents().map(({ pid }) => pid));
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow();
  },
  BOX_LIMIT_MS,
);
