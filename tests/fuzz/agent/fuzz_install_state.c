/*
 * install.state, also with its checksum made right (first byte odd), so that the fields themselves
 * are reached.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "agent/state.h"
#include "common/cleanup.h"
#include "common/crc32.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(install_state_done) struct install_state s = { 0 };
	AUTO(freep) uint8_t *copy = malloc(size + 1);
	AUTO(freep) void *out = NULL;
	size_t len;

	if (!size || !copy)
		return 0;
	memcpy(copy, data + 1, --size);
	if (data[0] & 1 && size > 16) {
		uint32_t crc = crc32_update(0, copy + 16, size - 16);

		memcpy(copy + 12, &crc, 4);
	}
	if (install_state_parse(copy, size, &s, NULL) < 0)
		return 0;
	if (install_state_format(&s, &out, &len, NULL) < 0 || len != size)
		abort();
	return 0;
}
