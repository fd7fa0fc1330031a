#include "validate_fixture.h"

#define ID "non-overlapping-subnets"
#define V4(a) "\"ipv4_addresses\":[" a "]"
#define V6(a) "\"ipv6_addresses\":[" a "]"
#define NIC(name, addresses) "{\"name\":\"" name "\"," addresses "}"
#define MACHINE(cidr) "{\"machine_networks\":[{\"cidr\":\"" cidr "\"}]}"

static void check(const char *networks, const char *nics, enum validation_status want,
		  const char *text)
{
	AUTO(freep) char *list = str_printf("[%s]", nics);
	struct fixture f;

	fix_host(&f, true, "interfaces", list);
	str_set(&f.cluster.extra, networks);
	fix_expect(&f, ID, want, text);
	fix_done(&f);
}

static void test_overlaps(void **state)
{
	static const struct {
		const char *a, *b;
		enum validation_status want;
	} rows[] = {
		{ V4("\"192.0.2.5/24\""), V4("\"192.0.2.9/24\""), NO },
		{ V4("\"192.0.2.5/24\""), V4("\"192.0.2.5/24\""), NO },
		/* one inside of the other, either way */
		{ V4("\"192.0.2.5/16\""), V4("\"192.0.77.9/24\""), NO },
		{ V4("\"192.0.77.9/24\""), V4("\"192.0.2.5/16\""), NO },
		{ V4("\"10.0.0.1/8\""), V4("\"10.9.9.9\""), NO },
		{ V4("\"10.0.0.1/0\""), V4("\"192.0.2.9/32\""), NO },
		/* neighbours */
		{ V4("\"192.0.2.5/25\""), V4("\"192.0.2.128/25\""), OK },
		{ V4("\"192.0.2.5/25\""), V4("\"192.0.2.127/25\""), NO },
		{ V4("\"192.0.2.5/32\""), V4("\"192.0.2.6/32\""), OK },
		{ V4("\"192.0.2.5/24\""), V4("\"198.51.100.9/24\""), OK },
		/* only the second addresses meet */
		{ V4("\"192.0.2.5/24\",\"10.1.0.1/16\""), V4("\"198.51.100.9/24\",\"10.1.2.3/24\""),
		  NO },
		{ V4(""), V4("\"192.0.2.9/24\""), OK },
		/* what is no network is not compared */
		{ V4("\"192.0.2.5/33\""), V4("\"192.0.2.5/33\""), OK },
		{ V4("\"x\""), V4("\"x\""), OK },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(freep)
		char *nics = str_printf("{\"name\":\"eth0\",%s},{\"name\":\"eth1\",%s}", rows[i].a,
					rows[i].b);
		check(MACHINE("203.0.113.0/24"), nics, rows[i].want,
		      rows[i].want == NO ? "are in the same network" : NULL);
	}
}

/* A person reads which ones they are. */
static void test_sentence(void **state)
{
	check(MACHINE("192.0.2.0/24"),
	      NIC("eth0", V4("\"192.0.2.5/24\"")) "," NIC(
		      "eth1", V4("\"198.51.100.1/24\"")) "," NIC("eth2", V4("\"192.0.2.9/25\"")),
	      NO, "192.0.2.5/24 (eth0) and 192.0.2.9/25 (eth2) are in the same network");
}

/* Several addresses of one nic may lie in one network. */
static void test_one_nic(void **state)
{
	check(MACHINE("192.0.2.0/24"), NIC("eth0", V4("\"192.0.2.5/24\",\"192.0.2.6/24\"")), OK,
	      NULL);
	check(MACHINE("2001:db8::/64"), NIC("eth0", V6("\"2001:db8::5/64\",\"2001:db8::6/64\"")),
	      OK, NULL);
}

