/** The box: devices and their load, storage, uploads, backups, findings, and this process itself. */
import { readdir } from "node:fs/promises";
import { Counter, Gauge, type Registry } from "prom-client";
import type { GpuSample } from "../media/gpu-samples.ts";
import { deviceLabel, plainLabel } from "./labels.ts";
import type { LoopLag } from "./loop-lag.ts";

/** What the box is asked for at each look; nothing of it may take long. */
export interface BoxFigures {
  version: string;
  commit: string;
  startedAtMs: number;
  workMode: string;
  devices: readonly {
    id: string;
    title: string;
    slots: number;
    busy: number;
    /** Of a GPU that jobs may use; null on the CPU, and where a setting leaves it alone. */
    inService: boolean | null;
    /** Null on the CPU, and where nobody could look. */
    load: GpuSample | null;
  }[];
  storage: { usedBytes: number; assetCount: number; freeBytes: number | null };
  unfinishedUploads: number;
  newestBackupMs: number | null;
  /** How many findings of the doctor have which level. */
  findings: Record<string, number>;
  eventStreams: number;
}

const workModes = ["running", "paused", "draining"];

export class BoxMetrics {
  private readonly registry: Registry;
  private readonly gauges = new Map<string, Gauge>();
  private readonly cpu: Counter;
  private readonly lag: LoopLag;

  constructor(registry: Registry, lag: LoopLag) {
    this.registry = registry;
    this.lag = lag;
    this.cpu = new Counter({
      ...{ name: "process_cpu_seconds_total", help: "Processor time of the server itself." },
      registers: [registry],
    });
  }

  async refresh(figures: BoxFigures): Promise<void> {
    for (const gauge of this.gauges.values()) gauge.reset();
    const { version, commit, workMode } = figures;
    this.set("kinomill_build_info", "What runs; always 1.", { version, commit }, 1);
    for (const mode of workModes) {
      const help = "1 for how the work stands: running, paused or draining.";
      this.set("kinomill_work_mode", help, { mode }, mode === workMode ? 1 : 0);
    }
    for (const device of figures.devices) this.refreshDevice(device);
    this.refreshKept(figures);
    for (const [level, count] of Object.entries(figures.findings)) {
      this.set("kinomill_findings", "Findings of the doctor by level.", { level }, count);
    }
    const streams = "Pages and programs that listen to event streams.";
    this.set("kinomill_sse_clients", streams, {}, figures.eventStreams);
    await this.refreshProcess(figures.startedAtMs);
  }

  private refreshDevice({
    id,
    title,
    slots,
    busy,
    inService,
    load,
  }: BoxFigures["devices"][number]) {
    const device = deviceLabel(id);
    const info = { device, title: plainLabel(title) };
    this.set("kinomill_device_info", "The devices by name; always 1.", info, 1);
    this.set("kinomill_device_slots", "Jobs that a device takes at once.", { device }, slots);
    this.set("kinomill_device_busy", "Jobs that run on a device now.", { device }, busy);
    const help = "Whether jobs run on a GPU; absent where a setting leaves it alone.";
    const serves = inService === null ? null : Number(inService);
    this.set("kinomill_gpu_in_service", help, { device }, serves);
    if (load === null) return;
    const engines = { gpu: load.gpuPercent, encoder: load.encoderPercent };
    for (const [engine, value] of Object.entries({ ...engines, decoder: load.decoderPercent })) {
      this.set("kinomill_gpu_utilisation_percent", "Load by engine.", { device, engine }, value);
    }
    const { memoryUsedBytes, memoryTotalBytes } = load;
    this.set("kinomill_gpu_memory_used_bytes", "Memory in use.", { device }, memoryUsedBytes);
    this.set("kinomill_gpu_memory_total_bytes", "Memory in all.", { device }, memoryTotalBytes);
    const sessions = "Encode sessions of all programs.";
    this.set("kinomill_gpu_encode_sessions", sessions, { device }, load.sessionCount);
    const { temperatureCelsius, powerWatts } = load;
    this.set("kinomill_gpu_temperature_celsius", "Temperature.", { device }, temperatureCelsius);
    this.set("kinomill_gpu_power_watts", "Power that is drawn.", { device }, powerWatts);
  }

  private refreshKept({ storage, unfinishedUploads, newestBackupMs }: BoxFigures): void {
    const { usedBytes, assetCount, freeBytes } = storage;
    this.set("kinomill_storage_used_bytes", "Bytes of all assets.", {}, usedBytes);
    this.set("kinomill_assets", "Assets that are kept.", {}, assetCount);
    const free = "Bytes free for uploads, less the reserve; absent where unknown.";
    this.set("kinomill_storage_free_bytes", free, {}, freeBytes);
    const uploads = "Uploads that have begun and not ended.";
    this.set("kinomill_uploads_unfinished", uploads, {}, unfinishedUploads);
    const newest = newestBackupMs === null ? null : newestBackupMs / 1000;
    const backup = "When the newest backup of the database was made.";
    this.set("kinomill_backup_newest_timestamp_seconds", backup, {}, newest);
  }

  private async refreshProcess(startedAtMs: number): Promise<void> {
    const { max, mean } = this.lag.figures;
    const late = "How late timers fired in the last minute.";
    this.set("kinomill_event_loop_lag_seconds", late, { stat: "max" }, max);
    this.set("kinomill_event_loop_lag_seconds", late, { stat: "mean" }, mean);
    this.set("process_start_time_seconds", "Start of the server.", {}, startedAtMs / 1000);
    this.set(
      "process_resident_memory_bytes",
      "Memory of the server.",
      {},
      process.memoryUsage.rss(),
    );
    const open = await readdir("/proc/self/fd")
      .then((names) => names.length)
      .catch(() => null);
    this.set("process_open_fds", "Open files and sockets.", {}, open);
    const { user, system } = process.cpuUsage();
    this.cpu.reset();
    this.cpu.inc((user + system) / 1e6);
  }

  /** A figure that is not known is absent. */
  private set(
    name: string,
    help: string,
    labels: Record<string, string>,
    value: number | null,
  ): void {
    let gauge = this.gauges.get(name);
    if (gauge === undefined) {
      const labelNames = Object.keys(labels);
      gauge = new Gauge({ name, help, labelNames, registers: [this.registry] });
      if (labelNames.length === 0) gauge.remove();
      this.gauges.set(name, gauge);
    }
    if (value !== null) gauge.set(labels, value);
    // prom-client gives a gauge without labels a zero of its own.
    else if (Object.keys(labels).length === 0) gauge.remove();
  }
}
