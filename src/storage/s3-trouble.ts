/** What an S3 server can have against us, in one form, and what to do about it in a sentence. */
import { Refusal } from "../trouble.ts";
import { Silence } from "./s3-wire.ts";

/** Trouble with the server, whichever way it came. */
export interface S3Fault {
  /** The server's word (`NoSuchBucket`), or ours: `Silence`, `Network`, `Certificate`. */
  code: string;
  /** Of the answer; 0 when there was none. */
  status: number;
  message: string;
  /** The same may go well in a moment. */
  passing: boolean;
  /** Where the bucket is, when the server told. */
  region: string | null;
}

/** What is told to whoever can put it right. */
export interface S3Place {
  endpoint: string;
  region: string;
  bucket: string;
}

const passingCodes = new Set([
  "InternalError",
  "OperationAborted",
  "RequestTimeout",
  "ServiceUnavailable",
  "SlowDown",
  "Throttling",
  "TooManyRequests",
  // The SDK learns the difference of the clocks from it and signs the next one right.
  "RequestTimeTooSkewed",
  // An answer 200 that was cut off.
  "ConnectionClosed",
]);

/** In the words of Ceph, MinIO, Garage and AWS. */
const fullCodes = new Set([
  "QuotaExceeded",
  "XMinioStorageFull",
  "XMinioAdminBucketQuotaExceeded",
  "InsufficientStorage",
  "StorageQuotaExceeded",
]);

const regionCodes = new Set([
  "PermanentRedirect",
  "AuthorizationHeaderMalformed",
  "IllegalLocationConstraintException",
  "InvalidRegionName",
  "TemporaryRedirect",
]);

/** Null when it is no trouble with the server: an abort of ours, a fault of the disk, a broken invariant. */
export function faultOf(cause: unknown): S3Fault | null {
  const none = { status: 0, region: null, passing: true };
  if (cause instanceof Silence) return { ...none, code: "Silence", message: "no answer" };
  if (cause instanceof S3Answer) return cause.fault;
  if (!(cause instanceof Error)) return null;
  const { code, $metadata } = cause as { code?: unknown } & Partial<SdkError>;
  // The SDK hangs its own facts on errors of the network too; only an answer has a status.
  if ($metadata?.httpStatusCode !== undefined || cause.name === "CredentialsProviderError") {
    return sdkFault(cause);
  }
  if (typeof code !== "string" || !isNetworkCode(code)) return null;
  const certificate = /CERT|VERIFY|SELF_SIGNED|ALTNAME/i.test(code);
  return {
    ...none,
    code: certificate ? "Certificate" : "Network",
    passing: !certificate,
    message: code,
  };
}

/** Codes of the file system and of wrong calls are not the server's. */
function isNetworkCode(code: string): boolean {
  if (code.startsWith("ERR_")) return /^ERR_(TLS|SSL|SOCKET|STREAM_PREMATURE)/.test(code);
  const files =
    /^(ENOENT|ENOSPC|EDQUOT|EIO|EROFS|EACCES|EPERM|EEXIST|EMFILE|ENOTDIR|EISDIR|EXDEV)$/;
  return !files.test(code);
}

interface SdkError {
  name: string;
  message: string;
  Code?: string;
  Region?: string;
  $metadata?: { httpStatusCode?: number };
  $response?: { headers?: Record<string, string> };
}

function sdkFault(cause: Error): S3Fault {
  const { name, message, Code, Region, $metadata, $response } = cause as SdkError;
  const status = $metadata?.httpStatusCode ?? 0;
  const region = Region ?? $response?.headers?.["x-amz-bucket-region"] ?? null;
  return faultFrom(Code ?? name, status, message, region);
}

function faultFrom(code: string, status: number, message: string, region: string | null): S3Fault {
  const passing =
    passingCodes.has(code) ||
    ((status >= 500 || status === 429 || status === 408) && !fullCodes.has(code) && status !== 507);
  return { code, status, message: message.slice(0, 300), passing, region };
}

