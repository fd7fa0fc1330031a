#include "service/multipart.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "service/media_type.h"

#define REST_MAX (256u << 10)

/*
 * The value of parameter @name in a header's value, quoted or not, into @ret. RFC 2045 §5.1; a quoted pair stands for its second
 * character.
 */
static bool parameter(const char *value, const char *name, char *ret, size_t size)
{
	const char *p = value + strcspn(value, ";");
	while (*p == ';') {
		p += 1 + strspn(p + 1, " \t");
		size_t key = strcspn(p, "=;"), n = 0;
		bool is_it = key == strlen(name) && strncasecmp(p, name, key) == 0;
		p += key;
		bool is_quoted = p[0] == '=' && p[1] == '"';
		p += p[0] == '=' ? 1 + is_quoted : 0;
		while (*p && (is_quoted ? *p != '"' : !strchr("; \t", *p))) {
			p += is_quoted && *p == '\\' && p[1];
			if (is_it && n + 1 >= size)
				return false;
			if (is_it)
				ret[n++] = *p;
			p++;
		}
		ret[n] = '\0';
		if (is_it)
			return true;
		p += strcspn(p, ";");
	}
	return false;
}

int multipart_init(struct multipart *m, const char *content_type, const char *name,
		   struct fault *err)
{
	char boundary[MULTIPART_BOUNDARY_MAX + 1];

	if (!content_type || !media_type_is(content_type, "multipart/form-data"))
		return fault_set(err, -EBADMSG,
				 "unsupported media type, only [multipart/form-data] are allowed");
	if (!parameter(content_type, "boundary", boundary, sizeof(boundary)) || !*boundary ||
	    strpbrk(boundary, "\r\n"))
		return fault_set(err, -EBADMSG, "multipart/form-data needs a boundary");
	*m = (struct multipart){ .name = name };
	snprintf(m->delimiter, sizeof(m->delimiter), "\r\n--%s", boundary);
	buf_init(&m->rest, REST_MAX);
	/* the first delimiter may stand at the very start */
	return buf_append_str(&m->rest, "\r\n");
}

void multipart_done(struct multipart *m)
{
	buf_done(&m->rest);
}

static int malformed(const char *why, struct fault *err)
{
	return fault_set(err, -EBADMSG, "multipart/form-data: %s", why);
}

/* Each step: 1 = understood something, 0 = needs more, negative = no. */
static int step_preamble(struct multipart *m, struct fault *err)
{
	struct buf *b = &m->rest;
	size_t n = strlen(m->delimiter);
	const char *at = memmem(b->data, b->len, m->delimiter, n);

	/* the limits do not depend on where the pieces of a body were cut */
	if ((at ? (size_t)(at - b->data) : b->len) > MULTIPART_HEADERS_MAX + (at ? 0 : n - 1))
		return malformed("no part begins", err);
	if (!at)
		return 0;
	buf_consume(b, (size_t)(at - b->data) + n);
	m->state = MULTIPART_DELIMITER;
	return 1;
}

static int step_delimiter(struct multipart *m, struct fault *err)
{
	struct buf *b = &m->rest;

	if (b->len < 2)
		return 0;
	if (!memcmp(b->data, "--", 2)) {
		m->state = MULTIPART_EPILOGUE;
		return 1;
	}
	size_t blanks = strspn(b->data, " \t");
	if (blanks > MULTIPART_HEADERS_MAX)
		return malformed("a delimiter has no end", err);
	if (blanks + 2 > b->len)
		return 0;
	if (memcmp(b->data + blanks, "\r\n", 2) != 0)
		return malformed("a delimiter is followed by other text", err);
	if (++m->n_parts > MULTIPART_PARTS_MAX)
		return fault_set(err, -E2BIG, "multipart/form-data: more than %d parts",
				 MULTIPART_PARTS_MAX);
	/* the line end stays: headers may be none, then an empty line follows at once */
	buf_consume(b, blanks);
	m->state = MULTIPART_HEADERS;
	return 1;
}

/* Is it the part that is wanted? @headers: lines, terminated, changed. */
static bool names_wanted(const struct multipart *m, char *headers)
{
	static const char header[] = "Content-Disposition:";
	char name[64], *save = NULL;

	for (char *line = strtok_r(headers, "\r\n", &save); line;
	     line = strtok_r(NULL, "\r\n", &save)) {
		if (strncasecmp(line, header, sizeof(header) - 1) == 0)
			return parameter(line + sizeof(header) - 1, "name", name, sizeof(name)) &&
			       !strcmp(name, m->name);
	}
	return false;
}

static int step_headers(struct multipart *m, struct fault *err)
{
	struct buf *b = &m->rest;
	const char *end = memmem(b->data, b->len, "\r\n\r\n", 4);
	size_t len = end ? (size_t)(end - b->data) : b->len;

	if (len > MULTIPART_HEADERS_MAX + (end ? 0u : 3u))
		return malformed("the headers of a part are too long", err);
	if (!end)
		return 0;
	if (memchr(b->data, '\0', len))
		return malformed("a header holds a NUL", err);
	AUTO(freep) char *headers = strndup(b->data, len);
	if (!headers)
		return fault_oom(err);
	m->is_wanted = names_wanted(m, headers);
	if (m->is_wanted && m->n_wanted++)
		return fault_set(err, -EBADMSG, "multipart/form-data: more than one part %s",
				 m->name);
	buf_consume(b, len + 4);
	m->state = MULTIPART_DATA;
	return 1;
}

static int step_data(struct multipart *m, struct fault *err)
{
	struct buf *b = &m->rest;
	size_t n = strlen(m->delimiter);
	const char *at = memmem(b->data, b->len, m->delimiter, n);
	size_t len = at ? (size_t)(at - b->data) : b->len >= n ? b->len - n + 1 : 0;

	if (len && m->is_wanted) {
		int r = m->data(m->ctx, b->data, len, err);
		if (r < 0)
			return r;
	}
	buf_consume(b, at ? len + n : len);
	if (at)
		m->state = MULTIPART_DELIMITER;
	return at != NULL;
}

static int step_epilogue(struct multipart *m, struct fault *err)
{
	buf_reset(&m->rest);
	return 0;
}

static int understand(struct multipart *m, struct fault *err)
{
	static int (*const steps[])(struct multipart *, struct fault *) = {
		[MULTIPART_PREAMBLE] = step_preamble, [MULTIPART_DELIMITER] = step_delimiter,
		[MULTIPART_HEADERS] = step_headers,   [MULTIPART_DATA] = step_data,
		[MULTIPART_EPILOGUE] = step_epilogue,
	};
	int r = 1;

	while (r > 0 && m->rest.len)
		r = steps[m->state](m, err);
	return r < 0 ? r : 0;
}

int multipart_feed(struct multipart *m, const void *data, size_t len, struct fault *err)
{
	const char *p = data;

	while (len) {
		size_t n = MIN_OF(len, (size_t)REST_MAX / 2);
		int r = buf_append(&m->rest, p, n);
		if (r == 0)
			r = understand(m, err);
		if (r < 0)
			return r == -EMSGSIZE ? malformed("too much at once", err) : r;
		p += n;
		len -= n;
	}
	return 0;
}

int multipart_end(const struct multipart *m, struct fault *err)
{
	if (m->state != MULTIPART_EPILOGUE)
		return malformed("the body ends within a part", err);
	return m->n_wanted ? 0 : fault_set(err, -EBADMSG, "%s in formData is required", m->name);
}
