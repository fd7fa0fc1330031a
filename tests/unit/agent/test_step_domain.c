/* domain-resolution: what a name server says, and what it must not be believed. */
#include "tests/unit/agent/dns_server.h"
#include "tests/unit/agent/step_rig.h"

/* {"domains":[{"domain_name":…},…]} */
static char *domains_arg(const char *const *names, size_t n)
{
	AUTO(json_decrefp) json_t *arg = json_pack("{s:[]}", "domains");

	for (size_t i = 0; i < n; i++)
		json_array_append_new(json_child(arg, "domains"),
				      json_pack("{s:s}", "domain_name", names[i]));
	return json_text(arg, false);
}

/* The addresses of one name, joined by spaces: "v4… / v6… / cnames…". */
static void flatten(json_t *item, char *out, size_t size)
{
	static const char *const keys[] = { "ipv4_addresses", "ipv6_addresses", "cnames" };
	size_t len = 0, i;
	json_t *s;

	out[0] = '\0';
	for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
		json_array_foreach(json_child(item, keys[k]), i, s)
			len += (size_t)snprintf(out + len, size - len, "%s ", json_string_value(s));
		if (k + 1 < ARRAY_SIZE(keys))
			len += (size_t)snprintf(out + len, size - len, "/ ");
	}
	out[len ? len - 1 : 0] = '\0';
}

#define NOT_FOUND "/ /"

static const struct {
	const char *name, *want;
} names[] = {
	{ "good.test", "192.0.2.1 / 2001:db8::1 / good.test." },
	{ "good.test.", "192.0.2.1 / 2001:db8::1 / good.test." },
	{ "v4.test", "192.0.2.4 / / v4.test." },
	{ "several.test",
	  "192.0.2.1 192.0.2.2 192.0.2.3 / 2001:db8::1 2001:db8::2 2001:db8::3 / several.test." },
	{ "alias.test", "192.0.2.7 / 2001:db8::7 / real.test." },
	{ "192.0.2.55", "192.0.2.55 / / 192.0.2.55." },
	{ "2001:db8::55", "/ 2001:db8::55 / 2001:db8::55." },
	{ "missing.test", NOT_FOUND },
	{ "empty.test", NOT_FOUND },
	{ "nobody-knows.test", NOT_FOUND },
	/* what must not be believed */
	{ "wrong-id.test", NOT_FOUND },
	{ "silent.test", NOT_FOUND },
	{ "short.test", NOT_FOUND },
	{ "no-question.test", NOT_FOUND },
	{ "cut.test", NOT_FOUND },
	{ "loop.test", NOT_FOUND },
	{ "beyond.test", NOT_FOUND },
	{ "wrong-length.test", NOT_FOUND },
	{ "liar.test", NOT_FOUND },
	{ "cut-off.test", NOT_FOUND },
	/* and the others are none the worse for it */
	{ "good.search.test", "192.0.2.1 / 2001:db8::1 / good.search.test." },
};

static void test_names(void **state)
{
	struct net_rig *r = *state;
	struct dns_server dns;
	const char *list[ARRAY_SIZE(names)];

	dns_start(&dns, r->f->base, r->f->dir, NULL);
	r->net.resolv_conf = dns.conf;
	r->net.step_wait_ms = 1500;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		list[i] = names[i].name;
	AUTO(freep) char *arg = domains_arg(list, ARRAY_SIZE(names));
	AUTO(caught_done) struct caught c = run_step(r, &step_domain, arg);
	assert_int_equal(c.exit_code, STEP_EXIT_OK);
	AUTO(json_decrefp) json_t *out = json_loads(c.output, 0, NULL);
	json_t *all = json_child(out, "resolutions");
	assert_int_equal(json_array_size(all), ARRAY_SIZE(names));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		json_t *item = json_array_get(all, i);
		char got[512];
		assert_string_equal(json_str(item, "domain_name"), names[i].name);
		assert_true(json_is_array(json_child(item, "ipv4_addresses")));
		assert_true(json_is_array(json_child(item, "ipv6_addresses")));
		flatten(item, got, sizeof(got));
		if (strcmp(got, names[i].want) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", names[i].name, got, names[i].want);
	}
	assert_false(dns_was_asked(&dns, "192.0.2.55")); /* an address is no question */
	dns_stop(&dns);
}

/* More addresses than fit into what is kept of a packet: some of them, or none, but no harm. */
static void test_huge_answer(void **state)
{
	static const char *const list[] = { "huge.test", "good.test" };
	struct net_rig *r = *state;
	struct dns_server dns;
	char got[8192];

	dns_start(&dns, r->f->base, r->f->dir, NULL);
	r->net.resolv_conf = dns.conf;
	r->net.step_wait_ms = 1500;
	AUTO(freep) char *arg = domains_arg(list, 2);
	AUTO(caught_done) struct caught c = run_step(r, &step_domain, arg);
	AUTO(json_decrefp) json_t *out = json_loads(c.output, 0, NULL);
	flatten(json_array_get(json_child(out, "resolutions"), 1), got, sizeof(got));
	assert_string_equal(got, "192.0.2.1 / 2001:db8::1 / good.test.");
	dns_stop(&dns);
}

