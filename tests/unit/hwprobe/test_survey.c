/* Reading attributes and keeping values: what absence is and what an error, links, texts that are no UTF-8. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "tests/unit/hwprobe/pass.h"

static void test_text(void **state)
{
	struct tree t;
	struct pass p;
	tree_init(&t);
	tree_files(&t, "sys/a", "  two words \n", "sys/empty", "", "sys/blank", " \n", NULL);
	tree_write(&t, "sys/nul", "front\0back", 10);
	char *big = malloc(5000);
	memset(big, 'x', 5000);
	tree_write(&t, "sys/big", big, 5000);
	free(big);
	pass_open(&p, &t, 0);
	assert_string_equal(attr_text(&p.s, "sys/%s", "a"), "two words");
	assert_null(attr_text(&p.s, "sys/empty"));
	assert_null(attr_text(&p.s, "sys/blank"));
	assert_null(attr_text(&p.s, "sys/absent"));
	assert_null(attr_text(&p.s, "sys/a/below")); /* ENOTDIR is absence, too */
	assert_string_equal(attr_text(&p.s, "sys/nul"), "front");
	assert_int_equal(hwp_errors(p.inv, NULL), 0);
	assert_null(attr_text(&p.s, "sys/big")); /* no attribute is longer than a page */
	assert_int_equal(hwp_errors(p.inv, NULL), 1);
	char path[2048];
	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_null(attr_text(&p.s, "%s", path));
	pass_close(&p);
	tree_done(&t);
}

static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		int rc;
		int64_t want;
	} cases[] = {
		{ "0\n", 0, 0 },
		{ "-1\n", 0, -1 },
		{ " 42 ", 0, 42 },
		{ "9223372036854775807", 0, INT64_MAX },
		{ "9223372036854775808", -EBADMSG, 7 },
		{ "4x", -EBADMSG, 7 },
		{ "0x10", -EBADMSG, 7 },
		{ "", -EBADMSG, 7 },
		{ NULL, -ENOENT, 7 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		struct pass p;
		int64_t got = 7;
		print_message("case %zu\n", i);
		tree_init(&t);
		if (cases[i].text)
			tree_file(&t, "sys/n", cases[i].text);
		pass_open(&p, &t, 0);
		assert_int_equal(attr_num(&p.s, &got, "sys/n"), cases[i].rc);
		assert_int_equal(got, cases[i].want); /* left alone on failure */
		assert_int_equal(hwp_errors(p.inv, NULL), cases[i].rc == -EBADMSG);
		pass_close(&p);
		tree_done(&t);
	}
}

static void test_ones(void **state)
{
	struct tree t;
	struct pass p;
	tree_init(&t);
	tree_files(&t, "a", "1\n", "b", "11\n", "c", "0\n", "d", "", NULL);
	pass_open(&p, &t, 0);
	assert_true(attr_is_one(&p.s, "a"));
	assert_false(attr_is_one(&p.s, "b"));
	assert_false(attr_is_one(&p.s, "c"));
	assert_false(attr_is_one(&p.s, "d"));
	assert_false(attr_is_one(&p.s, "e"));
	pass_close(&p);
	tree_done(&t);
}

static void test_links(void **state)
{
	struct tree t;
	struct pass p;
	tree_init(&t);
	tree_file(&t, "sys/devices/pci0/x/net/eth0/y", "");
	tree_link(&t, "sys/class/net/eth0", "../../devices/pci0/x/net/eth0");
	tree_link(&t, "sys/devices/pci0/x/net/eth0/device", "../../../x");
	tree_link(&t, "sys/devices/pci0/x/driver", "../../../bus/pci/drivers/e1000");
	pass_open(&p, &t, 0);
	assert_string_equal(attr_real(&p.s, "sys/class/net/eth0"), "sys/devices/pci0/x/net/eth0");
	assert_string_equal(attr_real(&p.s, "sys/devices"), "sys/devices"); /* no link */
	assert_null(attr_real(&p.s, "sys/class/net/eth1"));
	assert_string_equal(attr_link_name(&p.s, "sys/class/net/%s/device", "eth0"), "x");
	assert_string_equal(attr_link_name(&p.s, "sys/class/net/eth0/device/driver"),
			    "e1000"); /* need not lead anywhere */
	assert_null(attr_link_name(&p.s, "sys/devices/pci0/x/net/eth0/y"));
	assert_null(attr_link_name(&p.s, "sys/absent"));
	assert_int_equal(hwp_errors(p.inv, NULL), 0);
	pass_close(&p);
	tree_done(&t);
}

