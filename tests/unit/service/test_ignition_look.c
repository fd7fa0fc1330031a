#include "rules_fixture.h"
#include "service/ignition_look.h"

static void test_luks(void **state)
{
	static const struct {
		const char *storage;
		enum ignition_luks want;
	} rows[] = {
		{ "{}", IGNITION_LUKS_NONE },
		{ "{\"luks\":[]}", IGNITION_LUKS_NONE },
		{ "{\"luks\":[{\"clevis\":{}}]}", IGNITION_LUKS_NONE },
		{ "{\"luks\":[{\"clevis\":{\"tpm2\":true}}]}", IGNITION_LUKS_TPM2 },
		{ "{\"luks\":[{\"clevis\":{\"tpm2\":true,\"tang\":[{\"url\":\"u\"}]}}]}",
		  IGNITION_LUKS_TANG },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(json_decrefp) json_t *storage = json_loads(rows[i].storage, 0, NULL);
		AUTO(json_decrefp) json_t *doc = json_pack("{s:O}", "storage", storage);
		AUTO(json_decrefp) json_t *servers = ignition_tang_servers(doc);
		assert_int_equal(ignition_luks_of(doc), rows[i].want);
		assert_int_equal(servers != NULL, rows[i].want == IGNITION_LUKS_TANG);
	}
	assert_int_equal(ignition_luks_of(NULL), IGNITION_LUKS_NONE);
}

static void test_managed_networking(void **state)
{
	static const struct {
		const char *path, *source;
		bool want;
	} rows[] = {
		{ "/etc/kubernetes/manifests/coredns.yaml", "data:,", true },
		{ "/etc/kubernetes/manifests/keepalived.yaml", "data:,", true },
		{ "/etc/kubernetes/manifests/other.yaml", "data:,", false },
		{ "/etc/kubernetes/kubeconfig", "data:,server:%20https://192.0.2.1:6443", true },
		{ "/etc/kubernetes/kubeconfig", "data:,server:%20https://[2001:db8::1]:6443",
		  true },
		{ "/etc/kubernetes/kubeconfig", "data:,server:%20https://api-int.x.y:6443", false },
		{ "/etc/kubernetes/kubeconfig",
		  "data:text/plain;base64,c2VydmVyOiBodHRwczovLzE5Mi4wLjIuMTo2NDQz", true },
		{ "/etc/kubernetes/kubeconfig", "data:,server:%2", false },
		{ "/etc/kubernetes/kubeconfig", "http://x", false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(json_decrefp)
		json_t *doc = json_pack("{s:{s:[{s:s, s:{s:s}}]}}", "storage", "files", "path",
					rows[i].path, "contents", "source", rows[i].source);
		if (ignition_has_managed_networking(doc) != rows[i].want)
			fail_msg("%s %s", rows[i].path, rows[i].source);
	}
	assert_false(ignition_has_managed_networking(NULL));
}

static void test_data_urls(void **state)
{
	static const struct {
		const char *url, *want;
	} rows[] = {
		{ "data:,a%20b", "a b" },
		{ "data:text/plain,x", "x" },
		{ "data:;base64,eHl6", "xyz" },
		{ "data:,", "" },
		{ "data:a", NULL },
		{ "http://x", NULL },
		{ "data:;base64,e", NULL },
		{ "data:,%zz", NULL },
		{ "data:,%4", NULL },
		{ "data:base64,eHl6", "eHl6" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(freep) char *text = NULL;
		size_t len;
		int r = data_url_decode(rows[i].url, &text, &len);
		assert_int_equal(r, rows[i].want ? 0 : -EINVAL);
		if (rows[i].want)
			assert_string_equal(text, rows[i].want);
	}
	AUTO(freep) char *plain = data_url_plain("a b\n/");
	assert_string_equal(plain, "data:,a%20b%0A/");
	AUTO(freep) char *code = data_url_base64("xyz", 3);
	assert_string_equal(code, "data:text/plain;base64,eHl6");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_luks),
		cmocka_unit_test(test_managed_networking),
		cmocka_unit_test(test_data_urls),
	};
	return FIX_RUN(tests, 0);
}
