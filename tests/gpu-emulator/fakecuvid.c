/* A pretended libnvcuvid.so.1, for tests alone: what `-hwaccel cuda` of FFmpeg asks NVDEC for.
 * H.264: the parameter sets are made again from CUVIDPICPARAMS and go, with the slices, to
 * libavcodec's own decoder; the picture is caught in get_buffer2, so that reordering does not
 * matter. VP8, VP9 and MJPEG: what is handed over is whole and goes to libavcodec as it is. All
 * others (HEVC, AV1, MPEG-2 …) give a moving pattern of the right size: the interface does not
 * carry what a decoder would need. */
#include "nvfake.h"
#include <ffnvcodec/dynlink_cuda.h>
#include <ffnvcodec/dynlink_cuviddec.h>
#include <libavcodec/avcodec.h>

#define API __attribute__((visibility("default")))
extern CUresult cuMemAlloc_v2(CUdeviceptr *, size_t);
extern CUresult cuMemFree_v2(CUdeviceptr);
extern CUresult cuCtxGetCurrent(CUcontext *);

typedef struct {
  CUVIDDECODECREATEINFO ci;
  AVCodecContext *av;
  AVPacket *pkt;
  AVFrame *out, *slot[64];
  int cur, mbaff;
  long n, seq[64];
  uint8_t sps[64];
  int spslen;

  struct {
    uint8_t d[64];
    int n;
  } pps[256];
} Decoder;

typedef struct {
  uint8_t b[256];
  int n, bit;
} BitWriter;

static void write_bits(BitWriter *w, unsigned v, int n) {
  while (n--) {
    if (w->bit == 0 && w->n < 255)
      w->b[w->n] = 0;
    w->b[w->n] |= ((v >> n) & 1) << (7 - w->bit);
    if (++w->bit == 8) {
      w->bit = 0;
      w->n++;
    }
  }
}

static void write_ue(BitWriter *w, unsigned v) {
  int l = 0;
  for (unsigned x = v + 1; x > 1; x >>= 1)
    l++;
  write_bits(w, 0, l);
  write_bits(w, v + 1, l + 1);
}

static void write_se(BitWriter *w, int v) {
  write_ue(w, v > 0 ? 2 * v - 1 : -2 * v);
}

/* Adds the trailing bits and the start code, and breaks what looks like a start code inside. */
static int finish_nal(BitWriter *w, uint8_t *out, int hdr) {
  write_bits(w, 1, 1);
  while (w->bit)
    write_bits(w, 0, 1);
  int o = 0, z = 0;
  out[o++] = 0;
  out[o++] = 0;
  out[o++] = 0;
  out[o++] = 1;
  out[o++] = (uint8_t)hdr;
  for (int i = 0; i < w->n && o < 62; i++) {
    if (z >= 2 && w->b[i] <= 3) {
      out[o++] = 3;
      z = 0;
    }
    z = w->b[i] ? 0 : z + 1;
    out[o++] = w->b[i];
  }
  return o;
}

static unsigned read_ue(const uint8_t *p, int *bit) {
  int z = 0;
  unsigned v = 1;
  while (!((p[*bit >> 3] >> (7 - (*bit & 7))) & 1) && z < 31) {
    z++;
    ++*bit;
  }
  ++*bit;
  while (z--) {
    v = v << 1 | ((p[*bit >> 3] >> (7 - (*bit & 7))) & 1);
    ++*bit;
  }
  return v - 1;
}

static int catch_picture(AVCodecContext *c, AVFrame *f, int flags) {
  Decoder *d = c->opaque;
  int r = avcodec_default_get_buffer2(c, f, flags);
  if (!r) {
    av_frame_unref(d->slot[d->cur]);
    r = av_frame_ref(d->slot[d->cur], f);
  }
  return r;
}

static enum AVCodecID codec_for(cudaVideoCodec c) {
  return c == cudaVideoCodec_H264   ? AV_CODEC_ID_H264
         : c == cudaVideoCodec_VP9  ? AV_CODEC_ID_VP9
         : c == cudaVideoCodec_VP8  ? AV_CODEC_ID_VP8
         : c == cudaVideoCodec_JPEG ? AV_CODEC_ID_MJPEG
                                    : AV_CODEC_ID_NONE;
}

