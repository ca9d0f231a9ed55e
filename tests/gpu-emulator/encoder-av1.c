/* The AV1 side of the pretended NVENC: libaom, eight bits, without B-frames. */
#include "encoder.h"
#include <aom/aomcx.h>

static int open_encoder(Encoder *e) {
  aom_codec_enc_cfg_t c;
  NV_ENC_RC_PARAMS *r = &e->config.rcParams;
  if (aom_codec_enc_config_default(aom_codec_av1_cx(), &c, AOM_USAGE_REALTIME))
    return -1;
  c.g_w = e->width;
  c.g_h = e->height;
  c.g_timebase.num = e->fps_den;
  c.g_timebase.den = e->fps_num;
  c.g_lag_in_frames = 0;
  c.g_threads = 1;
  c.kf_max_dist = e->config.gopLength == NVENC_INFINITE_GOPLENGTH ? 9999
                  : e->config.gopLength                           ? e->config.gopLength - 1
                                                                  : 249;
  unsigned q = r->rateControlMode == NV_ENC_PARAMS_RC_CONSTQP
                   ? r->constQP.qpInterP / 4
                   : r->targetQuality; /* NVENC counts to 255 here, libaom to 63. */
  c.rc_end_usage = q ? AOM_Q : r->rateControlMode == NV_ENC_PARAMS_RC_CBR ? AOM_CBR : AOM_VBR;
  c.rc_target_bitrate = r->averageBitRate ? r->averageBitRate / 1000 : 2000;
  if (aom_codec_enc_init(&e->av1, aom_codec_av1_cx(), &c, 0))
    return -1;
  e->av1_is_open = 1;
  aom_codec_control(&e->av1, AOME_SET_CPUUSED, 9);
  if (q)
    aom_codec_control(&e->av1, AOME_SET_CQ_LEVEL, q > 63 ? 63 : q);
  return 0;
}

static int open_it(Encoder *e) {
  if (open_encoder(e))
    return -1;
  aom_fixed_buf_t *b = aom_codec_get_global_headers(&e->av1);
  if (b) {
    keep_header(e, b->buf, (int)b->sz);
    free(b->buf);
    free(b);
  }
  return 0;
}

static void close_it(Encoder *e) {
  if (e->av1_is_open)
    aom_codec_destroy(&e->av1);
  e->av1_is_open = 0;
}

static void lay_out(const Encoder *e, const Surface *s, aom_image_t *im) {
  int ch = (e->height + 1) / 2, cw = (e->width + 1) / 2,
      ten = s->format == NV_ENC_BUFFER_FORMAT_YUV420_10BIT,
      nv = ten || s->format == NV_ENC_BUFFER_FORMAT_NV12,
      v12 = s->format == NV_ENC_BUFFER_FORMAT_YV12, bs = ten ? 2 : 1;
  for (int y = 0; y < e->height; y++)
    for (int x = 0; x < e->width; x++)
      im->planes[0][y * im->stride[0] + x] = s->data[(size_t)y * s->pitch + x * bs + bs - 1];
  for (int y = 0; y < ch; y++)
    for (int x = 0; x < cw; x++) {
      uint8_t *base = s->data + (size_t)s->pitch * s->height, a, b;
      if (nv) {
        a = base[(size_t)y * s->pitch + 2 * x * bs + bs - 1];
        b = base[(size_t)y * s->pitch + (2 * x + 1) * bs + bs - 1];
      } else {
        a = base[(size_t)y * (s->pitch / 2) + x];
        b = base[(size_t)(s->pitch / 2) * ((s->height + 1) / 2) + (size_t)y * (s->pitch / 2) + x];
      }
      im->planes[1][y * im->stride[1] + x] = v12 ? b : a;
      im->planes[2][y * im->stride[2] + x] = v12 ? a : b;
    }
}

static int code_picture(Encoder *e, const Surface *s, int64_t pts, int idr) {
  aom_image_t im;
  const aom_codec_cx_pkt_t *k;
  aom_codec_iter_t it = NULL;
  Coded *o = NULL;
  if (!s)
    return 0; /* Without lag nothing stays inside. */
  if (!aom_img_alloc(&im, AOM_IMG_FMT_I420, e->width, e->height, 32))
    return -1;
  lay_out(e, s, &im);
  int bad = aom_codec_encode(&e->av1, &im, e->av1_pictures++, 1, idr ? AOM_EFLAG_FORCE_KF : 0);
  aom_img_free(&im);
  if (bad)
    return -1;
  while ((k = aom_codec_get_cx_data(&e->av1, &it)))
    if (k->kind == AOM_CODEC_CX_FRAME_PKT) {
      if (!o) {
        if (!(o = next_waiting(e)))
          return -1;
        o->size = 0;
      }
      append_bytes(o, k->data.frame.buf, k->data.frame.sz);
      o->type = k->data.frame.flags & AOM_FRAME_IS_KEY ? NV_ENC_PIC_TYPE_IDR : NV_ENC_PIC_TYPE_P;
    }
  if (!o)
    return 0;
  o->pts = (uint64_t)pts;
  o->qp = 60;
  o->frame = (uint32_t)e->coded_pictures++;
  o->duration = take_duration(e, pts);
  o->ready = 1;
  return 1;
}

const Backend backend_av1 = {open_it, code_picture, close_it};
