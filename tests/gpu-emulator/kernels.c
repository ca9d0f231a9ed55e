/* The kernels of FFmpeg's CUDA filters in the pretended libcuda.so.1: no PTX is ever run. Those
 * that are known by name, scaling and overlaying, are done in C; any other one is not found. */
#include "fakecuda.h"

struct CUmod_st {
  int x;
};

struct CUfunc_st {
  char name[128];
};

API CUresult cuModuleLoadData(CUmodule *m, const void *img) {
  long e = nvf_int("NVFAKE_MODULE_ERR", 0);
  (void)img;
  if (e) {
    nvf_log("\"ev\":\"cuModuleLoadData\",\"err\":%ld", e);
    return (CUresult)e;
  }
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
  const char *name;
  int bytes, planes;
  /* U and V lie in one plane, in turns. */
  int semiplanar;
} Format;

static const Format formats[] = {
    {"yuv420p", 1, 3, 0},      {"nv12", 1, 2, 1},        {"yuv444p", 1, 3, 0},
    {"p010le", 2, 2, 1},       {"p016le", 2, 2, 1},      {"yuv444p16le", 2, 3, 0},
    {"planar8", 1, 3, 0},      {"semiplanar8", 1, 2, 1}, {"semiplanar10", 2, 2, 1},
    {"semiplanar16", 2, 2, 1}, {"planar16", 2, 3, 0}};

static const Format *format_named(const char *s, size_t n) {
  for (unsigned i = 0; i < sizeof formats / sizeof *formats; i++)
    if (strlen(formats[i].name) == n && !memcmp(formats[i].name, s, n))
      return &formats[i];
  return NULL;
}

/* Takes Subsample_<algorithm>_<in>_<out>[_uv] apart; 0 when the name is another. */
static int parse_scale(const char *n, char algo[16], const Format **in, const Format **out,
                       int *uv) {
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
  }
  const char *c = b ? strchr(b + 1, '_') : NULL;
  if (!c)
    return 0;
  const char *d = strchr(c + 1, '_');
  size_t ol = d ? (size_t)(d - c - 1) : strlen(c + 1);
  *uv = d && !strcmp(d, "_uv");
  *in = format_named(b + 1, c - b - 1);
  *out = format_named(c + 1, ol);
  return *in && *out &&
         (!strcmp(algo, "Nearest") || !strcmp(algo, "Bilinear") || !strcmp(algo, "Bicubic") ||
          !strcmp(algo, "Lanczos"));
}

API CUresult cuModuleGetFunction(CUfunction *f, CUmodule m, const char *name) {
  char algo[16];
  const Format *i, *o;
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

static inline struct CUtex *texture(CUtexObject t) {
  return pointer_to(t);
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
  free(pointer_to(t));
  return 0;
}

/* Component c (0 is Y, 1 U, 2 V) at a whole position, in 16 bits. */
static inline unsigned read_sample(const Format *f, CUtexObject *tex, int c, int x, int y) {
  int pl = c == 0          ? 0
           : f->semiplanar ? 1
                           : c,
      off = f->semiplanar && c ? c - 1 : 0, st = f->semiplanar && c ? 2 : 1;
  const CUDA_RESOURCE_DESC *r = &texture(tex[pl])->r;
  int w = (int)r->res.pitch2D.width, h = (int)r->res.pitch2D.height;
  x = x < 0 ? 0 : x >= w ? w - 1 : x;
  y = y < 0 ? 0 : y >= h ? h - 1 : y;
  const uint8_t *row =
      (uint8_t *)pointer_to(r->res.pitch2D.devPtr) + (size_t)y * r->res.pitch2D.pitchInBytes;
  return f->bytes == 2 ? ((const uint16_t *)row)[x * st + off] : row[x * st + off] * 257u;
}

static inline void write_sample(const Format *f, CUdeviceptr *dst, int pitch, int c, int x, int y,
                                unsigned v) {
  int pl = c == 0          ? 0
           : f->semiplanar ? 1
                           : c,
      off = f->semiplanar && c ? c - 1 : 0, st = f->semiplanar && c ? 2 : 1;
  uint8_t *row = (uint8_t *)pointer_to(dst[pl]) + (size_t)y * pitch;
  if (f->bytes == 2)
    ((uint16_t *)row)[x * st + off] =
        (!strcmp(f->name, "p010le") || !strcmp(f->name, "semiplanar10")) ? v & 0xffc0 : v;
  else
    row[x * st + off] = v >> 8;
}

/* a null texture (FFmpeg passes frames with no surface behind them when NVDEC ran out) is what a
 * GPU calls an illegal address */
static int has_null_texture(const Format *f, CUtexObject *t) {
  for (int i = 0; i < f->planes; i++)
    if (!t[i] || texture(t[i])->r.res.pitch2D.devPtr < (1u << 24))
      return 1;
  return 0;
}

static void scale(const Format *in, const Format *out, int nearest, int uv, CUtexObject *tex,
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
          v = read_sample(in, tex, c, (int)(fx + 0.5f), (int)(fy + 0.5f));
        else {
          float a =
              read_sample(in, tex, c, x0, y0) * (1 - wx) + read_sample(in, tex, c, x0 + 1, y0) * wx;
          float b = read_sample(in, tex, c, x0, y0 + 1) * (1 - wx) +
                    read_sample(in, tex, c, x0 + 1, y0 + 1) * wx;
          v = (unsigned)(a * (1 - wy) + b * wy + 0.5f);
        }
        write_sample(out, dst, pitch, c, x, y, v > 65535 ? 65535 : v);
      }
    }
}

/* FFmpeg 8 and newer pass one struct. */
struct ScaleParams {
  CUtexObject tex[4];
  CUdeviceptr dst[4];
  int dw, dh, pitch, sl, st, sw, sh;
  float param;
  int range;
};

API CUresult cuLaunchKernel(CUfunction f, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
                            unsigned by, unsigned bz, unsigned sm, CUstream s, void **k,
                            void **ex) {
  static long launches;
  char algo[16];
  const Format *in, *out;
  int uv;
  long e = nvf_int("NVFAKE_LAUNCH_ERR", 0);
  if (launches++ >= nvf_int("NVFAKE_LAUNCH_AFTER", 0) && e)
    return (CUresult)e;
  (void)gz;
  (void)bz;
  (void)sm;
  (void)s;
  (void)ex;
  if (parse_scale(f->name, algo, &in, &out, &uv)) {
    int near = !strcmp(algo, "Nearest");
    /* FFmpeg 7 and older pass fourteen arguments, which then lie eight bytes apart. */
    int old = (char *)k[1] == (char *)k[0] + 8;
    if (has_null_texture(in, old ? (CUtexObject *)k[0] : ((struct ScaleParams *)k[0])->tex)) {
      nvf_log("\"ev\":\"illegal_address\",\"fn\":\"%s\"", f->name);
      return ERROR_ILLEGAL_ADDRESS;
    }
    if (old)
      scale(in, out, near, uv, k[0], k[4], *(int *)k[8], *(int *)k[9], *(int *)k[10], 0, 0,
            *(int *)k[11], *(int *)k[12]);
    else {
      struct ScaleParams *p = k[0];
      scale(in, out, near, uv, p->tex, p->dst, p->dw, p->dh, p->pitch, p->sl, p->st, p->sw, p->sh);
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
