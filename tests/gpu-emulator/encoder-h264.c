/* The H.264 side of the pretended NVENC: libx264. Pictures say nothing about NVENC's size or
 * quality. */
#include "encoder.h"

static const char *x264_preset_for(int p) {
  static const char *t[] = {"veryfast", "ultrafast", "superfast", "superfast",
                            "veryfast", "veryfast",  "faster",    "fast"};
  return t[p];
}

static void set_rate(x264_param_t *p, const NV_ENC_RC_PARAMS *r) {
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
}

static int open_encoder(Encoder *e) {
  x264_param_t *p = &e->avc_param;
  NV_ENC_CONFIG_H264 *h = &e->config.encodeCodecConfig.h264Config;
  x264_param_default_preset(p, x264_preset_for(e->preset), NULL);
  p->i_log_level = X264_LOG_NONE;
  p->i_width = e->width;
  p->i_height = e->height;
  p->i_csp = e->avc_layout;
  p->i_fps_num = e->fps_num;
  p->i_fps_den = e->fps_den;
  p->b_vfr_input = 0;
  p->i_threads = (int)nvf_int("NVFAKE_THREADS", 1);
  p->b_sliced_threads = p->i_threads > 1;
  p->rc.i_lookahead = 0;
  p->i_sync_lookahead = 0;
  p->rc.b_mb_tree = 0;
  p->i_bframe_adaptive = 0;
  p->i_scenecut_threshold = 0;
  p->i_bframe = e->b_frames;
  p->i_bframe_pyramid = X264_B_PYRAMID_NONE;
  p->b_open_gop = 0;
  p->i_keyint_max = e->config.gopLength == NVENC_INFINITE_GOPLENGTH ? X264_KEYINT_MAX_INFINITE
                    : e->config.gopLength                           ? (int)e->config.gopLength
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
  set_rate(p, &e->config.rcParams);
  const char *prof = e->avc_layout == X264_CSP_I444 ? "high444"
                     : same_guid(&e->config.profileGUID, &NV_ENC_H264_PROFILE_BASELINE_GUID)
                         ? "baseline"
                     : same_guid(&e->config.profileGUID, &NV_ENC_H264_PROFILE_MAIN_GUID) ? "main"
                                                                                         : "high";
  if (x264_param_apply_profile(p, prof))
    return -1;
  if (!strcmp(prof, "baseline"))
    e->b_frames = 0;
  e->avc = x264_encoder_open(p);
  return e->avc ? 0 : -1;
}

static int open_it(Encoder *e) {
  x264_nal_t *n;
  int k;
  if (open_encoder(e))
    return -1;
  if (x264_encoder_headers(e->avc, &n, &k) > 0)
    for (int i = 0; i < k; i++)
      if (n[i].i_type != NAL_SEI)
        keep_header(e, n[i].p_payload, n[i].i_payload);
  return 0;
}

static void close_it(Encoder *e) {
  if (e->avc)
    x264_encoder_close(e->avc);
  e->avc = NULL;
}

/* x264 takes no RGB: studio range BT.601 in integers. */
static void rgb_to_nv12(Encoder *e, const Surface *s) {
  const uint8_t *b = s->data;
  int pitch = s->pitch;
  size_t need = (size_t)e->width * e->height * 2;
  int ri = s->format == NV_ENC_BUFFER_FORMAT_ARGB ? 2 : 0, bi = 2 - ri;
  if (need > e->converted_size)
    e->converted = realloc(e->converted, e->converted_size = need);
  for (int y = 0; y < e->height; y++)
    for (int x = 0; x < e->width; x++) {
      const uint8_t *q = b + (size_t)y * pitch + 4 * x;
      int R = q[ri], G = q[1], B = q[bi];
      e->converted[(size_t)y * e->width + x] = (uint8_t)((66 * R + 129 * G + 25 * B + 4224) >> 8);
      if (!(x & 1) && !(y & 1)) {
        uint8_t *uv = e->converted + (size_t)e->width * e->height + (size_t)(y / 2) * e->width + x;
        uv[0] = (uint8_t)((-38 * R - 74 * G + 112 * B + 32896) >> 8);
        if (x + 1 < e->width)
          uv[1] = (uint8_t)((112 * R - 94 * G - 18 * B + 32896) >> 8);
      }
    }
}

static void lay_out(Encoder *e, const Surface *s, x264_image_t *img) {
  uint8_t *b = s->data;
  int h = s->height, pitch = s->pitch;
  if (s->format == NV_ENC_BUFFER_FORMAT_ARGB || s->format == NV_ENC_BUFFER_FORMAT_ABGR) {
    rgb_to_nv12(e, s);
    b = e->converted;
    pitch = e->width;
    h = e->height;
  }
  img->plane[0] = b;
  img->i_stride[0] = pitch;
  if (e->avc_layout == X264_CSP_NV12) {
    img->i_plane = 2;
    img->plane[1] = b + (size_t)pitch * h;
    img->i_stride[1] = pitch;
  } else if (e->avc_layout == X264_CSP_I444) {
    img->i_plane = 3;
    img->plane[1] = b + (size_t)pitch * h;
    img->plane[2] = b + 2 * (size_t)pitch * h;
    img->i_stride[1] = img->i_stride[2] = pitch;
  } else {
    int ch = (h + 1) / 2, v12 = s->format == NV_ENC_BUFFER_FORMAT_YV12;
    uint8_t *a = b + (size_t)pitch * h, *c = a + (size_t)(pitch / 2) * ch;
    img->i_plane = 3;
    img->plane[1] = v12 ? c : a;
    img->plane[2] = v12 ? a : c;
    img->i_stride[1] = img->i_stride[2] = pitch / 2;
  }
}

static int code_picture(Encoder *e, const Surface *s, int64_t pts, int idr) {
  x264_picture_t in, outp;
  x264_nal_t *nal;
  int nn, size;
  if (s) {
    x264_picture_init(&in);
    in.i_pts = pts;
    in.i_type = idr ? X264_TYPE_IDR : X264_TYPE_AUTO;
    in.img.i_csp = e->avc_layout;
    lay_out(e, s, &in.img);
  }
  size = x264_encoder_encode(e->avc, &nal, &nn, s ? &in : NULL, &outp);
  if (size <= 0)
    return size < 0 ? -1 : 0;
  Coded *o = next_waiting(e);
  if (!o)
    return -1;
  o->size = 0;
  for (int i = 0; i < nn; i++)
    if (!(nal[i].i_type == NAL_SEI && nal[i].i_payload > 24 &&
          memmem(nal[i].p_payload, nal[i].i_payload < 64 ? nal[i].i_payload : 64, "x264", 4)))
      append_bytes(o, nal[i].p_payload, nal[i].i_payload);
  o->pts = (uint64_t)outp.i_pts;
  o->qp = outp.i_qpplus1 - 1;
  o->frame = (uint32_t)e->coded_pictures++;
  o->type = outp.b_keyframe && IS_X264_TYPE_I(outp.i_type) ? NV_ENC_PIC_TYPE_IDR
            : IS_X264_TYPE_I(outp.i_type)                  ? NV_ENC_PIC_TYPE_I
            : IS_X264_TYPE_B(outp.i_type)                  ? NV_ENC_PIC_TYPE_B
                                                           : NV_ENC_PIC_TYPE_P;
  o->duration = take_duration(e, outp.i_pts);
  o->ready = 1;
  return 1;
}

const Backend backend_h264 = {open_it, code_picture, close_it};
