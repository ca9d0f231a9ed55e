/* fakenvenc.c - a pretend libnvidia-encode.so.1 that encodes with libx264 (H.264)
 * and, when built with HAVE_X265 / HAVE_AOM, libx265 (HEVC) / libaom (AV1, no B-frames).  TEST USE
 * ONLY. Every struct field used here sits at the same offset in NVENC API 11.1, 12.1 and 13.0, so
 * one build serves FFmpeg 5.1 ... 9.0. */
#include "nvfake.h"
#define MASTERING_DISPLAY_INFO nv_mdi_t /* x265.h uses the same name for an enum value */
#include <ffnvcodec/nvEncodeAPI.h>
#undef MASTERING_DISPLAY_INFO
#if NVENCAPI_MAJOR_VERSION <                                                                       \
    12 /* Debian 12's headers: names that came with AV1 and split encoding (values as in 12.1) */
static const GUID NV_ENC_CODEC_AV1_GUID = {
    0x0a352289, 0x0aa7, 0x4759, {0x86, 0x2d, 0x5d, 0x15, 0xcd, 0x16, 0xd2, 0x54}};
#define SPLIT_MODE(p) 0
#else
#define SPLIT_MODE(p) ((p)->splitEncodeMode)
#endif
#include <pthread.h>
#include <x264.h>
#include <x265.h>

#include <aom/aom_encoder.h>
#include <aom/aomcx.h>

#define API __attribute__((visibility("default")))
typedef NVENCSTATUS S;
extern int nvfake_ctx_gpu(void *ctx, NvfGpu *g); /* in our libcuda.so.1 */

typedef struct {
  uint8_t *data;
  int w, h, pitch;
  NV_ENC_BUFFER_FORMAT fmt;
  int owned;
} Surf; /* input buffer or registered device memory */

typedef struct Out {
  uint8_t *data;
  size_t size, cap;
  int ready;
  uint64_t pts, dur;
  NV_ENC_PIC_TYPE type;
  uint32_t frame;
  int qp;
  struct Out *next;
} Out;

typedef struct Meta {
  int64_t pts;
  uint64_t dur;
  struct Meta *next;
} Meta;

typedef struct {
  NvfGpu gpu;
  int slot, codec, w, h, fpsn, fpsd, tuning, preset;
  NV_ENC_CONFIG cfg;
  int bframes;
  long pics, outs;
  char err[160];
  Out *qh, *qt;
  Meta *meta;
  int reopen_idr;
  x264_t *h4;
  x264_param_t p4;
  int csp4;
  const x265_api *a5;
  x265_encoder *h5;
  x265_param *p5;
  aom_codec_ctx_t a1;
  int a1_open;
  long a1_n;
  uint8_t *conv;
  size_t convcap;
  uint8_t hdr[1024];
  size_t hdrlen;
  int hdr_in_band;
} Enc;

static const GUID *presets[8] = {NULL,
                                 &NV_ENC_PRESET_P1_GUID,
                                 &NV_ENC_PRESET_P2_GUID,
                                 &NV_ENC_PRESET_P3_GUID,
                                 &NV_ENC_PRESET_P4_GUID,
                                 &NV_ENC_PRESET_P5_GUID,
                                 &NV_ENC_PRESET_P6_GUID,
                                 &NV_ENC_PRESET_P7_GUID};

static int geq(const GUID *a, const GUID *b) {
  return !memcmp(a, b, sizeof *a);
}

static int preset_no(const GUID *g) {
  for (int i = 1; i < 8; i++)
    if (geq(g, presets[i]))
      return i;
  return 0;
}

static int codec_of(const GUID *g) {
  return geq(g, &NV_ENC_CODEC_H264_GUID)   ? NVF_H264
         : geq(g, &NV_ENC_CODEC_HEVC_GUID) ? NVF_HEVC
         : geq(g, &NV_ENC_CODEC_AV1_GUID)  ? NVF_AV1
                                           : 0;
}

static const char *codec_name(int c) {
  return c == NVF_H264 ? "h264" : c == NVF_HEVC ? "hevc" : c == NVF_AV1 ? "av1" : "?";
}

static int can_encode(int c) {
  if (c == NVF_H264)
    return 1;
  if (c == NVF_HEVC)
    return 1;
  if (c == NVF_AV1)
    return 1;
  return 0;
}

static S fail(Enc *e, S s, const char *msg) {
  if (e)
    snprintf(e->err, sizeof e->err, "%s", msg);
  nvf_log("\"ev\":\"error\",\"status\":%d,\"msg\":\"%s\"", s, msg);
  return s;
}

static void api_max(unsigned *maj, unsigned *min) {
  *maj = 13;
  *min = 0;
  sscanf(nvf_env("NVFAKE_API", "13.0"), "%u.%u", maj, min);
}

/* ------------------------------------------------------------ session */
static S nv_open(NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS *p, void **out) {
  NvfGpu g;
  unsigned maj, min;
  *out = NULL;
  api_max(&maj, &min);
  unsigned amaj = p->apiVersion & 0xff, amin = p->apiVersion >> 24;
  if (amaj > maj || (amaj == maj && amin > min))
    return fail(NULL, NV_ENC_ERR_INVALID_VERSION, "client API newer than driver");
  if (p->deviceType != NV_ENC_DEVICE_TYPE_CUDA || nvfake_ctx_gpu(p->device, &g) < 0)
    return fail(NULL, NV_ENC_ERR_INVALID_ENCODERDEVICE, "no CUDA context");
  long oe = nvf_int("NVFAKE_OPEN_ERR", 0);
  if (oe && nvf_fault_here(g.phys))
    return fail(NULL, (S)oe, "injected open error");
  if (nvf_lost(g.phys))
    return fail(NULL, NV_ENC_ERR_DEVICE_NOT_EXIST, "GPU lost");
  if (!g.codecs)
    return fail(NULL, NV_ENC_ERR_UNSUPPORTED_DEVICE, "GPU has no NVENC");
  int slot = nvf_slot_take(nvf_int("NVFAKE_MAX_SESSIONS", -1));
  if (slot < 0)
    return fail(NULL, NV_ENC_ERR_OUT_OF_MEMORY, "session limit");
  Enc *e = calloc(1, sizeof *e);
  e->gpu = g;
  e->slot = slot;
  nvf_slot_write(slot, "pid=%d gpu=%d codec=? w=0 h=0 fps=0 vram=150\n", (int)getpid(), g.phys);
  nvf_log("\"ev\":\"open\",\"gpu\":%d,\"api\":\"%u.%u\"", g.phys, amaj, amin);
  *out = e;
  return NV_ENC_SUCCESS;
}

