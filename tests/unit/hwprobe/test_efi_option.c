/* Boot entries of the firmware: texts, MAC addresses, URIs, and every length in them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "hwprobe/efi_option.h"

/* Attributes, then the length of the device path, description and device path as given. */
struct option {
	uint8_t data[2048];
	size_t len;
};

static void make(struct option *o, const char *description, const void *path, size_t path_len)
{
	*o = (struct option){ .data = { 1, 0, 0, 0, (uint8_t)path_len, (uint8_t)(path_len >> 8) },
			      .len = 6 };
	for (const char *p = description;; p++) {
		o->data[o->len] = (uint8_t)*p;
		o->len += 2;
		if (!*p)
			break;
	}
	if (path_len)
		memcpy(o->data + o->len, path, path_len);
	o->len += path_len;
}

/* The parser sees exactly the bytes: a read behind them is seen by the sanitizer. */
static int parse(const uint8_t *data, size_t len, struct efi_option *ret)
{
	uint8_t *copy = malloc(len ? len : 1);
	memcpy(copy, data, len);
	int rc = efi_option_parse(copy, len, ret);
	free(copy);
	return rc;
}

enum { MAC_NODE = 37 };

static void mac_node(uint8_t node[MAC_NODE], uint8_t kind)
{
	memset(node, 0, MAC_NODE);
	memcpy(node, "\3\x0b\x25\0\x52\x54\0\x12\x34\x56", 10);
	node[MAC_NODE - 1] = kind;
}

static void test_mac(void **state)
{
	struct option o;
	struct efi_option got;
	uint8_t path[6 + MAC_NODE + 4] = { 1, 1, 6, 0, 0, 3 };
	mac_node(path + 6, 1);
	memcpy(path + 6 + MAC_NODE, "\x7f\xff\4", 4);
	make(&o, "PXE", path, sizeof(path));
	assert_int_equal(parse(o.data, o.len, &got), 0);
	assert_string_equal(got.description, "PXE");
	assert_true(got.has_mac);
	assert_memory_equal(got.mac, "\x52\x54\0\x12\x34\x56", 6);
	assert_string_equal(got.uri, "");
	/* Cut anywhere it is refused. */
	for (size_t n = 0; n < o.len; n++)
		assert_int_equal(parse(o.data, n, &got), -EBADMSG);
	/* InfiniBand has no six bytes. */
	mac_node(path + 6, 32);
	make(&o, "PXE", path, sizeof(path));
	assert_int_equal(parse(o.data, o.len, &got), 0);
	assert_false(got.has_mac);
	/* Behind the end of the path. */
	memcpy(path, "\x7f\xff\4", 4);
	make(&o, "PXE", path, sizeof(path));
	assert_int_equal(parse(o.data, o.len, &got), 0);
	assert_false(got.has_mac);
}

static void test_uri(void **state)
{
	static const struct {
		const char *node;
		size_t len;
		const char *want;
	} cases[] = {
		{ "\3\x18\x0c\0http://a", 12, "http://a" }, { "\3\x18\x04\0", 4, "" },
		{ "\3\x18\x08\0a\0b\0", 8, "a" },           { "\3\x18\x08\0a\nb\xff", 8, "a?b?" },
		{ "\3\x18\x0d\0http://a", 12, "" }, /* longer than the path */
		{ "\3\x18\x03\0http://a", 12, "" }, /* shorter than its head */
	};
	struct option o;
	struct efi_option got;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("case %zu\n", i);
		make(&o, "HTTP", cases[i].node, cases[i].len);
		assert_int_equal(parse(o.data, o.len, &got), 0);
		assert_string_equal(got.uri, cases[i].want);
	}
	uint8_t path[4 + 700] = { 3, 0x18, 704 & 0xff, 704 >> 8 };
	memset(path + 4, 'u', 700);
	make(&o, "long", path, sizeof(path));
	assert_int_equal(parse(o.data, o.len, &got), 0);
	assert_int_equal(strlen(got.uri), sizeof(got.uri) - 1);
}

static void test_description(void **state)
{
	struct option o;
	struct efi_option got;
	/* "ä", a line end, half a surrogate pair, "漢" */
	make(&o, "a....", NULL, 0);
	memcpy(o.data + 8, "\xe4\0\n\0\x01\xd8\x22\x6f", 8);
	assert_int_equal(parse(o.data, o.len, &got), 0);
	assert_string_equal(got.description, "a\xc3\xa4??\xe6\xbc\xa2");
	char text[300];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	make(&o, text, NULL, 0);
	assert_int_equal(parse(o.data, o.len, &got), 0);
	assert_int_equal(strlen(got.description), sizeof(got.description) - 1);
	make(&o, "no end", NULL, 0);
	assert_int_equal(parse(o.data, o.len - 2, &got), -EBADMSG);
	o.data[4] = 1; /* a path of one byte that is not there */
	assert_int_equal(parse(o.data, o.len, &got), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mac),
		cmocka_unit_test(test_uri),
		cmocka_unit_test(test_description),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
