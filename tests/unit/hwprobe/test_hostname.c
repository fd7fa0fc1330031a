/* Names that say nothing give way to the MAC address of the first interface, by name, that can be reached. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include "tests/unit/hwprobe/tree.h"

struct dump {
	char data[4096];
	size_t len;
};

static void add_attr(struct dump *d, int type, const void *data, size_t len)
{
	struct rtattr a = { .rta_len = (unsigned short)(sizeof(a) + len),
			    .rta_type = (unsigned short)type };
	memcpy(d->data + d->len, &a, sizeof(a));
	memcpy(d->data + d->len + sizeof(a), data, len);
	d->len += RTA_ALIGN(a.rta_len);
}

/* A message is begun with its header and ended when its attributes are there. */
static size_t begin(struct dump *d, int type, const void *header, size_t len)
{
	size_t at = d->len;
	struct nlmsghdr h = { .nlmsg_type = (unsigned short)type };
	memcpy(d->data + at, &h, sizeof(h));
	memcpy(d->data + at + sizeof(h), header, len);
	d->len += sizeof(h) + NLMSG_ALIGN(len);
	return at;
}

static void end(struct dump *d, size_t at)
{
	uint32_t len = (uint32_t)(d->len - at);
	memcpy(d->data + at, &len, sizeof(len));
}

static void add_link(struct dump *d, int index, const char *name, uint8_t last)
{
	uint8_t mac[6] = { 2, 0, 0, 0, 0xAB, last };
	struct ifinfomsg m = { .ifi_index = index };
	size_t at = begin(d, RTM_NEWLINK, &m, sizeof(m));
	add_attr(d, IFLA_IFNAME, name, strlen(name) + 1);
	if (last)
		add_attr(d, IFLA_ADDRESS, mac, sizeof(mac));
	add_attr(d, IFLA_PARENT_DEV_NAME, "0000:00:01.0", 13); /* physical */
	end(d, at);
}

static void add_address(struct dump *d, unsigned index, const char *text)
{
	uint8_t bytes[16];
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;
	struct ifaddrmsg m = { .ifa_family = (unsigned char)family,
			       .ifa_prefixlen = 24,
			       .ifa_index = index };
	size_t at = begin(d, RTM_NEWADDR, &m, sizeof(m));
	assert_int_equal(inet_pton(family, text, bytes), 1);
	add_attr(d, family == AF_INET ? IFA_LOCAL : IFA_ADDRESS, bytes, family == AF_INET ? 4 : 16);
	end(d, at);
}

static void test_names(void **state)
{
	static const struct {
		const char *name, *address0, *address1; /* of eth0 (…:01) and eth1 (…:02) */
		const char *want;
	} cases[] = {
		{ "node.example.com", "192.0.2.1", NULL, "node.example.com" },
		{ "localhost", "192.0.2.1", "192.0.2.2", "02-00-00-00-ab-01" },
		{ "localhost", NULL, "192.0.2.2", "02-00-00-00-ab-02" },
		{ "localhost.localdomain", NULL, "10.0.0.1", "02-00-00-00-ab-02" },
		{ "localhost4", NULL, "fd00::1", "02-00-00-00-ab-02" },
		{ "localhost6", NULL, "fe80::1", "localhost6" },
		{ "localhost6.localdomain6", NULL, "ff02::1", "localhost6.localdomain6" },
		{ "(none)", "192.0.2.1", NULL, "02-00-00-00-ab-01" },
		{ "localhost", "169.254.1.1", NULL, "localhost" },
		{ "localhost", "224.0.0.1", NULL, "localhost" },
		{ "localhost", "255.255.255.255", NULL, "localhost" },
		{ "localhost", NULL, NULL, "localhost" },
		{ "LOCALHOST", "192.0.2.1", NULL, "LOCALHOST" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		struct dump links = { 0 }, addresses = { 0 };
		tree_init(&t);
		add_link(&links, 3, "eth1", 2);
		add_link(&links, 5, "eth0", 1);
		add_link(&links, 7, "aaa0", 0); /* first by name, without a MAC */
		add_address(&addresses, 7, "192.0.2.77");
		if (cases[i].address0)
			add_address(&addresses, 5, cases[i].address0);
		if (cases[i].address1)
			add_address(&addresses, 3, cases[i].address1);
		tree_file(&t, "proc/sys/kernel/hostname", cases[i].name);
		tree_write(&t, "netlink/link.nl", links.data, links.len);
		tree_write(&t, "netlink/addr.nl", addresses.data, addresses.len);
		/* alone, and together with the interfaces */
		for (unsigned parts = HWP_HOSTNAME; parts <= (HWP_HOSTNAME | HWP_NICS);
		     parts += HWP_NICS) {
			struct hwp_inventory *inv = tree_probe(&t, parts);
			assert_string_equal(hwp_get_hostname(inv), cases[i].want);
			assert_int_equal(hwp_nic_count(inv), parts & HWP_NICS ? 3 : 0);
			hwp_unref(inv);
		}
		tree_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_names) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