static S nv_guid_count(void *h, uint32_t *n) {
  Enc *e = h;
  *n = 0;
  for (int c = 1; c <= 4; c <<= 1)
    if ((e->gpu.codecs & c) && can_encode(c))
      ++*n;
  return 0;
}

static S nv_guids(void *h, GUID *g, uint32_t cap, uint32_t *n) {
  Enc *e = h;
  uint32_t k = 0;
  if ((e->gpu.codecs & NVF_H264) && can_encode(NVF_H264) && k < cap)
    g[k++] = NV_ENC_CODEC_H264_GUID;
  if ((e->gpu.codecs & NVF_HEVC) && can_encode(NVF_HEVC) && k < cap)
    g[k++] = NV_ENC_CODEC_HEVC_GUID;
  if ((e->gpu.codecs & NVF_AV1) && can_encode(NVF_AV1) && k < cap)
    g[k++] = NV_ENC_CODEC_AV1_GUID;
  *n = k;
  return 0;
}

static S nv_profile_count(void *h, GUID c, uint32_t *n) {
  (void)h;
  (void)c;
  *n = 0;
  return 0;
}

static S nv_profiles(void *h, GUID c, GUID *g, uint32_t cap, uint32_t *n) {
  (void)h;
  (void)c;
  (void)g;
  (void)cap;
  *n = 0;
  return 0;
}

static S nv_caps(void *h, GUID cg, NV_ENC_CAPS_PARAM *p, int *v) {
  Enc *e = h;
  int c = codec_of(&cg), blackwell = e->gpu.major >= 10,
      turing = e->gpu.major > 7 || (e->gpu.major == 7 && e->gpu.minor >= 5);
  switch (p->capsToQuery) {
  case NV_ENC_CAPS_NUM_MAX_BFRAMES:
    *v = c == NVF_H264 ? 4 : c == NVF_AV1 ? 7 : turing ? 5 : 0;
    break;
  case NV_ENC_CAPS_SUPPORTED_RATECONTROL_MODES:
    *v = 63;
    break;
  case NV_ENC_CAPS_WIDTH_MAX:
  case NV_ENC_CAPS_HEIGHT_MAX:
    *v = c == NVF_H264 ? 4096 : 8192;
    break;
  case NV_ENC_CAPS_WIDTH_MIN:
    *v = c == NVF_H264 ? 145 : c == NVF_HEVC ? 129 : 192;
    break;
  case NV_ENC_CAPS_HEIGHT_MIN:
    *v = c == NVF_H264 ? 49 : c == NVF_HEVC ? 33 : 128;
    break;
  case NV_ENC_CAPS_MB_NUM_MAX:
    *v = c == NVF_H264 ? 65536 : 262144;
    break;
  case NV_ENC_CAPS_MB_PER_SEC_MAX:
    *v = 983040;
    break;
  case NV_ENC_CAPS_LEVEL_MAX:
    *v = 62;
    break;
  case NV_ENC_CAPS_SUPPORT_10BIT_ENCODE:
    *v = c != NVF_H264 || blackwell;
    break;
  case NV_ENC_CAPS_SUPPORT_YUV444_ENCODE:
    *v = c != NVF_AV1;
    break;
#if NVENCAPI_MAJOR_VERSION >= 13
  case NV_ENC_CAPS_SUPPORT_YUV422_ENCODE:
    *v = blackwell && c != NVF_AV1;
    break;
#endif
  case NV_ENC_CAPS_SUPPORT_BFRAME_REF_MODE:
    *v = c == NVF_H264 ? (blackwell ? 3 : 2) : turing ? 3 : 0;
    break;
  case NV_ENC_CAPS_NUM_ENCODER_ENGINES:
    *v = e->gpu.engines;
    break;
  case NV_ENC_CAPS_SUPPORT_FIELD_ENCODING:
  case NV_ENC_CAPS_ASYNC_ENCODE_SUPPORT:
    *v = 0;
    break;
  default:
    *v = 1;
  }
  return 0;
}

static S nv_preset_ex(void *h, GUID cg, GUID pg, NV_ENC_TUNING_INFO t, NV_ENC_PRESET_CONFIG *pc) {
  int c = codec_of(&cg), p = preset_no(&pg);
  (void)h;
  if (!p || !c)
    return fail(h, NV_ENC_ERR_UNSUPPORTED_PARAM, "unknown codec or preset GUID");
  uint32_t v = pc->presetCfg.version;
  memset(&pc->presetCfg, 0, sizeof(NV_ENC_CONFIG)); /* same size in 11.1 .. 13.0 */
  NV_ENC_CONFIG *k = &pc->presetCfg;
  k->version = v;
  k->gopLength = 250;
  k->frameIntervalP = t == NV_ENC_TUNING_INFO_HIGH_QUALITY ? 3 : 1;
  k->rcParams.rateControlMode = NV_ENC_PARAMS_RC_VBR;
  k->rcParams.constQP = (NV_ENC_QP){28, 31, 25};
  k->rcParams.lookaheadDepth = 0;
  if (c == NVF_H264)
    k->encodeCodecConfig.h264Config.idrPeriod = 250;
  else
    k->encodeCodecConfig.hevcConfig.idrPeriod = 250;
  return 0;
}

static S nv_preset(void *h, GUID c, GUID p, NV_ENC_PRESET_CONFIG *pc) {
  return nv_preset_ex(h, c, p, NV_ENC_TUNING_INFO_HIGH_QUALITY, pc);
}

/* ------------------------------------------------------------ codec back ends */
static const char *x_preset(int p) {
  static const char *t[] = {"veryfast", "ultrafast", "superfast", "superfast",
                            "veryfast", "veryfast",  "faster",    "fast"};
  return t[p];
}

static int csp_of(NV_ENC_BUFFER_FORMAT f) {
  switch (f) {
  case NV_ENC_BUFFER_FORMAT_NV12:
    return X264_CSP_NV12;
  case NV_ENC_BUFFER_FORMAT_YV12:
  case NV_ENC_BUFFER_FORMAT_IYUV:
    return X264_CSP_I420;
  case NV_ENC_BUFFER_FORMAT_YUV444:
    return X264_CSP_I444;
  case NV_ENC_BUFFER_FORMAT_ARGB:
  case NV_ENC_BUFFER_FORMAT_ABGR:
    return X264_CSP_NV12; /* converted */
  default:
    return 0;
  }
}

