/* Network states: what is checked as good is turned over, and only that. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "service/nmstate_yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct nmstate_nic nics[] = { { "52:54:00:00:00:0a", "eth0" },
						   { "52:54:00:00:00:0b", "a" } };
	AUTO(freep) char *yaml = strndup((const char *)data, size);
	AUTO(buf_done) struct buf out;
	struct fault err = FAULT_INIT;

	if (!yaml)
		return 0;
	buf_init(&out, 64u << 20);
	int good = nmstate_check("x", yaml, nics, 2, &err);
	if (good < 0 && !err.text[0])
		abort();
	if (nmstate_policy(yaml, nics, 2, &out, NULL) != good)
		abort();
	return 0;
}
