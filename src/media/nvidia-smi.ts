/**
 * Which NVIDIA GPUs this box has, as `nvidia-smi` tells it. A GPU is known by its UUID: the order of the
 * indexes may change between two starts of the machine.
 */
import { readdirSync, readFileSync } from "node:fs";
import type { Answer } from "./ffmpeg.ts";
import { askGpus, gpuRows, wholeNumber } from "./smi-query.ts";
import { plainLog } from "./stderr.ts";

/** What nvidia-smi says of one GPU. A field that the GPU, the driver or MIG does not give is null. */
export interface NvidiaGpu {
  index: number;
  /** "GPU-…": what CUDA_VISIBLE_DEVICES takes. */
  uuid: string;
  /** "NVIDIA L4"; null on a GPU that no longer answers. */
  name: string | null;
  pciBusId: string | null;
  driver: string | null;
  /** "8.9": 7.5 is Turing, 8.9 Ada, 10 and 12 Blackwell. */
  computeCapability: string | null;
  memoryTotalBytes: number | null;
  memoryUsedBytes: number | null;
  /** 0–100. */
  encoderPercent: number | null;
  decoderPercent: number | null;
  /** Encode sessions of all programs. */
  sessionCount: number | null;
  /** Split into instances by MIG. */
  mig: boolean;
}

/** Two sentences for a person: what is so, and what to do and type; null when nothing needs doing. */
export interface Words {
  reason: string;
  remedy: string | null;
}

export type Inventory =
  | { kind: "gpus"; gpus: NvidiaGpu[] }
  /** A box without NVIDIA; nothing is wrong. */
  | ({ kind: "none" } & Words)
  | ({ kind: "trouble" } & Words);

/**
 * Without the persistence daemon the driver wakes every GPU first, about two seconds each: enough for
 * eight of them. A GPU that is sick makes it hang for ever.
 */
const ANSWER_LIMIT_MS = 20_000;

/** Fields in the order of the query. The first three make a GPU; a driver may lack any other. */
const knownFields = [
  ...["index", "uuid", "name", "pci.bus_id", "driver_version", "compute_cap"],
  ...["memory.total", "memory.used", "utilization.encoder", "utilization.decoder"],
  ...["encoder.stats.sessionCount", "mig.mode.current"],
];

/** Every field of every driver since 2019: the query when a driver refuses without naming a field. */
const oldFields = ["index", "uuid", "name", "driver_version", "memory.total", "memory.used"];

export interface InventoryOptions {
  /** Path or name of nvidia-smi. */
  tool?: string;
  limitMs?: number;
  signal?: AbortSignal;
  /** Whether the PCI bus has an NVIDIA GPU, for a box without nvidia-smi. */
  hardwareThere?: () => boolean;
}

