/* Clocks and RFC 3339 times of str.h. */
#include "common/str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define US_PER_S 1000000
/* 0001-01-01T00:00:00Z: the zero value of Go's time.Time, which the wire uses for "unset". */
#define GO_ZERO_S (-62135596800LL)
#define YEAR_10000_S 253402300800LL
#define SECONDS_LEN 19 /* of 2026-01-02T03:04:05 */

int64_t time_now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * US_PER_S + t.tv_nsec / 1000;
}

int64_t time_mono_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* printf() is ten times as slow, and a list of hosts holds thousands of times. */
static char *put_digits(char *p, unsigned v, unsigned n, char end)
{
	for (unsigned i = n; i; i--, v /= 10)
		p[i - 1] = (char)('0' + v % 10);
	p[n] = end;
	return p + n + 1;
}

/* Writes the part up to the seconds and, behind it, @end; returns the microseconds. */
static unsigned format_seconds(int64_t us, char end, char ret[TIME_TEXT_LEN])
{
	int64_t s = us / US_PER_S, rest = us % US_PER_S;
	if (rest < 0) {
		rest += US_PER_S;
		s--;
	}
	if (us == 0)
		s = GO_ZERO_S;
	if (s < GO_ZERO_S || s >= YEAR_10000_S) { /* RFC 3339 has four digits of year */
		s = s < 0 ? GO_ZERO_S : YEAR_10000_S - 1;
		rest = 0;
	}
	time_t seconds = (time_t)s;
	struct tm tm;
	gmtime_r(&seconds, &tm);
	char *p = put_digits(ret, (unsigned)(tm.tm_year + 1900), 4, '-');
	p = put_digits(p, (unsigned)(tm.tm_mon + 1), 2, '-');
	p = put_digits(p, (unsigned)tm.tm_mday, 2, 'T');
	p = put_digits(p, (unsigned)tm.tm_hour, 2, ':');
	p = put_digits(p, (unsigned)tm.tm_min, 2, ':');
	put_digits(p, (unsigned)tm.tm_sec, 2, end);
	return (unsigned)rest;
}

void time_format_ms(int64_t us, char ret[TIME_TEXT_LEN])
{
	unsigned rest = format_seconds(us, '.', ret);
	char *p = put_digits(ret + SECONDS_LEN + 1, rest / 1000, 3, 'Z');
	*p = '\0';
}

void time_format_nano(int64_t us, char ret[TIME_TEXT_LEN])
{
	unsigned rest = format_seconds(us, '.', ret);
	size_t len = SECONDS_LEN;
	if (rest) {
		put_digits(ret + len + 1, rest, 6, '\0');
		len += 7;
		while (ret[len - 1] == '0')
			len--;
	}
	ret[len] = 'Z';
	ret[len + 1] = '\0';
}

/* --- parsing ------------------------------------------------------------------------------- */

/* Exactly @n digits, then the character @end (0 = any). Moves *s behind both. */
static int fixed_number(const char **s, unsigned n, char end, int min, int max, int *ret)
{
	int v = 0;
	const char *p = *s;
	for (unsigned i = 0; i < n; i++, p++) {
		if (*p < '0' || *p > '9')
			return -EINVAL;
		v = v * 10 + (*p - '0');
	}
	if (v < min || v > max)
		return -ERANGE;
	if (end && *p++ != end)
		return -EINVAL;
	*s = p;
	*ret = v;
	return 0;
}

static int parse_fraction(const char **s, int *ret_us)
{
	if (**s != '.')
		return 0;
	const char *p = *s + 1;
	int us = 0, weight = US_PER_S / 10;
	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++) {
		us += (*p - '0') * weight;
		weight /= 10; /* 0 behind the sixth digit: the rest is cut off */
	}
	*s = p;
	*ret_us = us;
	return 0;
}

/* "Z" or "+hh:mm", to the end of the text. */
static int parse_offset(const char *s, int *ret_s)
{
	if (strcmp(s, "Z") == 0) {
		*ret_s = 0;
		return 0;
	}
	int sign = *s == '+' ? 1 : *s == '-' ? -1 : 0, hours, minutes;
	if (sign == 0)
		return -EINVAL;
	s++;
	int r = fixed_number(&s, 2, ':', 0, 23, &hours);
	if (r == 0)
		r = fixed_number(&s, 2, 0, 0, 59, &minutes);
	if (r < 0)
		return r;
	if (*s)
		return -EINVAL;
	*ret_s = sign * (hours * 3600 + minutes * 60);
	return 0;
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return month == 2 && leap ? 29 : days[month - 1];
}

static int parse_date_and_clock(const char **s, struct tm *tm)
{
	const struct {
		unsigned n;
		char end;
		int min, max, *to;
	} parts[] = {
		{ 4, '-', 1, 9999, &tm->tm_year }, { 2, '-', 1, 12, &tm->tm_mon },
		{ 2, 'T', 1, 31, &tm->tm_mday },   { 2, ':', 0, 23, &tm->tm_hour },
		{ 2, ':', 0, 59, &tm->tm_min },    { 2, 0, 0, 59, &tm->tm_sec },
	};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		int r = fixed_number(s, parts[i].n, parts[i].end, parts[i].min, parts[i].max,
				     parts[i].to);
		if (r < 0)
			return r;
	}
	if (tm->tm_mday > days_in_month(tm->tm_year, tm->tm_mon))
		return -ERANGE;
	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	return 0;
}

int time_parse(const char *s, int64_t *ret_us)
{
	struct tm tm = { 0 };
	int us = 0, offset_s;
	if (!s)
		return -EINVAL;
	int r = parse_date_and_clock(&s, &tm);
	if (r == 0)
		r = parse_fraction(&s, &us);
	if (r == 0)
		r = parse_offset(s, &offset_s);
	if (r < 0)
		return r;
	int64_t seconds = (int64_t)timegm(&tm) - offset_s;
	*ret_us = seconds == GO_ZERO_S && us == 0 ? 0 : seconds * US_PER_S + us;
	return 0;
}
