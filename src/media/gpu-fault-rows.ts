/**
 * The texts of ffmpeg 5.1 to 9.0 that mean a fault of the GPU, the most telling first: several of them
 * may stand in one log. Pure.
 */
import type { FaultContext, GpuFault } from "./gpu-fault.ts";
import { driverTexts, driverWords, restartIfItStays } from "./gpu-words.ts";
import type { Words } from "./nvidia-smi.ts";
import { nothingAvoided } from "./placement.ts";

type Outline = Pick<GpuFault, "name" | "reaction"> & Partial<GpuFault>;

export interface FaultRow {
  text: RegExp;
  /** Further texts that must stand in the same log. */
  and?: RegExp;
  /** Only when this holds for the run. */
  when?(context: FaultContext): boolean;
  fault(found: RegExpExecArray, context: FaultContext): GpuFault;
}

/** The fault of a row; null when the row says nothing about this run. */
export function rowFault(row: FaultRow, stderr: string, context: FaultContext): GpuFault | null {
  const found = row.text.exec(stderr);
  if (found === null || row.and?.test(stderr) === false) return null;
  return row.when?.(context) === false ? null : row.fault(found, context);
}

function told(outline: Outline, { reason, remedy }: Words): GpuFault {
  return { sentence: reason, remedy, shortage: null, avoid: nothingAvoided, ...outline };
}

/** What the hardware is like; nobody can mend it. */
const plain = (reason: string): Words => ({ reason, remedy: null });

/** NVDEC was given the picture; otherwise its texts are of something else. */
const onNvdec = ({ placement }: FaultContext) => placement.decode === "nvdec";

/**
 * With less than this the memory is the reason why no session opens: decoding and encoding 1080p takes
 * 300 to 370 MiB, and about 55 MiB more on the first GPU.
 */
const LOW_MEMORY_BYTES = 450 * 1024 ** 2;

const sessionWords: Words = {
  reason: "No encode session was free.",
  remedy:
    "See who encodes: nvidia-smi. GeForce cards allow a few sessions for the whole machine, all programs together.",
};

const decodeOnCpu = { reaction: "cpu-decode", avoid: { decode: true, filters: false } } as const;

