#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "agent/config.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/json_map.h"
#include "common/str.h"

#define IE "fbe2e02f-5be9-4ca6-af2f-635fce727b94"

static char dir[] = "/tmp/agent_config.XXXXXX";
static char conf[64];

static void put(const char *name, const char *text)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(file_replace_at(AT_FDCWD, path, text, strlen(text), 0600, NULL), 0);
}

static int load(struct agent_config *args, struct agent_config *ret, struct fault *err)
{
	*ret = (struct agent_config){ 0 };
	int r = agent_config_load(conf, args, ret, err);
	agent_config_done(args);
	return r;
}

static void test_file(void **state)
{
	AUTO(agent_config_done) struct agent_config c;
	struct agent_config none = { 0 };

	put("token", " abc.def.ghi\n");
	put("ca.pem", "PEM\n");
	put("agent.conf",
	    "[agent]\nurl = https://192.0.2.1:9543//\ninfra_env_id = " IE
	    "\ntoken_file = token\ncacert = ca.pem\n"
	    "interval = 2\ncreated = 1790000000\nntp_sources = a,b\n[proxy]\nhttp = http://p:1\n");
	assert_int_equal(load(&none, &c, NULL), 0);
	assert_string_equal(c.url, "https://192.0.2.1:9543");
	assert_string_equal(secret_reveal(&c.token), "abc.def.ghi");
	assert_string_equal(c.ca_pem, "PEM\n");
	assert_int_equal(c.interval_s, 2);
	assert_int_equal(c.created_s, 1790000000);
	assert_string_equal(c.proxy_http, "http://p:1");
	assert_string_equal(agent_config_state_dir(&c), "/run/slipway");
	assert_false(c.installed);
}

static void test_options_win(void **state)
{
	AUTO(agent_config_done) struct agent_config c;
	struct agent_config args = { .url = strdup("http://other:8090"),
				     .state_dir = strdup("/x"),
				     .interval_s = 9,
				     .no_disk_writes = true };

	put("agent.conf",
	    "[agent]\nurl = https://192.0.2.1:9543\ninfra_env_id = " IE "\ninterval = 2\n");
	setenv("PULL_SECRET_TOKEN", "from-the-environment", 1);
	assert_int_equal(load(&args, &c, NULL), 0);
	unsetenv("PULL_SECRET_TOKEN");
	assert_string_equal(c.url, "http://other:8090");
	assert_string_equal(c.infra_env_id, IE);
	assert_string_equal(secret_reveal(&c.token), "from-the-environment");
	assert_int_equal(c.interval_s, 9);
	assert_true(c.no_disk_writes);
	assert_string_equal(agent_config_state_dir(&c), "/x");
}

static void test_bad(void **state)
{
	const struct {
		const char *text, *says;
	} rows[] = {
		{ "", "no service address" },
		{ "[agent]\ninfra_env_id = " IE "\n", "no service address" },
		{ "[agent]\nurl = 192.0.2.1\ninfra_env_id = " IE "\n",
		  "no http:// or https:// URL" },
		{ "[agent]\nurl = https://x\n", "no infra-env" },
		{ "[agent]\nurl = https://x\ninfra_env_id = 12\n", "no UUID" },
		{ "[agent]\nurl = https://x\ninfra_env_id = " IE "\nhost_id = me\n", "no UUID" },
		{ "[agent]\nurl = https://x\ninfra_env_id = " IE "\ninstalled = yes\n",
		  "needs host_id" },
		{ "[agent]\nurl = https://x\ninfra_env_id = " IE "\ntoken_file = none\n",
		  "token file" },
		{ "[agent]\nurl = https://x\ninfra_env_id = " IE "\ntoken_file = two-lines\n",
		  "more than a token" },
		{ "[agent]\nurl = https://x\ninfra_env_id = " IE "\ncacert = none\n", "CA file" },
		{ "[agent]\ntypo = 1\n", "agent.conf:2" },
	};
	put("two-lines", "abc\ndef\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct agent_config none = { 0 }, c;
		struct fault err = FAULT_INIT;
		put("agent.conf", rows[i].text);
		assert_true(load(&none, &c, &err) < 0);
		if (!strstr(err.text, rows[i].says))
			fail_msg("%s says: %s", rows[i].text, err.text);
	}
}

static void test_a_named_file_must_exist(void **state)
{
	struct agent_config none = { 0 }, c;
	assert_int_equal(agent_config_load("/nonexistent/agent.conf", &none, &c, NULL), -ENOENT);
}

/* What the network process gets is what the root process has. */
static void test_wire(void **state)
{
	AUTO(agent_config_done) struct agent_config a = { 0 }, b = { 0 };

	str_set(&a.url, "https://x");
	str_set(&a.infra_env_id, IE);
	str_set(&a.host_id, IE);
	str_set(&a.ca_pem, "PEM");
	secret_set(&a.token, "secret");
	a.installed = a.no_disk_writes = true;
	a.interval_s = 5;
	AUTO(json_decrefp) json_t *obj = agent_config_encode(&a);
	assert_int_equal(agent_config_decode(obj, &b, NULL), 0);
	assert_string_equal(secret_reveal(&b.token), "secret");
	assert_string_equal(b.ca_pem, "PEM");
	assert_true(b.installed && b.no_disk_writes && !b.insecure);
	assert_int_equal(b.interval_s, 5);
	json_object_set_new(obj, "surprise", json_true());
	AUTO(agent_config_done) struct agent_config d = { 0 };
	assert_int_equal(agent_config_decode(obj, &d, NULL), -EINVAL);
}

static int setup(void **state)
{
	unsetenv("PULL_SECRET_TOKEN");
	if (!mkdtemp(dir))
		return -1;
	snprintf(conf, sizeof(conf), "%s/agent.conf", dir);
	return 0;
}

static int teardown(void **state)
{
	return dir_remove_at(AT_FDCWD, dir, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file), cmocka_unit_test(test_options_win),
		cmocka_unit_test(test_bad),  cmocka_unit_test(test_a_named_file_must_exist),
		cmocka_unit_test(test_wire),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
