/* A pretended libcuda.so.1, for tests alone: devices, contexts, memory and streams. Device memory
 * is host memory, and everything is done when it is asked for. The kernels are in kernels.c. */
#include "fakecuda.h"
#include <pthread.h>

struct CUctx_st {
  int dev, phys, primary;
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
static int gpu_count, initialised;
static struct CUctx_st primary[NVF_MAXGPU];
static int primary_users[NVF_MAXGPU];
static unsigned primary_flags[NVF_MAXGPU];
static __thread CUcontext context_stack[32];
static __thread int context_depth;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static size_t used_bytes;

static const struct {
  int c;
  const char *n, *s;
} errors[] = {
    {0, "CUDA_SUCCESS", "no error"},
    {1, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {2, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {3, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {46, "CUDA_ERROR_DEVICE_UNAVAILABLE", "CUDA-capable device(s) is/are busy or unavailable"},
    {100, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {101, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {201, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {209, "CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image is available for execution on the device"},
    {214, "CUDA_ERROR_ECC_UNCORRECTABLE", "uncorrectable ECC error encountered"},
    {221, "CUDA_ERROR_JIT_COMPILER_NOT_FOUND", "PTX JIT compiler library not found"},
    {222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION",
     "the provided PTX was compiled with an unsupported toolchain."},
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
  for (unsigned i = 0; i < sizeof errors / sizeof *errors; i++)
    if (errors[i].c == (int)e) {
      *p = errors[i].n;
      return 0;
    }
  *p = NULL;
  return ERROR_INVALID_VALUE;
}

API CUresult cuGetErrorString(CUresult e, const char **p) {
  for (unsigned i = 0; i < sizeof errors / sizeof *errors; i++)
    if (errors[i].c == (int)e) {
      *p = errors[i].s;
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
  pthread_mutex_lock(&lock);
  gpu_count = nvf_visible(gpus);
  initialised = 1;
  for (int i = 0; i < gpu_count; i++)
    primary[i] = (struct CUctx_st){i, gpus[i].phys, 1};
  pthread_mutex_unlock(&lock);
  return gpu_count ? CUDA_SUCCESS : ERROR_NO_DEVICE;
}

#define NEED_INIT()                                                                                \
  do {                                                                                             \
    if (!initialised)                                                                              \
      return ERROR_NOT_INITIALIZED;                                                                \
  } while (0)
#define NEED_DEV(d)                                                                                \
  do {                                                                                             \
    NEED_INIT();                                                                                   \
    if ((d) < 0 || (d) >= gpu_count)                                                               \
      return ERROR_INVALID_DEVICE;                                                                 \
  } while (0)

API CUresult cuDriverGetVersion(int *v) {
  *v = (int)nvf_int("NVFAKE_CUDA_VERSION", 12080);
  return 0;
}

API CUresult cuDeviceGetCount(int *n) {
  NEED_INIT();
  *n = gpu_count;
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
  for (int i = 0; i < gpu_count; i++)
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

/* Contexts. */

API CUresult cuCtxCreate_v2(CUcontext *c, unsigned f, CUdevice d) {
  (void)f;
  NEED_DEV(d);
  if (nvf_lost(gpus[d].phys)) {
    nvf_log("\"ev\":\"cuCtxCreate\",\"gpu\":%d,\"err\":999", gpus[d].phys);
    return ERROR_UNKNOWN;
  }
  long e = nvf_int("NVFAKE_CTX_ERR", 0);
  if (e) {
    nvf_log("\"ev\":\"cuCtxCreate\",\"gpu\":%d,\"err\":%ld", gpus[d].phys, e);
    return (CUresult)e;
  }
  *c = calloc(1, sizeof **c);
  (*c)->dev = d;
  (*c)->phys = gpus[d].phys;
  if (context_depth < 32)
    context_stack[context_depth++] = *c;
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
  if (!c || context_depth >= 32)
    return ERROR_INVALID_CONTEXT;
  context_stack[context_depth++] = c;
  return 0;
}

API CUresult cuCtxPopCurrent_v2(CUcontext *c) {
  if (context_depth <= 0)
    return ERROR_INVALID_CONTEXT;
  *c = context_stack[--context_depth];
  return 0;
}

API CUresult cuCtxGetCurrent(CUcontext *c) {
  *c = context_depth ? context_stack[context_depth - 1] : NULL;
  return 0;
}

API CUresult cuCtxGetDevice(CUdevice *d) {
  if (!context_depth)
    return ERROR_INVALID_CONTEXT;
  *d = context_stack[context_depth - 1]->dev;
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
  primary_users[d]++;
  *c = &primary[d];
  return 0;
}

API CUresult cuDevicePrimaryCtxRelease(CUdevice d) {
  NEED_DEV(d);
  primary_users[d]--;
  return 0;
}

API CUresult cuDevicePrimaryCtxSetFlags(CUdevice d, unsigned f) {
  NEED_DEV(d);
  primary_flags[d] = f;
  return 0;
}

API CUresult cuDevicePrimaryCtxGetState(CUdevice d, unsigned *f, int *a) {
  NEED_DEV(d);
  *f = primary_flags[d];
  *a = primary_users[d] > 0;
  return 0;
}

API CUresult cuDevicePrimaryCtxReset(CUdevice d) {
  NEED_DEV(d);
  return 0;
}

/* Not of CUDA: from these the pretended NVENC learns which GPU a context is on. */
API int nvfake_ctx_phys(CUcontext c) {
  return c ? c->phys : -1;
}

API int nvfake_ctx_gpu(CUcontext c, NvfGpu *g) {
  if (!c)
    return -1;
  *g = gpus[c->dev];
  return 0;
}

/* Memory: the 512 bytes before each block hold its size. */

static CUresult allocate(CUdeviceptr *p, size_t n) {
  long cap = nvf_int("NVFAKE_VRAM_MB", 0);
  pthread_mutex_lock(&lock);
  int oom = cap && used_bytes + n > (size_t)cap << 20;
  if (!oom)
    used_bytes += n;
  pthread_mutex_unlock(&lock);
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
  return allocate(p, n);
}

API CUresult cuMemAllocManaged(CUdeviceptr *p, size_t n, unsigned f) {
  (void)f;
  return allocate(p, n);
}

API CUresult cuMemAllocPitch_v2(CUdeviceptr *p, size_t *pitch, size_t w, size_t h, unsigned es) {
  (void)es;
  *pitch = (w + 511) & ~(size_t)511;
  return allocate(p, *pitch * h);
}

API CUresult cuMemFree_v2(CUdeviceptr p) {
  if (!p)
    return ERROR_INVALID_VALUE;
  char *m = (char *)(uintptr_t)p - 512;
  pthread_mutex_lock(&lock);
  used_bytes -= *(size_t *)m;
  pthread_mutex_unlock(&lock);
  free(m);
  return 0;
}

API CUresult cuMemsetD8Async(CUdeviceptr d, unsigned char c, size_t n, CUstream s) {
  (void)s;
  memset(pointer_to(d), c, n);
  return 0;
}

API CUresult cuMemcpy(CUdeviceptr d, CUdeviceptr s, size_t n) {
  memmove(pointer_to(d), pointer_to(s), n);
  return 0;
}

API CUresult cuMemcpyAsync(CUdeviceptr d, CUdeviceptr s, size_t n, CUstream t) {
  (void)t;
  return cuMemcpy(d, s, n);
}

API CUresult cuMemcpyHtoD_v2(CUdeviceptr d, const void *s, size_t n) {
  memcpy(pointer_to(d), s, n);
  return 0;
}

API CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr d, const void *s, size_t n, CUstream t) {
  (void)t;
  memcpy(pointer_to(d), s, n);
  return 0;
}

API CUresult cuMemcpyDtoH_v2(void *d, CUdeviceptr s, size_t n) {
  memcpy(d, pointer_to(s), n);
  return 0;
}

API CUresult cuMemcpyDtoHAsync_v2(void *d, CUdeviceptr s, size_t n, CUstream t) {
  (void)t;
  memcpy(d, pointer_to(s), n);
  return 0;
}

API CUresult cuMemcpyDtoD_v2(CUdeviceptr d, CUdeviceptr s, size_t n) {
  return cuMemcpy(d, s, n);
}

API CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr d, CUdeviceptr s, size_t n, CUstream t) {
  (void)t;
  return cuMemcpy(d, s, n);
}

/* Whether frames go up to the card or down from it is said once: no test counts them. */
static void note_crossing(const CUDA_MEMCPY2D *c) {
  static int up, down;
  int from_host = c->srcMemoryType == CU_MEMORYTYPE_HOST,
      to_host = c->dstMemoryType == CU_MEMORYTYPE_HOST;
  if (from_host && !to_host && !__atomic_exchange_n(&up, 1, __ATOMIC_RELAXED))
    nvf_log("\"ev\":\"copy_up\"");
  if (to_host && !from_host && !__atomic_exchange_n(&down, 1, __ATOMIC_RELAXED))
    nvf_log("\"ev\":\"copy_down\"");
}

API CUresult cuMemcpy2D_v2(const CUDA_MEMCPY2D *c) {
  note_crossing(c);
  const char *s = c->srcMemoryType == CU_MEMORYTYPE_HOST    ? c->srcHost
                  : c->srcMemoryType == CU_MEMORYTYPE_ARRAY ? c->srcArray->p
                                                            : pointer_to(c->srcDevice);
  char *d = c->dstMemoryType == CU_MEMORYTYPE_HOST    ? c->dstHost
            : c->dstMemoryType == CU_MEMORYTYPE_ARRAY ? c->dstArray->p
                                                      : pointer_to(c->dstDevice);
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
/* Streams and events: everything is done when it is asked for. */

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

/* Symbols that must be there and are not used on the paths that are pretended. */

#define STUB(n)                                                                                    \
  API CUresult n(void) {                                                                           \
    nvf_log("\"ev\":\"stub\",\"fn\":\"" #n "\"");                                                  \
    return ERROR_NOT_SUPPORTED;                                                                    \
  }
STUB(cuLinkCreate)
STUB(cuLinkAddData)
STUB(cuLinkComplete)
STUB(cuLinkDestroy) STUB(cuGLGetDevices_v2) STUB(cuGraphicsGLRegisterImage)
    STUB(cuGraphicsUnregisterResource) STUB(cuGraphicsMapResources) STUB(cuGraphicsUnmapResources)
        STUB(cuGraphicsSubResourceGetMappedArray) STUB(cuGraphicsResourceGetMappedPointer_v2)
            STUB(cuArrayCreate_v2) STUB(cuArray3DCreate_v2) STUB(cuArrayDestroy)