/** An answer to a presigned request that is no success. */
export class S3Answer extends Error {
  override readonly name = "S3Answer";
  readonly fault: S3Fault;

  /** @param body at most some kilobytes of XML */
  constructor(head: Response, body: string) {
    const element = (name: string) =>
      new RegExp(`<${name}>([^<]{0,500})</${name}>`).exec(body)?.[1];
    const code = element("Code") ?? (head.status === 404 ? "NotFound" : `Http${head.status}`);
    super(code);
    const region = element("Region") ?? head.headers.get("x-amz-bucket-region");
    this.fault = faultFrom(code, head.status, element("Message") ?? "", region ?? null);
  }
}

/** The object is not there. A bucket that is not there is another thing. */
export function isMissing({ code, status }: S3Fault): boolean {
  return code === "NoSuchKey" || (status === 404 && code === "NotFound");
}

/**
 * The asker's answer.
 * @param doing what was tried, as in "store an object"
 */
export function refusalFor(fault: S3Fault, place: S3Place, doing: string): Refusal {
  if (fullCodes.has(fault.code) || fault.status === 507) {
    return new Refusal(
      507,
      "storage_full",
      `The bucket ${place.bucket} is full or at its quota (${fault.code}). Delete what is not needed, or raise the quota at the S3 server.`,
    );
  }
  const code = fault.passing ? "storage_unreachable" : "storage_denied";
  const headers = { "retry-after": "30" };
  return new Refusal(503, code, `${sentenceFor(fault, place)} (Tried to ${doing}.)`, { headers });
}

/** What is wrong and what to do. */
export function sentenceFor(fault: S3Fault, place: S3Place): string {
  const { endpoint, region, bucket } = place;
  const { code, status } = fault;
  const where = endpoint === "" ? `AWS (${region})` : endpoint;
  switch (code) {
    case "Silence":
      return `The S3 server at ${where} does not answer. Look whether it runs and whether a firewall stands between.`;
    case "Network":
      return `The S3 server at ${where} cannot be reached (${fault.message}). Look whether it runs and whether storage.s3.endpoint is right.`;
    case "Certificate":
      return `The certificate of ${where} is not trusted (${fault.message}). Name its authority in storage.s3.caFile, or correct the host name in storage.s3.endpoint.`;
    case "InvalidAccessKeyId":
    case "InvalidAccessKey":
      return `The S3 server at ${where} does not know the access key. Correct storage.s3.accessKeyId.`;
    case "SignatureDoesNotMatch":
      return "The S3 server does not accept the signature: the secret key is wrong. Correct storage.s3.secretAccessKey.";
    case "CredentialsProviderError":
      return "No keys for the S3 server were found. Set storage.s3.accessKeyId and storage.s3.secretAccessKey.";
    case "NoSuchBucket":
      return `There is no bucket ${bucket} at ${where}. Make it (kinomill storage create-bucket), or correct storage.s3.bucket.`;
    case "RequestTimeTooSkewed":
      return "The clocks of this machine and of the S3 server differ too much. Let both follow a time server (timedatectl set-ntp true).";
    case "AccessDenied":
    case "AllAccessDisabled":
    case "Forbidden":
    case "Http403":
      return `The key may not do this in the bucket ${bucket} (${code}). Give it the rights to get, put, list and delete objects and to upload in parts.`;
    default:
  }
  if (regionCodes.has(code) || status === 301 || status === 307) {
    const right = fault.region === null || fault.region === region ? "" : ` to ${fault.region}`;
    return `The bucket ${bucket} is not in the region ${region}. Set storage.s3.region${right}, and an endpoint of that region.`;
  }
  if (fault.passing) {
    return `The S3 server at ${where} answers with errors (${status} ${code}). Look at its log; Kinomill tries again.`;
  }
  return `The S3 server at ${where} refuses (${status} ${code}: ${fault.message}). Look at the settings of storage.s3 and at its log.`;
}
