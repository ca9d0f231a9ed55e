/* What the pretended libraries and the pretended nvidia-smi share: their settings, the list of
 * GPUs, the state between processes and the log. For tests alone: this pretends to be a GPU and is
 * none.
 *
 * Environment, read when it is needed:
 *
 *   NVFAKE_GPUS            "name,compute capability,MiB,codecs[,encoders];…"; codecs: h264+hevc+av1
 *                          or none. Without it: "NVIDIA L4,8.9,23034,h264+hevc+av1,2".
 *   NVFAKE_STATE           Folder for locks and controls; without it /tmp/nvfake-state.
 *   NVFAKE_LOG             File that gets a line of JSON for each event at the driver.
 *   NVFAKE_DRIVER          Version of the driver; without it 570.133.07.
 *   NVFAKE_API             Highest version of NVENC's interface; without it 13.0.
 *   NVFAKE_MIG             Number of the GPU that MIG has split: CUDA does not see it.
 *   CUDA_VISIBLE_DEVICES   As the real driver has it: "1,0", "GPU-<uuid>"; "" and "-1" are none.
 *
 *   NVFAKE_CUINIT          CUDA error of cuInit: 100 is no device, 999 unknown, 803 a driver that
 *                          does not fit, 804 libraries that do not, 802 no fabric manager.
 *   NVFAKE_CTX_ERR         CUDA error of making a context.
 *   NVFAKE_VRAM_MB         MiB of device memory that one process may take.
 *   NVFAKE_USED_MB         MiB that other programs take, for nvidia-smi to tell.
 *   NVFAKE_MODULE_ERR      CUDA error of loading the code of a filter: 209, 221, 222.
 *   NVFAKE_LAUNCH_ERR      CUDA error of running a filter …
 *   NVFAKE_LAUNCH_AFTER    … from this run on; without it from the first.
 *
 *   NVFAKE_MAX_SESSIONS    Encode sessions that the whole system may have; without it 256.
 *   NVFAKE_OPEN_ERR        NVENCSTATUS of OpenEncodeSessionEx.
 *   NVFAKE_INIT_ERR        NVENCSTATUS of InitializeEncoder.
 *   NVFAKE_FAIL_AFTER      Pictures after which EncodePicture fails …
 *   NVFAKE_FAIL_CODE       … with this NVENCSTATUS; without it 20, generic.
 *   NVFAKE_CRASH_AFTER     Pictures after which the process aborts.
 *   NVFAKE_HANG_AFTER      Pictures after which a call never returns.
 *   NVFAKE_LOSE_AFTER      Pictures after which the GPU falls off the bus, for all that use it.
 *   NVFAKE_ONLY_GPU        Number of the one GPU on which the faults of NVENC above happen.
 *   NVFAKE_DELAY_MS        Further milliseconds for each picture; may have a fraction.
 *
 *   NVFAKE_NVDEC=none      The decoder supports nothing.
 *   NVFAKE_NVDEC_ERR       CUresult of cuvidCreateDecoder.
 *   NVFAKE_DEC_FAIL_AFTER  Pictures after which decoding fails …
 *   NVFAKE_DEC_FAIL_CODE   … with this CUresult; without it 999, unknown.
 *   NVFAKE_DEC_HANG_AFTER  Pictures after which decoding never returns.
 *
 *   NVFAKE_SMI             How nvidia-smi fails: fail, nolib, mismatch, denied, nonsense or hang.
 *
 * Files in NVFAKE_STATE, looked at for each picture:
 *   lost.<number>          That GPU has fallen off the bus.
 *   slow.<number>          Further milliseconds for each picture. */
#ifndef NVFAKE_H
#define NVFAKE_H
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NVF_MAXGPU 16
#define NVF_MAXSESS 256

enum { NVF_H264 = 1, NVF_HEVC = 2, NVF_AV1 = 4 };

typedef struct {
  char name[64];
  int major, minor;
  long mib;
  int codecs, engines, phys;
} NvfGpu;

static inline const char *nvf_env(const char *k, const char *d) {
  const char *v = getenv(k);
  return v && *v ? v : d;
}

static inline long nvf_int(const char *k, long d) {
  const char *v = getenv(k);
  return v && *v ? strtol(v, NULL, 0) : d;
}

static inline const char *nvf_state(void) {
  const char *s = nvf_env("NVFAKE_STATE", "/tmp/nvfake-state");
  mkdir(s, 0777);
  return s;
}

static inline void nvf_uuid(int phys, char out[64]) {
  snprintf(out, 64, "GPU-fa4e0000-0000-4000-8000-%012x", phys);
}

