#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "agent/seed.h"
#include "common/cleanup.h"
#include "common/json_map.h"

#define IE "fbe2e02f-5be9-4ca6-af2f-635fce727b94"
#define HOST "b1f5c5b7-caf8-66bd-addd-439b331f2640"
#define CLUSTER "fc56491c-2703-4b95-b0cf-3418d90aff5b"

static struct agent_config config = {
	.url = (char *)"https://192.0.2.1:9543/base",
	.infra_env_id = (char *)IE,
	.host_id = (char *)HOST,
};

static const struct job_file *find(const struct job *j, const char *path)
{
	for (size_t i = 0; i < j->files_n; i++)
		if (!strcmp(j->files[i].path, path))
			return &j->files[i];
	return NULL;
}

static json_t *seed_answer(void)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "install_id", CLUSTER, "token", "a.b.c",
			 "url", "https://192.0.2.1:9543", "infra_env_id", IE, "host_id", HOST, "ca",
			 "PEM\n");
}

static void test_seed(void **state)
{
	AUTO(json_decrefp) json_t *answer = seed_answer();
	AUTO(job_done) struct job j = { 0 };
	struct agent_config c = config;

	c.proxy_https = (char *)"http://proxy:3128";
	assert_int_equal(seed_add(answer, &c, &j, NULL), 0);
	assert_int_equal(j.files_n, 3);
	assert_string_equal(j.install_id, CLUSTER);
	const struct job_file *conf = find(&j, "etc/slipway/agent.conf");
	assert_non_null(conf);
	assert_non_null(strstr(conf->data, "installed = yes\n"));
	assert_non_null(strstr(conf->data, "host_id = " HOST "\n"));
	assert_non_null(strstr(conf->data, "token_file = token\n"));
	assert_non_null(strstr(conf->data, "[proxy]\nhttps = http://proxy:3128\n"));
	assert_string_equal(find(&j, "etc/slipway/token")->data, "a.b.c");
	assert_string_equal(find(&j, "etc/slipway/ca.pem")->data, "PEM\n");
	for (size_t i = 0; i < j.files_n; i++)
		assert_int_equal(j.files[i].mode, 0600);
}

static void test_bad_seed(void **state)
{
	const struct {
		const char *key, *value;
	} rows[] = {
		{ "install_id", "x" },
		{ "host_id", "" },
		{ "url", "https://x\ninstalled = no" },
		{ "url", "file:///etc" },
		{ "token", "a\nb" },
		{ "infra_env_id", "../" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(json_decrefp) json_t *answer = seed_answer();
		AUTO(job_done) struct job j = { 0 };
		json_object_set_new(answer, rows[i].key, json_string(rows[i].value));
		if (seed_add(answer, &config, &j, NULL) != -EINVAL)
			fail_msg("%s = %s", rows[i].key, rows[i].value);
		assert_int_equal(j.files_n, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seed),
		cmocka_unit_test(test_bad_seed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
