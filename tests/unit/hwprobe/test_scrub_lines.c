/* Leases and answers of drivers, scrubbed. */
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
		"eth0 firmware 7.10 permaddr\neth0 permaddr 02:fc:00:12:34:56\neth1 link 1 2 3\neth1 permaddr 02:fc:00:65:43:21"
		"\nib0 permaddr 00:00:10:29:fe:80:00:00:00:00:00:00:b8:59:c7:03:00:aa:bb:cc\n";
	struct scrub s = { .key = "k" };
	scrub_learn_drivers(&s, text, strlen(text));
	scrub_ready(&s);
	char copy[sizeof(text)];
	memcpy(copy, text, sizeof(text));
	assert_true(scrub_apply(&s, copy, strlen(copy)));
	assert_null(strstr(copy, "12:34:56"));
	assert_null(strstr(copy, "65:43:21"));
	assert_null(strstr(copy, "aa:bb:cc"));
	assert_non_null(strstr(copy, "00:00:10:29:fe:80:00:00:00:00:00:00:b8:59:c7:"));
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

/* The address that the firmware or iSCSI tells is that of an interface, in the record, too. */
static void test_ip_text(void **state)
{
	static const struct {
		const char *text;
		int family;
	} cases[] = {
		{ "1.2.3.4\n", AF_INET },
		{ "198.51.100.7\n", AF_INET },
		{ "2001:db8::7\n", AF_INET6 },
		{ "2001:db8:1:2:3:4:5:6", AF_INET6 },
	};
	static const char *const others[] = { "", "\n", "0.0.0.0\n", "host\n", "1.2.3\n", ":\n" };
	const struct scrub s = { .key = "k" };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char data[64 + SCRUB_ROOM], want[INET6_ADDRSTRLEN];
		uint8_t ip[16];
		snprintf(data, sizeof(data), "%s", cases[i].text);
		snprintf(want, sizeof(want), "%.*s", (int)strcspn(data, "\n"), data);
		assert_int_equal(inet_pton(cases[i].family, want, ip), 1);
		scrub_ip(&s, ip, cases[i].family == AF_INET ? 4 : 16, 128);
		inet_ntop(cases[i].family, ip, want, sizeof(want));
		size_t n = scrub_ip_text(&s, data, strlen(data));
		assert_int_equal(n, strlen(want) + 1);
		assert_memory_equal(data, want, n - 1);
		assert_int_equal(data[n - 1], '\n');
		assert_int_not_equal(strncmp(data, cases[i].text, strcspn(cases[i].text, "\n")), 0);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		char data[64 + SCRUB_ROOM];
		snprintf(data, sizeof(data), "%s", others[i]);
		assert_int_equal(scrub_ip_text(&s, data, strlen(data)), strlen(others[i]));
		assert_string_equal(data, others[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drivers),
		cmocka_unit_test(test_lease),
		cmocka_unit_test(test_ip_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
