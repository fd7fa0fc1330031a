/* Bodies with files: in one piece and byte by byte the same must come out. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "service/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int collect(void *ctx, const void *data, size_t len, struct fault *err)
{
	return buf_append(ctx, data, len);
}

static int take(const uint8_t *data, size_t size, size_t step, struct buf *out)
{
	struct multipart m;
	int r = multipart_init(&m, "multipart/form-data; boundary=b", "upfile", NULL);

	m.data = collect;
	m.ctx = out;
	buf_init(out, 1 << 20);
	for (size_t at = 0; r == 0 && at < size; at += step)
		r = multipart_feed(&m, data + at, step < size - at ? step : size - at, NULL);
	if (r == 0)
		r = multipart_end(&m, NULL);
	multipart_done(&m);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole, pieces;

	if (size > 1 << 16)
		return 0;
	int r = take(data, size, size ? size : 1, &whole), other = take(data, size, 1, &pieces);
	/* which limit is met first may differ, what is accepted may not */
	if ((r == 0) != (other == 0) ||
	    (r == 0 && (whole.len != pieces.len ||
			(whole.len && memcmp(whole.data, pieces.data, whole.len)))))
		abort();
	buf_done(&whole);
	buf_done(&pieces);
	return 0;
}
