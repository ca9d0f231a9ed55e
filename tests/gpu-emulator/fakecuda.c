/* fakecuda.c - a pretend libcuda.so.1: device memory is host memory, streams are
 * synchronous, and the handful of kernels FFmpeg's CUDA filters launch are
 * recognised BY NAME and done in C (no PTX is ever executed). TEST USE ONLY. */
#include "nvfake.h"
#include <ffnvcodec/dynlink_cuda.h>
#include <pthread.h>

#define API __attribute__((visibility("default")))

/* The codes of cuda.h; the header that FFmpeg builds with names only a few of them. */
#define ERROR_INVALID_VALUE ((CUresult)1)
#define ERROR_OUT_OF_MEMORY ((CUresult)2)
#define ERROR_NOT_INITIALIZED ((CUresult)3)
#define ERROR_NO_DEVICE ((CUresult)100)
#define ERROR_INVALID_DEVICE ((CUresult)101)
#define ERROR_INVALID_CONTEXT ((CUresult)201)
#define ERROR_NOT_FOUND ((CUresult)500)
#define ERROR_ILLEGAL_ADDRESS ((CUresult)700)
#define ERROR_NOT_SUPPORTED ((CUresult)801)
#define ERROR_UNKNOWN ((CUresult)999)

struct CUctx_st {
  int dev, phys, primary;
};

struct CUmod_st {
  int x;
};

struct CUfunc_st {
  char name[128];
};

struct CUstream_st {
  int x;
};

struct CUevent_st {
  int x;
};

struct CUarray_st {
  void *p;
};

static NvfGpu gpus[NVF_MAXGPU];
static int ngpu, inited;
static struct CUctx_st prim[NVF_MAXGPU];
static int prim_ref[NVF_MAXGPU];
static unsigned prim_flags[NVF_MAXGPU];
static __thread CUcontext stk[32];
static __thread int sp;
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static size_t used;

