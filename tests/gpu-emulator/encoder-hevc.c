/* The HEVC side of the pretended NVENC: libx265, eight bits. */
#include "encoder.h"

static int open_encoder(Encoder *e) {
  NV_ENC_RC_PARAMS *r = &e->config.rcParams;
  NV_ENC_CONFIG_HEVC *h = &e->config.encodeCodecConfig.hevcConfig;
  char b[64];
  e->hevc_api = x265_api_get(8);
  if (!e->hevc_api)
    return -1;
  x265_param *p = e->hevc_param = e->hevc_api->param_alloc();
  e->hevc_api->param_default_preset(p, "ultrafast", NULL);
  p->logLevel = X265_LOG_NONE;
  p->sourceWidth = e->width;
  p->sourceHeight = e->height;
  p->fpsNum = e->fps_num;
  p->fpsDenom = e->fps_den;
  p->internalCsp = X265_CSP_I420;
  p->frameNumThreads = 1;
  p->lookaheadDepth = e->b_frames ? e->b_frames + 1 : 0;
  p->bFrameAdaptive = 0;
  p->bframes = e->b_frames;
  p->bBPyramid = 0;
  p->scenecutThreshold = 0;
  p->rc.cuTree = 0;
  p->bOpenGOP = 0;
  p->keyframeMax = e->config.gopLength == NVENC_INFINITE_GOPLENGTH ? -1
                   : e->config.gopLength                           ? (int)e->config.gopLength
                                                                   : 250;
  p->keyframeMin = 1;
  p->bRepeatHeaders = h->disableSPSPPS ? 0 : 1;
  p->bEnableAccessUnitDelimiters = h->outputAUD;
  p->bAnnexB = 1;
  p->bEmitInfoSEI = 0;
  p->bEnableWavefront = 0;
  e->hevc_api->param_parse(p, "pools", "none");
  if (h->hevcVUIParameters.colourDescriptionPresentFlag) {
    p->vui.bEnableVideoSignalTypePresentFlag = p->vui.bEnableColorDescriptionPresentFlag = 1;
    p->vui.colorPrimaries = h->hevcVUIParameters.colourPrimaries;
    p->vui.transferCharacteristics = h->hevcVUIParameters.transferCharacteristics;
    p->vui.matrixCoeffs = h->hevcVUIParameters.colourMatrix;
  }
  if (r->rateControlMode == NV_ENC_PARAMS_RC_CONSTQP) {
    snprintf(b, sizeof b, "%u", r->constQP.qpInterP);
    e->hevc_api->param_parse(p, "qp", b);
  } else if (r->rateControlMode == NV_ENC_PARAMS_RC_VBR && r->targetQuality) {
    snprintf(b, sizeof b, "%u", r->targetQuality);
    e->hevc_api->param_parse(p, "crf", b);
  } else {
    snprintf(b, sizeof b, "%u", r->averageBitRate ? r->averageBitRate / 1000 : 2000);
    e->hevc_api->param_parse(p, "bitrate", b);
  }
  e->hevc = e->hevc_api->encoder_open(p);
  return e->hevc ? 0 : -1;
}

static int open_it(Encoder *e) {
  x265_nal *n;
  uint32_t k;
  if (open_encoder(e))
    return -1;
  if (e->hevc_api->encoder_headers(e->hevc, &n, &k) > 0)
    for (uint32_t i = 0; i < k; i++)
      if (n[i].type >= NAL_UNIT_VPS && n[i].type <= NAL_UNIT_PPS)
        keep_header(e, n[i].payload, n[i].sizeBytes);
  return 0;
}

static void close_it(Encoder *e) {
  if (e->hevc)
    e->hevc_api->encoder_close(e->hevc);
  if (e->hevc_param)
    e->hevc_api->param_free(e->hevc_param);
  e->hevc = NULL;
  e->hevc_param = NULL;
}

