/** Progress of the jobs that run now. It is told twice a second and lost with the process: not in SQLite. */
import type { Progress } from "../media/progress.ts";
import type { Job } from "./job.ts";

export class LiveProgress {
  private readonly byJob = new Map<string, Progress>();

  set(jobId: string, progress: Progress): void {
    this.byJob.set(jobId, progress);
  }

  /** Nothing is known yet but how long it should take. */
  expect(jobId: string, etaSeconds: number): void {
    const unknown = { percent: null, frame: null, fps: null, outputSeconds: null, speed: null };
    this.byJob.set(jobId, { ...unknown, etaSeconds, sizeBytes: null });
  }

  clear(jobId: string): void {
    this.byJob.delete(jobId);
  }

  /** How far a running job is, 0–1. */
  shareOf(jobId: string): number {
    return (this.byJob.get(jobId)?.percent ?? 0) / 100;
  }

  addTo(job: Job): Job {
    const progress = this.byJob.get(job.id);
    if (progress === undefined || job.state !== "running") return job;
    return {
      ...job,
      progressPercent: progress.percent ?? job.progressPercent,
      speed: progress.speed,
      etaSeconds: progress.etaSeconds,
    };
  }
}
