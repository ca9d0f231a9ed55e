/* What the two halves of the pretended libcuda.so.1 share. */
#ifndef FAKECUDA_H
#define FAKECUDA_H
#include "nvfake.h"
#include <ffnvcodec/dynlink_cuda.h>

#define API __attribute__((visibility("default")))

/* The codes of cuda.h; the header that FFmpeg builds with names only a few of them. */
#define ERROR_INVALID_VALUE ((CUresult)1)
#define ERROR_OUT_OF_MEMORY ((CUresult)2)
#define ERROR_NOT_INITIALIZED ((CUresult)3)
#define ERROR_NO_DEVICE ((CUresult)100)
#define ERROR_INVALID_DEVICE ((CUresult)101)
#define ERROR_INVALID_CONTEXT ((CUresult)201)
#define ERROR_NOT_FOUND ((CUresult)500)
#define ERROR_ILLEGAL_ADDRESS ((CUresult)700)
#define ERROR_NOT_SUPPORTED ((CUresult)801)
#define ERROR_UNKNOWN ((CUresult)999)

/* Device memory is host memory. */
#define pointer_to(x) ((void *)(uintptr_t)(x))
#endif