/* All GPUs of the machine, whatever CUDA_VISIBLE_DEVICES says. */
static inline int nvf_all(NvfGpu *g) {
  char *dup = strdup(nvf_env("NVFAKE_GPUS", "NVIDIA L4,8.9,23034,h264+hevc+av1,2")), *sv = NULL;
  int n = 0;
  for (char *t = strtok_r(dup, ";", &sv); t && n < NVF_MAXGPU; t = strtok_r(NULL, ";", &sv), n++) {
    char codecs[64] = "h264+hevc";
    NvfGpu *p = &g[n];
    memset(p, 0, sizeof *p);
    p->major = 8;
    p->minor = 6;
    p->mib = 8192;
    p->engines = 1;
    p->phys = n;
    sscanf(t, "%63[^,],%d.%d,%ld,%63[^,],%d", p->name, &p->major, &p->minor, &p->mib, codecs,
           &p->engines);
    p->codecs = (strstr(codecs, "h264") ? NVF_H264 : 0) | (strstr(codecs, "hevc") ? NVF_HEVC : 0) |
                (strstr(codecs, "av1") ? NVF_AV1 : 0);
    if (!p->codecs)
      p->engines = 0;
  }
  free(dup);
  return n;
}

static inline int nvf_split(int phys) {
  return nvf_int("NVFAKE_MIG", -1) == phys;
}

/* The GPUs as CUDA counts them in this process. */
static inline int nvf_visible(NvfGpu *g) {
  NvfGpu all[NVF_MAXGPU];
  int n = nvf_all(all), m = 0;
  const char *vis = getenv("CUDA_VISIBLE_DEVICES");
  if (!vis) {
    for (int i = 0; i < n; i++)
      if (!nvf_split(i))
        g[m++] = all[i];
    return m;
  }
  char *dup = strdup(vis), *sv = NULL;
  for (char *t = strtok_r(dup, ",", &sv); t && m < NVF_MAXGPU; t = strtok_r(NULL, ",", &sv)) {
    int idx = -1;
    if (!strncmp(t, "GPU-", 4)) {
      char u[64];
      for (int i = 0; i < n; i++) {
        nvf_uuid(i, u);
        if (!strncmp(u, t, strlen(t)))
          idx = i;
      }
    } else
      idx = atoi(t);
    /* CUDA stops at the first entry that is none. */
    if (idx < 0 || idx >= n || nvf_split(idx))
      break;
    g[m++] = all[idx];
  }
  free(dup);
  return m;
}

static inline int nvf_lost(int phys) {
  char p[512];
  snprintf(p, sizeof p, "%s/lost.%d", nvf_state(), phys);
  return access(p, F_OK) == 0;
}

static inline void nvf_lose(int phys) {
  char p[512];
  snprintf(p, sizeof p, "%s/lost.%d", nvf_state(), phys);
  int fd = open(p, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (fd >= 0)
    close(fd);
}

static inline double nvf_delay_ms(int phys) {
  char p[512], b[32] = "";
  double ms = atof(nvf_env("NVFAKE_DELAY_MS", "0"));
  snprintf(p, sizeof p, "%s/slow.%d", nvf_state(), phys);
  int fd = open(p, O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    if (read(fd, b, sizeof b - 1) > 0)
      ms += atof(b);
    close(fd);
  }
  return ms;
}

static inline int nvf_fault_here(int phys) {
  long o = nvf_int("NVFAKE_ONLY_GPU", -1);
  return o < 0 || o == phys;
}

/* Each live session locks a file: the kernel unlocks it when the process dies, however it dies. A
 * file that nvidia-smi looks at in this very moment is locked too, so the search is repeated a few
 * times. */
static inline int nvf_slot_take(long limit) {
  char path[512];
  if (limit < 0 || limit > NVF_MAXSESS)
    limit = NVF_MAXSESS;
  for (int round = 0; round < 5; round++) {
    for (long i = 0; i < limit; i++) {
      snprintf(path, sizeof path, "%s/sess.%03ld", nvf_state(), i);
      int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
      if (fd < 0)
        continue;
      if (!flock(fd, LOCK_EX | LOCK_NB)) {
        if (ftruncate(fd, 0)) {
        }
        return fd;
      }
      close(fd);
    }
    usleep(2000);
  }
  return -1;
}

static inline void nvf_slot_write(int fd, const char *fmt, ...) {
  char b[512];
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(b, sizeof b, fmt, ap);
  va_end(ap);
  if (fd >= 0 && n > 0 && pwrite(fd, b, n, 0) == n) {
    if (ftruncate(fd, n)) {
    }
  }
}

static inline void nvf_log(const char *fmt, ...) {
  const char *path = nvf_env("NVFAKE_LOG", NULL);
  if (!path)
    return;
  char b[2048];
  va_list ap;
  va_start(ap, fmt);
  struct timespec ts;
  clock_gettime(CLOCK_REALTIME, &ts);
  int n = snprintf(b, sizeof b, "{\"t\":%ld.%03ld,\"pid\":%d,", (long)ts.tv_sec,
                   ts.tv_nsec / 1000000, (int)getpid());
  n += vsnprintf(b + n, sizeof b - n - 3, fmt, ap);
  va_end(ap);
  if (n > (int)sizeof b - 3)
    n = sizeof b - 3;
  b[n++] = '}';
  b[n++] = '\n';
  int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (fd >= 0) {
    if (write(fd, b, n)) {
    }
    close(fd);
  }
}

static inline void nvf_sleep_ms(double ms) {
  if (ms <= 0)
    return;
  struct timespec ts = {(time_t)(ms / 1000), (long)((ms - (long)(ms / 1000) * 1000) * 1e6)};
  nanosleep(&ts, NULL);
}
#endif