API CUresult cuvidGetDecoderCaps(CUVIDDECODECAPS *c) {
  int ok = strcmp(nvf_env("NVFAKE_NVDEC", "all"), "none") != 0 &&
           c->eChromaFormat == cudaVideoChromaFormat_420 &&
           !(c->eCodecType == cudaVideoCodec_H264 && c->nBitDepthMinus8);
  c->bIsSupported = (unsigned char)ok;
  c->nNumNVDECs = 4;
  c->nMinWidth = 48;
  c->nMinHeight = 16;
  c->nMaxWidth = c->eCodecType == cudaVideoCodec_H264 ? 4096 : 8192;
  c->nMaxHeight = (unsigned short)c->nMaxWidth;
  c->nMaxMBCount = c->nMaxWidth * c->nMaxWidth / 256;
  c->nOutputFormatMask = 3;
  return 0;
}

API CUresult cuvidCreateDecoder(CUvideodecoder *out, CUVIDDECODECREATEINFO *ci) {
  long e = nvf_int("NVFAKE_NVDEC_ERR", 0);
  nvf_log("\"ev\":\"nvdec_open\",\"codec\":%d,\"w\":%lu,\"h\":%lu,\"surfaces\":%lu,\"err\":%ld",
          ci->CodecType, ci->ulWidth, ci->ulHeight, ci->ulNumDecodeSurfaces, e);
  if (e)
    return (CUresult)e;
  /* As the real driver does: FFmpeg trac 8948. */
  if (ci->ulNumDecodeSurfaces > 32)
    return (CUresult)1;
  Decoder *d = calloc(1, sizeof *d);
  d->ci = *ci;
  d->cur = -1;
  for (int i = 0; i < 64; i++)
    d->slot[i] = av_frame_alloc();
  enum AVCodecID id = codec_for(ci->CodecType);
  const AVCodec *c = id ? avcodec_find_decoder(id) : NULL;
  if (c) {
    d->av = avcodec_alloc_context3(c);
    d->av->opaque = d;
    d->av->get_buffer2 = catch_picture;
    d->av->thread_count = 1;
    d->av->thread_type = FF_THREAD_SLICE;
    d->av->width = (int)ci->ulWidth;
    d->av->height = (int)ci->ulHeight;
    d->pkt = av_packet_alloc();
    d->out = av_frame_alloc();
    if (avcodec_open2(d->av, c, NULL) < 0)
      return (CUresult)999;
  }
  *out = (CUvideodecoder)d;
  return 0;
}

API CUresult cuvidDestroyDecoder(CUvideodecoder h) {
  Decoder *d = (Decoder *)h;
  nvf_log("\"ev\":\"nvdec_close\",\"pics\":%ld", d->n);
  for (int i = 0; i < 64; i++)
    av_frame_free(&d->slot[i]);
  if (d->av) {
    avcodec_free_context(&d->av);
    av_packet_free(&d->pkt);
    av_frame_free(&d->out);
  }
  free(d);
  return 0;
}