static int open264(Enc *e) {
  x264_param_t *p = &e->p4;
  NV_ENC_RC_PARAMS *r = &e->cfg.rcParams;
  NV_ENC_CONFIG_H264 *h = &e->cfg.encodeCodecConfig.h264Config;
  x264_param_default_preset(p, x_preset(e->preset), NULL);
  p->i_log_level = X264_LOG_NONE;
  p->i_width = e->w;
  p->i_height = e->h;
  p->i_csp = e->csp4;
  p->i_fps_num = e->fpsn;
  p->i_fps_den = e->fpsd;
  p->b_vfr_input = 0;
  p->i_threads = (int)nvf_int("NVFAKE_THREADS", 1);
  p->b_sliced_threads = p->i_threads > 1;
  p->rc.i_lookahead = 0;
  p->i_sync_lookahead = 0;
  p->rc.b_mb_tree = 0;
  p->i_bframe_adaptive = 0;
  p->i_scenecut_threshold = 0;
  p->i_bframe = e->bframes;
  p->i_bframe_pyramid = X264_B_PYRAMID_NONE;
  p->b_open_gop = 0;
  p->i_keyint_max = e->cfg.gopLength == NVENC_INFINITE_GOPLENGTH ? X264_KEYINT_MAX_INFINITE
                    : e->cfg.gopLength                           ? (int)e->cfg.gopLength
                                                                 : 250;
  p->i_keyint_min = 1;
  p->b_annexb = 1;
  p->b_repeat_headers = h->disableSPSPPS ? 0 : 1;
  p->b_aud = h->outputAUD;
  if (h->entropyCodingMode == NV_ENC_H264_ENTROPY_CODING_MODE_CAVLC)
    p->b_cabac = 0;
  if (h->level)
    p->i_level_idc = (int)h->level;
  if (h->h264VUIParameters.videoFullRangeFlag)
    p->vui.b_fullrange = 1;
  if (h->h264VUIParameters.colourDescriptionPresentFlag) {
    p->vui.i_colorprim = h->h264VUIParameters.colourPrimaries;
    p->vui.i_transfer = h->h264VUIParameters.transferCharacteristics;
    p->vui.i_colmatrix = h->h264VUIParameters.colourMatrix;
  }
  if (h->sliceMode == 3 && h->sliceModeData > 1)
    p->i_slice_count = (int)h->sliceModeData;
  int vbv = r->maxBitRate ? (int)(r->maxBitRate / 1000) : 0,
      buf = r->vbvBufferSize ? (int)(r->vbvBufferSize / 1000) : 0;
  if (r->rateControlMode == NV_ENC_PARAMS_RC_CONSTQP) {
    p->rc.i_rc_method = X264_RC_CQP;
    p->rc.i_qp_constant = (int)r->constQP.qpInterP;
  } else if (r->rateControlMode == NV_ENC_PARAMS_RC_VBR &&
             (r->targetQuality || r->targetQualityLSB)) {
    p->rc.i_rc_method = X264_RC_CRF;
    p->rc.f_rf_constant = r->targetQuality + r->targetQualityLSB / 256.f;
    if (vbv) {
      p->rc.i_vbv_max_bitrate = vbv;
      p->rc.i_vbv_buffer_size = buf ? buf : vbv * 2;
    }
  } else {
    p->rc.i_rc_method = X264_RC_ABR;
    p->rc.i_bitrate = r->averageBitRate ? (int)(r->averageBitRate / 1000) : 2000;
    int m = r->rateControlMode == NV_ENC_PARAMS_RC_VBR ? vbv : p->rc.i_bitrate;
    if (m) {
      p->rc.i_vbv_max_bitrate = m > p->rc.i_bitrate ? m : p->rc.i_bitrate;
      p->rc.i_vbv_buffer_size = buf ? buf : p->rc.i_vbv_max_bitrate;
    }
  }
  const char *prof = e->csp4 == X264_CSP_I444                                       ? "high444"
                     : geq(&e->cfg.profileGUID, &NV_ENC_H264_PROFILE_BASELINE_GUID) ? "baseline"
                     : geq(&e->cfg.profileGUID, &NV_ENC_H264_PROFILE_MAIN_GUID)     ? "main"
                                                                                    : "high";
  if (x264_param_apply_profile(p, prof))
    return -1;
  if (!strcmp(prof, "baseline"))
    e->bframes = 0;
  e->h4 = x264_encoder_open(p);
  return e->h4 ? 0 : -1;
}

static int open265(Enc *e) {
  NV_ENC_RC_PARAMS *r = &e->cfg.rcParams;
  NV_ENC_CONFIG_HEVC *h = &e->cfg.encodeCodecConfig.hevcConfig;
  char b[64];
  e->a5 = x265_api_get(8);
  if (!e->a5)
    return -1;
  x265_param *p = e->p5 = e->a5->param_alloc();
  e->a5->param_default_preset(p, "ultrafast", NULL);
  p->logLevel = X265_LOG_NONE;
  p->sourceWidth = e->w;
  p->sourceHeight = e->h;
  p->fpsNum = e->fpsn;
  p->fpsDenom = e->fpsd;
  p->internalCsp = X265_CSP_I420;
  p->frameNumThreads = 1;
  p->lookaheadDepth = e->bframes ? e->bframes + 1 : 0;
  p->bFrameAdaptive = 0;
  p->bframes = e->bframes;
  p->bBPyramid = 0;
  p->scenecutThreshold = 0;
  p->rc.cuTree = 0;
  p->bOpenGOP = 0;
  p->keyframeMax = e->cfg.gopLength == NVENC_INFINITE_GOPLENGTH ? -1
                   : e->cfg.gopLength                           ? (int)e->cfg.gopLength
                                                                : 250;
  p->keyframeMin = 1;
  p->bRepeatHeaders = h->disableSPSPPS ? 0 : 1;
  p->bEnableAccessUnitDelimiters = h->outputAUD;
  p->bAnnexB = 1;
  p->bEmitInfoSEI = 0;
  p->bEnableWavefront = 0;
  e->a5->param_parse(p, "pools", "none");
  if (h->hevcVUIParameters.colourDescriptionPresentFlag) {
    p->vui.bEnableVideoSignalTypePresentFlag = p->vui.bEnableColorDescriptionPresentFlag = 1;
    p->vui.colorPrimaries = h->hevcVUIParameters.colourPrimaries;
    p->vui.transferCharacteristics = h->hevcVUIParameters.transferCharacteristics;
    p->vui.matrixCoeffs = h->hevcVUIParameters.colourMatrix;
  }
  if (r->rateControlMode == NV_ENC_PARAMS_RC_CONSTQP) {
    snprintf(b, sizeof b, "%u", r->constQP.qpInterP);
    e->a5->param_parse(p, "qp", b);
  } else if (r->rateControlMode == NV_ENC_PARAMS_RC_VBR && r->targetQuality) {
    snprintf(b, sizeof b, "%u", r->targetQuality);
    e->a5->param_parse(p, "crf", b);
  } else {
    snprintf(b, sizeof b, "%u", r->averageBitRate ? r->averageBitRate / 1000 : 2000);
    e->a5->param_parse(p, "bitrate", b);
  }
  e->h5 = e->a5->encoder_open(p);
  return e->h5 ? 0 : -1;
}

