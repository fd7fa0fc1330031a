/* Leases, answers of drivers and boot entries, scrubbed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <arpa/inet.h>
#include "hwprobe/scrub.h"

static void test_drivers(void **state)
{
	static const char text[] =
		"eth0 firmware 7.10 permaddr\neth0 permaddr 02:fc:00:12:34:56\neth1 link 1 2 3\neth1 permaddr 02:fc:00:65:43:21";
	struct scrub s = { .key = "k" };
	scrub_learn_drivers(&s, text, strlen(text));
	scrub_ready(&s);
	char copy[sizeof(text)];
	memcpy(copy, text, sizeof(text));
	assert_true(scrub_apply(&s, copy, strlen(copy)));
	assert_null(strstr(copy, "12:34:56"));
	assert_null(strstr(copy, "65:43:21"));
	assert_non_null(strstr(copy, "eth0 permaddr 02:fc:00:"));
	assert_non_null(strstr(copy, "eth0 firmware 7.10 permaddr\n"));
	assert_non_null(strstr(copy, "eth1 link 1 2 3\n"));
	arena_done(&s.mem);
}

static void test_lease(void **state)
{
	static const char *const nothing[] = { "", "ADDRESS=\n", "ADDRESS=host\n",
					       "XADDRESS=192.0.2.7\n", "ADDRESS=2001:db8::1\n" };
	const struct scrub s = { .key = "k" };
	char text[] = "# private\nADDRESS=198.51.100.7\nROUTER=198.51.100.1\nHOSTNAME=customer-9\n",
	     want[64], shown[INET_ADDRSTRLEN];
	uint8_t ip[4] = { 198, 51, 100, 7 };
	scrub_ip(&s, ip, 4, 128); /* as in the dumps */
	inet_ntop(AF_INET, ip, shown, sizeof(shown));
	snprintf(want, sizeof(want), "ADDRESS=%s\n", shown);
	size_t n = scrub_lease(&s, text, strlen(text));
	assert_int_equal(n, strlen(want));
	assert_memory_equal(text, want, n);
	assert_string_not_equal(shown, "198.51.100.7");
	for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
		char copy[64];
		snprintf(copy, sizeof(copy), "%s", nothing[i]);
		assert_int_equal(scrub_lease(&s, copy, strlen(copy)), 0);
	}
	/* No room for a longer one: nothing is written behind the end. */
	char *tight = strdup("ADDRESS=8.8.8.8");
	assert_true(scrub_lease(&s, tight, strlen(tight)) <= strlen("ADDRESS=8.8.8.8"));
	free(tight);
}

static void test_efi(void **state)
{
	static const char uri[] =
		"\7\0\0\0\1\0\0\0\x20\0h\0\0\0\3\x18\x24\0https://boot.customer-9.example/x?token=abc\x7f\xff\4\0";
	static const uint8_t mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
	struct scrub s = { .key = "k" };
	char copy[sizeof(uri)],
		option[] = "\7\0\0\0\1\0\0\0\x20\0h\0\0\0\3\x0b\x25\0\x52\x54\0\x12\x34\x56....",
		state_only[] = "\6\0\0\0\1";
	scrub_add_mac(&s, mac);
	scrub_ready(&s);
	memcpy(copy, uri, sizeof(uri));
	scrub_efi(&s, copy, sizeof(copy));
	assert_null(memmem(copy, sizeof(copy), "customer", 8));
	assert_null(memmem(copy, sizeof(copy), "token", 5));
	assert_non_null(memmem(copy, sizeof(copy), "https://", 8));
	assert_memory_equal(copy + sizeof(copy) - 5, "\x7f\xff\4\0", 4);
	scrub_efi(&s, option, sizeof(option));
	assert_null(memmem(option, sizeof(option), mac, 6));
	scrub_efi(&s, state_only, 5);
	assert_memory_equal(state_only, "\6\0\0\0\1", 5);
	arena_done(&s.mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drivers),
		cmocka_unit_test(test_lease),
		cmocka_unit_test(test_efi),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
