#include "service/error.h"

#include <errno.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "service/json_out.h"

/* The whole mapping. Codes that are not here are failures of ours: 500. */
static const struct {
	int code;
	int status;
	enum error_shape shape;
} errors[] = {
	{ -EBADMSG, 400, ERROR_PLAIN }, { -EINVAL, 400, ERROR_MODEL },
	{ -EACCES, 401, ERROR_PLAIN },  { -EPERM, 403, ERROR_PLAIN },
	{ -ENOENT, 404, ERROR_MODEL },  { -EBUSY, 409, ERROR_MODEL },
	{ -EEXIST, 409, ERROR_MODEL },  { -E2BIG, 413, ERROR_PLAIN },
	{ -ENOSYS, 501, ERROR_MODEL },  { -EAGAIN, 503, ERROR_MODEL },
};

int error_status(int code, enum error_shape *ret_shape)
{
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		if (errors[i].code == code) {
			*ret_shape = errors[i].shape;
			return errors[i].status;
		}
	}
	*ret_shape = ERROR_MODEL;
	return 500;
}

int error_body(int status, enum error_shape shape, const char *text, struct buf *out)
{
	struct json_out o = json_out(out);
	char code[8];

	jo_object(&o, NULL);
	if (shape == ERROR_PLAIN) {
		jo_int(&o, "code", status);
		jo_str(&o, "message", text);
	} else {
		snprintf(code, sizeof(code), "%d", status);
		jo_str(&o, "code", code);
		jo_str(&o, "href", "");
		jo_int(&o, "id", status);
		jo_str(&o, "kind", "Error");
		jo_str(&o, "reason", text);
	}
	jo_object_end(&o);
	return o.r;
}