static int openav1(Enc *e) {
  aom_codec_enc_cfg_t c;
  NV_ENC_RC_PARAMS *r = &e->cfg.rcParams;
  if (aom_codec_enc_config_default(aom_codec_av1_cx(), &c, AOM_USAGE_REALTIME))
    return -1;
  c.g_w = e->w;
  c.g_h = e->h;
  c.g_timebase.num = e->fpsd;
  c.g_timebase.den = e->fpsn;
  c.g_lag_in_frames = 0;
  c.g_threads = 1;
  c.kf_max_dist = e->cfg.gopLength == NVENC_INFINITE_GOPLENGTH ? 9999
                  : e->cfg.gopLength                           ? e->cfg.gopLength - 1
                                                               : 249;
  unsigned q = r->rateControlMode == NV_ENC_PARAMS_RC_CONSTQP
                   ? r->constQP.qpInterP / 4
                   : r->targetQuality; /* NVENC AV1 QP is 0..255 */
  c.rc_end_usage = q ? AOM_Q : r->rateControlMode == NV_ENC_PARAMS_RC_CBR ? AOM_CBR : AOM_VBR;
  c.rc_target_bitrate = r->averageBitRate ? r->averageBitRate / 1000 : 2000;
  if (aom_codec_enc_init(&e->a1, aom_codec_av1_cx(), &c, 0))
    return -1;
  e->a1_open = 1;
  aom_codec_control(&e->a1, AOME_SET_CPUUSED, 9);
  if (q)
    aom_codec_control(&e->a1, AOME_SET_CQ_LEVEL, q > 63 ? 63 : q);
  return 0;
}

static void add_hdr(Enc *e, const uint8_t *d, int n) {
  if (e->hdrlen + n <= sizeof e->hdr) {
    memcpy(e->hdr + e->hdrlen, d, n);
    e->hdrlen += n;
  }
}

static int open_codec(Enc *e) {
  e->hdrlen = 0;
  if (e->codec == NVF_H264) {
    x264_nal_t *n;
    int k;
    if (open264(e))
      return -1;
    if (x264_encoder_headers(e->h4, &n, &k) > 0)
      for (int i = 0; i < k; i++)
        if (n[i].i_type != NAL_SEI)
          add_hdr(e, n[i].p_payload, n[i].i_payload);
    return 0;
  }
  if (e->codec == NVF_HEVC) {
    x265_nal *n;
    uint32_t k;
    if (open265(e))
      return -1;
    if (e->a5->encoder_headers(e->h5, &n, &k) > 0)
      for (uint32_t i = 0; i < k; i++)
        if (n[i].type >= NAL_UNIT_VPS && n[i].type <= NAL_UNIT_PPS)
          add_hdr(e, n[i].payload, n[i].sizeBytes);
    return 0;
  }
  if (e->codec == NVF_AV1) {
    if (openav1(e))
      return -1;
    aom_fixed_buf_t *b = aom_codec_get_global_headers(&e->a1);
    if (b) {
      add_hdr(e, b->buf, (int)b->sz);
      free(b->buf);
      free(b);
    }
    return 0;
  }
  return -1;
}

static void close_codec(Enc *e) {
  if (e->a1_open)
    aom_codec_destroy(&e->a1);
  e->a1_open = 0;
  if (e->h4)
    x264_encoder_close(e->h4);
  e->h4 = NULL;
  if (e->h5)
    e->a5->encoder_close(e->h5);
  if (e->p5)
    e->a5->param_free(e->p5);
  e->h5 = NULL;
  e->p5 = NULL;
}

static void out_bytes(Out *o, const void *d, size_t n) {
  if (o->size + n > o->cap) {
    o->cap = (o->size + n) * 2;
    o->data = realloc(o->data, o->cap);
  }
  memcpy(o->data + o->size, d, n);
  o->size += n;
}

/* a coded picture came out: it belongs to the oldest output buffer still waiting (coded order) */
static Out *next_waiting(Enc *e) {
  Out *o = e->qh;
  if (o) {
    e->qh = o->next;
    if (!e->qh)
      e->qt = NULL;
    o->next = NULL;
  }
  return o;
}

static uint64_t meta_take(Enc *e, int64_t pts) {
  for (Meta **m = &e->meta; *m; m = &(*m)->next)
    if ((*m)->pts == pts) {
      Meta *x = *m;
      uint64_t d = x->dur;
      *m = x->next;
      free(x);
      return d;
    }
  return 0;
}

