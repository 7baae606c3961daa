/*
 * Types and status codes.
 *
 * For C and C++ grafts alike; included by graft-support.h and graft-support.H. What a graft calls
 * of the C library, by itself or through its compiler, is in the runtime that it is linked with.
 */
#ifndef VINO_TYPES_H
#define VINO_TYPES_H

#include "abi.h"
#include "../string.h"

typedef __UINT8_TYPE__ uint8_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __UINT64_TYPE__ uint64_t;
typedef __INT8_TYPE__ int8_t;
typedef __INT16_TYPE__ int16_t;
typedef __INT32_TYPE__ int32_t;
typedef __INT64_TYPE__ int64_t;
typedef __UINTPTR_TYPE__ uintptr_t;
typedef __SIZE_TYPE__ size_t;

#ifndef NULL
#ifdef __cplusplus
#define NULL __null
#else
#define NULL ((void *)0)
#endif
#endif

/* What every graft function returns. */
typedef int32_t status_t;

#define SUCCESS VINO_SUCCESS
#define ENOTFOUND VINO_ENOTFOUND
#ifndef EINVAL
#define EINVAL VINO_EINVAL
#endif
#ifndef EPERM
#define EPERM VINO_EPERM
#endif
#ifndef ENOSPC
#define ENOSPC VINO_ENOSPC
#endif

#endif