/* A server that fails, or none at all: every name is not found, within the time. */
static void test_no_working_server(void **state)
{
	static const char *const list[] = { "failing.test", "silent.test" };
	struct net_rig *r = *state;
	struct dns_server dns;

	dns_start(&dns, r->f->base, r->f->dir, NULL);
	for (int turn = 0; turn < 2; turn++) {
		char none[80], got[128];
		snprintf(none, sizeof(none), "%s/no-such-file", r->f->dir);
		r->net.resolv_conf = turn ? none : dns.conf;
		r->net.step_wait_ms = 800;
		int64_t from_ms = time_mono_ms();
		AUTO(freep) char *arg = domains_arg(list, 2);
		AUTO(caught_done) struct caught c = run_step(r, &step_domain, arg);
		assert_in_range(time_mono_ms() - from_ms, 0, 5000);
		assert_int_equal(c.exit_code, STEP_EXIT_OK);
		AUTO(json_decrefp) json_t *out = json_loads(c.output, 0, NULL);
		for (size_t i = 0; i < 2; i++) {
			flatten(json_array_get(json_child(out, "resolutions"), i), got,
				sizeof(got));
			assert_string_equal(got, NOT_FOUND);
		}
	}
	dns_stop(&dns);
}

/* A final dot: the name is complete, the search list is not tried (RFC 1034 §3.1). */
static void test_search_list(void **state)
{
	static const struct {
		const char *name, *tried;
		bool is_tried;
	} rows[] = { { "good", "good.search.test", true }, { "good.", "good.search.test", false } };
	struct net_rig *r = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct dns_server dns;
		dns_start(&dns, r->f->base, r->f->dir, "search.test");
		r->net.resolv_conf = dns.conf;
		r->net.step_wait_ms = 1500;
		AUTO(freep) char *arg = domains_arg(&rows[i].name, 1);
		AUTO(caught_done) struct caught c = run_step(r, &step_domain, arg);
		if (dns_was_asked(&dns, rows[i].tried) != rows[i].is_tried)
			fail_msg("%s: %s", rows[i].name, c.output);
		dns_stop(&dns);
	}
}

static void test_refusals(void **state)
{
	static const char *const args[] = {
		"{}",
		"{\"domains\":7}",
		"{\"domains\":{}}",
		"{\"domains\":[7]}",
		"{\"domains\":[{}]}",
		"{\"domains\":[{\"domain_name\":7}]}",
		"{\"domains\":[{\"domain_name\":\"\"}]}",
		"{\"domains\":[{\"domain_name\":\"a\\nb\"}]}",
		"{\"domains\":[{\"domain_name\":\"a b\"}]}",
		"{\"domains\":[{\"domain_name\":\"a\"},{\"domain_name\":\"\\u0001\"}]}",
	};
	struct net_rig *r = *state;

	for (size_t i = 0; i < ARRAY_SIZE(args); i++)
		expect_refusal(r, &step_domain, args[i], "domains");
}

/* Names of the longest length, as many as are taken; then one more of each. */
static void test_limits(void **state)
{
	struct net_rig *r = *state;
	char longest[256], none[80];
	const char *list[65];

	snprintf(none, sizeof(none), "%s/no-such-file", r->f->dir);
	r->net.resolv_conf = none;
	r->net.step_wait_ms = 300;
	memset(longest, 'a', 255);
	longest[255] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		list[i] = longest + 1;
	AUTO(freep) char *good = domains_arg(list, 64);
	AUTO(freep) char *many = domains_arg(list, 65);
	list[0] = longest;
	AUTO(freep) char *long_one = domains_arg(list, 1);
	AUTO(caught_done) struct caught c = run_step(r, &step_domain, good);
	assert_int_equal(c.exit_code, STEP_EXIT_OK);
	expect_refusal(r, &step_domain, many, "domains");
	expect_refusal(r, &step_domain, long_one, "domains");
}

/* No names, no question, an empty answer. */
static void test_no_names(void **state)
{
	struct net_rig *r = *state;
	AUTO(caught_done) struct caught c = run_step(r, &step_domain, "{\"domains\":[]}");

	assert_int_equal(c.exit_code, STEP_EXIT_OK);
	assert_string_equal(c.output, "{\"resolutions\":[]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STEP_CASE(test_names),
		STEP_CASE(test_huge_answer),
		STEP_CASE(test_no_working_server),
		STEP_CASE(test_search_list),
		STEP_CASE(test_refusals),
		STEP_CASE(test_limits),
		STEP_CASE(test_no_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
