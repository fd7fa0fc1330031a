#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/str.h"
#include "service/multipart.h"

static int collect(void *ctx, const void *data, size_t len, struct fault *err)
{
	return buf_append(ctx, data, len);
}

/* Feeds @body in pieces of @step; what was in the wanted part into @out. */
static int take(const char *type, const char *body, size_t len, size_t step, struct buf *out,
		struct fault *err)
{
	struct multipart m;
	int r = multipart_init(&m, type, "upfile", err);

	if (r < 0)
		return r;
	m.data = collect;
	m.ctx = out;
	for (size_t at = 0; r == 0 && at < len; at += step)
		r = multipart_feed(&m, body + at, MIN_OF(step, len - at), err);
	if (r == 0)
		r = multipart_end(&m, err);
	multipart_done(&m);
	return r;
}

#define FILE_PART "--b\r\nContent-Disposition: form-data; name=\"upfile\"; filename=\"a\"\r\n\r\n"

static void test_bodies(void **state)
{
	static const struct {
		const char *body;
		const char *data; /* NULL = refused with -EBADMSG */
	} cases[] = {
		{ FILE_PART "hello\r\n--b--\r\n", "hello" },
		{ FILE_PART "\r\n--b--", "" },
		{ FILE_PART "a\r\n--B\r\n--\r\n-b\r\n--b--", "a\r\n--B\r\n--\r\n-b" },
		{ "preamble\r\n" FILE_PART "x\r\n--b--\r\nepilogue\r\n" FILE_PART, "x" },
		{ "--b\r\nX: y\r\nCONTENT-disposition: form-data;name=upfile\r\n\r\nx\r\n--b--",
		  "x" },
		{ "--b\r\nContent-Disposition: form-data; filename=\"name=x;\\\"\"; name=\"up\\file\"\r\n\r\nx\r\n--b--",
		  "x" },
		{ "--b\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nx\r\n" FILE_PART
		  "y\r\n--b \t\r\n\r\n\r\nz\r\n--b--",
		  "y" },
		/* not whole */
		{ "", NULL },
		{ "--b", NULL },
		{ FILE_PART, NULL },
		{ FILE_PART "x\r\n--b", NULL },
		{ FILE_PART "x\r\n--b-", NULL },
		/* without the file, or with two */
		{ "--b--", NULL },
		{ "--b\r\n\r\nx\r\n--b--", NULL },
		{ "--b\r\nContent-Disposition: form-data; filename=\"upfile\"\r\n\r\nx\r\n--b--",
		  NULL },
		{ FILE_PART "x\r\n" FILE_PART "y\r\n--b--", NULL },
		/* a delimiter that goes on is none of ours */
		{ FILE_PART "x\r\n--bc--\r\n", NULL },
		{ "--b\nContent-Disposition: form-data; name=\"upfile\"\n\nx\n--b--", NULL },
	};
	static const size_t steps[] = { 1, 3, 1000 };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(steps); k++) {
			AUTO(buf_done) struct buf out;
			struct fault err = FAULT_INIT;

			buf_init(&out, 1000);
			int r = take("multipart/form-data; boundary=b", cases[i].body,
				     strlen(cases[i].body), steps[k], &out, &err);
			if (r != (cases[i].data ? 0 : -EBADMSG) || (r < 0 && !err.text[0]) ||
			    (r == 0 && strcmp(out.data ? out.data : "", cases[i].data) != 0))
				fail_msg("\"%s\" in steps of %zu: %d %s: %s", cases[i].body,
					 steps[k], r, err.text, out.data ? out.data : "");
		}
	}
}

static void test_types(void **state)
{
	static const char long_boundary[] =
		"multipart/form-data; boundary=0123456789012345678901234567890123456789012345678901234567890123456789";
	static const struct {
		const char *type;
		int r;
	} cases[] = {
		{ "multipart/form-data; boundary=b", 0 },
		{ "Multipart/Form-Data; charset=utf-8; Boundary=\"b\"", 0 },
		{ long_boundary, 0 },
		{ NULL, -EBADMSG },
		{ "application/json", -EBADMSG },
		{ "multipart/mixed; boundary=b", -EBADMSG },
		{ "multipart/form-data", -EBADMSG },
		{ "multipart/form-data; boundary=", -EBADMSG },
		{ "multipart/form-data; boundary=\"\"", -EBADMSG },
		{ "multipart/form-data; xboundary=b", -EBADMSG },
	};
	struct multipart m;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int r = multipart_init(&m, cases[i].type, "upfile", NULL);
		if (r == 0)
			multipart_done(&m);
		if (r != cases[i].r)
			fail_msg("%s: %d", cases[i].type ? cases[i].type : "(none)", r);
	}
	AUTO(freep) char *longer = str_printf("%sx", long_boundary);
	assert_int_equal(multipart_init(&m, longer, "upfile", NULL), -EBADMSG);
}

/* At each limit and one above. */
static void test_limits(void **state)
{
	AUTO(freep) char *pad = malloc(MULTIPART_HEADERS_MAX + 1000);
	AUTO(buf_done) struct buf out;

	buf_init(&out, 1000);
	memset(pad, 'x', MULTIPART_HEADERS_MAX + 999);
	pad[MULTIPART_HEADERS_MAX + 999] = '\0';
	for (int above = 0; above < 2; above++) {
		/* "\r\n" + header line, up to the empty line */
		static const char line[] =
			"\r\nContent-Disposition: form-data; name=\"upfile\"; x=";
		AUTO(freep)
		char *body = str_printf("--b%s%.*s\r\n\r\ny\r\n--b--", line,
					(int)(MULTIPART_HEADERS_MAX - strlen(line)) + above, pad);
		assert_int_equal(take("multipart/form-data; boundary=b", body, strlen(body), 1000,
				      &out, NULL),
				 above ? -EBADMSG : 0);
	}
	AUTO(buf_done) struct buf many;
	buf_init(&many, 100000);
	for (int i = 0; i < MULTIPART_PARTS_MAX - 1; i++)
		assert_int_equal(buf_append_str(&many, "--b\r\n\r\n\r\n\r\n"), 0);
	for (int above = 0; above < 2; above++) {
		AUTO(freep)
		char *body = str_printf("%s%s" FILE_PART "y\r\n--b--", many.data,
					above ? "--b\r\n\r\n\r\n\r\n" : "");
		assert_int_equal(take("multipart/form-data; boundary=b", body, strlen(body), 1000,
				      &out, NULL),
				 above ? -E2BIG : 0);
	}
	/* a line without an end is not collected for ever */
	assert_int_equal(take("multipart/form-data; boundary=b", pad, strlen(pad), 100, &out, NULL),
			 -EBADMSG);
}

static int refuse(void *ctx, const void *data, size_t len, struct fault *err)
{
	return fault_set(err, -EAGAIN, "no room");
}

static void test_refused_data(void **state)
{
	struct multipart m;
	struct fault err = FAULT_INIT;

	assert_int_equal(multipart_init(&m, "multipart/form-data; boundary=b", "upfile", NULL), 0);
	m.data = refuse;
	static const char body[] = FILE_PART "hello there\r\n--b--";
	assert_int_equal(multipart_feed(&m, body, strlen(body), &err), -EAGAIN);
	assert_string_equal(err.text, "no room");
	multipart_done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_refused_data),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