/* pic==NULL drains one; returns 1 when a coded picture was produced */
static int code_one(Enc *e, Surf *s, int64_t pts, int idr) {
  if (e->codec == NVF_H264) {
    x264_picture_t in, outp;
    x264_nal_t *nal;
    int nn, size;
    if (s) {
      x264_picture_init(&in);
      in.i_pts = pts;
      in.i_type = idr ? X264_TYPE_IDR : X264_TYPE_AUTO;
      in.img.i_csp = e->csp4;
      uint8_t *b = s->data;
      int h = s->h, pt = s->pitch;
      if (s->fmt == NV_ENC_BUFFER_FORMAT_ARGB || s->fmt == NV_ENC_BUFFER_FORMAT_ABGR) {
        size_t need = (size_t)e->w * e->h * 2;
        int ri = s->fmt == NV_ENC_BUFFER_FORMAT_ARGB ? 2 : 0, bi = 2 - ri;
        if (need > e->convcap)
          e->conv = realloc(e->conv, e->convcap = need);
        for (int y = 0; y < e->h; y++)
          for (int x = 0; x < e->w; x++) {
            const uint8_t *q = b + (size_t)y * pt + 4 * x;
            int R = q[ri], G = q[1], B = q[bi];
            e->conv[(size_t)y * e->w + x] = (uint8_t)((66 * R + 129 * G + 25 * B + 4224) >> 8);
            if (!(x & 1) && !(y & 1)) {
              uint8_t *uv = e->conv + (size_t)e->w * e->h + (size_t)(y / 2) * e->w + x;
              uv[0] = (uint8_t)((-38 * R - 74 * G + 112 * B + 32896) >> 8);
              if (x + 1 < e->w)
                uv[1] = (uint8_t)((112 * R - 94 * G - 18 * B + 32896) >> 8);
            }
          }
        b = e->conv;
        pt = e->w;
        h = e->h;
      }
      in.img.plane[0] = b;
      in.img.i_stride[0] = pt;
      if (e->csp4 == X264_CSP_NV12) {
        in.img.i_plane = 2;
        in.img.plane[1] = b + (size_t)pt * h;
        in.img.i_stride[1] = pt;
      } else if (e->csp4 == X264_CSP_I444) {
        in.img.i_plane = 3;
        in.img.plane[1] = b + (size_t)pt * h;
        in.img.plane[2] = b + 2 * (size_t)pt * h;
        in.img.i_stride[1] = in.img.i_stride[2] = pt;
      } else {
        int ch = (h + 1) / 2, v12 = s->fmt == NV_ENC_BUFFER_FORMAT_YV12;
        uint8_t *a = b + (size_t)pt * h, *c = a + (size_t)(pt / 2) * ch;
        in.img.i_plane = 3;
        in.img.plane[1] = v12 ? c : a;
        in.img.plane[2] = v12 ? a : c;
        in.img.i_stride[1] = in.img.i_stride[2] = pt / 2;
      }
    }
    size = x264_encoder_encode(e->h4, &nal, &nn, s ? &in : NULL, &outp);
    if (size <= 0)
      return size < 0 ? -1 : 0;
    Out *o = next_waiting(e);
    if (!o)
      return -1;
    o->size = 0;
    for (int i = 0; i < nn; i++)
      if (!(nal[i].i_type == NAL_SEI && nal[i].i_payload > 24 &&
            memmem(nal[i].p_payload, nal[i].i_payload < 64 ? nal[i].i_payload : 64, "x264", 4)))
        out_bytes(o, nal[i].p_payload, nal[i].i_payload);
    o->pts = (uint64_t)outp.i_pts;
    o->qp = outp.i_qpplus1 - 1;
    o->frame = (uint32_t)e->outs++;
    o->type = outp.b_keyframe && IS_X264_TYPE_I(outp.i_type) ? NV_ENC_PIC_TYPE_IDR
              : IS_X264_TYPE_I(outp.i_type)                  ? NV_ENC_PIC_TYPE_I
              : IS_X264_TYPE_B(outp.i_type)                  ? NV_ENC_PIC_TYPE_B
                                                             : NV_ENC_PIC_TYPE_P;
    o->dur = meta_take(e, outp.i_pts);
    o->ready = 1;
    return 1;
  }
  if (e->codec == NVF_HEVC) {
    x265_picture in, outp;
    x265_nal *nal;
    uint32_t nn;
    int r;
    if (s) {
      e->a5->picture_init(e->p5, &in);
      in.pts = pts;
      in.sliceType = idr ? X265_TYPE_IDR : X265_TYPE_AUTO;
      in.colorSpace = X265_CSP_I420;
      in.bitDepth = 8;
      uint8_t *b = s->data;
      int pt = s->pitch, ch = (s->h + 1) / 2, cw = (e->w + 1) / 2;
      if (s->fmt == NV_ENC_BUFFER_FORMAT_NV12) {
        size_t need = (size_t)cw * ch * 2;
        if (need > e->convcap)
          e->conv = realloc(e->conv, e->convcap = need);
        for (int y = 0; y < ch; y++)
          for (int x = 0; x < cw; x++) {
            const uint8_t *q = b + (size_t)pt * (s->h + y) + 2 * x;
            e->conv[y * cw + x] = q[0];
            e->conv[(size_t)cw * ch + y * cw + x] = q[1];
          }
        in.planes[1] = e->conv;
        in.planes[2] = e->conv + (size_t)cw * ch;
        in.stride[1] = in.stride[2] = cw;
      } else if (s->fmt == NV_ENC_BUFFER_FORMAT_YUV420_10BIT) { /* P010: keep 8 bits */
        size_t need = (size_t)e->w * e->h + (size_t)cw * ch * 2;
        if (need > e->convcap)
          e->conv = realloc(e->conv, e->convcap = need);
        for (int y = 0; y < e->h; y++)
          for (int x = 0; x < e->w; x++)
            e->conv[(size_t)y * e->w + x] = ((uint16_t *)(b + (size_t)pt * y))[x] >> 8;
        uint8_t *u = e->conv + (size_t)e->w * e->h, *v = u + (size_t)cw * ch;
        for (int y = 0; y < ch; y++)
          for (int x = 0; x < cw; x++) {
            const uint16_t *q = (uint16_t *)(b + (size_t)pt * (s->h + y)) + 2 * x;
            u[y * cw + x] = q[0] >> 8;
            v[y * cw + x] = q[1] >> 8;
          }
        b = e->conv;
        pt = e->w;
        in.planes[1] = u;
        in.planes[2] = v;
        in.stride[1] = in.stride[2] = cw;
      } else {
        uint8_t *a = b + (size_t)pt * s->h, *c = a + (size_t)(pt / 2) * ch;
        int v12 = s->fmt == NV_ENC_BUFFER_FORMAT_YV12;
        in.planes[1] = v12 ? c : a;
        in.planes[2] = v12 ? a : c;
        in.stride[1] = in.stride[2] = pt / 2;
      }
      in.planes[0] = b;
      in.stride[0] = pt;
    }
    e->a5->picture_init(e->p5, &outp);
    r = e->a5->encoder_encode(e->h5, &nal, &nn, s ? &in : NULL, &outp);
    if (r < 0)
      return -1;
    if (!nn)
      return 0;
    Out *o = next_waiting(e);
    if (!o)
      return -1;
    o->size = 0;
    for (uint32_t i = 0; i < nn; i++)
      out_bytes(o, nal[i].payload, nal[i].sizeBytes);
    o->pts = (uint64_t)outp.pts;
    o->qp = 30;
    o->frame = (uint32_t)e->outs++;
    o->type = outp.sliceType == X265_TYPE_IDR ? NV_ENC_PIC_TYPE_IDR
              : outp.sliceType == X265_TYPE_I ? NV_ENC_PIC_TYPE_I
              : outp.sliceType == X265_TYPE_P ? NV_ENC_PIC_TYPE_P
                                              : NV_ENC_PIC_TYPE_B;
    o->dur = meta_take(e, outp.pts);
    o->ready = 1;
    return 1;
  }
  if (e->codec == NVF_AV1) {
    aom_image_t im;
    const aom_codec_cx_pkt_t *k;
    aom_codec_iter_t it = NULL;
    Out *o = NULL;
    if (!s)
      return 0; /* no lag: nothing to drain */
    if (!aom_img_alloc(&im, AOM_IMG_FMT_I420, e->w, e->h, 32))
      return -1;
    int ch = (e->h + 1) / 2, cw = (e->w + 1) / 2, ten = s->fmt == NV_ENC_BUFFER_FORMAT_YUV420_10BIT,
        nv = ten || s->fmt == NV_ENC_BUFFER_FORMAT_NV12, v12 = s->fmt == NV_ENC_BUFFER_FORMAT_YV12,
        bs = ten ? 2 : 1;
    for (int y = 0; y < e->h; y++)
      for (int x = 0; x < e->w; x++)
        im.planes[0][y * im.stride[0] + x] = s->data[(size_t)y * s->pitch + x * bs + bs - 1];
    for (int y = 0; y < ch; y++)
      for (int x = 0; x < cw; x++) {
        uint8_t *base = s->data + (size_t)s->pitch * s->h, a, b;
        if (nv) {
          a = base[(size_t)y * s->pitch + 2 * x * bs + bs - 1];
          b = base[(size_t)y * s->pitch + (2 * x + 1) * bs + bs - 1];
        } else {
          a = base[(size_t)y * (s->pitch / 2) + x];
          b = base[(size_t)(s->pitch / 2) * ((s->h + 1) / 2) + (size_t)y * (s->pitch / 2) + x];
        }
        im.planes[1][y * im.stride[1] + x] = v12 ? b : a;
        im.planes[2][y * im.stride[2] + x] = v12 ? a : b;
      }
    int bad = aom_codec_encode(&e->a1, &im, e->a1_n++, 1, idr ? AOM_EFLAG_FORCE_KF : 0);
    aom_img_free(&im);
    if (bad)
      return -1;
    while ((k = aom_codec_get_cx_data(&e->a1, &it)))
      if (k->kind == AOM_CODEC_CX_FRAME_PKT) {
        if (!o) {
          if (!(o = next_waiting(e)))
            return -1;
          o->size = 0;
        }
        out_bytes(o, k->data.frame.buf, k->data.frame.sz);
        o->type = k->data.frame.flags & AOM_FRAME_IS_KEY ? NV_ENC_PIC_TYPE_IDR : NV_ENC_PIC_TYPE_P;
      }
    if (!o)
      return 0;
    o->pts = (uint64_t)pts;
    o->qp = 60;
    o->frame = (uint32_t)e->outs++;
    o->dur = meta_take(e, pts);
    o->ready = 1;
    return 1;
  }
  return -1;
}

