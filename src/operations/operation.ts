/**
 * The contract of an operation: one file and one line in `index.ts`. From it come the API route, the
 * JSON Schema, the form, the command line and the tests. `plan` is pure: no I/O, no clock, no randomness.
 */
import type { z } from "zod";
import type { StepWork } from "../media/description.ts";
import type { Expectation } from "../media/expectation.ts";
import type { MediaInfo } from "../media/media.ts";
import type { ChunkWish } from "./chunking.ts";

/** What a plan may depend on besides request and media: features of this box, as plain data. */
export interface PlanContext {
  /** Names of encoders that this ffmpeg has compiled in, for example `libx264`. */
  encoders: ReadonlySet<string>;
  /** Names of filters likewise. */
  filters: ReadonlySet<string>;
  /** Its release; absent: the newest known. */
  release?: { major: number; minor: number };
  /** How long encodes are cut into chunks; absent: they are not. */
  chunks?: ChunkWish;
}

/** An input of the job as a plan sees it. */
export interface PlanInput {
  /** The name that the user gave, for naming outputs; never used in an argv. */
  name: string;
  media: MediaInfo;
}

/** A text of captions that was given to the job beside its media. */
export interface PlanText {
  /** The name that the user gave; never used in an argv. */
  name: string;
  /** Decoded, and found to be one of the formats of captions. */
  text: string;
}

/** Seconds of an input. */
export interface Span {
  from: number;
  to: number;
}

/** What `part` may depend on besides the parameters. */
export interface Whole {
  /** Of the first input; null: unknown. */
  durationSeconds: number | null;
  texts: readonly PlanText[];
}

/** One file that a step leaves behind and the job publishes. */
export interface StepOutput {
  /** Name inside the step's folder. */
  file: string;
  /** Name for the person: "match 720p.mp4". */
  name: string;
  /** What it is to the job: `main`, `poster`, `sprite`, `sprite-index`. */
  role: string;
  mimeType: string;
  expectation: Expectation;
}

export interface Step {
  /** Unique in the plan, `a–z 0–9 -`. */
  name: string;
  /** For the person: "Encode H.264 at 1280×720". */
  title: string;
  /** What its picture alone is called, of which a part is made where it is cut into chunks; absent: as the whole. */
  pictureTitle?: string;
  /** Names of steps that must be done before. */
  needs: string[];
  work: StepWork;
  /** Files that it leaves for later steps alone, plain names inside the step's folder; absent: none. */
  makes?: string[];
  /** What of these must be proven before a later step may use it; absent: nothing. */
  proves?: Expectation[];
  /** The same where a GPU had a part in it: what it makes wrong can still be made elsewhere. */
  provesOfGpu?: Expectation[];
  outputs: StepOutput[];
}

export interface Plan {
  steps: Step[];
  /** Sentences for the person: "The source already conforms: the streams are copied, not re-encoded." */
  notes: string[];
}

/** What operations are for, in the order in which the page shows them. */
export const operationFamilies = ["convert", "cut", "picture", "sound", "examine"] as const;
export type OperationFamily = (typeof operationFamilies)[number];

export interface Operation<Schema extends z.ZodType = z.ZodType> {
  /** `a–z -`, as in the API and on the command line. */
  name: string;
  title: string;
  /** One or two sentences for the form, `--help` and the documentation. */
  description: string;
  /** Strict object; every field has a default or is optional, `.describe` and, where it has one, `.meta({unit})`. */
  schema: Schema;
  /** Parameters that a newcomer may send as they are. */
  example: z.input<Schema>;
  /**
   * How many media files it works on; `texts`: how many files of captions it takes besides; `kinds`: what the first
   * may be, and all of them where it needs several; absent: any.
   */
  inputs: { min: number; max: number; texts?: number; kinds?: readonly MediaInfo["kind"][] };
  /** With which others the page shows it; absent: with those that convert. */
  family?: OperationFamily;
  /**
   * Whether what it makes with these parameters can stand in the place of its source, so that it is proven to the last
   * frame; absent: never.
   */
  replaces?(params: z.output<Schema>): boolean;
  /**
   * The parameters for a part of the first input alone, whose times begin with 0, for trying the operation out; null
   * where a part would show nothing. Absent: it cannot be tried so. Pure, as plans are.
   */
  part?(params: z.output<Schema>, span: Span, whole: Whole): object | null;
  /**
   * @throws Refusal 422 `unsuitable_input` with a sentence when this media cannot be worked on so.
   */
  plan(
    params: z.output<Schema>,
    inputs: PlanInput[],
    context: PlanContext,
    texts?: readonly PlanText[],
  ): Plan;
}

/** Keeps the schema's type while an operation is defined. */
export function defineOperation<Schema extends z.ZodType>(
  operation: Operation<Schema>,
): Operation<Schema> {
  return operation;
}
