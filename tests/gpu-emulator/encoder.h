/* One encode session of the pretended NVENC, and what a codec does in it. */
#ifndef ENCODER_H
#define ENCODER_H
#include "nvfake.h"
/* x265.h uses the same name for a value of an enum. */
#define MASTERING_DISPLAY_INFO NvencMasteringDisplayInfo
#include <ffnvcodec/nvEncodeAPI.h>
#undef MASTERING_DISPLAY_INFO
#include <aom/aom_encoder.h>
#include <x264.h>
#include <x265.h>

/* A picture that goes in: an input buffer of ours, or device memory that the client registered. */
typedef struct {
  uint8_t *data;
  int width, height, pitch;
  NV_ENC_BUFFER_FORMAT format;
  int owned;
} Surface;

/* A picture that comes out: the output buffers of the client wait in a queue until one is coded. */
typedef struct Coded {
  uint8_t *data;
  size_t size, capacity;
  int ready;
  uint64_t pts, duration;
  NV_ENC_PIC_TYPE type;
  uint32_t frame;
  int qp;
  struct Coded *next;
} Coded;

/* The duration of a picture that is being coded; the codecs keep its time alone. */
typedef struct Timing {
  int64_t pts;
  uint64_t duration;
  struct Timing *next;
} Timing;

typedef struct Encoder Encoder;

typedef struct {
  /* Opens the codec by the session's configuration and keeps its headers; 0 or -1. */
  int (*open)(Encoder *);
  /* Codes a picture, or without one what is still inside; 1 when one came out, 0, or -1. */
  int (*code)(Encoder *, const Surface *, int64_t pts, int idr);
  void (*close)(Encoder *);
} Backend;

extern const Backend backend_h264, backend_hevc, backend_av1;

struct Encoder {
  NvfGpu gpu;
  /* Descriptor of the locked file that stands for the session. */
  int slot;
  int codec;
  const Backend *backend;
  int width, height, fps_num, fps_den, preset;
  NV_ENC_CONFIG config;
  int b_frames;
  long pictures, coded_pictures;
  char last_error[160];
  Coded *first_waiting, *last_waiting;
  Timing *timings;
  /* The next picture begins anew, whatever the client says. */
  int idr_next;

  x264_t *avc;
  x264_param_t avc_param;
  int avc_layout;

  const x265_api *hevc_api;
  x265_encoder *hevc;
  x265_param *hevc_param;

  aom_codec_ctx_t av1;
  int av1_is_open;
  long av1_pictures;

  /* A picture in the layout that the codec takes, where the client's is another. */
  uint8_t *converted;
  size_t converted_size;
  uint8_t header[1024];
  size_t header_length;
};

int same_guid(const GUID *a, const GUID *b);
void keep_header(Encoder *e, const uint8_t *d, int n);
void append_bytes(Coded *o, const void *d, size_t n);
Coded *next_waiting(Encoder *e);
uint64_t take_duration(Encoder *e, int64_t pts);
#endif