static const struct {
  int c;
  const char *n, *s;
} errs[] = {
    {0, "CUDA_SUCCESS", "no error"},
    {1, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {2, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {3, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {46, "CUDA_ERROR_DEVICE_UNAVAILABLE", "CUDA-capable device(s) is/are busy or unavailable"},
    {100, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {101, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {201, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {214, "CUDA_ERROR_ECC_UNCORRECTABLE", "uncorrectable ECC error encountered"},
    {500, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {700, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {719, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {801, "CUDA_ERROR_NOT_SUPPORTED", "operation not supported"},
    {802, "CUDA_ERROR_SYSTEM_NOT_READY", "system not yet initialized"},
    {803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
     "system has unsupported display driver / cuda driver combination"},
    {804, "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE",
     "forward compatibility was attempted on non supported HW"},
    {999, "CUDA_ERROR_UNKNOWN", "unknown error"},
};

API CUresult cuGetErrorName(CUresult e, const char **p) {
  for (unsigned i = 0; i < sizeof errs / sizeof *errs; i++)
    if (errs[i].c == (int)e) {
      *p = errs[i].n;
      return 0;
    }
  *p = NULL;
  return ERROR_INVALID_VALUE;
}

API CUresult cuGetErrorString(CUresult e, const char **p) {
  for (unsigned i = 0; i < sizeof errs / sizeof *errs; i++)
    if (errs[i].c == (int)e) {
      *p = errs[i].s;
      return 0;
    }
  *p = NULL;
  return ERROR_INVALID_VALUE;
}

API CUresult cuInit(unsigned f) {
  (void)f;
  long e = nvf_int("NVFAKE_CUINIT", 0);
  if (e) {
    nvf_log("\"ev\":\"cuInit\",\"err\":%ld", e);
    return (CUresult)e;
  }
  pthread_mutex_lock(&mu);
  ngpu = nvf_visible(gpus);
  inited = 1;
  for (int i = 0; i < ngpu; i++)
    prim[i] = (struct CUctx_st){i, gpus[i].phys, 1};
  pthread_mutex_unlock(&mu);
  return ngpu ? CUDA_SUCCESS : ERROR_NO_DEVICE;
}

#define NEED_INIT()                                                                                \
  do {                                                                                             \
    if (!inited)                                                                                   \
      return ERROR_NOT_INITIALIZED;                                                                          \
  } while (0)
#define NEED_DEV(d)                                                                                \
  do {                                                                                             \
    NEED_INIT();                                                                                   \
    if ((d) < 0 || (d) >= ngpu)                                                                    \
      return ERROR_INVALID_DEVICE;                                                                   \
  } while (0)

API CUresult cuDriverGetVersion(int *v) {
  *v = (int)nvf_int("NVFAKE_CUDA_VERSION", 12080);
  return 0;
}

API CUresult cuDeviceGetCount(int *n) {
  NEED_INIT();
  *n = ngpu;
  return 0;
}

API CUresult cuDeviceGet(CUdevice *d, int i) {
  NEED_DEV(i);
  *d = i;
  return 0;
}

API CUresult cuDeviceGetName(char *s, int n, CUdevice d) {
  NEED_DEV(d);
  snprintf(s, n, "%s", gpus[d].name);
  return 0;
}

API CUresult cuDeviceComputeCapability(int *a, int *b, CUdevice d) {
  NEED_DEV(d);
  *a = gpus[d].major;
  *b = gpus[d].minor;
  return 0;
}

API CUresult cuDeviceGetUuid(CUuuid *u, CUdevice d) {
  static const unsigned char base[10] = {0xfa, 0x4e, 0, 0, 0, 0, 0x40, 0, 0x80, 0};
  NEED_DEV(d);
  memset(u, 0, 16);
  memcpy(u->bytes, base, 10);
  u->bytes[15] = (char)gpus[d].phys;
  return 0;
}

API CUresult cuDeviceGetUuid_v2(CUuuid *u, CUdevice d) {
  return cuDeviceGetUuid(u, d);
}

API CUresult cuDeviceGetLuid(char *l, unsigned *m, CUdevice d) {
  (void)l;
  (void)m;
  (void)d;
  return ERROR_NOT_SUPPORTED;
}

API CUresult cuDeviceGetPCIBusId(char *s, int n, CUdevice d) {
  NEED_DEV(d);
  snprintf(s, n, "0000:%02X:00.0", gpus[d].phys + 1);
  return 0;
}

API CUresult cuDeviceGetByPCIBusId(CUdevice *d, const char *s) {
  unsigned a, b;
  NEED_INIT();
  if (sscanf(s, "%x:%x", &a, &b) != 2)
    return ERROR_INVALID_VALUE;
  for (int i = 0; i < ngpu; i++)
    if (gpus[i].phys + 1 == (int)b) {
      *d = i;
      return 0;
    }
  return ERROR_INVALID_DEVICE;
}

API CUresult cuDeviceGetAttribute(int *v, CUdevice_attribute a, CUdevice d) {
  NEED_DEV(d);
  switch (a) {
  case CU_DEVICE_ATTRIBUTE_TEXTURE_ALIGNMENT:
    *v = 512;
    break;
  case CU_DEVICE_ATTRIBUTE_TEXTURE_PITCH_ALIGNMENT:
    *v = 32;
    break;
  case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT:
    *v = 58;
    break;
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR:
    *v = gpus[d].major;
    break;
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR:
    *v = gpus[d].minor;
    break;
  case CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING:
  case CU_DEVICE_ATTRIBUTE_MANAGED_MEMORY:
    *v = 1;
    break;
  case CU_DEVICE_ATTRIBUTE_PCI_BUS_ID:
    *v = gpus[d].phys + 1;
    break;
  default:
    *v = 0;
  }
  return 0;
}

/* ---- contexts ---- */
API CUresult cuCtxCreate_v2(CUcontext *c, unsigned f, CUdevice d) {
  (void)f;
  NEED_DEV(d);
  if (nvf_lost(gpus[d].phys)) {
    nvf_log("\"ev\":\"cuCtxCreate\",\"gpu\":%d,\"err\":999", gpus[d].phys);
    return ERROR_UNKNOWN;
  }
  *c = calloc(1, sizeof **c);
  (*c)->dev = d;
  (*c)->phys = gpus[d].phys;
  if (sp < 32)
    stk[sp++] = *c;
  nvf_log("\"ev\":\"ctx\",\"gpu\":%d", gpus[d].phys);
  return 0;
}

API CUresult cuCtxDestroy_v2(CUcontext c) {
  if (!c)
    return ERROR_INVALID_CONTEXT;
  if (!c->primary)
    free(c);
  return 0;
}

API CUresult cuCtxPushCurrent_v2(CUcontext c) {
  if (!c || sp >= 32)
    return ERROR_INVALID_CONTEXT;
  stk[sp++] = c;
  return 0;
}

API CUresult cuCtxPopCurrent_v2(CUcontext *c) {
  if (sp <= 0)
    return ERROR_INVALID_CONTEXT;
  *c = stk[--sp];
  return 0;
}

API CUresult cuCtxGetCurrent(CUcontext *c) {
  *c = sp ? stk[sp - 1] : NULL;
  return 0;
}

API CUresult cuCtxGetDevice(CUdevice *d) {
  if (!sp)
    return ERROR_INVALID_CONTEXT;
  *d = stk[sp - 1]->dev;
  return 0;
}

API CUresult cuCtxSetLimit(CUlimit l, size_t v) {
  (void)l;
  (void)v;
  return 0;
}

API CUresult cuDevicePrimaryCtxRetain(CUcontext *c, CUdevice d) {
  NEED_DEV(d);
  if (nvf_lost(gpus[d].phys))
    return ERROR_UNKNOWN;
  prim_ref[d]++;
  *c = &prim[d];
  return 0;
}

API CUresult cuDevicePrimaryCtxRelease(CUdevice d) {
  NEED_DEV(d);
  prim_ref[d]--;
  return 0;
}

API CUresult cuDevicePrimaryCtxSetFlags(CUdevice d, unsigned f) {
  NEED_DEV(d);
  prim_flags[d] = f;
  return 0;
}

API CUresult cuDevicePrimaryCtxGetState(CUdevice d, unsigned *f, int *a) {
  NEED_DEV(d);
  *f = prim_flags[d];
  *a = prim_ref[d] > 0;
  return 0;
}

API CUresult cuDevicePrimaryCtxReset(CUdevice d) {
  NEED_DEV(d);
  return 0;
}

/* not part of CUDA: lets the fake NVENC library learn which GPU a context is on */
API int nvfake_ctx_phys(CUcontext c) {
  return c ? c->phys : -1;
}

API int nvfake_ctx_gpu(CUcontext c, NvfGpu *g) {
  if (!c)
    return -1;
  *g = gpus[c->dev];
  return 0;
}

/* ---- memory: 64-byte header holds the size ---- */
static CUresult dalloc(CUdeviceptr *p, size_t n) {
  long cap = nvf_int("NVFAKE_VRAM_MB", 0);
  pthread_mutex_lock(&mu);
  int oom = cap && used + n > (size_t)cap << 20;
  if (!oom)
    used += n;
  pthread_mutex_unlock(&mu);
  if (oom) {
    nvf_log("\"ev\":\"cuMemAlloc\",\"bytes\":%zu,\"err\":2", n);
    return ERROR_OUT_OF_MEMORY;
  }
  char *m = aligned_alloc(512, (n + 1024 + 511) & ~(size_t)511);
  if (!m)
    return ERROR_OUT_OF_MEMORY;
  *(size_t *)m = n;
  *p = (CUdeviceptr)(uintptr_t)(m + 512);
  return 0;
}

API CUresult cuMemAlloc_v2(CUdeviceptr *p, size_t n) {
  return dalloc(p, n);
}

API CUresult cuMemAllocManaged(CUdeviceptr *p, size_t n, unsigned f) {
  (void)f;
  return dalloc(p, n);
}

API CUresult cuMemAllocPitch_v2(CUdeviceptr *p, size_t *pitch, size_t w, size_t h, unsigned es) {
  (void)es;
  *pitch = (w + 511) & ~(size_t)511;
  return dalloc(p, *pitch * h);
}

API CUresult cuMemFree_v2(CUdeviceptr p) {
  if (!p)
    return ERROR_INVALID_VALUE;
  char *m = (char *)(uintptr_t)p - 512;
  pthread_mutex_lock(&mu);
  used -= *(size_t *)m;
  pthread_mutex_unlock(&mu);
  free(m);
  return 0;
}

#define P(x) ((void *)(uintptr_t)(x))

API CUresult cuMemsetD8Async(CUdeviceptr d, unsigned char c, size_t n, CUstream s) {
  (void)s;
  memset(P(d), c, n);
  return 0;
}

API CUresult cuMemcpy(CUdeviceptr d, CUdeviceptr s, size_t n) {
  memmove(P(d), P(s), n);
  return 0;
}

API CUresult cuMemcpyAsync(CUdeviceptr d, CUdeviceptr s, size_t n, CUstream t) {
  (void)t;
  return cuMemcpy(d, s, n);
}

API CUresult cuMemcpyHtoD_v2(CUdeviceptr d, const void *s, size_t n) {
  memcpy(P(d), s, n);
  return 0;
}

API CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr d, const void *s, size_t n, CUstream t) {
  (void)t;
  memcpy(P(d), s, n);
  return 0;
}

API CUresult cuMemcpyDtoH_v2(void *d, CUdeviceptr s, size_t n) {
  memcpy(d, P(s), n);
  return 0;
}

API CUresult cuMemcpyDtoHAsync_v2(void *d, CUdeviceptr s, size_t n, CUstream t) {
  (void)t;
  memcpy(d, P(s), n);
  return 0;
}

API CUresult cuMemcpyDtoD_v2(CUdeviceptr d, CUdeviceptr s, size_t n) {
  return cuMemcpy(d, s, n);
}

API CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr d, CUdeviceptr s, size_t n, CUstream t) {
  (void)t;
  return cuMemcpy(d, s, n);
}

API CUresult cuMemcpy2D_v2(const CUDA_MEMCPY2D *c) {
  const char *s = c->srcMemoryType == CU_MEMORYTYPE_HOST    ? c->srcHost
                  : c->srcMemoryType == CU_MEMORYTYPE_ARRAY ? c->srcArray->p
                                                            : P(c->srcDevice);
  char *d = c->dstMemoryType == CU_MEMORYTYPE_HOST    ? c->dstHost
            : c->dstMemoryType == CU_MEMORYTYPE_ARRAY ? c->dstArray->p
                                                      : P(c->dstDevice);
  s += c->srcY * c->srcPitch + c->srcXInBytes;
  d += c->dstY * c->dstPitch + c->dstXInBytes;
  for (size_t y = 0; y < c->Height; y++)
    memmove(d + y * c->dstPitch, s + y * c->srcPitch, c->WidthInBytes);
  return 0;
}

API CUresult cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D *c, CUstream t) {
  (void)t;
  return cuMemcpy2D_v2(c);
}
/* ---- streams, events ---- */
static struct CUstream_st one_stream;
static struct CUevent_st one_event;

API CUresult cuStreamCreate(CUstream *s, unsigned f) {
  (void)f;
  *s = &one_stream;
  return 0;
}

API CUresult cuStreamDestroy_v2(CUstream s) {
  (void)s;
  return 0;
}

API CUresult cuStreamQuery(CUstream s) {
  (void)s;
  return 0;
}

API CUresult cuStreamSynchronize(CUstream s) {
  (void)s;
  return 0;
}

API CUresult cuStreamWaitEvent(CUstream s, CUevent e, unsigned f) {
  (void)s;
  (void)e;
  (void)f;
  return 0;
}

API CUresult cuStreamAddCallback(CUstream s, CUstreamCallback *cb, void *u, unsigned f) {
  (void)f;
  cb(s, 0, u);
  return 0;
}

API CUresult cuEventCreate(CUevent *e, unsigned f) {
  (void)f;
  *e = &one_event;
  return 0;
}

API CUresult cuEventDestroy_v2(CUevent e) {
  (void)e;
  return 0;
}

API CUresult cuEventSynchronize(CUevent e) {
  (void)e;
  return 0;
}

API CUresult cuEventQuery(CUevent e) {
  (void)e;
  return 0;
}

API CUresult cuEventRecord(CUevent e, CUstream s) {
  (void)e;
  (void)s;
  return 0;
}

/* ---- modules and the kernels known by name ---- */
API CUresult cuModuleLoadData(CUmodule *m, const void *img) {
  (void)img;
  *m = calloc(1, sizeof **m);
  return 0;
}

API CUresult cuModuleUnload(CUmodule m) {
  free(m);
  return 0;
}

API CUresult cuModuleGetGlobal(CUdeviceptr *d, size_t *n, CUmodule m, const char *s) {
  (void)d;
  (void)n;
  (void)m;
  (void)s;
  return ERROR_NOT_FOUND;
}

typedef struct {
  const char *n;
  int bps, shift, planes, semi, cw, ch;
} Fmt; /* shift: bits above 8.. kept in the MSBs */

static const Fmt fmts[] = {{"yuv420p", 1, 0, 3, 0, 1, 1},      {"nv12", 1, 0, 2, 1, 1, 1},
                           {"yuv444p", 1, 0, 3, 0, 0, 0},      {"p010le", 2, 0, 2, 1, 1, 1},
                           {"p016le", 2, 0, 2, 1, 1, 1},       {"yuv444p16le", 2, 0, 3, 0, 0, 0},
                           {"planar8", 1, 0, 3, 0, 1, 1},      {"semiplanar8", 1, 0, 2, 1, 1, 1},
                           {"semiplanar10", 2, 0, 2, 1, 1, 1}, {"semiplanar16", 2, 0, 2, 1, 1, 1},
                           {"planar16", 2, 0, 3, 0, 0, 0} /* FFmpeg 9 class names */};

static const Fmt *fmt_by(const char *s, size_t n) {
  for (unsigned i = 0; i < sizeof fmts / sizeof *fmts; i++)
    if (strlen(fmts[i].n) == n && !memcmp(fmts[i].n, s, n))
      return &fmts[i];
  return NULL;
}

/* Subsample_<Algo>_<in>_<out>[_uv] */
static int parse_scale(const char *n, char algo[16], const Fmt **in, const Fmt **out, int *uv) {
  if (strncmp(n, "Subsample_", 10))
    return 0;
  const char *a = n + 10, *b = strchr(a, '_');
  if (!b || b - a > 15)
    return 0;
  memcpy(algo, a, b - a);
  algo[b - a] = 0;
  if (!strcmp(algo, "Generic")) {
    strcpy(algo, "Bilinear");
    b = strchr(b + 1, '_');
  } /* FFmpeg 9: separable passes Generic_h / Generic_v */
  const char *c = b ? strchr(b + 1, '_') : NULL;
  if (!c)
    return 0;
  const char *d = strchr(c + 1, '_');
  size_t ol = d ? (size_t)(d - c - 1) : strlen(c + 1);
  *uv = d && !strcmp(d, "_uv");
  *in = fmt_by(b + 1, c - b - 1);
  *out = fmt_by(c + 1, ol);
  return *in && *out &&
         (!strcmp(algo, "Nearest") || !strcmp(algo, "Bilinear") || !strcmp(algo, "Bicubic") ||
          !strcmp(algo, "Lanczos"));
}

API CUresult cuModuleGetFunction(CUfunction *f, CUmodule m, const char *name) {
  char algo[16];
  const Fmt *i, *o;
  int uv;
  (void)m;
  if (!parse_scale(name, algo, &i, &o, &uv) && strcmp(name, "Overlay_Cuda")) {
    nvf_log("\"ev\":\"kernel_unknown\",\"name\":\"%s\"", name);
    return ERROR_NOT_FOUND;
  }
  *f = calloc(1, sizeof **f);
  snprintf((*f)->name, sizeof(*f)->name, "%s", name);
  return 0;
}

struct CUtex {
  CUDA_RESOURCE_DESC r;
};

static inline struct CUtex *T(CUtexObject t) {
  return P(t);
}

API CUresult cuTexObjectCreate(CUtexObject *t, const CUDA_RESOURCE_DESC *r,
                               const CUDA_TEXTURE_DESC *td, const CUDA_RESOURCE_VIEW_DESC *v) {
  (void)td;
  (void)v;
  struct CUtex *x = malloc(sizeof *x);
  x->r = *r;
  *t = (CUtexObject)(uintptr_t)x;
  return 0;
}

API CUresult cuTexObjectDestroy(CUtexObject t) {
  free(P(t));
  return 0;
}

/* component c (0 Y, 1 U, 2 V) of fmt at integer position, as 16 bit */
static inline unsigned get(const Fmt *f, CUtexObject *tex, int c, int x, int y) {
  int pl = c == 0 ? 0 : f->semi ? 1 : c, off = f->semi && c ? c - 1 : 0, st = f->semi && c ? 2 : 1;
  const CUDA_RESOURCE_DESC *r = &T(tex[pl])->r;
  int w = (int)r->res.pitch2D.width, h = (int)r->res.pitch2D.height;
  x = x < 0 ? 0 : x >= w ? w - 1 : x;
  y = y < 0 ? 0 : y >= h ? h - 1 : y;
  const uint8_t *row =
      (uint8_t *)P(r->res.pitch2D.devPtr) + (size_t)y * r->res.pitch2D.pitchInBytes;
  return f->bps == 2 ? ((const uint16_t *)row)[x * st + off] : row[x * st + off] * 257u;
}

static inline void put(const Fmt *f, CUdeviceptr *dst, int pitch, int c, int x, int y, unsigned v) {
  int pl = c == 0 ? 0 : f->semi ? 1 : c, off = f->semi && c ? c - 1 : 0, st = f->semi && c ? 2 : 1;
  uint8_t *row = (uint8_t *)P(dst[pl]) + (size_t)y * pitch;
  if (f->bps == 2)
    ((uint16_t *)row)[x * st + off] =
        (!strcmp(f->n, "p010le") || !strcmp(f->n, "semiplanar10")) ? v & 0xffc0 : v;
  else
    row[x * st + off] = v >> 8;
}

/* a null texture (FFmpeg passes frames with no surface behind them when NVDEC ran out) is what a
 * GPU calls an illegal address */
static int bad_tex(const Fmt *f, CUtexObject *t) {
  for (int i = 0; i < f->planes; i++)
    if (!t[i] || T(t[i])->r.res.pitch2D.devPtr < (1u << 24))
      return 1;
  return 0;
}

static void k_scale(const Fmt *in, const Fmt *out, int nearest, int uv, CUtexObject *tex,
                    CUdeviceptr *dst, int dw, int dh, int pitch, int sl, int stp, int sw, int sh) {
  for (int c = uv ? 1 : 0; c <= (uv ? 2 : 0); c++)
    for (int y = 0; y < dh; y++) {
      float fy = (y + 0.5f) * sh / dh - 0.5f + stp;
      int y0 = (int)(fy + 1) - 1;
      float wy = fy - y0;
      for (int x = 0; x < dw; x++) {
        float fx = (x + 0.5f) * sw / dw - 0.5f + sl;
        int x0 = (int)(fx + 1) - 1;
        float wx = fx - x0;
        unsigned v;
        if (nearest)
          v = get(in, tex, c, (int)(fx + 0.5f), (int)(fy + 0.5f));
        else {
          float a = get(in, tex, c, x0, y0) * (1 - wx) + get(in, tex, c, x0 + 1, y0) * wx;
          float b = get(in, tex, c, x0, y0 + 1) * (1 - wx) + get(in, tex, c, x0 + 1, y0 + 1) * wx;
          v = (unsigned)(a * (1 - wy) + b * wy + 0.5f);
        }
        put(out, dst, pitch, c, x, y, v > 65535 ? 65535 : v);
      }
    }
}

struct ScaleParams {
  CUtexObject tex[4];
  CUdeviceptr dst[4];
  int dw, dh, pitch, sl, st, sw, sh;
  float param;
  int range;
}; /* FFmpeg >= 8 passes one struct */

API CUresult cuLaunchKernel(CUfunction f, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
                            unsigned by, unsigned bz, unsigned sm, CUstream s, void **k,
                            void **ex) {
  char algo[16];
  const Fmt *in, *out;
  int uv;
  (void)gz;
  (void)bz;
  (void)sm;
  (void)s;
  (void)ex;
  if (parse_scale(f->name, algo, &in, &out, &uv)) {
    int near = !strcmp(algo, "Nearest");
    int old = (char *)k[1] == (char *)k[0] + 8; /* FFmpeg <= 7: 14 separate arguments */
    if (bad_tex(in, old ? (CUtexObject *)k[0] : ((struct ScaleParams *)k[0])->tex)) {
      nvf_log("\"ev\":\"illegal_address\",\"fn\":\"%s\"", f->name);
      return ERROR_ILLEGAL_ADDRESS;
    }
    if (old)
      k_scale(in, out, near, uv, k[0], k[4], *(int *)k[8], *(int *)k[9], *(int *)k[10], 0, 0,
              *(int *)k[11], *(int *)k[12]);
    else {
      struct ScaleParams *p = k[0];
      k_scale(in, out, near, uv, p->tex, p->dst, p->dw, p->dh, p->pitch, p->sl, p->st, p->sw,
              p->sh);
    }
    return 0;
  }
  if (!strcmp(f->name, "Overlay_Cuda")) {
    int px = *(int *)k[0], py = *(int *)k[1], mls = *(int *)k[3], ols = *(int *)k[5],
        ow = *(int *)k[6], oh = *(int *)k[7], als = *(int *)k[9], ax = *(int *)k[10],
        ay = *(int *)k[11];
    uint8_t *m = *(uint8_t **)k[2], *o = *(uint8_t **)k[4], *al = *(uint8_t **)k[8];
    int mw = (int)(gx * bx), mh = (int)(gy * by);
    if (mw > mls)
      mw = mls;
    for (int y = 0; y < oh; y++)
      for (int x = 0; x < ow; x++) {
        int X = x + px, Y = y + py;
        if (X < 0 || Y < 0 || X >= mw || Y >= mh)
          continue;
        unsigned a = al ? al[(size_t)y * ay * als + x * ax] : 255;
        uint8_t *d = &m[(size_t)Y * mls + X];
        *d = (uint8_t)((o[(size_t)y * ols + x] * a + *d * (255 - a)) / 255);
      }
    return 0;
  }
  return ERROR_NOT_SUPPORTED;
}

/* ---- symbols that must exist but are never used on the paths we emulate ---- */
#define STUB(n)                                                                                    \
  API CUresult n(void) {                                                                           \
    nvf_log("\"ev\":\"stub\",\"fn\":\"" #n "\"");                                                  \
    return ERROR_NOT_SUPPORTED;                                                                     \
  }
STUB(cuLinkCreate)
STUB(cuLinkAddData) STUB(cuLinkComplete) STUB(cuLinkDestroy) STUB(cuGLGetDevices_v2)
    STUB(cuGraphicsGLRegisterImage) STUB(cuGraphicsUnregisterResource) STUB(cuGraphicsMapResources)
        STUB(cuGraphicsUnmapResources) STUB(cuGraphicsSubResourceGetMappedArray)
            STUB(cuGraphicsResourceGetMappedPointer_v2) STUB(cuArrayCreate_v2)
                STUB(cuArray3DCreate_v2) STUB(cuArrayDestroy)
