#include "hwprobe/cpulist.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

static bool number(const char **p, unsigned long *ret)
{
	if (!isdigit((unsigned char)**p))
		return false;
	char *end;
	*ret = strtoul(*p, &end, 10);
	*p = end;
	return *ret < CPULIST_CPU_MAX;
}

int64_t cpulist_count(const char *text)
{
	int64_t n = 0;
	for (const char *p = text; *p;) {
		unsigned long first, last;
		if (!number(&p, &first))
			return -EINVAL;
		last = first;
		if (*p == '-') {
			p++;
			if (!number(&p, &last) || last < first)
				return -EINVAL;
		}
		n += (int64_t)(last - first + 1);
		if (n > CPULIST_CPU_MAX || (*p && *p != ','))
			return -EINVAL;
		if (*p == ',' && !*++p)
			return -EINVAL;
	}
	return n;
}