static void drain(Enc *e) {
  while (e->qh && code_one(e, NULL, 0, 0) > 0) {
  }
}

static S nv_init(void *h, NV_ENC_INITIALIZE_PARAMS *p) {
  Enc *e = h;
  NV_ENC_RC_PARAMS *r;
  long ie = nvf_int("NVFAKE_INIT_ERR", 0);
  if (ie && nvf_fault_here(e->gpu.phys))
    return fail(e, (S)ie, "injected InitializeEncoder error");
  e->codec = codec_of(&p->encodeGUID);
  e->w = p->encodeWidth;
  e->h = p->encodeHeight;
  e->fpsn = p->frameRateNum ? p->frameRateNum : 25;
  e->fpsd = p->frameRateDen ? p->frameRateDen : 1;
  e->preset = preset_no(&p->presetGUID);
  e->tuning = p->tuningInfo;
  if (!p->encodeConfig || !(e->gpu.codecs & e->codec) || !can_encode(e->codec))
    return fail(e, NV_ENC_ERR_INVALID_PARAM, "Invalid Codec GUID or config");
  int minw = e->codec == NVF_H264   ? 145
             : e->codec == NVF_HEVC ? 129
                                    : 192,
      minh = e->codec == NVF_H264   ? 49
             : e->codec == NVF_HEVC ? 33
                                    : 128;
  if (e->w < minw || e->h < minh)
    return fail(e, NV_ENC_ERR_INVALID_PARAM,
                "Frame Dimension less than the minimum supported value.");
  e->cfg = *p->encodeConfig;
  r = &e->cfg.rcParams;
  e->bframes = e->cfg.frameIntervalP > 1 ? e->cfg.frameIntervalP - 1 : 0;
  if (e->cfg.gopLength == 1)
    e->bframes = 0;
  double fps = (double)e->fpsn / e->fpsd;
  nvf_slot_write(e->slot, "pid=%d gpu=%d codec=%s w=%d h=%d fps=%.0f vram=%d\n", (int)getpid(),
                 e->gpu.phys, codec_name(e->codec), e->w, e->h, fps, 120 + e->w * e->h / 20000);
  nvf_log("\"ev\":\"init\",\"gpu\":%d,\"codec\":\"%s\",\"w\":%d,\"h\":%d,\"fps\":\"%d/"
          "%d\",\"preset\":%d,\"tune\":%d,\"rc\":%d,\"cq\":%u,\"qp\":%u,\"bitrate\":%u,\"maxrate\":"
          "%u,\"bufsize\":%u,\"gop\":%u,\"bf\":%d,\"aq\":%u,\"taq\":%u,\"lookahead\":%u,"
          "\"multipass\":%d,\"bref\":%d,\"split\":%u",
          e->gpu.phys, codec_name(e->codec), e->w, e->h, e->fpsn, e->fpsd, e->preset, e->tuning,
          r->rateControlMode, r->targetQuality, r->constQP.qpInterP, r->averageBitRate,
          r->maxBitRate, r->vbvBufferSize, e->cfg.gopLength, e->bframes, r->enableAQ,
          r->enableTemporalAQ, r->enableLookahead ? r->lookaheadDepth : 0, r->multiPass,
          e->codec == NVF_H264 ? (int)e->cfg.encodeCodecConfig.h264Config.useBFramesAsRef
                               : (int)e->cfg.encodeCodecConfig.hevcConfig.useBFramesAsRef,
          SPLIT_MODE(p));
  e->csp4 = X264_CSP_NV12; /* final choice when the first input buffer appears; 4:2:0 needs no
                              header change */
  if (e->codec == NVF_H264 && e->cfg.encodeCodecConfig.h264Config.chromaFormatIDC == 3)
    e->csp4 = X264_CSP_I444;
  return open_codec(e) ? fail(e, NV_ENC_ERR_GENERIC, "back-end encoder refused the parameters")
                       : NV_ENC_SUCCESS;
}

