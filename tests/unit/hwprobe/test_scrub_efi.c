/* Boot entries of the firmware, scrubbed: they name interfaces, disks, servers and partitions. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hwprobe/efi_option.h"
#include "hwprobe/scrub.h"

enum { ATTRIBUTES_LEN = 4, OPTION_MAX = 512 };

struct option {
	char data[OPTION_MAX];
	size_t len, paths_at;
};

static void start(struct option *o, const char *description)
{
	*o = (struct option){ .data = "\7\0\0\0\1", .len = ATTRIBUTES_LEN + 6 };
	for (const char *p = description;; p++) {
		o->data[o->len] = *p;
		o->len += 2;
		if (!*p)
			break;
	}
	o->paths_at = o->len;
}

static void node(struct option *o, uint8_t type, uint8_t subtype, const void *body, size_t len)
{
	const uint8_t head[4] = { type, subtype, (uint8_t)(len + 4), (uint8_t)((len + 4) >> 8) };
	memcpy(o->data + o->len, head, 4);
	memcpy(o->data + o->len + 4, body, len);
	o->len += len + 4;
	o->data[8] = (char)(o->len - o->paths_at);
}

/* What the entry says after the scrubbing. */
static struct efi_option scrubbed(struct option *o, const uint8_t *mac)
{
	struct scrub s = { .key = "efi" };
	struct efi_option ret;
	if (mac)
		scrub_add_mac(&s, mac);
	scrub_ready(&s);
	scrub_efi(&s, o->data, o->len);
	assert_int_equal(efi_option_parse((uint8_t *)o->data + ATTRIBUTES_LEN,
					  o->len - ATTRIBUTES_LEN, &ret),
			 0);
	arena_done(&s.mem);
	return ret;
}

static bool has(const struct option *o, const void *bytes, size_t len)
{
	return memmem(o->data, o->len, bytes, len);
}

static const uint8_t nic[37] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

static void test_network(void **state)
{
	static const char uri[] = "https://boot.customer-9.example/x?token=abc";
	static const uint8_t ip[23] = { 203, 0, 113, 7, 203, 0, 113, 1 };
	struct option o;
	char want[64];
	start(&o, "UEFI HTTPv4 (MAC:525400123456)");
	node(&o, 3, 11, nic, sizeof(nic) - 4);
	node(&o, 3, 12, ip, sizeof(ip));
	node(&o, 3, 24, uri, strlen(uri));
	node(&o, 0x7f, 0xff, "", 0);
	struct efi_option e = scrubbed(&o, nic);
	assert_true(e.has_mac);
	assert_memory_equal(e.mac, nic, 3);
	assert_memory_not_equal(e.mac + 3, nic + 3, 3);
	snprintf(want, sizeof(want), "UEFI HTTPv4 (MAC:525400%02X%02X%02X)", e.mac[3], e.mac[4],
		 e.mac[5]);
	assert_string_equal(e.description, want);
	assert_int_equal(strncmp(e.uri, "https://", 8), 0);
	assert_int_equal(strlen(e.uri), strlen(uri));
	assert_null(strstr(e.uri, "customer"));
	assert_null(strstr(e.uri, "token"));
	assert_false(has(&o, "\xcb\0\x71", 3));
}

static void test_disk(void **state)
{
	static const char guid[] =
		"\xca\x1b\x2b\x7f\xfb\x34\x44\xa5\xbd\xa0\x38\x18\x66\x21\x8f\x0a";
	struct option o;
	char drive[38] = { 1 };
	memcpy(drive + 20, guid, 16);
	start(&o, "UEFI Example SSD 970 S466NX0K123456");
	node(&o, 2, 1, "\xd0\x41\x03\x0a\0\0\0\0", 8);
	node(&o, 3, 23, "\1\0\0\0\x25\x38\x5b\x71\xb0\xa3\xc1\0", 12);
	node(&o, 4, 1, drive, sizeof(drive));
	node(&o, 4, 4, "\\\0E\0F\0I\0\0\0", 10);
	node(&o, 0x7f, 0xff, "", 0);
	memcpy(o.data + o.len, "t\0o\0k\0e\0n\0=\0s\0", 14);
	o.len += 14;
	struct efi_option e = scrubbed(&o, NULL);
	assert_int_equal(strncmp(e.description, "UEFI Example SSD 970 ", 21), 0);
	assert_null(strstr(e.description, "S466NX0K"));
	assert_false(has(&o, guid, 16));
	assert_false(has(&o, "\x25\x38\x5b\x71", 4));
	assert_false(has(&o, "t\0o\0k\0", 6));
	assert_true(has(&o, "\xd0\x41\x03\x0a", 4));
	assert_true(has(&o, "\\\0E\0F\0I", 7));
}

/* Every length that can be: nothing is read or written behind the end, and nothing of the address is left. */
static void test_cut_and_wild(void **state)
{
	const struct scrub s = { .key = "efi" };
	struct option o;
	start(&o, "UEFI PXEv4 (MAC:525400123456)");
	node(&o, 3, 11, nic, sizeof(nic) - 4);
	node(&o, 0x7f, 0xff, "", 0);
	for (size_t len = 0; len <= o.len; len++) {
		char *cut = malloc(len ? len : 1);
		assert_non_null(cut);
		memcpy(cut, o.data, len);
		scrub_efi(&s, cut, len);
		if (len > 16 && memmem(cut, len, nic + 3, 3))
			fail_msg("cut at %zu the address is left", len);
		free(cut);
	}
	for (unsigned wild = 0; wild < 256; wild++) {
		struct option copy = o;
		copy.data[8] = (char)wild;                 /* length of the paths */
		copy.data[copy.paths_at + 2] = (char)wild; /* of the first node */
		scrub_efi(&s, copy.data, copy.len);
		if (has(&copy, nic + 3, 3))
			fail_msg("with length %u the address is left", wild);
	}
}

static void test_switches_stay(void **state)
{
	const struct scrub s = { .key = "efi" };
	char data[] = "\6\0\0\0\1";
	scrub_efi(&s, data, 5);
	assert_memory_equal(data, "\6\0\0\0\1", 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_disk),
		cmocka_unit_test(test_cut_and_wild),
		cmocka_unit_test(test_switches_stay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
