/*
 * Range, If-Range, If-None-Match and dates from outside. Input: eight bytes of size, then the field value. What comes back must lie
 * inside the representation, and what was formatted must parse.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/http_range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t total;
	struct http_range r[HTTP_RANGES_MAX];
	if (size < sizeof(total))
		return 0;
	memcpy(&total, data, sizeof(total));
	AUTO(freep) char *text = strndup((const char *)data + sizeof(total), size - sizeof(total));
	if (!text)
		return 0;

	int n = http_range_parse(text, total, r);
	if (n > HTTP_RANGES_MAX)
		abort();
	for (int i = 0; i < n; i++) {
		if (r[i].first > r[i].last || r[i].last >= total)
			abort();
	}
	int64_t t;
	char back[HTTP_DATE_LEN];
	if (!http_date_parse(text, &t)) {
		http_date_format(t, back);
		if (strcmp(back, text) != 0)
			abort();
	}
	http_date_format((int64_t)total, back);
	if (*back && http_date_parse(back, &t))
		abort();
	(void)http_etag_in_list(text, "\"f1\"");
	(void)http_if_range_holds(text, "\"f1\"", 784111777);
	return 0;
}