static void lay_out(Encoder *e, const Surface *s, x265_picture *in) {
  uint8_t *b = s->data;
  int pitch = s->pitch, ch = (s->height + 1) / 2, cw = (e->width + 1) / 2;
  if (s->format == NV_ENC_BUFFER_FORMAT_NV12) {
    size_t need = (size_t)cw * ch * 2;
    if (need > e->converted_size)
      e->converted = realloc(e->converted, e->converted_size = need);
    for (int y = 0; y < ch; y++)
      for (int x = 0; x < cw; x++) {
        const uint8_t *q = b + (size_t)pitch * (s->height + y) + 2 * x;
        e->converted[y * cw + x] = q[0];
        e->converted[(size_t)cw * ch + y * cw + x] = q[1];
      }
    in->planes[1] = e->converted;
    in->planes[2] = e->converted + (size_t)cw * ch;
    in->stride[1] = in->stride[2] = cw;
  } else if (s->format == NV_ENC_BUFFER_FORMAT_YUV420_10BIT) {
    /* P010: the upper eight bits are kept. */
    size_t need = (size_t)e->width * e->height + (size_t)cw * ch * 2;
    if (need > e->converted_size)
      e->converted = realloc(e->converted, e->converted_size = need);
    for (int y = 0; y < e->height; y++)
      for (int x = 0; x < e->width; x++)
        e->converted[(size_t)y * e->width + x] = ((uint16_t *)(b + (size_t)pitch * y))[x] >> 8;
    uint8_t *u = e->converted + (size_t)e->width * e->height, *v = u + (size_t)cw * ch;
    for (int y = 0; y < ch; y++)
      for (int x = 0; x < cw; x++) {
        const uint16_t *q = (uint16_t *)(b + (size_t)pitch * (s->height + y)) + 2 * x;
        u[y * cw + x] = q[0] >> 8;
        v[y * cw + x] = q[1] >> 8;
      }
    b = e->converted;
    pitch = e->width;
    in->planes[1] = u;
    in->planes[2] = v;
    in->stride[1] = in->stride[2] = cw;
  } else {
    uint8_t *a = b + (size_t)pitch * s->height, *c = a + (size_t)(pitch / 2) * ch;
    int v12 = s->format == NV_ENC_BUFFER_FORMAT_YV12;
    in->planes[1] = v12 ? c : a;
    in->planes[2] = v12 ? a : c;
    in->stride[1] = in->stride[2] = pitch / 2;
  }
  in->planes[0] = b;
  in->stride[0] = pitch;
}

static int code_picture(Encoder *e, const Surface *s, int64_t pts, int idr) {
  x265_picture in, outp;
  x265_nal *nal;
  uint32_t nn;
  int r;
  if (s) {
    e->hevc_api->picture_init(e->hevc_param, &in);
    in.pts = pts;
    in.sliceType = idr ? X265_TYPE_IDR : X265_TYPE_AUTO;
    in.colorSpace = X265_CSP_I420;
    in.bitDepth = 8;
    lay_out(e, s, &in);
  }
  e->hevc_api->picture_init(e->hevc_param, &outp);
  r = e->hevc_api->encoder_encode(e->hevc, &nal, &nn, s ? &in : NULL, &outp);
  if (r < 0)
    return -1;
  if (!nn)
    return 0;
  Coded *o = next_waiting(e);
  if (!o)
    return -1;
  o->size = 0;
  for (uint32_t i = 0; i < nn; i++)
    append_bytes(o, nal[i].payload, nal[i].sizeBytes);
  o->pts = (uint64_t)outp.pts;
  o->qp = 30;
  o->frame = (uint32_t)e->coded_pictures++;
  o->type = outp.sliceType == X265_TYPE_IDR ? NV_ENC_PIC_TYPE_IDR
            : outp.sliceType == X265_TYPE_I ? NV_ENC_PIC_TYPE_I
            : outp.sliceType == X265_TYPE_P ? NV_ENC_PIC_TYPE_P
                                            : NV_ENC_PIC_TYPE_B;
  o->duration = take_duration(e, outp.pts);
  o->ready = 1;
  return 1;
}

const Backend backend_hevc = {open_it, code_picture, close_it};
