/**
 * What ffmpeg and the NVIDIA driver print when the box is at fault, and how Kinomill says it: the same
 * words whether a probe met it or a job. Texts of FFmpeg 5.1 to 9.0. Pure.
 */
import type { Words } from "./nvidia-smi.ts";

const restart = "Restart the machine: sudo reboot";
/** For whoever wants to know more. */
export const kernelLog = "The kernel says more: sudo dmesg | grep -iE 'nvrm|xid'";

/** For hardware or a driver in trouble. */
export const restartAndLook = `${restart}. ${kernelLog}`;

/** For what may have been a passing fault: Kinomill tries the GPU again by itself. */
export const restartIfItStays = `If it stays out of service, restart the machine: sudo reboot. ${kernelLog}`;

/** For a GPU that no longer does anything. */
export const restartAndWatch = `${restart}. See what it does: nvidia-smi`;

/** For a GPU that is gone. */
export const restartAndCheckSlot = `${restart}. When it comes back, look at its power, cooling and slot. ${kernelLog}`;

const inContainer =
  "In a container, start it with --gpus all -e NVIDIA_DRIVER_CAPABILITIES=compute,video,utility.";
const videoLibraries = `Install the driver's video libraries (on Debian: sudo apt-get install libnvidia-encode1 libnvcuvid1; Ubuntu has libnvidia-encode-NNN and libnvidia-decode-NNN of the driver's number). ${inContainer}`;
const cudaLibrary = `Install the driver's CUDA library (on Debian: sudo apt-get install libcuda1; Ubuntu has libnvidia-compute-NNN of the driver's number). ${inContainer}`;

/** The texts; several of them may stand in one log. */
export const driverTexts = {
  /** Groups: what ffmpeg needs, what the driver offers. */
  apiTooOld: /required nvenc API version\. Required: (\S+) Found: (\S+)/,
  /** Group: the library. */
  libraryMissing: /Cannot load (libcuda|libnvidia-encode|libnvcuvid|nvcuda|nvcuvid|nvEncodeAPI\S*)/,
  driverMismatch: /CUDA_ERROR_SYSTEM_DRIVER_MISMATCH/,
  cudaTooNew: /CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE/,
  fabricMissing: /CUDA_ERROR_SYSTEM_NOT_READY/,
  noDevice: /CUDA_ERROR_NO_DEVICE/,
  memoryFull: /CUDA_ERROR_OUT_OF_MEMORY/,
  reserved: /CUDA_ERROR_DEVICE_UNAVAILABLE/,
  /** Group: the rest of the name. */
  cudaTrouble: /CUDA_ERROR_(\w+)/,
  sessionRefused: /OpenEncodeSessionEx failed: out of memory \(10\)/,
  noEncoder: /OpenEncodeSessionEx failed: (?:unsupported device \(2\)|no encode device \(1\))/,
  settingsRefused: /\w+ failed!?: (?:invalid|unsupported) param \((?:8|12)\)/,
  encoderBrokeOff: /EncodePicture failed!|generic error \(20\)/,
  decoderRefused: /Hardware is lacking required capabilities/,
} as const;

/** Models that NVIDIA builds without an encoder; they still decode. */
const withoutEncoder = /\b(A100|H100|H200|B200|GT 1030|MX350|MX450|P106)\b/;

/** Oldest driver for the interface that an ffmpeg was built with (FFmpeg, libavcodec/nvenc.c). */
const oldestDriver: Record<string, string> = {
  "11.1": "470.57.02",
  "12.0": "520.56.06",
  "12.1": "530.41.03",
  "12.2": "550.54.14",
  "13.0": "570",
  "13.1": "610",
};

/** What each of the texts means, and what to do and type. */
export const driverWords = {
  apiTooOld(found: RegExpExecArray, box: { driver: string | null; ffmpeg: string }): Words {
    const [, required = "", offered = ""] = found;
    const oldest = oldestDriver[required];
    const driver = box.driver === null ? "" : ` ${box.driver}`;
    return {
      reason: `The NVIDIA driver${driver} is too old for ffmpeg ${box.ffmpeg}, which needs NVENC ${required}; the driver offers ${offered}.`,
      remedy: `Install driver ${oldest === undefined ? "of a newer series" : `${oldest} or newer`} and restart, or use an older ffmpeg.`,
    };
  },
  libraryMissing: (found: RegExpExecArray): Words => ({
    reason: `The library ${found[1] ?? ""} of the NVIDIA driver is missing.`,
    remedy: found[1]?.includes("cuda") ? cudaLibrary : videoLibraries,
  }),
  driverMismatch: {
    reason: "The NVIDIA driver was upgraded, but the old one still runs in the kernel.",
    remedy: restart,
  },
  cudaTooNew: {
    reason: "The CUDA libraries of this container are newer than the driver of the machine.",
    remedy: "Use a container image of an older CUDA, or update the driver of the machine.",
  },
  fabricMissing: {
    reason: "The link between the GPUs of this machine (NVSwitch) is not set up yet.",
    remedy:
      "Start its service: sudo systemctl enable --now nvidia-fabricmanager. Its version must be that of the driver.",
  },
  noDevice: {
    reason: "nvidia-smi sees it, but programs may not use it (CUDA finds no device).",
    remedy:
      "See whether the user of Kinomill may open the nodes: ls -l /dev/nvidia*. A container that lost them is started again with --gpus all.",
  },
  reserved: {
    reason: "Another program has it for itself, or it is being reset.",
    remedy:
      "See who uses it: nvidia-smi. When its compute mode is exclusive, open it to all: sudo nvidia-smi -c 0",
  },
  memoryFull: { reason: "Its memory is full.", remedy: "See who uses it: nvidia-smi" },
  cudaTrouble: (found: RegExpExecArray): Words => ({
    reason: `The GPU or its driver is in trouble (CUDA_ERROR_${found[1] ?? ""}).`,
    remedy: restartAndLook,
  }),
  /** @param model "NVIDIA H200" */
  noEncoder(model: string): Words {
    if (withoutEncoder.test(model)) {
      return { reason: "This model is built without a video encoder (NVENC).", remedy: null };
    }
    return {
      reason: "The driver offers no video encoder (NVENC) on it.",
      remedy:
        "If this model has one and Kinomill runs in a container: give the container all GPUs (--gpus all); drivers 570 and 580 refuse to encode where only some are visible.",
    };
  },
} as const;
