/** A job: its states, what moves between them, and its form in the API. */
import type { Proof } from "../runners/runner.ts";
import type { FailureReport } from "../trouble.ts";
import type { Predicted } from "./prediction.ts";

export const jobStates = [
  "queued",
  "waiting",
  "running",
  "succeeded",
  "failed",
  "cancelled",
] as const;
export type JobState = (typeof jobStates)[number];

export const finalStates = ["succeeded", "failed", "cancelled"] as const satisfies JobState[];

/**
 * What a job that does not run waits for besides its turn: jobs before it, the person who paused it, a time that
 * a person named, the end of a back-off, a device that can do it, room on the disk. With the time and the back-off
 * it is queued, with the others waiting.
 */
export const waitsFor = ["jobs", "person", "time", "retry", "device", "space"] as const;
export type WaitsFor = (typeof waitsFor)[number];

/** Jobs that one call changes or makes: a tenth of a second in which nothing else is answered. */
export const BULK_MAX = 1_000;

/** What is done to many at once, each with the states in which it makes sense. */
export const bulkVerbs = {
  cancel: ["queued", "waiting", "running"],
  retry: ["failed", "cancelled"],
} as const satisfies Record<string, readonly JobState[]>;
export type BulkVerb = keyof typeof bulkVerbs;

/** Jobs of one state are counted so far: a page need not know more, and a million would take long. */
export const COUNTED_MAX = 10_000;

/** The kind of device that the first step of a job wants. */
export type Need = "cpu" | "gpu";

/** Where a person may want a job to run instead of where it would run by itself. */
export const onlyDevices = ["cpu"] as const;
export type OnlyDevice = (typeof onlyDevices)[number];

/** Every move that there is; tests compare this with what the code does and with the diagram in `docs/`. */
export const transitions = [
  { from: "queued", to: "running", by: "claim" },
  { from: "queued", to: "waiting", by: "hold" },
  { from: "queued", to: "waiting", by: "pause" },
  { from: "queued", to: "cancelled", by: "cancel" },
  { from: "waiting", to: "running", by: "claim" },
  { from: "waiting", to: "queued", by: "unhold" },
  { from: "waiting", to: "queued", by: "resume" },
  { from: "waiting", to: "queued", by: "precede" },
  { from: "waiting", to: "failed", by: "precede" },
  { from: "waiting", to: "cancelled", by: "precede" },
  { from: "waiting", to: "cancelled", by: "cancel" },
  { from: "running", to: "succeeded", by: "succeed" },
  { from: "running", to: "failed", by: "fail" },
  { from: "running", to: "failed", by: "recover" },
  { from: "running", to: "cancelled", by: "cancel" },
  { from: "running", to: "queued", by: "release" },
  { from: "running", to: "queued", by: "recover" },
  { from: "running", to: "queued", by: "postpone" },
  { from: "running", to: "waiting", by: "release" },
  { from: "running", to: "waiting", by: "recover" },
  { from: "running", to: "waiting", by: "postpone" },
  { from: "running", to: "waiting", by: "make room" },
  { from: "failed", to: "queued", by: "retry" },
  { from: "failed", to: "waiting", by: "retry" },
  { from: "cancelled", to: "queued", by: "retry" },
  { from: "cancelled", to: "waiting", by: "retry" },
] as const satisfies { from: JobState; to: JobState; by: string }[];

export const stepStates = ["pending", "running", "done", "failed"] as const;
export type StepState = (typeof stepStates)[number];

/**
 * Every move of a step: by `step-rows.ts`, or by the trigger that follows its job: `leave` is every end of the job's
 * run, `retry` its way back into the queue. A test compares this with what they do and with the diagram in `docs/`.
 */
export const stepTransitions = [
  { from: "pending", to: "running", by: "begin" },
  { from: "running", to: "done", by: "finish" },
  { from: "running", to: "failed", by: "fail" },
  { from: "running", to: "pending", by: "stop" },
  { from: "running", to: "pending", by: "leave" },
  { from: "done", to: "pending", by: "renew" },
  { from: "done", to: "pending", by: "retry" },
  { from: "failed", to: "pending", by: "retry" },
] as const satisfies { from: StepState; to: StepState; by: string }[];

export interface JobStep {
  name: string;
  title: string;
  state: StepState;
  /** Names of the steps that must be done before it; absent: not known. */
  needs?: string[];
  /** How many times it was begun; absent: not known. */
  attempts?: number;
  device: string | null;
  deviceReason: string | null;
  encoder: string | null;
  /** What really ran; absent or null until it was done, and where Kinomill wrote the output itself. */
  proof?: Proof | null;
  checks: string[];
  startedAt?: string | null;
  finishedAt?: string | null;
}

export interface JobAttempt {
  /** Number of the claim, counted from 1. */
  fence: number;
  startedAt: string;
  finishedAt: string | null;
  outcome: "running" | "succeeded" | "failed" | "cancelled" | "interrupted";
  device: string;
  /** Why this device, and why not a GPU; absent or null when it was not noted. */
  deviceReason?: string | null;
  /** What really ran in its last step; absent or null until that was done. */
  proof?: Proof | null;
  error: FailureReport | null;
  /** What of earlier attempts it could use: "4 of 5 steps were already done."; absent: nothing was noted. */
  notes?: string[];
}

export interface Job {
  id: string;
  ownerId: string;
  operation: string;
  /** For the person: "Transcode: match.mov". */
  title: string;
  state: JobState;
  params: Record<string, unknown>;
  inputs: string[];
  /** Ids of the assets that it made, the main one first. */
  outputs: string[];
  progressPercent: number;
  /** Encoding speed as a multiple of real time; null when nothing runs. */
  speed: number | null;
  etaSeconds: number | null;
  priority: number;
  /** How many times it was started, runs that a shutdown interrupted not counted. */
  attempt: number;
  device: string | null;
  deviceReason: string | null;
  /** The device that a person asked for when they retried it; absent or null: wherever it fits. */
  onlyOn?: OnlyDevice | null;
  error: FailureReport | null;
  notes: string[];
  labels: Record<string, string>;
  /** How its outputs are proven; absent or null: as the setting says. */
  verify?: "quick" | "full" | null;
  steps: JobStep[];
  attempts: JobAttempt[];
  /** What it waits for besides its turn; null when that is all, or when it does not wait. */
  waitsFor: WaitsFor | null;
  /** The same for a person; null when nothing is to be told. */
  waitReason: string | null;
  /** Jobs that must have succeeded before it may start. */
  after: string[];
  /** ISO 8601 UTC; when the time that it waits for comes. */
  notBefore: string | null;
  /** ISO 8601 UTC; null while nobody has paused it. A running one stands still meanwhile. */
  pausedAt: string | null;
  /** The call for many that it came with; null for one alone. */
  batch: string | null;
  createdAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  /** What was expected of it when it first began; absent or null before, and of jobs of before it was told. */
  predicted?: Predicted | null;
}
