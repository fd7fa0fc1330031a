/*
 * The chunk index. What is accepted keeps the rules that the installer relies on, and is written again as the same bytes.
 * The image id is made to fit, so that the checks behind it are reached.
 */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/slx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define AT_COUNT 32
#define AT_IMAGE_ID 56
#define AT_LABEL 88

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void parse(const uint8_t *data, size_t size)
{
	AUTO(slx_done) struct slx s = { 0 };
	struct fault err = FAULT_INIT;
	if (slx_parse(data, size, &s, &err) < 0) {
		check(err.text[0] && !s.entries);
		return;
	}
	uint64_t total = 0, end = 0;
	for (uint32_t i = 0; i < s.count; i++) {
		check(s.entries[i].offset >= end);
		end = s.entries[i].offset + s.entries[i].length;
		total += slx_chunk_len(&s, i);
	}
	check(total == s.image_size && end <= s.payload_size);

	AUTO(freep) void *again = NULL;
	size_t len;
	check(slx_format(&s, &again, &len, &err) == 0);
	check(len <= size && memcmp(again, data, AT_LABEL) == 0);
	check(memcmp((uint8_t *)again + SLX_HEADER_SIZE, data + SLX_HEADER_SIZE,
		     len - SLX_HEADER_SIZE) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	parse(data, size);
	if (size < SLX_HEADER_SIZE)
		return 0;
	uint32_t count;
	AUTO(freep) uint8_t *copy = malloc(size);
	memcpy(copy, data, size);
	memcpy(&count, copy + AT_COUNT, sizeof(count));
	size_t entries = MIN_OF((size_t)count * SLX_ENTRY_SIZE, size - SLX_HEADER_SIZE);
	sha256(copy + SLX_HEADER_SIZE, entries, copy + AT_IMAGE_ID);
	parse(copy, size);
	return 0;
}
