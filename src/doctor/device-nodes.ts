/** The nodes through which programs reach the NVIDIA driver, and whether this user may open them. */
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Finding } from "./finding.ts";

/** Where they lie, and by what the driver in the kernel is known. */
export interface Places {
  nodes: string;
  driver: string;
  mayOpen(path: string): boolean;
}

const usual: Places = { nodes: "/dev", driver: "/proc/driver/nvidia/version", mayOpen };

/** Without these no program can use CUDA. */
const needed = ["nvidiactl", "nvidia-uvm", "nvidia0"];

/** Nothing where there is neither a driver nor a node: other looks say why. */
export function deviceNodeFindings(places: Places = usual): Finding[] {
  const common = { id: "nodes", title: "Device nodes" };
  const found = readdirSync(places.nodes).filter((name) => /^nvidia(\d+|ctl|-uvm)$/.test(name));
  if (found.length === 0 && !existsSync(places.driver)) return [];
  const missing = needed.filter((name) => !found.includes(name));
  // The GPUs of a container may be others than the first.
  const lacks = found.some((name) => /^nvidia\d+$/.test(name))
    ? missing.filter((name) => name !== "nvidia0")
    : missing;
  if (lacks.length > 0) {
    const meaning = `The NVIDIA driver is loaded, but its device nodes are missing: ${paths(lacks)}.`;
    const remedy =
      "Make them: sudo nvidia-modprobe -c0 -u — in a container, start it again with --gpus all";
    return [{ ...common, level: "warning", meaning, remedy }];
  }
  const closed = found.filter((name) => !places.mayOpen(join(places.nodes, name)));
  if (closed.length > 0) {
    const meaning = `This user may not open ${paths(closed)}.`;
    const remedy =
      "Give the user of Kinomill that right: sudo usermod -aG video,render USER, then start it again. See who has it: ls -l /dev/nvidia*";
    return [{ ...common, level: "warning", meaning, remedy }];
  }
  const meaning = `This user may open the ${found.length} device nodes of the NVIDIA driver.`;
  return [{ ...common, level: "ok", meaning, remedy: null }];
}

function paths(names: readonly string[]): string {
  return names
    .toSorted()
    .map((name) => `/dev/${name}`)
    .join(", ");
}

function mayOpen(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
