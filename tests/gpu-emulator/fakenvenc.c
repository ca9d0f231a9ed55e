/* A pretended libnvidia-encode.so.1, for tests alone: the interface of NVENC on top of libx264,
 * libx265 and libaom. Every field that is used here sits at the same offset in the
 * versions 11.1, 12.1 and 13.0 of the interface, so that one build serves FFmpeg 5.1 to 9.0. */
#include "encoder.h"

#if NVENCAPI_MAJOR_VERSION < 12
/* Debian 12's headers lack the names that came with AV1 and split encoding; the value is that
 * of 12.1. */
static const GUID NV_ENC_CODEC_AV1_GUID = {
    0x0a352289, 0x0aa7, 0x4759, {0x86, 0x2d, 0x5d, 0x15, 0xcd, 0x16, 0xd2, 0x54}};
#define SPLIT_MODE(p) 0
#else
#define SPLIT_MODE(p) ((p)->splitEncodeMode)
#endif

#define API __attribute__((visibility("default")))

/* In the pretended libcuda.so.1. */
extern int nvfake_ctx_gpu(void *ctx, NvfGpu *g);

static const GUID *presets[8] = {NULL,
                                 &NV_ENC_PRESET_P1_GUID,
                                 &NV_ENC_PRESET_P2_GUID,
                                 &NV_ENC_PRESET_P3_GUID,
                                 &NV_ENC_PRESET_P4_GUID,
                                 &NV_ENC_PRESET_P5_GUID,
                                 &NV_ENC_PRESET_P6_GUID,
                                 &NV_ENC_PRESET_P7_GUID};

static int preset_number(const GUID *g) {
  for (int i = 1; i < 8; i++)
    if (same_guid(g, presets[i]))
      return i;
  return 0;
}

static int codec_of(const GUID *g) {
  return same_guid(g, &NV_ENC_CODEC_H264_GUID)   ? NVF_H264
         : same_guid(g, &NV_ENC_CODEC_HEVC_GUID) ? NVF_HEVC
         : same_guid(g, &NV_ENC_CODEC_AV1_GUID)  ? NVF_AV1
                                                 : 0;
}

static const char *codec_name(int c) {
  return c == NVF_H264 ? "h264" : c == NVF_HEVC ? "hevc" : c == NVF_AV1 ? "av1" : "?";
}

static NVENCSTATUS fail(Encoder *e, NVENCSTATUS s, const char *msg) {
  if (e)
    snprintf(e->last_error, sizeof e->last_error, "%s", msg);
  nvf_log("\"ev\":\"error\",\"status\":%d,\"msg\":\"%s\"", s, msg);
  return s;
}

static void highest_api(unsigned *major, unsigned *minor) {
  *major = 13;
  *minor = 0;
  sscanf(nvf_env("NVFAKE_API", "13.0"), "%u.%u", major, minor);
}

/* Sessions and what they can do. */

static NVENCSTATUS nv_open(NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS *p, void **out) {
  NvfGpu g;
  unsigned major, minor;
  *out = NULL;
  highest_api(&major, &minor);
  unsigned client_major = p->apiVersion & 0xff, client_minor = p->apiVersion >> 24;
  if (client_major > major || (client_major == major && client_minor > minor))
    return fail(NULL, NV_ENC_ERR_INVALID_VERSION, "client API newer than driver");
  if (p->deviceType != NV_ENC_DEVICE_TYPE_CUDA || nvfake_ctx_gpu(p->device, &g) < 0)
    return fail(NULL, NV_ENC_ERR_INVALID_ENCODERDEVICE, "no CUDA context");
  long injected = nvf_int("NVFAKE_OPEN_ERR", 0);
  if (injected && nvf_fault_here(g.phys))
    return fail(NULL, (NVENCSTATUS)injected, "injected open error");
  if (nvf_lost(g.phys))
    return fail(NULL, NV_ENC_ERR_DEVICE_NOT_EXIST, "GPU lost");
  if (!g.codecs)
    return fail(NULL, NV_ENC_ERR_UNSUPPORTED_DEVICE, "GPU has no NVENC");
  int slot = nvf_slot_take(nvf_int("NVFAKE_MAX_SESSIONS", -1));
  if (slot < 0)
    return fail(NULL, NV_ENC_ERR_OUT_OF_MEMORY, "session limit");
  Encoder *e = calloc(1, sizeof *e);
  e->gpu = g;
  e->slot = slot;
  nvf_slot_write(slot, "pid=%d gpu=%d codec=? w=0 h=0 fps=0 vram=150\n", (int)getpid(), g.phys);
  nvf_log("\"ev\":\"open\",\"gpu\":%d,\"api\":\"%u.%u\"", g.phys, client_major, client_minor);
  *out = e;
  return NV_ENC_SUCCESS;
}

