/* Addresses in what the kernel and the BMC said. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "hwprobe/scrub.h"

static void test_bmc(void **state)
{
	char talk[] = "06 42 01 > 00 01 04 01\n0c 02 01 03 00 00 > 00 11 cb 00 71 0a\n"
		      "0c 02 01 05 00 00 > 00 11 0c c4 7a 01 02 03\n0c 02 01 03 00 00 > 00 11 cb\n";
	char before[sizeof(talk)];
	const struct scrub s = { .key = "bmc" };
	memcpy(before, talk, sizeof(talk));
	scrub_ipmi(&s, talk, strlen(talk));
	assert_int_equal(strlen(talk), strlen(before));
	assert_memory_equal(talk, before, 23 + 27); /* up to the first octet */
	assert_null(strstr(talk, "cb 00 71 0a"));
	assert_non_null(strstr(talk, "> 00 11 0c c4 7a "));
	assert_null(strstr(talk, "7a 01 02 03"));
	assert_non_null(strstr(talk, "> 00 11 cb\n"));
}

/* Everything that is no address stays, whatever is cut off. */
static void test_cut_talk(void **state)
{
	static const char talk[] = "0c 02 01 05 00 00 > 00 11 0c c4 7a 01 02 03\n";
	const struct scrub s = { .key = "bmc" };
	for (size_t n = 0; n < sizeof(talk) - 1; n++) {
		char *copy = malloc(n + 1);
		memcpy(copy, talk, n);
		copy[n] = '\0';
		scrub_ipmi(&s, copy, n); /* without its newline it is no line */
		assert_memory_equal(copy, talk, n);
		free(copy);
	}
}

static void test_v6(void **state)
{
	char talk[] =
		"0c 02 01 3b 00 00 > 00 11 00 01 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 12 34 40 00\n";
	char before[sizeof(talk)];
	const struct scrub s = { .key = "bmc" };
	memcpy(before, talk, sizeof(talk));
	scrub_ipmi(&s, talk, strlen(talk));
	assert_memory_equal(talk, before, 32); /* set, source */
	assert_memory_not_equal(talk + 32, before + 32, 47);
	assert_memory_equal(talk + 79, before + 79, 7); /* prefix length, status */
}

/* A link's hardware address is learnt from the dump; addresses in address and route messages become others of the same net. */
static void test_dump(void **state)
{
	struct {
		struct nlmsghdr h;
		struct ifaddrmsg a;
		struct nlattr attr;
		uint8_t ip[4];
	} m = { .h = { .nlmsg_len = sizeof(m), .nlmsg_type = RTM_NEWADDR },
		.a = { .ifa_family = AF_INET, .ifa_prefixlen = 24 },
		.attr = { .nla_len = 8, .nla_type = IFA_LOCAL },
		.ip = { 203, 0, 113, 77 } };
	struct {
		struct nlmsghdr h;
		struct ifinfomsg i;
		struct nlattr attr;
		uint8_t mac[8];
	} l = { .h = { .nlmsg_len = sizeof(l), .nlmsg_type = RTM_NEWLINK },
		.attr = { .nla_len = 10, .nla_type = IFLA_ADDRESS },
		.mac = { 0x0c, 0x42, 0xa1, 0x9f, 0x3e, 0x71 } };
	struct scrub s = { .key = "net" };
	uint8_t ip[4] = { 203, 0, 113, 77 };
	scrub_addresses(&s, (char *)&m, sizeof(m));
	assert_memory_not_equal(m.ip, ip, 4);
	scrub_ip(&s, ip, 4, 32);
	assert_memory_equal(m.ip, ip, 4); /* as everywhere else */
	scrub_learn_links(&s, (const char *)&l, sizeof(l));
	scrub_ready(&s);
	char text[] = "wlx0c42a19f3e71";
	assert_true(scrub_apply(&s, text, strlen(text)));
	assert_null(strstr(text, "9f3e71"));
	/* Cut anywhere: left alone. */
	for (size_t n = 0; n < sizeof(m); n++) {
		char *copy = malloc(n ? n : 1), *same = malloc(n ? n : 1);
		memcpy(copy, &m, n);
		memcpy(same, &m, n);
		scrub_addresses(&s, copy, n);
		scrub_learn_links(&s, copy, n);
		assert_memory_equal(copy, same, n);
		free(copy);
		free(same);
	}
	arena_done(&s.mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bmc),
		cmocka_unit_test(test_cut_talk),
		cmocka_unit_test(test_v6),
		cmocka_unit_test(test_dump),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
