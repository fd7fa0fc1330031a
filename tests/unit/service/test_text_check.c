#include "unit.h"
#include "common/buf.h"
#include "common/json_map.h"
#include "common/str.h"
#include "service/text_check.h"

#define KEY "AAAAC3NzaC1lZDI1NTE5AAAAIGwdbO3yduo/10hqIS/WKzL7ueyqTepwVFSGc3GZ3STt"

struct text_case {
	const char *text;
	bool good;
};

static void run(const struct text_case *cases, size_t n, int (*check)(const char *, struct fault *))
{
	for (size_t i = 0; i < n; i++) {
		struct fault err = FAULT_INIT;
		int r = check(cases[i].text, &err);
		if ((r == 0) != cases[i].good)
			fail_msg("\"%s\": %d %s", cases[i].text, r, err.text);
		assert_true(r == 0 || err.text[0]);
	}
}
#define RUN(cases, check) run(cases, ARRAY_SIZE(cases), check)

static int secret(const char *text, struct fault *err)
{
	return check_pull_secret("x", text, err);
}

static void test_pull_secret(void **state)
{
	static const struct text_case cases[] = {
		{ "{\"auths\":{\"q\":{\"auth\":\"dTpw\"}}}", true },
		{ "{\"auths\":{\"q\":{}}}", true },
		{ "{\"auths\":{\"q\":{\"auth\":\"\"}}}", true },
		{ "{\"auths\":{\"q\":{\"auth\":null}}}", true },
		{ "{\"auths\":{\"q\":{\"auth\":7}}}", false },
		{ "{\"auths\":{\"q\":{\"auth\":\"YWJj\"}}}", false },
		{ "{\"auths\":{\"q\":{\"auth\":\"d*\"}}}", false },
		{ "{\"auths\":{}}", false },
		{ "{\"auths\":[]}", false },
		{ "{}", false },
		{ "[]", false },
		{ "", false },
		{ "text", false },
	};
	RUN(cases, secret);
}

static void test_ssh_keys(void **state)
{
	static const struct text_case cases[] = {
		{ "", true },
		{ "ssh-ed25519 " KEY, true },
		{ "ssh-ed25519 " KEY " me@x\n\n  ssh-ed25519 " KEY " you\n", true },
		{ "ssh-rsa " KEY, false }, /* the blob says another type */
		{ "ssh-ed25519", false },
		{ "ssh-ed25519 AAAA", false },
		{ "ssh-ed25519 ####", false },
		{ "ssh-magic " KEY, false },
		{ "ssh-ed25519 " KEY "\nnonsense", false },
	};
	RUN(cases, check_ssh_keys);
}

static void test_proxy(void **state)
{
	static const struct {
		const char *http, *https, *no;
		bool good;
	} cases[] = {
		{ NULL, NULL, NULL, true },
		{ "", "", "", true },
		{ "http://p:1", "https://p:1", "a,b", true },
		{ "http://u:w@p:1", NULL, "*", true },
		{ "https://p", NULL, NULL, false },
		{ "http://", NULL, NULL, false },
		{ "http://a b", NULL, NULL, false },
		{ NULL, "ftp://p", NULL, false },
		{ NULL, NULL, "10.0.0.0/8,.example.com,::1", true },
		{ NULL, NULL, "a,,b", false },
		{ NULL, NULL, "a,", false },
		{ NULL, NULL, "a,b,a", false },
		{ NULL, NULL, "a b", false },
		{ NULL, NULL, "*,a", false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if ((check_proxy(cases[i].http, cases[i].https, cases[i].no, NULL) == 0) !=
		    cases[i].good)
			fail_msg("case %zu", i);
	}
}

static void test_ntp(void **state)
{
	static const struct text_case cases[] = {
		{ "", true },
		{ "192.0.2.1", true },
		{ "2001:db8::1", true },
		{ "ntp.example.com, a1", true },
		{ "a", false },
		{ "-a", false },
		{ "A.example", false },
		{ "a,", false },
		{ "a_b", false },
		{ "a.", false },
	};
	RUN(cases, check_ntp_sources);
}

static int kernel(const char *text, struct fault *err)
{
	AUTO(json_decrefp) json_t *v = json_loads(text, 0, NULL);

	assert_non_null(v);
	return check_kernel_arguments(v, err);
}

static void test_kernel_arguments(void **state)
{
	static const struct text_case cases[] = {
		{ "[]", true },
		{ "[{\"operation\":\"append\",\"value\":\"a=b\"}]", true },
		{ "[{\"operation\":\"append\",\"value\":\"a=\\\"b c\\\"\"}]", true },
		{ "[{\"operation\":\"append\",\"value\":\"\"}]", true },
		{ "[{\"operation\":\"append\"}]", true },
		{ "[{\"operation\":\"append\",\"value\":\"a b\"}]", false },
		{ "[{\"operation\":\"append\",\"value\":\"\\\"a\"}]", false },
		{ "[{\"operation\":\"append\",\"value\":\"\\\"a\\nb\\\"\"}]", false },
		{ "[{\"operation\":\"delete\",\"value\":\"a\"}]", false },
		{ "[{\"value\":\"a\"}]", false },
	};
	RUN(cases, kernel);
}

/* "a0,a1,…" of @n items. */
static char *many(size_t n)
{
	AUTO(buf_done) struct buf b;

	buf_init(&b, 1u << 20);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf_printf(&b, "%sa%zu", i ? "," : "", i), 0);
	return buf_take(&b);
}

