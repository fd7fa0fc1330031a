#include "service/media_type.h"

#include <string.h>
#include <strings.h>

static bool range_matches(const char *range, size_t len, const char *type)
{
	size_t major = strcspn(type, "/");

	if (len == 3 && !memcmp(range, "*/*", 3))
		return true;
	if (len == major + 2 && !strncasecmp(range, type, major + 1) && range[len - 1] == '*')
		return true;
	return len == strlen(type) && !strncasecmp(range, type, len);
}

/* The part before parameters and white space. */
static size_t type_len(const char *s)
{
	return strcspn(s, ",; \t");
}

bool media_type_is(const char *value, const char *type)
{
	value += strspn(value, " \t");
	size_t len = type_len(value);

	return len == strlen(type) && !strncasecmp(value, type, len);
}

bool media_type_accepted(const char *value, const char *type)
{
	if (!value || !value[strspn(value, " \t,")])
		return true;
	while (*value) {
		value += strspn(value, " \t,");
		size_t len = type_len(value);
		if (len && range_matches(value, len, type))
			return true;
		value += strcspn(value, ",");
	}
	return false;
}
