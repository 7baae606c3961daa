/*
 * <errno.h> of the graft runtime.
 */
#ifndef VINO_ERRNO_H
#define VINO_ERRNO_H

#include "vino/begin.h"

int *__errno_location(void);
#define errno (*__errno_location())

/* The numbers of Linux; those that are status codes of a graft too are the same there. */
#ifndef EPERM
#define EPERM 1
#endif
#define ENOENT 2
#define EINTR 4
#define EIO 5
#define EAGAIN 11
#define ENOMEM 12
#define EEXIST 17
#ifndef EINVAL
#define EINVAL 22
#endif
#ifndef ENOSPC
#define ENOSPC 28
#endif
#define EDOM 33
#define ERANGE 34

#include "vino/end.h"

#endif