/** Looks at the box. Never rejects; null only when it was aborted. */
export async function takeInventory(options: InventoryOptions = {}): Promise<Inventory | null> {
  const tool = Bun.which(options.tool ?? "nvidia-smi");
  if (tool === null) return withoutTool((options.hardwareThere ?? nvidiaOnPciBus)());
  const { answer, fields } = await askGpus(tool, knownFields, oldFields, {
    limitMs: options.limitMs ?? ANSWER_LIMIT_MS,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  return answer.kind === "aborted" ? null : readInventory(answer, fields);
}

/** From the answer to what is there. Pure. */
export function readInventory(answer: Answer, fields: readonly string[]): Inventory {
  if (answer.kind !== "exited") return { kind: "trouble", ...silence(answer) };
  const gpus = parseGpus(answer.stdout, fields);
  // Exit code 14 is a warning, and one lost GPU must not hide the others: rows count at any code.
  if (gpus.length > 0) return { kind: "gpus", gpus };
  return explainExit(answer.code, `${answer.stdout}\n${answer.stderr}`);
}

/** Rows that hold a UUID; everything else that nvidia-smi prints is passed over. */
export function parseGpus(text: string, fields: readonly string[]): NvidiaGpu[] {
  return gpuRows(text, fields).flatMap(({ uuid, value }) => {
    const index = wholeNumber(value("index"));
    if (index === null) return [];
    const bytes = (field: string) => {
      const mebibytes = wholeNumber(value(field));
      return mebibytes === null ? null : mebibytes * 1024 ** 2;
    };
    return [
      {
        index,
        uuid,
        name: value("name"),
        pciBusId: value("pci.bus_id"),
        driver: value("driver_version"),
        computeCapability: value("compute_cap"),
        memoryTotalBytes: bytes("memory.total"),
        memoryUsedBytes: bytes("memory.used"),
        encoderPercent: wholeNumber(value("utilization.encoder")),
        decoderPercent: wholeNumber(value("utilization.decoder")),
        sessionCount: wholeNumber(value("encoder.stats.sessionCount")),
        mig: value("mig.mode.current") === "Enabled",
      },
    ];
  });
}

const rebootRemedy = "Restart the machine: sudo reboot";
const kernelLog = "The kernel says more: sudo dmesg | grep -iE 'nvrm|xid'";
const installDriver =
  "Install the driver and restart: on Debian sudo apt-get install nvidia-driver, on Ubuntu sudo ubuntu-drivers install. In a container, start it with --gpus all -e NVIDIA_DRIVER_CAPABILITIES=compute,video,utility.";

function withoutTool(hardwareThere: boolean): Inventory {
  if (hardwareThere) {
    const reason = "This machine has an NVIDIA GPU, but its driver (nvidia-smi) is not here.";
    return { kind: "trouble", reason, remedy: installDriver };
  }
  return { kind: "none", reason: "This machine has no NVIDIA GPU.", remedy: null };
}

function silence(answer: Exclude<Answer, { kind: "exited" }>): Words {
  if (answer.kind === "not_started") {
    const reason = `nvidia-smi cannot be started (${answer.reason}).`;
    return { reason, remedy: "Run it by hand to see why: nvidia-smi" };
  }
  return {
    reason: "nvidia-smi does not answer: a GPU or its driver hangs.",
    remedy: `${rebootRemedy}. ${kernelLog}`,
  };
}

/** Exit codes of nvidia-smi (its manual page, "Return value"); its text is asked first. */
const exitWords: { code: number; text?: RegExp; reason: string; remedy: string }[] = [
  {
    code: 18,
    text: /Driver\/library version mismatch/,
    reason: "The NVIDIA driver was upgraded, but the old one still runs in the kernel.",
    remedy: rebootRemedy,
  },
  {
    code: 15,
    text: /GPU is lost|fallen off the bus/,
    reason: "A GPU has fallen off the bus: the machine no longer reaches it.",
    remedy: `${rebootRemedy}. When it comes back, look at its power, cooling and slot. ${kernelLog}`,
  },
  {
    code: 9,
    text: /couldn't communicate with the NVIDIA driver/,
    reason: "The NVIDIA driver is installed but not loaded.",
    remedy:
      "Load it: sudo modprobe nvidia. If that fails, it was not built for this kernel: install the kernel's headers, then the driver again, and restart.",
  },
  {
    code: 12,
    text: /couldn't find libnvidia-ml/,
    reason: "The NVIDIA driver is incomplete: its library libnvidia-ml is missing.",
    remedy: installDriver,
  },
  {
    code: 4,
    text: /Insufficient Permissions/i,
    reason: "This user may not ask the NVIDIA driver.",
    remedy:
      "Give the user of Kinomill the GPU nodes: sudo usermod -aG video,render USER, then start it again. See who may use them: ls -l /dev/nvidia*",
  },
  {
    code: 8,
    reason: "A GPU does not get power: its external cables are not attached.",
    remedy: "Switch the machine off and attach the power cables of the GPU.",
  },
  {
    code: 10,
    reason: "The kernel has trouble with the interrupts of a GPU.",
    remedy: `${rebootRemedy}. ${kernelLog}`,
  },
];

function explainExit(code: number, said: string): Inventory {
  const words =
    exitWords.find(({ text }) => text?.test(said)) ?? exitWords.find((each) => each.code === code);
  if (words !== undefined) {
    return { kind: "trouble", reason: words.reason, remedy: words.remedy };
  }
  if (code === 6 || /No devices were found/.test(said)) {
    const reason = "The NVIDIA driver is here, but it finds no GPU.";
    const remedy =
      "See whether the machine has one: lspci -nn | grep -i nvidia. In a container, start it with --gpus all.";
    return { kind: "trouble", reason, remedy };
  }
  const line = (plainLog(said, []).split("\n")[0] ?? "").trim();
  const told = line === "" ? "nothing" : `"${line.slice(0, 200)}"`;
  const reason =
    code === 0
      ? `nvidia-smi names no GPU in an answer that Kinomill understands; it said ${told}.`
      : `nvidia-smi ended with code ${code} and said ${told}.`;
  return { kind: "trouble", reason, remedy: "Run it by hand to see more: nvidia-smi" };
}

const pciFolder = "/sys/bus/pci/devices";

/** Whether the PCI bus has a display or 3D controller (class 03) of NVIDIA (vendor 10de). */
function nvidiaOnPciBus(): boolean {
  try {
    return readdirSync(pciFolder).some((slot) => {
      const read = (name: string) => readFileSync(`${pciFolder}/${slot}/${name}`, "utf8").trim();
      return read("vendor") === "0x10de" && read("class").startsWith("0x03");
    });
  } catch {
    // A machine or a container without /sys: nothing is known of its bus.
    return false;
  }
}
