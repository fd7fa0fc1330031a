#pragma once
/*
 * Ranges and conditions of RFC 9110 §13 and §14, free of any I/O.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_RANGES_MAX 16 /* in one request; more are ignored, as RFC 9110 §14.2 allows */

struct http_range {
	uint64_t first, last; /* inclusive */
};

/*
 * Parses a Range field value for a representation of @size bytes.
 * Returns the number of satisfiable ranges put into @ret (in the order asked for), 0 when the field is to be ignored (not bytes,
 * malformed, too many, or together longer than the whole), -ERANGE when none can be satisfied (416).
 */
int http_range_parse(const char *value, uint64_t size, struct http_range ret[HTTP_RANGES_MAX]);

#define HTTP_DATE_LEN 30 /* "Sun, 06 Nov 1994 08:49:37 GMT" with NUL */
void http_date_format(int64_t time_s, char ret[HTTP_DATE_LEN]);
/* IMF-fixdate only (RFC 9110 §5.6.7); 0 or -EINVAL. */
int http_date_parse(const char *s, int64_t *ret_time_s);

/* If-None-Match: does the list (or "*") hold @etag by weak comparison? @etag may be NULL. */
bool http_etag_in_list(const char *list, const char *etag);
/* If-Range: a strong ETag that is equal, or a date that equals @mtime_s exactly. */
bool http_if_range_holds(const char *value, const char *etag, int64_t mtime_s);
