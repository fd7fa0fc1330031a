#include "service/hostname.h"

#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"

#define HOSTNAME_MAX 63

static bool is_label_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

bool hostname_is_valid(const char *name)
{
	size_t len = strlen(name), label = 0;
	if (len == 0 || len > HOSTNAME_MAX || name[0] == '-')
		return false;
	for (const char *p = name; *p; p++) {
		if (*p == '.') {
			if (label == 0)
				return false;
			label = 0;
		} else if (is_label_char(*p)) {
			label++;
		} else {
			return false;
		}
	}
	return label > 0;
}

bool hostname_is_forbidden(const char *name)
{
	static const char *const forbidden[] = {
		"localhost",  "localhost.localdomain",   "localhost4", "localhost4.localdomain4",
		"localhost6", "localhost6.localdomain6",
	};

	for (size_t i = 0; i < ARRAY_SIZE(forbidden); i++) {
		if (strcmp(name, forbidden[i]) == 0)
			return true;
	}
	return false;
}

bool hostname_is_of(const struct host *h, const char *name)
{
	if (!str_empty(h->requested_hostname))
		return strcmp(h->requested_hostname, name) == 0;
	return strcmp(str_empty(h->inventory_hostname) ? h->id : h->inventory_hostname, name) == 0;
}