static S nv_seq(void *h, NV_ENC_SEQUENCE_PARAM_PAYLOAD *p) {
  Enc *e = h;
  if (e->hdrlen > p->inBufferSize)
    return fail(e, NV_ENC_ERR_NOT_ENOUGH_BUFFER, "sequence header too large");
  memcpy(p->spsppsBuffer, e->hdr, e->hdrlen);
  *p->outSPSPPSPayloadSize = (uint32_t)e->hdrlen;
  return 0;
}

static S nv_reconf(void *h, NV_ENC_RECONFIGURE_PARAMS *p) {
  Enc *e = h;
  nvf_log("\"ev\":\"reconfigure\",\"gpu\":%d,\"idr\":%u", e->gpu.phys, p->forceIDR);
  if (p->forceIDR)
    e->reopen_idr = 1;
  if (e->h4 && p->reInitEncodeParams.encodeConfig && e->p4.rc.i_rc_method == X264_RC_ABR &&
      p->reInitEncodeParams.encodeConfig->rcParams.averageBitRate) {
    e->p4.rc.i_bitrate = (int)(p->reInitEncodeParams.encodeConfig->rcParams.averageBitRate / 1000);
    if (e->p4.rc.i_vbv_max_bitrate)
      e->p4.rc.i_vbv_max_bitrate = e->p4.rc.i_bitrate;
    x264_encoder_reconfig(e->h4, &e->p4);
  }
  return 0;
}

/* ------------------------------------------------------------ buffers */
static size_t fmt_rows(NV_ENC_BUFFER_FORMAT f, int h, int *bpp) {
  *bpp = 1;
  switch (f) {
  case NV_ENC_BUFFER_FORMAT_NV12:
  case NV_ENC_BUFFER_FORMAT_YV12:
  case NV_ENC_BUFFER_FORMAT_IYUV:
    return (size_t)h + 2 * ((h + 1) / 2);
  case NV_ENC_BUFFER_FORMAT_YUV444:
    return (size_t)h * 3;
  case NV_ENC_BUFFER_FORMAT_YUV420_10BIT:
    *bpp = 2;
    return (size_t)h + 2 * ((h + 1) / 2);
  case NV_ENC_BUFFER_FORMAT_YUV444_10BIT:
    *bpp = 2;
    return (size_t)h * 3;
  default:
    *bpp = 4;
    return h;
  }
}

static S nv_create_in(void *h, NV_ENC_CREATE_INPUT_BUFFER *p) {
  Surf *s = calloc(1, sizeof *s);
  int bpp;
  (void)h;
  size_t rows = fmt_rows(p->bufferFmt, p->height, &bpp);
  s->w = p->width;
  s->h = p->height;
  s->fmt = p->bufferFmt;
  s->owned = 1;
  s->pitch = (int)((p->width * bpp + 255) & ~255u);
  s->data = aligned_alloc(256, (rows + 2) * s->pitch);
  p->inputBuffer = s;
  return s->data ? NV_ENC_SUCCESS : NV_ENC_ERR_OUT_OF_MEMORY;
}

static S nv_destroy_in(void *h, NV_ENC_INPUT_PTR b) {
  Surf *s = b;
  (void)h;
  if (s) {
    if (s->owned)
      free(s->data);
    free(s);
  }
  return 0;
}

static S nv_lock_in(void *h, NV_ENC_LOCK_INPUT_BUFFER *p) {
  Surf *s = p->inputBuffer;
  (void)h;
  p->bufferDataPtr = s->data;
  p->pitch = s->pitch;
  return 0;
}

static S nv_unlock_in(void *h, NV_ENC_INPUT_PTR b) {
  (void)h;
  (void)b;
  return 0;
}

static S nv_create_out(void *h, NV_ENC_CREATE_BITSTREAM_BUFFER *p) {
  (void)h;
  p->bitstreamBuffer = calloc(1, sizeof(Out));
  return 0;
}

static S nv_destroy_out(void *h, NV_ENC_OUTPUT_PTR b) {
  Out *o = b;
  (void)h;
  if (o) {
    free(o->data);
    free(o);
  }
  return 0;
}

static S nv_register(void *h, NV_ENC_REGISTER_RESOURCE *p) {
  if (p->resourceType != NV_ENC_INPUT_RESOURCE_TYPE_CUDADEVICEPTR)
    return fail(h, NV_ENC_ERR_UNIMPLEMENTED, "only CUDA device pointers");
  Surf *s = calloc(1, sizeof *s);
  s->data = p->resourceToRegister;
  s->w = p->width;
  s->h = p->height;
  s->pitch = p->pitch;
  s->fmt = p->bufferFormat;
  p->registeredResource = s;
  return 0;
}

static S nv_unregister(void *h, NV_ENC_REGISTERED_PTR r) {
  (void)h;
  free(r);
  return 0;
}

static S nv_map(void *h, NV_ENC_MAP_INPUT_RESOURCE *p) {
  Surf *s = p->registeredResource;
  (void)h;
  p->mappedResource = s;
  p->mappedBufferFmt = s->fmt;
  return 0;
}

static S nv_unmap(void *h, NV_ENC_INPUT_PTR m) {
  (void)h;
  (void)m;
  return 0;
}