static void test_put(void **state)
{
	struct tree t;
	struct pass p;
	struct hwp_str str = { .s = "old", .source = "before" };
	struct hwp_strs strs = { 0 };
	tree_init(&t);
	pass_open(&p, &t, 0);
	assert_false(put_str(&p.s, &str, NULL, "x"));
	assert_false(put_str(&p.s, &str, "", "x"));
	assert_string_equal(str.s, "old");
	char source[] = "source", value[] = "a\xffz";
	assert_true(put_str(&p.s, &str, value, source));
	source[0] = value[0] = '!'; /* both are copied */
	assert_string_equal(str.s, "a?z");
	assert_string_equal(str.source, "source");
	assert_false(put_strs(&p.s, &strs, "", "s"));
	assert_int_equal(strs.n, 0);
	assert_true(put_strs(&p.s, &strs, "one", "s"));
	assert_true(put_strs(&p.s, &strs, "two", "s"));
	assert_int_equal(strs.n, 2);
	assert_string_equal(strs.v[1], "two");
	pass_close(&p);
	tree_done(&t);
}

/* The kernel takes any bytes for names of interfaces and arrays, and they are in the paths of what is read. */
static void test_sources(void **state)
{
	struct tree t;
	struct pass p;
	struct hwp_str str = { 0 };
	struct hwp_num num = { 0 };
	struct hwp_bool yes = { 0 };
	tree_init(&t);
	tree_file(&t, "sys/x\xff/a", "1\n");
	pass_open(&p, &t, 0);
	assert_true(put_attr(&p.s, &str, NULL, "sys/%s/a", "x\xff"));
	assert_true(put_attr_num(&p.s, &num, "sys/%s/a", "x\xff"));
	assert_true(put_attr_bool(&p.s, &yes, "sys/%s/a", "x\xff"));
	assert_string_equal(str.source, "sys/x?/a");
	assert_string_equal(num.source, "sys/x?/a");
	assert_string_equal(yes.source, "sys/x?/a");
	pass_close(&p);
	tree_done(&t);
}

/* Each once; a machine with a thousand broken attributes has a thousand errors, and no more. */
static void test_errors(void **state)
{
	struct tree t;
	struct pass p;
	const struct hwp_error *errors;
	char name[32];
	tree_init(&t);
	pass_open(&p, &t, 0);
	survey_error(&p.s, "a\xff", EIO, "it is %s", "broken\xff");
	survey_error(&p.s, "b", EIO, "x");
	survey_error(&p.s, "b", EIO, "y");
	survey_error(&p.s, "b", EACCES, "x");
	p.s.part = "other";
	survey_error(&p.s, "b", EIO, "x");
	assert_int_equal(hwp_errors(p.inv, &errors), 4);
	assert_string_equal(errors[0].source, "a?");
	assert_string_equal(errors[0].detail, "it is broken?");
	assert_string_equal(errors[0].part, "test");
	assert_int_equal(errors[0].err, EIO);
	assert_string_equal(errors[1].detail, "x");
	for (int i = 0; i < 1100; i++) {
		snprintf(name, sizeof(name), "%d", i);
		survey_error(&p.s, name, EIO, "x");
	}
	assert_int_equal(hwp_errors(p.inv, NULL), 1000);
	pass_close(&p);
	tree_done(&t);
}

static void test_uname(void **state)
{
	struct tree t;
	struct pass p;
	tree_init(&t);
	pass_open(&p, &t, 0);
	assert_null(survey_uname(&p.s, 4)); /* never this machine's */
	tree_file(&t, "uname", "Linux\nhost\n6.1\n\nx86_64");
	assert_string_equal(survey_uname(&p.s, 0), "Linux");
	assert_string_equal(survey_uname(&p.s, 1), "host");
	assert_null(survey_uname(&p.s, 3)); /* an empty line */
	assert_string_equal(survey_uname(&p.s, 4), "x86_64");
	assert_null(survey_uname(&p.s, 5));
	pass_close(&p);
	tree_done(&t);
}

/* A file that is there and cannot be read is told, as with every other one. */
static void test_broken_uname(void **state)
{
	struct tree t;
	struct pass p;
	const struct hwp_error *errors;
	tree_init(&t);
	tree_link(&t, "uname", "uname");
	pass_open(&p, &t, 0);
	assert_null(survey_uname(&p.s, 4));
	assert_int_equal(hwp_errors(p.inv, &errors), 1);
	assert_string_equal(errors[0].source, "uname");
	assert_int_equal(errors[0].err, ELOOP);
	pass_close(&p);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),         cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_ones),         cmocka_unit_test(test_links),
		cmocka_unit_test(test_put),          cmocka_unit_test(test_errors),
		cmocka_unit_test(test_sources),      cmocka_unit_test(test_uname),
		cmocka_unit_test(test_broken_uname),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
