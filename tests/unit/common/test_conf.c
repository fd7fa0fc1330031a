#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/conf.h"

struct sample {
	char *url, *name;
	bool plain;
	uint64_t port, size, interval_ms;
};

static const struct conf_key keys[] = {
	{ "", "name", CONF_STR, offsetof(struct sample, name) },
	{ "agent", "url", CONF_STR, offsetof(struct sample, url) },
	{ "agent", "plain", CONF_BOOL, offsetof(struct sample, plain) },
	{ "agent", "port", CONF_U64, offsetof(struct sample, port) },
	{ "limits", "size", CONF_SIZE, offsetof(struct sample, size) },
	{ "limits", "interval", CONF_MS, offsetof(struct sample, interval_ms) },
	{ .key = NULL },
};

static int parse(const char *text, size_t len, struct sample *s, struct fault *err)
{
	*s = (struct sample){ .port = 7 };
	return conf_parse("x.conf", text, len, keys, s, err);
}

static void test_good(void **state)
{
	static const char text[] = "name = before any section\n"
				   "# a comment\n"
				   "  ; another = one\n"
				   "\n"
				   "[agent]\r\n"
				   "url=https://h:9543/?a=b ; no comment here\n"
				   "url = \"quoted\"  \n"
				   " plain = Yes\n"
				   "[ limits ]\n"
				   "size = 64K\n"
				   "interval = 500ms\n"
				   "[agent]\n"
				   "port = 9";
	struct sample s;
	assert_int_equal(parse(text, strlen(text), &s, NULL), 0);
	assert_string_equal(s.name, "before any section");
	assert_string_equal(s.url, "\"quoted\"");
	assert_true(s.plain);
	assert_int_equal(s.port, 9);
	assert_int_equal(s.size, 65536);
	assert_int_equal(s.interval_ms, 500);
	conf_done(keys, &s);
	assert_null(s.url);
}

static void test_defaults_stay(void **state)
{
	struct sample s;
	assert_int_equal(parse("", 0, &s, NULL), 0);
	assert_int_equal(s.port, 7);
	assert_null(s.url);
	assert_int_equal(parse("[agent]\nurl =\n", 13, &s, NULL), 0);
	assert_string_equal(s.url, "");
	conf_done(keys, &s);
}

static void test_bad(void **state)
{
	static const struct {
		const char *text, *fault;
	} cases[] = {
		{ "[agent]\nurl\n", "x.conf:2: \"url\" is neither [section] nor key = value" },
		{ "\n\n[agent\n", "x.conf:3: the section name lacks its \"]\"" },
		{ "[other]\n", "x.conf:1: unknown section [other]" },
		{ "[]\n[agents]", "x.conf:2: unknown section [agents]" },
		{ "[agent]\ncolour = red", "x.conf:2: unknown key \"colour\" in section [agent]" },
		{ "url = x", "x.conf:1: unknown key \"url\" in section []" },
		{ "[agent]\nport = many", "x.conf:2: port must be a number, not \"many\"" },
		{ "[agent]\nport = 18446744073709551616",
		  "x.conf:2: port must be a number, not \"18446744073709551616\"" },
		{ "[agent]\nplain = perhaps",
		  "x.conf:2: plain must be yes or no, not \"perhaps\"" },
		{ "[limits]\nsize = big",
		  "x.conf:2: size must be a size (4096, 64K, 10M, 2G), not \"big\"" },
		{ "[limits]\ninterval = soon",
		  "x.conf:2: interval must be a time (5, 500ms, 10s, 3m, 2h), not \"soon\"" },
		{ "[agent]\nurl = \xff", "x.conf:2: the line holds bytes that are no text" },
		{ "[agent]\nurl = \033[2J", "x.conf:2: the line holds bytes that are no text" },
		{ "= x", "x.conf:1: unknown key \"\" in section []" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault err = FAULT_INIT;
		struct sample s;
		assert_int_equal(parse(cases[i].text, strlen(cases[i].text), &s, &err), -EINVAL);
		assert_string_equal(err.text, cases[i].fault);
		conf_done(keys, &s);
	}
}

static void test_nul_byte(void **state)
{
	struct fault err = FAULT_INIT;
	struct sample s;
	assert_int_equal(parse("[agent]\nurl = a\0b\n", 18, &s, &err), -EINVAL);
	assert_string_equal(err.text, "x.conf:2: the line holds a NUL byte");
	conf_done(keys, &s);
}

static void test_size_limit(void **state)
{
	AUTO(freep) char *text = malloc(CONF_MAX + 1);
	struct sample s;
	memset(text, '#', CONF_MAX + 1);
	assert_int_equal(parse(text, CONF_MAX, &s, NULL), 0);
	assert_int_equal(parse(text, CONF_MAX + 1, &s, NULL), -EMSGSIZE);
}

static void test_load(void **state)
{
	char name[] = "/tmp/slipway-conf-XXXXXX";
	struct sample s = { 0 };
	struct fault err = FAULT_INIT;
	int fd = mkstemp(name);
	assert_int_equal(write(fd, "[agent]\nurl = u\n", 16), 16);
	close(fd);
	assert_int_equal(conf_load_at(AT_FDCWD, name, keys, &s, &err), 0);
	assert_string_equal(s.url, "u");
	conf_done(keys, &s);
	unlink(name);
	assert_int_equal(conf_load_at(AT_FDCWD, name, keys, &s, &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),       cmocka_unit_test(test_defaults_stay),
		cmocka_unit_test(test_bad),        cmocka_unit_test(test_nul_byte),
		cmocka_unit_test(test_size_limit), cmocka_unit_test(test_load),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
