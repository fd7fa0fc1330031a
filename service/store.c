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

static const struct store_ops *find_backend(const char *where)
{
	size_t n = strcspn(where, ":");

	for (size_t i = 0; i < ARRAY_SIZE(backends); i++) {
		if (strlen(backends[i]->name) == n && !strncmp(backends[i]->name, where, n))
			return backends[i];
	}
	return NULL;
}

int store_check(const char *where, struct fault *err)
{
	return find_backend(where)
		       ? 0
		       : fault_set(err, -ENOTSUP, "this slipwayd has no store called %.*s",
				   (int)strcspn(where, ":"), where);
}

int store_open(const char *where, int dirfd, const uint8_t key[SEAL_KEY_LEN], struct store **ret,
	       struct fault *err)
{
	int r = store_check(where, err);

	return r < 0 ? r : find_backend(where)->open(dirfd, where, key, ret, err);
}

void store_close(struct store *s)
{
	if (s)
		s->ops->close(s);
}
