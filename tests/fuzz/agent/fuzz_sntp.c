/* Answers of time servers: whatever is accepted gives an offset that does not overflow. */
#include <stdlib.h>
#include <string.h>
#include "agent/sntp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t query[SNTP_LEN];
	uint64_t cookie = 0;
	int64_t offset = INT64_MIN;

	/* the cookie that this answer gives back, so that more than the first check is reached */
	if (size >= 32)
		for (int i = 0; i < 8; i++)
			cookie = cookie << 8 | data[24 + i];
	sntp_query(cookie, query);
	int r = sntp_answer(data, size, cookie, 1795329376000000, 1795329376020000, &offset, NULL);
	if (r == 0 && (offset == INT64_MIN || size < SNTP_LEN))
		abort();
	if (r < 0 && offset != INT64_MIN)
		abort();
	return 0;
}