/* ------------------------------------------------------------ encoding */
static S nv_encode(void *h, NV_ENC_PIC_PARAMS *p) {
  Enc *e = h;
  if (p->encodePicFlags & NV_ENC_PIC_FLAG_EOS) {
    drain(e);
    return NV_ENC_SUCCESS;
  }
  Surf *s = p->inputBuffer;
  Out *o = p->outputBitstream;
  if (!s || !o)
    return fail(e, NV_ENC_ERR_INVALID_PTR, "null buffer");
  if (nvf_fault_here(e->gpu.phys)) {
    long k;
    if ((k = nvf_int("NVFAKE_FAIL_AFTER", -1)) >= 0 && e->pics >= k)
      return fail(e, (S)nvf_int("NVFAKE_FAIL_CODE", NV_ENC_ERR_GENERIC), "injected encode failure");
    if ((k = nvf_int("NVFAKE_CRASH_AFTER", -1)) >= 0 && e->pics >= k)
      abort();
    if ((k = nvf_int("NVFAKE_HANG_AFTER", -1)) >= 0 && e->pics >= k) {
      nvf_log("\"ev\":\"hang\"");
      for (;;)
        pause();
    }
  }
  if (nvf_lost(e->gpu.phys))
    return fail(e, NV_ENC_ERR_GENERIC, "GPU lost");
  nvf_sleep_ms(nvf_delay_ms(e->gpu.phys));
  if (e->codec == NVF_H264 && e->pics == 0) { /* x264 needs the exact planar layout up front */
    int c = csp_of(s->fmt);
    if (!c)
      return fail(e, NV_ENC_ERR_UNSUPPORTED_PARAM, "input format not supported by the fake");
    if (c != e->csp4) {
      close_codec(e);
      e->csp4 = c;
      if (open_codec(e))
        return fail(e, NV_ENC_ERR_GENERIC, "reopen failed");
    }
  }
  e->pics++;
  o->ready = 0;
  o->next = NULL;
  if (e->qt)
    e->qt->next = o;
  else
    e->qh = o;
  e->qt = o;
  Meta *m = malloc(sizeof *m);
  *m = (Meta){(int64_t)p->inputTimeStamp, p->inputDuration, e->meta};
  e->meta = m;
  int idr = (p->encodePicFlags & (NV_ENC_PIC_FLAG_FORCEIDR | NV_ENC_PIC_FLAG_FORCEINTRA)) ||
            e->reopen_idr;
  e->reopen_idr = 0;
  int r = code_one(e, s, (int64_t)p->inputTimeStamp, idr);
  if (r < 0)
    return fail(e, NV_ENC_ERR_GENERIC, "back-end encode failed");
  return r ? NV_ENC_SUCCESS : NV_ENC_ERR_NEED_MORE_INPUT;
}

static S nv_lock_out(void *h, NV_ENC_LOCK_BITSTREAM *p) {
  Enc *e = h;
  Out *o = p->outputBitstream;
  if (!o->ready) { /* the client wants it now (e.g. -delay 0 with B-frames): flush, restart with an
                      IDR */
    drain(e);
    close_codec(e);
    if (open_codec(e))
      return fail(e, NV_ENC_ERR_GENERIC, "reopen failed");
    e->reopen_idr = 1;
    if (!o->ready)
      return fail(e, NV_ENC_ERR_LOCK_BUSY, "no output");
  }
  p->bitstreamBufferPtr = o->data;
  p->bitstreamSizeInBytes = (uint32_t)o->size;
  p->outputTimeStamp = o->pts;
  p->outputDuration = o->dur;
  p->pictureType = o->type;
  p->pictureStruct = NV_ENC_PIC_STRUCT_FRAME;
  p->frameIdx = o->frame;
  p->frameAvgQP = o->qp > 0 ? o->qp : 1;
  p->numSlices = 1;
  if (p->sliceOffsets)
    p->sliceOffsets[0] = 0;
  return 0;
}

static S nv_unlock_out(void *h, NV_ENC_OUTPUT_PTR b) {
  (void)h;
  (void)b;
  return 0;
}

static S nv_destroy(void *h) {
  Enc *e = h;
  if (!e)
    return NV_ENC_ERR_INVALID_PTR;
  nvf_log("\"ev\":\"close\",\"gpu\":%d,\"pics\":%ld,\"outs\":%ld", e->gpu.phys, e->pics, e->outs);
  close_codec(e);
  while (e->meta) {
    Meta *m = e->meta;
    e->meta = m->next;
    free(m);
  }
  if (e->slot >= 0) {
    if (ftruncate(e->slot, 0)) {
    }
    close(e->slot);
  }
  free(e->conv);
  free(e);
  return 0;
}

static S nv_streams(void *h, NV_ENC_CUSTREAM_PTR i, NV_ENC_CUSTREAM_PTR o) {
  (void)h;
  (void)i;
  (void)o;
  return 0;
}

static const char *nv_last(void *h) {
  return h ? ((Enc *)h)->err : "";
}

static S nv_none(void) {
  return NV_ENC_ERR_UNIMPLEMENTED;
}

API S NvEncodeAPIGetMaxSupportedVersion(uint32_t *v) {
  unsigned a, b;
  api_max(&a, &b);
  *v = a << 4 | b;
  return 0;
}

API S NvEncodeAPICreateInstance(NV_ENCODE_API_FUNCTION_LIST *f) {
  unsigned maj, min;
  api_max(&maj, &min);
  if ((f->version & 0xff) > maj)
    return NV_ENC_ERR_INVALID_VERSION;
  f->nvEncOpenEncodeSession = (void *)nv_none;
  f->nvEncOpenEncodeSessionEx = nv_open;
  f->nvEncGetEncodeGUIDCount = nv_guid_count;
  f->nvEncGetEncodeGUIDs = nv_guids;
  f->nvEncGetEncodeProfileGUIDCount = nv_profile_count;
  f->nvEncGetEncodeProfileGUIDs = nv_profiles;
  f->nvEncGetInputFormatCount = (void *)nv_none;
  f->nvEncGetInputFormats = (void *)nv_none;
  f->nvEncGetEncodeCaps = nv_caps;
  f->nvEncGetEncodePresetCount = (void *)nv_none;
  f->nvEncGetEncodePresetGUIDs = (void *)nv_none;
  f->nvEncGetEncodePresetConfig = nv_preset;
  f->nvEncGetEncodePresetConfigEx = nv_preset_ex;
  f->nvEncInitializeEncoder = nv_init;
  f->nvEncCreateInputBuffer = nv_create_in;
  f->nvEncDestroyInputBuffer = nv_destroy_in;
  f->nvEncCreateBitstreamBuffer = nv_create_out;
  f->nvEncDestroyBitstreamBuffer = nv_destroy_out;
  f->nvEncEncodePicture = nv_encode;
  f->nvEncLockBitstream = nv_lock_out;
  f->nvEncUnlockBitstream = nv_unlock_out;
  f->nvEncLockInputBuffer = nv_lock_in;
  f->nvEncUnlockInputBuffer = nv_unlock_in;
  f->nvEncGetEncodeStats = (void *)nv_none;
  f->nvEncGetSequenceParams = nv_seq;
  f->nvEncRegisterAsyncEvent = (void *)nv_none;
  f->nvEncUnregisterAsyncEvent = (void *)nv_none;
  f->nvEncMapInputResource = nv_map;
  f->nvEncUnmapInputResource = nv_unmap;
  f->nvEncDestroyEncoder = nv_destroy;
  f->nvEncInvalidateRefFrames = (void *)nv_none;
  f->nvEncRegisterResource = nv_register;
  f->nvEncUnregisterResource = nv_unregister;
  f->nvEncReconfigureEncoder = nv_reconf;
  f->nvEncGetLastErrorString = nv_last;
  f->nvEncSetIOCudaStreams = nv_streams;
  return 0;
}