static void test_limits(void **state)
{
	AUTO(freep) char *most = many(1024);
	AUTO(freep) char *more = many(1025);
	AUTO(json_decrefp) json_t *map = json_array();
	AUTO(json_decrefp)
	json_t *list = json_pack("[{s:s, s:O}]", "network_yaml", "interfaces:\n- name: e0\n",
				 "mac_interface_map", map);

	assert_int_equal(check_proxy("http://p", NULL, most, NULL), 0);
	assert_int_equal(check_proxy("http://p", NULL, more, NULL), -EINVAL);
	for (int i = 0; i <= 128; i++) {
		assert_int_equal(i ? check_static_network(list, NULL) : 0, 0);
		AUTO(freep) char *mac = str_printf("52:54:00:00:00:%02x", (unsigned)i);
		AUTO(freep) char *nic = str_printf("e%d", i);
		json_array_append_new(
			map, json_pack("{s:s, s:s}", "mac_address", mac, "logical_nic_name", nic));
	}
	assert_int_equal(check_static_network(list, NULL), -EINVAL);
}

static void test_trust_bundle(void **state)
{
	static const struct text_case cases[] = {
		{ "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----", true },
		{ "x -----BEGIN CERTIFICATE-----\n-----END CERTIFICATE----- -----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----",
		  true },
		{ "", false },
		{ "-----BEGIN CERTIFICATE-----", false },
		{ "-----BEGIN CERTIFICATE----------BEGIN CERTIFICATE----------END CERTIFICATE-----",
		  false },
	};
	RUN(cases, check_trust_bundle);
}

static void test_names(void **state)
{
	static const struct text_case clusters[] = { { "", true },    { "a", true },
						     { "a-1", true }, { "-a", false },
						     { "a-", false }, { "A", false },
						     { "a.b", false } };
	static const struct text_case domains[] = { { "", true },      { "a.b-c", true },
						    { "a..b", false }, { ".a", false },
						    { "a b", false },  { "-a.b", false } };
	static const struct text_case hosts[] = { { "w1", true },
						  { "w1.example.com", true },
						  { "localhost", false },
						  { "", false },
						  { "W", false } };

	RUN(clusters, check_cluster_name);
	RUN(domains, check_domain);
	RUN(hosts, check_host_name);
}

static void test_labels(void **state)
{
	static const struct {
		const char *key, *value;
		bool good;
	} cases[] = {
		{ "a", "", true },
		{ "a", "b", true },
		{ "example.com/a_b.c-d", "X", true },
		{ "", "b", false },
		{ "/a", "b", false },
		{ "a/", "b", false },
		{ "a/b/c", "x", false },
		{ "-a", "b", false },
		{ "a", "-b", false },
		{ "a", "b c", false },
		{ "Example.com/a", "b", false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if ((check_node_label(cases[i].key, cases[i].value, NULL) == 0) != cases[i].good)
			fail_msg("%s=%s", cases[i].key, cases[i].value);
	}
}

static void test_installer_args(void **state)
{
	static const struct text_case cases[] = {
		{ "--append-karg", true },
		{ "-n", true },
		{ "--image-url", true },
		{ "--offline", false },
		{ "-x", false },
		{ "a=b", true },
		{ "a<b;c:d", true },
		{ "http://x/y?z", false },
		{ "a b", false },
		{ "a|b", false },
		{ "a&b", false },
		{ "a\\b", false },
		{ "`a`", false },
		{ "\xc3\xa9", false },
		{ "", false },
	};
	RUN(cases, check_installer_arg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pull_secret),
		cmocka_unit_test(test_ssh_keys),
		cmocka_unit_test(test_proxy),
		cmocka_unit_test(test_ntp),
		cmocka_unit_test(test_kernel_arguments),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_trust_bundle),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_installer_args),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
