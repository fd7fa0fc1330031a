#include "service/versions.h"

#include <stdlib.h>
#include <string.h>

#include "common/str.h"

#define DEFAULT_ARCHITECTURE "x86_64"

bool version_fits(const char *wanted, const char *offered)
{
	size_t n = strlen(offered);

	return !strncmp(wanted, offered, n) &&
	       (wanted[n] == '\0' || wanted[n] == '.' || wanted[n] == '-');
}

int version_compare(const char *a, const char *b)
{
	for (;;) {
		char *end_a, *end_b;
		unsigned long x = strtoul(a, &end_a, 10), y = strtoul(b, &end_b, 10);
		if (end_a == a || end_b == b)
			return strcmp(a, b);
		if (x != y)
			return x < y ? -1 : 1;
		if (*end_a != '.' || *end_b != '.')
			return strcmp(end_a, end_b);
		a = end_a + 1;
		b = end_b + 1;
	}
}

bool version_at(const struct service *svc, size_t i, const char **ret_version,
		const char **ret_arch, bool *ret_default)
{
	const struct os_image *o = state_os_image_at(svc->state, i);

	if (o) {
		*ret_version = str_empty(o->version) ? svc->config->default_version : o->version;
		*ret_arch = o->cpu_architecture;
		*ret_default = o->is_default;
		return true;
	}
	if (i > 0)
		return false;
	*ret_version = svc->config->default_version;
	*ret_arch = DEFAULT_ARCHITECTURE;
	*ret_default = true;
	return true;
}

const char *version_pick(const struct service *svc, const char *wanted,
			 const char *cpu_architecture)
{
	const char *version, *arch, *best = NULL;
	bool is_default;

	for (size_t i = 0; version_at(svc, i, &version, &arch, &is_default); i++) {
		if (str_empty(version) || !str_eq(arch, cpu_architecture))
			continue;
		if (str_empty(wanted) && is_default)
			return version;
		if (!str_empty(wanted) && !version_fits(wanted, version))
			continue;
		if (!best || version_compare(version, best) > 0)
			best = version;
	}
	return best;
}