static NVENCSTATUS nv_guid_count(void *h, uint32_t *n) {
  Encoder *e = h;
  *n = 0;
  for (int c = 1; c <= 4; c <<= 1)
    if ((e->gpu.codecs & c))
      ++*n;
  return 0;
}

static NVENCSTATUS nv_guids(void *h, GUID *g, uint32_t cap, uint32_t *n) {
  Encoder *e = h;
  uint32_t k = 0;
  if ((e->gpu.codecs & NVF_H264) && k < cap)
    g[k++] = NV_ENC_CODEC_H264_GUID;
  if ((e->gpu.codecs & NVF_HEVC) && k < cap)
    g[k++] = NV_ENC_CODEC_HEVC_GUID;
  if ((e->gpu.codecs & NVF_AV1) && k < cap)
    g[k++] = NV_ENC_CODEC_AV1_GUID;
  *n = k;
  return 0;
}

static NVENCSTATUS nv_profile_count(void *h, GUID c, uint32_t *n) {
  (void)h;
  (void)c;
  *n = 0;
  return 0;
}

static NVENCSTATUS nv_profiles(void *h, GUID c, GUID *g, uint32_t cap, uint32_t *n) {
  (void)h;
  (void)c;
  (void)g;
  (void)cap;
  *n = 0;
  return 0;
}