/* Only families that the cluster's networks use are compared; an imported cluster names none. */
static void test_families(void **state)
{
	static const char both[] =
		NIC("eth0", V4("\"192.0.2.5/24\"") "," V6("\"2001:db8::5/64\"")) "," NIC(
			"eth1", V4("\"192.0.2.9/24\"") "," V6("\"2001:db8::9/64\""));
	static const char only_v4[] =
		NIC("eth0", V4("\"192.0.2.5/24\"")) "," NIC("eth1", V4("\"192.0.2.9/24\""));
	static const char only_v6[] =
		NIC("eth0", V6("\"2001:db8::5/64\"")) "," NIC("eth1", V6("\"2001:db8::9/64\""));
	static const struct {
		const char *networks, *nics;
		enum validation_status want;
		const char *text;
	} rows[] = {
		{ NULL, both, OK, NULL },
		{ "{}", both, OK, NULL },
		{ "{\"machine_networks\":[]}", both, OK, NULL },
		{ "{\"machine_networks\":[{}]}", both, OK, NULL },
		{ MACHINE("x"), both, OK, NULL },
		{ MACHINE("192.0.2.0/24"), only_v6, OK, NULL },
		{ MACHINE("2001:db8::/64"), only_v4, OK, NULL },
		{ MACHINE("192.0.2.0/24"), both, NO, "192.0.2.5/24 (eth0)" },
		{ MACHINE("2001:db8::/64"), both, NO, "2001:db8::5/64 (eth0)" },
		{ "{\"cluster_networks\":[{\"cidr\":\"10.128.0.0/14\"}]}", both, NO, "192.0.2.5" },
		{ "{\"service_networks\":[{\"cidr\":\"fd02::/112\"}]}", both, NO, "2001:db8::5" },
		{ "{\"machine_networks\":[{\"cidr\":\"192.0.2.0/24\"},{\"cidr\":\"2001:db8::/64\"}]}",
		  only_v6, NO, "2001:db8::9/64 (eth1)" },
		{ "{\"tags\":\"192.0.2.0/24\"}", both, OK, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check(rows[i].networks, rows[i].nics, rows[i].want, rows[i].text);
}

/* A machine with more addresses than are compared is judged by the first ones: 1023 are looked at, the one behind is not. */
static void test_many_addresses(void **state)
{
	for (int n = 1022; n <= 1023; n++) {
		AUTO(buf_done) struct buf b;
		buf_init(&b, 1 << 20);
		assert_int_equal(buf_append_str(&b, "{\"name\":\"eth0\",\"ipv4_addresses\":["), 0);
		for (int i = 0; i < n; i++)
			assert_int_equal(buf_printf(&b, "%s\"10.%d.%d.1/24\"", i ? "," : "",
						    i / 256, i % 256),
					 0);
		assert_int_equal(
			buf_append_str(
				&b, "]},{\"name\":\"eth1\",\"ipv4_addresses\":[\"10.0.0.2/24\"]}"),
			0);
		check(MACHINE("10.0.0.0/8"), b.data, n == 1022 ? NO : OK, NULL);
	}
}

static void test_nothing_to_compare(void **state)
{
	struct fixture f;

	check(MACHINE("192.0.2.0/24"), "", OK, NULL);
	check(MACHINE("192.0.2.0/24"), NIC("eth0", V4("\"192.0.2.5/24\"")), OK,
	      "The networks of the host's interfaces are apart");
	fix_init(&f, true);
	fix_expect(&f, ID, WAIT, "Waiting for the inventory");
	fix_done(&f);
	fix_host(&f, false, NULL, NULL);
	fix_expect(&f, ID, ABSENT, NULL);
	fix_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overlaps),       cmocka_unit_test(test_sentence),
		cmocka_unit_test(test_one_nic),        cmocka_unit_test(test_families),
		cmocka_unit_test(test_many_addresses), cmocka_unit_test(test_nothing_to_compare),
	};
	return cmocka_run_group_tests_name("validate_subnets", tests, NULL, NULL);
}
