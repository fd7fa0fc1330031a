#include "service/store.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"

const char *const event_severity_names[SEVERITY_COUNT] = {
	[SEVERITY_INFO] = "info",
	[SEVERITY_WARNING] = "warning",
	[SEVERITY_ERROR] = "error",
	[SEVERITY_CRITICAL] = "critical",
};

static const struct store_ops *const backends[] = { &store_sqlite };

int store_open(const char *where, int dirfd, const uint8_t key[SEAL_KEY_LEN], struct store **ret,
	       struct fault *err)
{
	size_t n = strcspn(where, ":");

	for (size_t i = 0; i < ARRAY_SIZE(backends); i++) {
		if (strlen(backends[i]->name) == n && !strncmp(backends[i]->name, where, n))
			return backends[i]->open(dirfd, where, key, ret, err);
	}
	return fault_set(err, -ENOTSUP, "this slipwayd has no store called %.*s", (int)n, where);
}

void store_close(struct store *s)
{
	if (s)
		s->ops->close(s);
}
