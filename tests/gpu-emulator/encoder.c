/* What the three codecs of the pretended NVENC share: headers, and which picture goes into which
 * buffer. */
#include "encoder.h"

int same_guid(const GUID *a, const GUID *b) {
  return !memcmp(a, b, sizeof *a);
}

void keep_header(Encoder *e, const uint8_t *d, int n) {
  if (e->header_length + n <= sizeof e->header) {
    memcpy(e->header + e->header_length, d, n);
    e->header_length += n;
  }
}

void append_bytes(Coded *o, const void *d, size_t n) {
  if (o->size + n > o->capacity) {
    o->capacity = (o->size + n) * 2;
    o->data = realloc(o->data, o->capacity);
  }
  memcpy(o->data + o->size, d, n);
  o->size += n;
}

/* A coded picture belongs to the output buffer that waits longest: both are in coded order. */
Coded *next_waiting(Encoder *e) {
  Coded *o = e->first_waiting;
  if (o) {
    e->first_waiting = o->next;
    if (!e->first_waiting)
      e->last_waiting = NULL;
    o->next = NULL;
  }
  return o;
}

uint64_t take_duration(Encoder *e, int64_t pts) {
  for (Timing **m = &e->timings; *m; m = &(*m)->next)
    if ((*m)->pts == pts) {
      Timing *x = *m;
      uint64_t d = x->duration;
      *m = x->next;
      free(x);
      return d;
    }
  return 0;
}
