#include "service/csv.h"

#include <string.h>

const char *csv_next(const char **p, size_t *ret_len)
{
	while (*p && **p) {
		const char *start = *p + strspn(*p, ", \t");
		const char *end = start + strcspn(start, ",");

		*p = end;
		while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
			end--;
		if (end == start)
			continue;
		*ret_len = (size_t)(end - start);
		return start;
	}
	return NULL;
}

bool csv_has(const char *csv, const char *item)
{
	size_t want = strlen(item), len;
	const char *s;

	while (want && (s = csv_next(&csv, &len))) {
		if (len == want && memcmp(s, item, len) == 0)
			return true;
	}
	return false;
}
