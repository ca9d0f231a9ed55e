/** Whether Kinomill runs in a container, and whether that was given what a GPU needs. */
import { existsSync } from "node:fs";
import { type Environment, processEnvironment } from "../environment.ts";
import type { GpuState } from "../media/gpu.ts";
import type { Box, Finding } from "./finding.ts";

/** Docker and Podman leave one of them; systemd and LXC say it in the environment. */
const marks = ["/.dockerenv", "/run/.containerenv"];

/** Whether this process runs in a container. */
export function inContainer(): boolean {
  return marks.some((mark) => existsSync(mark)) || processEnvironment()["container"] !== undefined;
}

export function containerFindings({ gpus }: Pick<Box, "gpus">): Finding[] {
  return inContainer() ? [containerFinding(processEnvironment(), gpus)] : [];
}

const startAgain =
  "Start it again with --gpus all -e NVIDIA_DRIVER_CAPABILITIES=compute,video,utility";

/** Pure. */
export function containerFinding(
  {
    NVIDIA_VISIBLE_DEVICES: asked,
    NVIDIA_DRIVER_CAPABILITIES: given = "compute,utility",
  }: Environment,
  { kind, gpus }: Pick<GpuState, "kind" | "gpus">,
): Finding {
  const common = { id: "container", title: "Container" };
  // Without these words nobody of NVIDIA's runtime set the container up, and it says nothing of GPUs.
  const wanted = asked !== undefined && !["", "void", "none"].includes(asked);
  if (wanted && kind === "none") {
    const meaning =
      "The container asks for GPUs and sees none: NVIDIA's runtime did not set it up.";
    const remedy = `On the machine: sudo apt-get install nvidia-container-toolkit; sudo nvidia-ctk runtime configure --runtime=docker; sudo systemctl restart docker. ${startAgain}`;
    return { ...common, level: "warning", meaning, remedy };
  }
  const capabilities = given.split(",").map((word) => word.trim());
  const video = capabilities.includes("all") || capabilities.includes("video");
  if (wanted && gpus.length > 0 && !video) {
    const meaning = `The container has the driver's libraries for ${given}, and not those for video: nothing is encoded or decoded on its GPUs.`;
    return { ...common, level: "warning", meaning, remedy: startAgain };
  }
  return { ...common, level: "ok", meaning: "Kinomill runs in a container.", remedy: null };
}
