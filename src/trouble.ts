/**
 * The three kinds of trouble. A Refusal is the asker's (bad input, no right, wrong state); a Failure
 * is the job's (the media or the machine would not do it); a failed `assert` is ours and crashes.
 */

/** One fault of one field, for 422 answers and for faults in the configuration. */
export interface FieldFault {
  /** Dotted path to the field, for example `video.quality`; "" is the whole value. */
  path: string;
  message: string;
}

export interface RefusalOptions {
  errors?: FieldFault[];
  headers?: Record<string, string>;
}

/** The asker's trouble: becomes `application/problem+json` over HTTP and exit code 2 on the command line. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  /** Stable machine-readable word, for example `not_media`. */
  readonly code: string;
  readonly errors: FieldFault[];
  readonly headers: Record<string, string>;

  /** @param sentence what is wrong and what to do, for a person; never a secret or a host path. */
  constructor(status: number, code: string, sentence: string, options: RefusalOptions = {}) {
    super(sentence);
    this.status = status;
    this.code = code;
    this.errors = options.errors ?? [];
    this.headers = options.headers ?? {};
  }
}

/** Why a job failed. Issue by issue this list grows; programs match on it, so words never change. */
export const failureCodes = [
  "media_undecodable",
  "media_unsupported",
  "encoder_failed",
  "output_rejected",
  "stalled",
  "time_limit",
  "disk_full",
  "disk_failed",
  "memory_limit",
  "worker_lost",
  "input_missing",
  "storage_unreachable",
  "predecessor_failed",
  "quota_exceeded",
  "tool_missing",
  "internal",
] as const;
export type FailureCode = (typeof failureCodes)[number];

/** The `error` object of a failed job, as in the API. */
export interface FailureReport {
  code: FailureCode;
  message: string;
  hint: string;
  retryable: boolean;
  /** Last lines of ffmpeg's stderr, bounded; "" when there is none. */
  log: string;
}

/** The job's trouble: recorded on the job with a hint that says what to do next. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly report: FailureReport;

  constructor(code: FailureCode, message: string, rest: Partial<Omit<FailureReport, "code">> = {}) {
    super(message);
    this.report = {
      code,
      message,
      hint: rest.hint ?? "",
      retryable: rest.retryable ?? false,
      log: rest.log ?? "",
    };
  }
}

/** Ours: a broken invariant. The message says which. */
export function assert(condition: unknown, invariant: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${invariant}`);
}

/** For exhaustive switches: compiles only when every case is handled. */
export function unreachable(value: never): never {
  throw new Error(`invariant broken: unhandled case ${JSON.stringify(value)}`);
}