static NVENCSTATUS nv_caps(void *h, GUID cg, NV_ENC_CAPS_PARAM *p, int *v) {
  Encoder *e = h;
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

static NVENCSTATUS nv_preset_ex(void *h, GUID cg, GUID pg, NV_ENC_TUNING_INFO t,
                                NV_ENC_PRESET_CONFIG *pc) {
  int c = codec_of(&cg), p = preset_number(&pg);
  (void)h;
  if (!p || !c)
    return fail(h, NV_ENC_ERR_UNSUPPORTED_PARAM, "unknown codec or preset GUID");
  uint32_t v = pc->presetCfg.version;
  memset(&pc->presetCfg, 0, sizeof(NV_ENC_CONFIG)); /* Its size is the same from 11.1 to 13.0. */
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

static NVENCSTATUS nv_preset(void *h, GUID c, GUID p, NV_ENC_PRESET_CONFIG *pc) {
  return nv_preset_ex(h, c, p, NV_ENC_TUNING_INFO_HIGH_QUALITY, pc);
}

static int open_codec(Encoder *e) {
  e->header_length = 0;
  return e->backend->open(e);
}

static void close_codec(Encoder *e) {
  if (e->backend)
    e->backend->close(e);
}

static void drain(Encoder *e) {
  while (e->first_waiting && e->backend->code(e, NULL, 0, 0) > 0) {
  }
}

/* What a test asserts on: the parameters as they reached the driver. */
static void log_parameters(const Encoder *e, const NV_ENC_INITIALIZE_PARAMS *p) {
  const NV_ENC_RC_PARAMS *r = &e->config.rcParams;
  nvf_log("\"ev\":\"init\",\"gpu\":%d,\"codec\":\"%s\",\"w\":%d,\"h\":%d,\"fps\":\"%d/"
          "%d\",\"preset\":%d,\"tune\":%d,\"rc\":%d,\"cq\":%u,\"qp\":%u,\"bitrate\":%u,\"maxrate\":"
          "%u,\"bufsize\":%u,\"gop\":%u,\"bf\":%d,\"aq\":%u,\"taq\":%u,\"lookahead\":%u,"
          "\"multipass\":%d,\"bref\":%d,\"split\":%u",
          e->gpu.phys, codec_name(e->codec), e->width, e->height, e->fps_num, e->fps_den, e->preset,
          p->tuningInfo, r->rateControlMode, r->targetQuality, r->constQP.qpInterP,
          r->averageBitRate, r->maxBitRate, r->vbvBufferSize, e->config.gopLength, e->b_frames,
          r->enableAQ, r->enableTemporalAQ, r->enableLookahead ? r->lookaheadDepth : 0,
          r->multiPass,
          e->codec == NVF_H264   ? (int)e->config.encodeCodecConfig.h264Config.useBFramesAsRef
          : e->codec == NVF_HEVC ? (int)e->config.encodeCodecConfig.hevcConfig.useBFramesAsRef
                                 : 0,
          SPLIT_MODE(p));
}

static NVENCSTATUS nv_init(void *h, NV_ENC_INITIALIZE_PARAMS *p) {
  Encoder *e = h;
  long injected = nvf_int("NVFAKE_INIT_ERR", 0);
  if (injected && nvf_fault_here(e->gpu.phys))
    return fail(e, (NVENCSTATUS)injected, ""); /* As a driver without details. */
  e->codec = codec_of(&p->encodeGUID);
  e->width = p->encodeWidth;
  e->height = p->encodeHeight;
  e->fps_num = p->frameRateNum ? p->frameRateNum : 25;
  e->fps_den = p->frameRateDen ? p->frameRateDen : 1;
  e->preset = preset_number(&p->presetGUID);
  if (!p->encodeConfig || !(e->gpu.codecs & e->codec))
    return fail(e, NV_ENC_ERR_INVALID_PARAM, "Invalid Codec GUID or config");
  int minw = e->codec == NVF_H264   ? 145
             : e->codec == NVF_HEVC ? 129
                                    : 192,
      minh = e->codec == NVF_H264   ? 49
             : e->codec == NVF_HEVC ? 33
                                    : 128;
  if (e->width < minw || e->height < minh)
    return fail(e, NV_ENC_ERR_INVALID_PARAM,
                "Frame Dimension less than the minimum supported value.");
  e->config = *p->encodeConfig;
  e->b_frames = e->config.frameIntervalP > 1 ? e->config.frameIntervalP - 1 : 0;
  if (e->config.gopLength == 1)
    e->b_frames = 0;
  e->backend = e->codec == NVF_H264   ? &backend_h264
               : e->codec == NVF_HEVC ? &backend_hevc
                                      : &backend_av1;
  double fps = (double)e->fps_num / e->fps_den;
  nvf_slot_write(e->slot, "pid=%d gpu=%d codec=%s w=%d h=%d fps=%.0f vram=%d\n", (int)getpid(),
                 e->gpu.phys, codec_name(e->codec), e->width, e->height, fps,
                 120 + e->width * e->height / 20000);
  log_parameters(e, p);
  /* The first input buffer decides; for 4:2:0 the headers stay the same. */
  e->avc_layout = X264_CSP_NV12;
  if (e->codec == NVF_H264 && e->config.encodeCodecConfig.h264Config.chromaFormatIDC == 3)
    e->avc_layout = X264_CSP_I444;
  return open_codec(e) ? fail(e, NV_ENC_ERR_GENERIC, "back-end encoder refused the parameters")
                       : NV_ENC_SUCCESS;
}

static NVENCSTATUS nv_seq(void *h, NV_ENC_SEQUENCE_PARAM_PAYLOAD *p) {
  Encoder *e = h;
  if (e->header_length > p->inBufferSize)
    return fail(e, NV_ENC_ERR_NOT_ENOUGH_BUFFER, "sequence header too large");
  memcpy(p->spsppsBuffer, e->header, e->header_length);
  *p->outSPSPPSPayloadSize = (uint32_t)e->header_length;
  return 0;
}

static NVENCSTATUS nv_reconf(void *h, NV_ENC_RECONFIGURE_PARAMS *p) {
  Encoder *e = h;
  nvf_log("\"ev\":\"reconfigure\",\"gpu\":%d,\"idr\":%u", e->gpu.phys, p->forceIDR);
  if (p->forceIDR)
    e->idr_next = 1;
  if (e->avc && p->reInitEncodeParams.encodeConfig && e->avc_param.rc.i_rc_method == X264_RC_ABR &&
      p->reInitEncodeParams.encodeConfig->rcParams.averageBitRate) {
    e->avc_param.rc.i_bitrate =
        (int)(p->reInitEncodeParams.encodeConfig->rcParams.averageBitRate / 1000);
    if (e->avc_param.rc.i_vbv_max_bitrate)
      e->avc_param.rc.i_vbv_max_bitrate = e->avc_param.rc.i_bitrate;
    x264_encoder_reconfig(e->avc, &e->avc_param);
  }
  return 0;
}

/* Buffers. Device memory is host memory here, so registering and mapping only keep its shape. */

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

static NVENCSTATUS nv_create_in(void *h, NV_ENC_CREATE_INPUT_BUFFER *p) {
  Surface *s = calloc(1, sizeof *s);
  int bpp;
  (void)h;
  size_t rows = fmt_rows(p->bufferFmt, p->height, &bpp);
  s->width = p->width;
  s->height = p->height;
  s->format = p->bufferFmt;
  s->owned = 1;
  s->pitch = (int)((p->width * bpp + 255) & ~255u);
  s->data = aligned_alloc(256, (rows + 2) * s->pitch);
  p->inputBuffer = s;
  return s->data ? NV_ENC_SUCCESS : NV_ENC_ERR_OUT_OF_MEMORY;
}

static NVENCSTATUS nv_destroy_in(void *h, NV_ENC_INPUT_PTR b) {
  Surface *s = b;
  (void)h;
  if (s) {
    if (s->owned)
      free(s->data);
    free(s);
  }
  return 0;
}

static NVENCSTATUS nv_lock_in(void *h, NV_ENC_LOCK_INPUT_BUFFER *p) {
  Surface *s = p->inputBuffer;
  (void)h;
  p->bufferDataPtr = s->data;
  p->pitch = s->pitch;
  return 0;
}

static NVENCSTATUS nv_unlock_in(void *h, NV_ENC_INPUT_PTR b) {
  (void)h;
  (void)b;
  return 0;
}

static NVENCSTATUS nv_create_out(void *h, NV_ENC_CREATE_BITSTREAM_BUFFER *p) {
  (void)h;
  p->bitstreamBuffer = calloc(1, sizeof(Coded));
  return 0;
}

static NVENCSTATUS nv_destroy_out(void *h, NV_ENC_OUTPUT_PTR b) {
  Coded *o = b;
  (void)h;
  if (o) {
    free(o->data);
    free(o);
  }
  return 0;
}

static NVENCSTATUS nv_register(void *h, NV_ENC_REGISTER_RESOURCE *p) {
  if (p->resourceType != NV_ENC_INPUT_RESOURCE_TYPE_CUDADEVICEPTR)
    return fail(h, NV_ENC_ERR_UNIMPLEMENTED, "only CUDA device pointers");
  Surface *s = calloc(1, sizeof *s);
  s->data = p->resourceToRegister;
  s->width = p->width;
  s->height = p->height;
  s->pitch = p->pitch;
  s->format = p->bufferFormat;
  p->registeredResource = s;
  return 0;
}

static NVENCSTATUS nv_unregister(void *h, NV_ENC_REGISTERED_PTR r) {
  (void)h;
  free(r);
  return 0;
}

static NVENCSTATUS nv_map(void *h, NV_ENC_MAP_INPUT_RESOURCE *p) {
  Surface *s = p->registeredResource;
  (void)h;
  p->mappedResource = s;
  p->mappedBufferFmt = s->format;
  return 0;
}

static NVENCSTATUS nv_unmap(void *h, NV_ENC_INPUT_PTR m) {
  (void)h;
  (void)m;
  return 0;
}

/* Encoding, and the faults that come in the middle of it. */

/* The layout in which x264 takes a picture; 0 for one that this pretence does not know. */
static int layout_of(NV_ENC_BUFFER_FORMAT f) {
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
    return X264_CSP_NV12; /* Converted before. */
  default:
    return 0;
  }
}

static NVENCSTATUS nv_encode(void *h, NV_ENC_PIC_PARAMS *p) {
  Encoder *e = h;
  if (p->encodePicFlags & NV_ENC_PIC_FLAG_EOS) {
    drain(e);
    return NV_ENC_SUCCESS;
  }
  Surface *s = p->inputBuffer;
  Coded *o = p->outputBitstream;
  if (!s || !o)
    return fail(e, NV_ENC_ERR_INVALID_PTR, "null buffer");
  if (nvf_fault_here(e->gpu.phys)) {
    long k;
    if ((k = nvf_int("NVFAKE_FAIL_AFTER", -1)) >= 0 && e->pictures >= k)
      return fail(e, (NVENCSTATUS)nvf_int("NVFAKE_FAIL_CODE", NV_ENC_ERR_GENERIC),
                  "injected encode failure");
    if ((k = nvf_int("NVFAKE_CRASH_AFTER", -1)) >= 0 && e->pictures >= k)
      abort();
    if ((k = nvf_int("NVFAKE_HANG_AFTER", -1)) >= 0 && e->pictures >= k) {
      nvf_log("\"ev\":\"hang\"");
      for (;;)
        pause();
    }
    if ((k = nvf_int("NVFAKE_LOSE_AFTER", -1)) >= 0 && e->pictures == k)
      nvf_lose(e->gpu.phys);
  }
  if (nvf_lost(e->gpu.phys))
    return fail(e, NV_ENC_ERR_GENERIC, "GPU lost");
  nvf_sleep_ms(nvf_delay_ms(e->gpu.phys));
  if (e->codec == NVF_H264 &&
      e->pictures == 0) { /* x264 wants to know the exact layout before the first picture. */
    int c = layout_of(s->format);
    if (!c)
      return fail(e, NV_ENC_ERR_UNSUPPORTED_PARAM, "input format not supported by the fake");
    if (c != e->avc_layout) {
      close_codec(e);
      e->avc_layout = c;
      if (open_codec(e))
        return fail(e, NV_ENC_ERR_GENERIC, "reopen failed");
    }
  }
  e->pictures++;
  o->ready = 0;
  o->next = NULL;
  if (e->last_waiting)
    e->last_waiting->next = o;
  else
    e->first_waiting = o;
  e->last_waiting = o;
  Timing *m = malloc(sizeof *m);
  *m = (Timing){(int64_t)p->inputTimeStamp, p->inputDuration, e->timings};
  e->timings = m;
  int idr =
      (p->encodePicFlags & (NV_ENC_PIC_FLAG_FORCEIDR | NV_ENC_PIC_FLAG_FORCEINTRA)) || e->idr_next;
  e->idr_next = 0;
  int r = e->backend->code(e, s, (int64_t)p->inputTimeStamp, idr);
  if (r < 0)
    return fail(e, NV_ENC_ERR_GENERIC, "back-end encode failed");
  return r ? NV_ENC_SUCCESS : NV_ENC_ERR_NEED_MORE_INPUT;
}

static NVENCSTATUS nv_lock_out(void *h, NV_ENC_LOCK_BITSTREAM *p) {
  Encoder *e = h;
  Coded *o = p->outputBitstream;
  if (!o->ready) { /* The client wants it now, as with -delay 0 and B-frames: empty the codec, begin
                      anew. */
    drain(e);
    close_codec(e);
    if (open_codec(e))
      return fail(e, NV_ENC_ERR_GENERIC, "reopen failed");
    e->idr_next = 1;
    if (!o->ready)
      return fail(e, NV_ENC_ERR_LOCK_BUSY, "no output");
  }
  p->bitstreamBufferPtr = o->data;
  p->bitstreamSizeInBytes = (uint32_t)o->size;
  p->outputTimeStamp = o->pts;
  p->outputDuration = o->duration;
  p->pictureType = o->type;
  p->pictureStruct = NV_ENC_PIC_STRUCT_FRAME;
  p->frameIdx = o->frame;
  p->frameAvgQP = o->qp > 0 ? o->qp : 1;
  p->numSlices = 1;
  if (p->sliceOffsets)
    p->sliceOffsets[0] = 0;
  return 0;
}

static NVENCSTATUS nv_unlock_out(void *h, NV_ENC_OUTPUT_PTR b) {
  (void)h;
  (void)b;
  return 0;
}

static NVENCSTATUS nv_destroy(void *h) {
  Encoder *e = h;
  if (!e)
    return NV_ENC_ERR_INVALID_PTR;
  nvf_log("\"ev\":\"close\",\"gpu\":%d,\"pics\":%ld,\"outs\":%ld", e->gpu.phys, e->pictures,
          e->coded_pictures);
  close_codec(e);
  while (e->timings) {
    Timing *m = e->timings;
    e->timings = m->next;
    free(m);
  }
  if (e->slot >= 0) {
    if (ftruncate(e->slot, 0)) {
    }
    close(e->slot);
  }
  free(e->converted);
  free(e);
  return 0;
}

static NVENCSTATUS nv_streams(void *h, NV_ENC_CUSTREAM_PTR i, NV_ENC_CUSTREAM_PTR o) {
  (void)h;
  (void)i;
  (void)o;
  return 0;
}

static const char *nv_last(void *h) {
  return h ? ((Encoder *)h)->last_error : "";
}

static NVENCSTATUS nv_none(void) {
  return NV_ENC_ERR_UNIMPLEMENTED;
}

API NVENCSTATUS NvEncodeAPIGetMaxSupportedVersion(uint32_t *v) {
  unsigned a, b;
  highest_api(&a, &b);
  *v = a << 4 | b;
  return 0;
}

API NVENCSTATUS NvEncodeAPICreateInstance(NV_ENCODE_API_FUNCTION_LIST *f) {
  unsigned major, minor;
  highest_api(&major, &minor);
  if ((f->version & 0xff) > major)
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