static int h264_headers(Decoder *d, CUVIDPICPARAMS *p, uint8_t *o) {
  CUVIDH264PICPARAMS *h = &p->CodecSpecific.h264;
  int n = 0;
  if (h->MbaffFrameFlag)
    d->mbaff = 1;
  BitWriter s = {.n = 0};
  int fmt = d->ci.ChromaFormat;
  write_bits(&s, h->bit_depth_luma_minus8 ? 110 : 100, 8);
  write_bits(&s, 0, 8);
  write_bits(&s, 62, 8);
  write_ue(&s, 0);
  write_ue(&s, fmt);
  write_ue(&s, h->bit_depth_luma_minus8);
  write_ue(&s, h->bit_depth_chroma_minus8);
  write_bits(&s, h->qpprime_y_zero_transform_bypass_flag, 1);
  write_bits(&s, 0, 1);
  write_ue(&s, h->log2_max_frame_num_minus4);
  write_ue(&s, h->pic_order_cnt_type);
  if (h->pic_order_cnt_type == 0)
    write_ue(&s, h->log2_max_pic_order_cnt_lsb_minus4);
  else if (h->pic_order_cnt_type == 1) {
    write_bits(&s, h->delta_pic_order_always_zero_flag, 1);
    write_se(&s, 0);
    write_se(&s, 0);
    write_ue(&s, 0);
  }
  write_ue(&s, h->num_ref_frames);
  write_bits(&s, 0, 1);
  write_ue(&s, p->PicWidthInMbs - 1);
  write_ue(&s, p->FrameHeightInMbs / (h->frame_mbs_only_flag ? 1 : 2) - 1);
  write_bits(&s, h->frame_mbs_only_flag, 1);
  if (!h->frame_mbs_only_flag)
    write_bits(&s, d->mbaff, 1);
  write_bits(&s, h->direct_8x8_inference_flag, 1);
  write_bits(&s, 0, 1);
  write_bits(&s, 0, 1);
  uint8_t t[64];
  int k = finish_nal(&s, t, 0x67), fresh = k != d->spslen || memcmp(t, d->sps, k);
  if (fresh) {
    memcpy(d->sps, t, k);
    d->spslen = k;
    memcpy(o, t, k);
    n = k;
  }
  /* The slices name a PPS: past the start code of three bytes and the header of the NAL unit. */
  int bit = 8;
  const uint8_t *sl = p->pBitstreamData + p->pSliceDataOffsets[0] + 3;
  read_ue(sl, &bit);
  read_ue(sl, &bit);
  unsigned id = read_ue(sl, &bit) & 255;
  BitWriter q = {.n = 0};
  write_ue(&q, id);
  write_ue(&q, 0);
  write_bits(&q, h->entropy_coding_mode_flag, 1);
  write_bits(&q, h->pic_order_present_flag, 1);
  write_ue(&q, 0);
  write_ue(&q, h->num_ref_idx_l0_active_minus1);
  write_ue(&q, h->num_ref_idx_l1_active_minus1);
  write_bits(&q, h->weighted_pred_flag, 1);
  write_bits(&q, h->weighted_bipred_idc, 2);
  write_se(&q, h->pic_init_qp_minus26);
  write_se(&q, 0);
  write_se(&q, h->chroma_qp_index_offset);
  write_bits(&q, h->deblocking_filter_control_present_flag, 1);
  write_bits(&q, h->constrained_intra_pred_flag, 1);
  write_bits(&q, h->redundant_pic_cnt_present_flag, 1);
  write_bits(&q, h->transform_8x8_mode_flag, 1);
  write_bits(&q, 0, 1);
  write_se(&q, h->second_chroma_qp_index_offset);
  k = finish_nal(&q, t, 0x68);
  if (fresh || k != d->pps[id].n || memcmp(t, d->pps[id].d, k)) {
    memcpy(d->pps[id].d, t, k);
    d->pps[id].n = k;
    memcpy(o + n, t, k);
    n += k;
  }
  return n;
}

API CUresult cuvidDecodePicture(CUvideodecoder h, CUVIDPICPARAMS *p) {
  Decoder *d = (Decoder *)h;
  long k = nvf_int("NVFAKE_DEC_FAIL_AFTER", -1);
  if (k >= 0 && d->n >= k)
    return (CUresult)nvf_int("NVFAKE_DEC_FAIL_CODE", 999);
  if ((k = nvf_int("NVFAKE_DEC_HANG_AFTER", -1)) >= 0 && d->n >= k) {
    nvf_log("\"ev\":\"hang\"");
    for (;;)
      pause();
  }
  if (p->CurrPicIdx < 0 || p->CurrPicIdx >= 64)
    return (CUresult)1;
  d->cur = p->CurrPicIdx;
  d->seq[d->cur] = d->n++;
  if (!d->av)
    return 0;
  uint8_t hdr[160];
  int hn = d->ci.CodecType == cudaVideoCodec_H264 ? h264_headers(d, p, hdr) : 0;
  if (av_new_packet(d->pkt, hn + (int)p->nBitstreamDataLen) < 0)
    return (CUresult)2;
  memcpy(d->pkt->data, hdr, hn);
  memcpy(d->pkt->data + hn, p->pBitstreamData, p->nBitstreamDataLen);
  int r = avcodec_send_packet(d->av, d->pkt);
  av_packet_unref(d->pkt);
  if (r < 0 && r != AVERROR(EAGAIN))
    nvf_log("\"ev\":\"nvdec_bad_picture\",\"n\":%ld", d->n);
  while (avcodec_receive_frame(d->av, d->out) >= 0)
    av_frame_unref(d->out);
  return 0;
}

