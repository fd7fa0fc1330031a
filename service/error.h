#pragma once
/*
 * From a negative errno and a sentence to a status and one of the error bodies of the assisted-install API (assisted-v2 §1.1). The whole
 * mapping is in error.c:
 *
 *   -EBADMSG 400 schema violation      {"code":400,"message":…}
 *   -EINVAL  400 refused by a handler  {"code":"400","href":"","id":400,"kind":"Error","reason":…}
 *   -EACCES 401, -EPERM 403            {"code":401,"message":…}
 *   -ENOENT 404   -EBUSY, -EEXIST 409   -E2BIG 413   -ENOSYS 501   -EAGAIN 503   the rest 500: as 400 of a handler
 */
#include "common/buf.h"
#include "common/fault.h"

enum error_shape { ERROR_MODEL /* code is text */, ERROR_PLAIN /* code is a number */ };

/* Status and shape of @code. */
int error_status(int code, enum error_shape *ret_shape);
/* Appends the body. 0 or -ENOMEM. */
int error_body(int status, enum error_shape shape, const char *text, struct buf *out);