/** NVDEC took the stream and failed in the middle: also looked for after exit code 0. */
export const decoderFailed = {
  text: /cuvid(?:DecodePicture|MapVideoFrame)\w*\([^\n]*failed|hardware accelerator failed to decode picture/,
  fault: told(
    { name: "decoder-failed", ...decodeOnCpu },
    plain("Its decoder (NVDEC) broke off in the middle; the source may be damaged."),
  ),
};

/** The driver, its libraries and the machine. */
const driverRows: FaultRow[] = [
  {
    text: driverTexts.apiTooOld,
    fault: (found, { toolchain }) =>
      told(
        { name: "driver-too-old", reaction: "device-out" },
        driverWords.apiTooOld(found, { driver: null, ffmpeg: toolchain.version }),
      ),
  },
  {
    text: driverTexts.libraryMissing,
    fault: (found) =>
      told({ name: "library-missing", reaction: "device-out" }, driverWords.libraryMissing(found)),
  },
  {
    text: driverTexts.driverMismatch,
    fault: () =>
      told({ name: "driver-mismatch", reaction: "device-out" }, driverWords.driverMismatch),
  },
  {
    text: driverTexts.cudaTooNew,
    fault: () => told({ name: "cuda-too-new", reaction: "device-out" }, driverWords.cudaTooNew),
  },
  {
    text: driverTexts.fabricMissing,
    fault: () =>
      told({ name: "fabric-missing", reaction: "device-out" }, driverWords.fabricMissing),
  },
  {
    text: driverTexts.noDevice,
    fault: () => told({ name: "no-device", reaction: "device-out" }, driverWords.noDevice),
  },
  {
    text: driverTexts.memoryFull,
    fault: () =>
      told({ name: "memory-full", reaction: "later", shortage: "memory" }, driverWords.memoryFull),
  },
  {
    text: driverTexts.reserved,
    fault: () => told({ name: "gpu-reserved", reaction: "device-out" }, driverWords.reserved),
  },
  {
    // After one of these every call of the process fails, whatever it was for.
    text: /CUDA_ERROR_(ILLEGAL_\w+|ECC_\w+|LAUNCH_\w+|HARDWARE_\w+|MISALIGNED_ADDRESS|CONTEXT_IS_DESTROYED|NVLINK_UNCORRECTABLE|DEVICE_NOT_LICENSED|EXTERNAL_DEVICE)/,
    fault: (found) =>
      told({ name: "gpu-trouble", reaction: "device-out" }, driverWords.cudaTrouble(found)),
  },
];

/** What NVDEC says. */
const decoderRows: FaultRow[] = [
  {
    text: /Using more than \d+ \(\d+\) decode surfaces/,
    when: onNvdec,
    fault: () =>
      told(
        { name: "decoder-surfaces", ...decodeOnCpu },
        plain("Its decoder (NVDEC) refused so many pictures at once."),
      ),
  },
  {
    text: /No decoder surfaces left/,
    when: onNvdec,
    fault: () =>
      told(
        { name: "decoder-starved", ...decodeOnCpu },
        plain("Its decoder (NVDEC) ran out of pictures to decode into."),
      ),
  },
  { ...decoderFailed, when: onNvdec, fault: () => decoderFailed.fault },
  {
    // ffmpeg decodes on the CPU then, which ends the run only where the filters wait for frames on the GPU.
    text: /hwaccel initialisation returned error|cuvidCreateDecoder\([^\n]*failed/,
    and: /Impossible to convert between the formats/,
    when: onNvdec,
    fault: () =>
      told(
        { name: "decoder-refused", ...decodeOnCpu },
        plain("Its decoder (NVDEC) cannot decode this source."),
      ),
  },
];

const kernelWords: Words = {
  reason: "A filter of this ffmpeg does not run on it.",
  remedy:
    "If it is so for every job, this ffmpeg and the driver do not fit: update the driver, and in a container start it with -e NVIDIA_DRIVER_CAPABILITIES=compute,video,utility.",
};

/** What the filters on the GPU say. */
const filterRows: FaultRow[] = [
  {
    text: /CUDA_ERROR_(NOT_FOUND|NO_BINARY_FOR_GPU|INVALID_IMAGE|INVALID_PTX|UNSUPPORTED_PTX_VERSION|JIT_\w+|INVALID_SOURCE)/,
    when: ({ placement }) => placement.filters === "cuda",
    fault: () =>
      told(
        {
          name: "filter-missing",
          reaction: "cpu-decode",
          avoid: { decode: false, filters: true },
        },
        kernelWords,
      ),
  },
  {
    text: driverTexts.cudaTrouble,
    fault: (found) =>
      told({ name: "gpu-trouble", reaction: "device-out" }, driverWords.cudaTrouble(found)),
  },
  {
    text: /Impossible to convert between the formats/,
    when: ({ placement }) => placement.filters === "cuda",
    fault: () =>
      told(
        {
          name: "frames-mixed",
          reaction: "cpu-decode",
          avoid: { decode: true, filters: true },
        },
        plain("The picture of the source changes in the middle, which its filters cannot follow."),
      ),
  },
];

/** What NVENC refuses because the GPU is built so; the line that says it is a warning. */
const refusedByHardware =
  /\] ((?:Codec|10 bit encode|YUV4\d\dP|Lossless encoding|RC lookahead|Temporal AQ|Weighted Prediction|CABAC entropy coding|Interlaced encoding|B frames as references|(?:Each|Middle) B frame as reference|(?:Single slice i|I)ntra refresh|Constrained encoding)[^\n]* not supported[^\n]*|(?:Width|Height) \d+ exceeds \d+|Max B-frames \d+ exceed \d+)/;

/** What NVENC says. */
const encoderRows: FaultRow[] = [
  {
    text: driverTexts.sessionRefused,
    fault: (_found, { memoryFreeBytes }) =>
      memoryFreeBytes !== null && memoryFreeBytes < LOW_MEMORY_BYTES
        ? told(
            { name: "session-memory", reaction: "later", shortage: "memory" },
            driverWords.memoryFull,
          )
        : told({ name: "session-limit", reaction: "later", shortage: "sessions" }, sessionWords),
  },
  {
    // The session was there already: only memory can be short.
    text: /\w+ failed!?: out of memory \(10\)/,
    fault: () =>
      told(
        { name: "encoder-memory", reaction: "later", shortage: "memory" },
        driverWords.memoryFull,
      ),
  },
  {
    text: driverTexts.noEncoder,
    fault: (_found, { device }) =>
      told({ name: "no-encoder", reaction: "device-out" }, driverWords.noEncoder(device.title)),
  },
  {
    text: refusedByHardware,
    fault: (found) =>
      told(
        { name: "encoder-refused", reaction: "other-gpu" },
        plain(`Its encoder (NVENC) cannot do this ("${found[1] ?? ""}").`),
      ),
  },
  {
    text: /Provided device doesn't support required NVENC features/,
    fault: () =>
      told(
        { name: "encoder-refused", reaction: "other-gpu" },
        plain("Its encoder (NVENC) lacks something that this output needs."),
      ),
  },
  {
    text: /(?!OpenEncodeSessionEx)\b\w+ failed!?: (?:invalid|unsupported) param \((?:8|12)\)(?:: ([^\n]+))?/,
    fault: (found) => {
      const said = found[1]?.replace(/^\(no details\)$/, "").replace(/\.$/, "") ?? "";
      return told(
        { name: "encoder-settings", reaction: "cpu" },
        plain(`Its encoder (NVENC) refuses these settings${said === "" ? "" : ` ("${said}")`}.`),
      );
    },
  },
  {
    text: /\b[A-Z]\w+ failed!?: [a-z ]+ \(\d+\)/,
    fault: () =>
      told(
        { name: "encoder-failed", reaction: "device-out" },
        { reason: "Its encoder (NVENC) broke off.", remedy: restartIfItStays },
      ),
  },
  {
    // Alone: the GPU is not where it was. The rows above have the reasons that may stand beside it.
    text: /No capable devices found/,
    fault: () =>
      told(
        { name: "no-capable-device", reaction: "device-out" },
        {
          reason: "ffmpeg does not find it any more.",
          remedy: "See whether it is there: nvidia-smi",
        },
      ),
  },
];

/**
 * A decoder's complaints about the source itself. With NVDEC ffmpeg stops at the first of them (-xerror);
 * on the CPU it reads on, and says what is damaged where it cannot.
 */
const damagedRow: FaultRow = {
  text: /corrupt (?:decoded frame|input packet)|[Ee]rror while decoding|Error splitting the input|Invalid NAL unit|[Ee]rror (?:submitting|processing) (?:a )?packet|no frame!|decode_slice_header error|missing picture in access unit|Missing reference picture/,
  when: onNvdec,
  fault: () =>
    told(
      { name: "source-damaged", ...decodeOnCpu },
      plain("Its decoder (NVDEC) stopped at an error in the source."),
    ),
};

export const faultRows: readonly FaultRow[] = [
  ...driverRows,
  ...decoderRows,
  ...filterRows,
  ...encoderRows,
  damagedRow,
];