API CUresult cuvidGetDecodeStatus(CUvideodecoder h, int i, CUVIDGETDECODESTATUS *s) {
  (void)h;
  (void)i;
  s->decodeStatus = cuvidDecodeStatus_Success;
  return 0;
}

API CUresult cuvidReconfigureDecoder(CUvideodecoder h, CUVIDRECONFIGUREDECODERINFO *i) {
  (void)h;
  (void)i;
  return (CUresult)801;
}

API CUresult cuvidMapVideoFrame64(CUvideodecoder h, int idx, unsigned long long *ptr,
                                  unsigned *pitch, CUVIDPROCPARAMS *pp) {
  Decoder *d = (Decoder *)h;
  AVFrame *f = d->slot[idx & 63];
  CUdeviceptr dp;
  (void)pp;
  int w = (int)d->ci.ulTargetWidth, ht = (int)d->ci.ulTargetHeight,
      bps = d->ci.OutputFormat == cudaVideoSurfaceFormat_P016 ? 2 : 1, ch = (ht + 1) / 2,
      cw = (w + 1) / 2;
  unsigned pt = (unsigned)((w * bps + 511) & ~511);
  CUresult e = cuMemAlloc_v2(&dp, (size_t)pt * (ht + ch));
  if (e)
    return e;
  uint8_t *o = (uint8_t *)(uintptr_t)dp;
  int real = f->data[0] != NULL, fw = f->width < w ? f->width : w,
      fh = f->height < ht ? f->height : ht;
  for (int y = 0; y < ht; y++) {
    uint8_t *r = o + (size_t)pt * y;
    if (real && bps == 1 && y < fh)
      memcpy(r, f->data[0] + (size_t)y * f->linesize[0], fw);
    else
      for (int x = 0; x < w; x++) {
        unsigned v = real ? 16 : (unsigned)(x + y + 4 * d->seq[idx & 63]) & 255;
        if (bps == 2)
          ((uint16_t *)r)[x] = (uint16_t)(v << 8);
        else
          r[x] = (uint8_t)v;
      }
  }
  for (int y = 0; y < ch; y++) {
    uint8_t *r = o + (size_t)pt * (ht + y);
    if (real && bps == 1 && y < (fh + 1) / 2)
      for (int x = 0; x < cw && x < (fw + 1) / 2; x++) {
        r[2 * x] = f->data[1][(size_t)y * f->linesize[1] + x];
        r[2 * x + 1] = f->data[2][(size_t)y * f->linesize[2] + x];
      }
    else
      for (int x = 0; x < 2 * cw; x++) {
        if (bps == 2)
          ((uint16_t *)r)[x] = 0x8000;
        else
          r[x] = 128;
      }
  }
  *ptr = dp;
  *pitch = pt;
  return 0;
}

API CUresult cuvidUnmapVideoFrame64(CUvideodecoder h, unsigned long long p) {
  (void)h;
  return cuMemFree_v2(p);
}

typedef struct {
  int x;
} Lock;

API CUresult cuvidCtxLockCreate(CUvideoctxlock *l, CUcontext c) {
  (void)c;
  *l = (CUvideoctxlock)calloc(1, sizeof(Lock));
  return 0;
}

API CUresult cuvidCtxLockDestroy(CUvideoctxlock l) {
  free((void *)l);
  return 0;
}

API CUresult cuvidCtxLock(CUvideoctxlock l, unsigned r) {
  (void)l;
  (void)r;
  return 0;
}

API CUresult cuvidCtxUnlock(CUvideoctxlock l, unsigned r) {
  (void)l;
  (void)r;
  return 0;
}

/* The *_cuvid decoders and their parser are not pretended: only the symbols must be there. */
#define STUB(n)                                                                                    \
  API CUresult n(void) {                                                                           \
    nvf_log("\"ev\":\"stub\",\"fn\":\"" #n "\"");                                                  \
    return (CUresult)801;                                                                          \
  }
STUB(cuvidCreateVideoSource)
STUB(cuvidCreateVideoSourceW)
STUB(cuvidDestroyVideoSource)
STUB(cuvidSetVideoSourceState) STUB(cuvidGetVideoSourceState) STUB(cuvidGetSourceVideoFormat)
    STUB(cuvidGetSourceAudioFormat) STUB(cuvidCreateVideoParser) STUB(cuvidParseVideoData)
        STUB(cuvidDestroyVideoParser)
