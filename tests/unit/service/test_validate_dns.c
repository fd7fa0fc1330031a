#include "validate_fixture.h"

/* The three names of a cluster that a host must be able to resolve (assisted-v2 §5.7). */
static const struct {
	const char *id, *name;
} names[] = {
	{ "api-domain-name-resolved-correctly", "api.prod.example.com" },
	{ "api-int-domain-name-resolved-correctly", "api-int.prod.example.com" },
	{ "apps-domain-name-resolved-correctly",
	  "console-openshift-console.apps.prod.example.com" },
};

static void make(struct fixture *f)
{
	static const char nics[] = "[{\"name\":\"eth0\",\"ipv4_addresses\":[\"192.0.2.5/24\"]},"
				   "{\"name\":\"eth1\",\"ipv6_addresses\":[\"2001:db8::5/64\"]}]";

	fix_host(f, true, "interfaces", nics);
	fix_api_vip(f, false);
}

static void check(const char *name_in_reply, const char *addresses, size_t which,
		  enum validation_status want, const char *text)
{
	struct fixture f;

	make(&f);
	f.host.domain_name_resolutions =
		str_printf("{\"resolutions\":[{\"domain_name\":\"other.example.com\"},"
			   "{\"domain_name\":\"%s\"%s}]}",
			   name_in_reply, addresses);
	fix_expect(&f, names[which].id, want, text);
	fix_done(&f);
}

static void test_answers(void **state)
{
	static const struct {
		const char *addresses;
		enum validation_status want;
		const char *text;
	} rows[] = {
		{ ",\"ipv4_addresses\":[\"198.51.100.1\"]", OK, "can resolve the name" },
		{ ",\"ipv6_addresses\":[\"2001:db8::1\"]", OK, NULL },
		{ ",\"ipv4_addresses\":null,\"ipv6_addresses\":[\"2001:db8::1\"]", OK, NULL },
		{ "", NO, "cannot resolve the name" },
		{ ",\"ipv4_addresses\":[],\"ipv6_addresses\":[]", NO, "cannot resolve" },
		{ ",\"cnames\":[\"a.example.com.\"]", NO, "cannot resolve" },
		/* an address of the machine itself, in its family, however it is written */
		{ ",\"ipv4_addresses\":[\"192.0.2.5\"]", NO, "leads to an address of this host" },
		{ ",\"ipv4_addresses\":[\"198.51.100.1\",\"192.0.2.5\"]", NO, "of this host" },
		{ ",\"ipv6_addresses\":[\"2001:db8::5\"]", NO, "of this host" },
		{ ",\"ipv6_addresses\":[\"2001:0DB8:0::5\"]", NO, "of this host" },
		{ ",\"ipv4_addresses\":[\"192.0.2.50\"]", OK, NULL },
		{ ",\"ipv4_addresses\":[\"192.0.2.6\"]", OK, NULL }, /* in the same network */
		{ ",\"ipv4_addresses\":[\"nonsense\"]", OK, NULL },
	};

	for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
			check(names[n].name, rows[i].addresses, n, rows[i].want, rows[i].text);
	}
}

/* Each looks at its own name and says it. */
static void test_own_name(void **state)
{
	static const char good[] = ",\"ipv4_addresses\":[\"198.51.100.1\"]";

	for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
		for (size_t other = 0; other < ARRAY_SIZE(names); other++) {
			if (n == other)
				check(names[other].name, good, n, OK, names[n].name);
			else
				check(names[other].name, good, n, WAIT, names[n].name);
		}
		check("API.prod.example.com", good, n, WAIT, names[n].name);
	}
}

static void test_waiting(void **state)
{
	static const char *const replies[] = { NULL, "", "{}", "no JSON",
					       "{\"resolutions\":null}" };
	struct fixture f;

	for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
		for (size_t i = 0; i < ARRAY_SIZE(replies); i++) {
			make(&f);
			str_set(&f.host.domain_name_resolutions, replies[i]);
			fix_expect(&f, names[n].id, WAIT, names[n].name);
			fix_done(&f);
		}
		/* nothing is judged before any host of the cluster has its configuration */
		make(&f);
		str_set(&f.host.api_vip_connectivity, NULL);
		fix_expect(&f, names[n].id, WAIT, "Waiting for the first download");
		str_set(&f.host.api_vip_connectivity, "{\"url\":\"http://a\"}");
		fix_expect(&f, names[n].id, WAIT, "Waiting for the first download");
		fix_done(&f);
		fix_init(&f, true);
		fix_expect(&f, names[n].id, WAIT, "Waiting for the inventory");
		fix_done(&f);
		fix_host(&f, false, NULL, NULL);
		fix_expect(&f, names[n].id, ABSENT, NULL);
		fix_done(&f);
	}
}

static void test_domain_unknown(void **state)
{
	struct fixture f;

	for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
		make(&f);
		str_set(&f.cluster.base_dns_domain, "");
		fix_expect(&f, names[n].id, BAD, "set base_dns_domain");
		str_set(&f.cluster.base_dns_domain, "example.com");
		str_set(&f.cluster.name, "");
		fix_expect(&f, names[n].id, BAD, "base domain is not known");
		/* a cluster with its own name service needs none */
		fix_api_vip(&f, true);
		fix_expect(&f, names[n].id, OK, "brings its own name service");
		fix_done(&f);
	}
}

/* What another host of the cluster has downloaded counts for all; the host's own successful download counts first. */
static void test_peers(void **state)
{
	struct fixture f, first, second;
	const struct host *peers[] = { &first.host, &second.host };

	make(&f);
	make(&first);
	make(&second);
	str_set(&f.host.api_vip_connectivity, "{\"url\":\"http://a\",\"download_error\":\"e\"}");
	str_set(&first.host.api_vip_connectivity, NULL);
	fix_api_vip(&second, true);
	f.ctx.peers = peers;
	f.ctx.n_peers = ARRAY_SIZE(peers);
	for (size_t n = 0; n < ARRAY_SIZE(names); n++)
		fix_expect(&f, names[n].id, OK, "brings its own name service");
	f.ctx.n_peers = 1;
	for (size_t n = 0; n < ARRAY_SIZE(names); n++)
		fix_expect(&f, names[n].id, WAIT, "Waiting for the first download");
	f.ctx.n_peers = 2;
	fix_api_vip(&f, false);
	for (size_t n = 0; n < ARRAY_SIZE(names); n++)
		fix_expect(&f, names[n].id, WAIT, names[n].name);
	fix_done(&second);
	fix_done(&first);
	fix_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers), cmocka_unit_test(test_own_name),
		cmocka_unit_test(test_waiting), cmocka_unit_test(test_domain_unknown),
		cmocka_unit_test(test_peers),
	};
	return cmocka_run_group_tests_name("validate_dns", tests, NULL, NULL);
}
