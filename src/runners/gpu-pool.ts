/** The GPUs of the box, as far as dispatching goes. */
import type { Device } from "../media/devices.ts";
import type { GpuFault } from "../media/gpu-fault.ts";

export interface GpuPool {
  /** GPUs in service, with what they were seen to do. */
  devices(): readonly Device[];
  /** A sentence while some GPU is not tried yet; null when all are known. */
  undecided(): string | null;
  /** Why no GPU is in service, a plain sentence; "" when one is. */
  whyNone(): string;
  /** Takes a GPU out of service until a probe on it succeeds. */
  suspend(uuid: string, fault: GpuFault): void;
  /** Free memory when it was last looked at; null when unknown. */
  memoryFreeBytes(uuid: string): number | null;
  /** Called when a GPU comes, goes, or is known better. Returns the end of the subscription. */
  onChange(listener: () => void): () => void;
}
