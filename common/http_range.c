#include "common/http_range.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const char *skip_ows(const char *p)
{
	return p + strspn(p, " \t");
}

/* 1*DIGIT at *@p; false when there is none or it does not fit. */
static bool take_number(const char **p, uint64_t *ret)
{
	if (!isdigit((unsigned char)**p))
		return false;
	uint64_t n = 0;
	for (; isdigit((unsigned char)**p); (*p)++) {
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(**p - '0'), &n))
			return false;
	}
	*ret = n;
	return true;
}

/* One range-spec. 1 = satisfiable, 0 = well-formed but not satisfiable, -EINVAL. */
static int take_range(const char **p, uint64_t size, struct http_range *ret)
{
	uint64_t first, last = UINT64_MAX;
	if (**p == '-') {
		/* suffix-range: the last n bytes */
		(*p)++;
		if (!take_number(p, &last))
			return -EINVAL;
		if (!last || !size)
			return 0;
		*ret = (struct http_range){ .first = last < size ? size - last : 0,
					    .last = size - 1 };
		return 1;
	}
	if (!take_number(p, &first) || **p != '-')
		return -EINVAL;
	(*p)++;
	if (isdigit((unsigned char)**p) && (!take_number(p, &last) || last < first))
		return -EINVAL;
	if (first >= size)
		return 0;
	*ret = (struct http_range){ .first = first, .last = last < size ? last : size - 1 };
	return 1;
}

/* The element at *@p and the comma behind it; empty elements are legal in lists (RFC 9110 §5.6.1.2). False: malformed. */
static bool take_element(const char **p, uint64_t size, unsigned *seen, unsigned *good,
			 struct http_range ret[HTTP_RANGES_MAX])
{
	*p = skip_ows(*p);
	if (**p && **p != ',') {
		struct http_range r;
		int is_good = take_range(p, size, &r);
		if (is_good < 0 || ++*seen > HTTP_RANGES_MAX)
			return false;
		if (is_good)
			ret[(*good)++] = r;
	}
	*p = skip_ows(*p);
	if (**p && **p != ',')
		return false;
	*p += **p == ',';
	return true;
}

int http_range_parse(const char *value, uint64_t size, struct http_range ret[HTTP_RANGES_MAX])
{
	const char *p = skip_ows(value);
	if (strncasecmp(p, "bytes=", 6) != 0)
		return 0;
	p += 6;

	unsigned seen = 0, n = 0;
	uint64_t sum = 0;
	while (*p) {
		if (!take_element(&p, size, &seen, &n, ret))
			return 0;
	}
	for (unsigned i = 0; i < n; i++) {
		if (__builtin_add_overflow(sum, ret[i].last - ret[i].first + 1, &sum))
			return 0;
	}
	if (!n)
		return seen ? -ERANGE : 0;
	return n > 1 && sum > size ? 0 : (int)n;
}

static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
				    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

void http_date_format(int64_t time_s, char ret[HTTP_DATE_LEN])
{
	struct tm tm;
	time_t t = (time_t)time_s;
	ret[0] = '\0';
	if (!gmtime_r(&t, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099)
		return;
	snprintf(ret, HTTP_DATE_LEN, "%s, %02u %s %04u %02u:%02u:%02u GMT", days[tm.tm_wday % 7],
		 (unsigned)tm.tm_mday % 100u, months[tm.tm_mon % 12],
		 (unsigned)(tm.tm_year + 1900) % 10000u, (unsigned)tm.tm_hour % 100u,
		 (unsigned)tm.tm_min % 100u, (unsigned)tm.tm_sec % 100u);
}

int http_date_parse(const char *s, int64_t *ret_time_s)
{
	char day[4], month[4], back[HTTP_DATE_LEN];
	struct tm tm = { 0 };
	if (strlen(s) != HTTP_DATE_LEN - 1 ||
	    sscanf(s, "%3s, %2d %3s %4d %2d:%2d:%2d GMT", day, &tm.tm_mday, month, &tm.tm_year,
		   &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 7)
		return -EINVAL;
	while (tm.tm_mon < 12 && strcmp(months[tm.tm_mon], month) != 0)
		tm.tm_mon++;
	tm.tm_year -= 1900;
	if (tm.tm_mon == 12)
		return -EINVAL;
	/* What does not come out as it went in was no date. */
	int64_t t = timegm(&tm);
	http_date_format(t, back);
	if (strcmp(back, s) != 0)
		return -EINVAL;
	*ret_time_s = t;
	return 0;
}

static const char *without_weak(const char *etag)
{
	return etag[0] == 'W' && etag[1] == '/' ? etag + 2 : etag;
}

bool http_etag_in_list(const char *list, const char *etag)
{
	const char *p = skip_ows(list);
	if (!etag)
		return false;
	if (*p == '*')
		return !*skip_ows(p + 1);
	const char *want = without_weak(etag);
	size_t want_len = strlen(want);
	for (;;) {
		p = without_weak(skip_ows(p));
		const char *end = *p == '"' ? strchr(p + 1, '"') : NULL;
		if (!end)
			return false;
		size_t len = (size_t)(end - p) + 1;
		if (len == want_len && !memcmp(p, want, len))
			return true;
		p = skip_ows(end + 1);
		if (*p++ != ',')
			return false;
	}
}

bool http_if_range_holds(const char *value, const char *etag, int64_t mtime_s)
{
	const char *p = skip_ows(value);
	int64_t t;
	if (*p == '"')
		return etag && !strcmp(p, etag);
	return mtime_s && !http_date_parse(p, &t) && t == mtime_s;
}
