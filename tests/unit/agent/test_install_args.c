#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "agent/install_args.h"
#include "agent/seed.h"
#include "common/cleanup.h"
#include "common/json_map.h"

#define IE "fbe2e02f-5be9-4ca6-af2f-635fce727b94"
#define HOST "b1f5c5b7-caf8-66bd-addd-439b331f2640"
#define CLUSTER "fc56491c-2703-4b95-b0cf-3418d90aff5b"

static struct agent_config config = {
	.url = (char *)"https://192.0.2.1:9543/base", .infra_env_id = (char *)IE, .host_id = (char *)HOST,
};
static struct session session = { .config = &config, .host_id = HOST };

/* What the original sends, plus installer_args. */
static json_t *step_arg(const char *installer_args)
{
	json_t *obj = json_pack("{s:s, s:b, s:s, s:s, s:[], s:s, s:s, s:s, s:b, s:s, s:n}", "boot_device", "/dev/disk/by-id/wwn-0x5000", "check_cvo",
				0, "cluster_id", CLUSTER, "controller_image", "r/c:1", "disks_to_format", "host_id", HOST, "infra_env_id", IE,
				"installer_image", "r/i:1", "notify_num_reboots", 1, "role", "worker", "service_ips");
	if (installer_args)
		json_object_set_new(obj, "installer_args", json_string(installer_args));
	return obj;
}

#define URL "http://192.0.2.1:8090/os-images/ab/image.raw.zst"

static void test_good(void **state)
{
	static const char *const rows[] = {
		"[\"--image-url\",\"" URL "\"]",
		"[\"--image-url=" URL "\"]",
		"[\"--append-karg\",\"rw\",\"--append-karg\",\"rd.multipath=default\",\"--image-url\",\"" URL "\",\"-n\",\"--copy-network\"]",
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(json_decrefp) json_t *arg = step_arg(rows[i]);
		AUTO(job_done) struct job job = { 0 };
		struct fault err = FAULT_INIT;
		if (install_args_parse(arg, &session, &job, &err) < 0)
			fail_msg("%s: %s", rows[i], err.text);
		assert_string_equal(job.device, "/dev/disk/by-id/wwn-0x5000");
		assert_string_equal(job.role, "worker");
		assert_string_equal(job.cluster_id, CLUSTER);
		assert_string_equal(job.image_url, URL);
	}
}

static void test_bad_installer_args(void **state)
{
	const struct {
		const char *args, *says;
	} rows[] = {
		{ NULL, "names no OS image" },
		{ "[]", "names no OS image" },
		{ "[\"--append-karg\",\"rw\"]", "names no OS image" },
		{ "{}", "no list" },
		{ "[1]", "no text" },
		{ "[\"--erase-everything\"]", "--erase-everything is not supported" },
		{ "[\"--image-url\"]", "value of --image-url" },
		{ "[\"--image-url\",\"http://x/?a&b\"]", "value of --image-url" },
		{ "[\"--image-url\",\"http://x/`id`\"]", "value of --image-url" },
		{ "[\"--save-partlabel\",\"data\"]", "--save-partlabel is not supported by this agent" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(json_decrefp) json_t *arg = step_arg(rows[i].args);
		AUTO(job_done) struct job job = { 0 };
		struct fault err = FAULT_INIT;
		assert_int_equal(install_args_parse(arg, &session, &job, &err), -EINVAL);
		if (!strstr(err.text, rows[i].says))
			fail_msg("%s: %s", rows[i].args ? rows[i].args : "none", err.text);
	}
}

static void test_bad_fields(void **state)
{
	const struct {
		const char *key, *value, *says; /* value NULL = removed */
	} rows[] = {
		{ "boot_device", "sda", "/dev/" },
		{ "boot_device", NULL, "boot_device" },
		{ "host_id", "00000000-0000-0000-0000-000000000001", "not this one" },
		{ "infra_env_id", "00000000-0000-0000-0000-000000000001", "not this one" },
		{ "cluster_id", "../../etc", "cluster_id" },
		{ "role", NULL, "role" },
		{ "coreos_image", "r/coreos:1", "coreos_image" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(json_decrefp) json_t *arg = step_arg("[\"--image-url\",\"" URL "\"]");
		AUTO(job_done) struct job job = { 0 };
		struct fault err = FAULT_INIT;
		if (rows[i].value)
			json_object_set_new(arg, rows[i].key, json_string(rows[i].value));
		else
			json_object_del(arg, rows[i].key);
		assert_int_equal(install_args_parse(arg, &session, &job, &err), -EINVAL);
		if (!strstr(err.text, rows[i].says))
			fail_msg("%s: %s", rows[i].key, err.text);
	}
}

/* The index comes from the service that the agent registered with, whatever host the payload is on. */
static void test_index_url(void **state)
{
	AUTO(freep) char *url = NULL;
	struct fault err = FAULT_INIT;

	assert_int_equal(install_index_url(&session, "http://10.9.9.9:8090/os-images/ab/image.raw.zst", &url, NULL), 0);
	assert_string_equal(url, "https://192.0.2.1:9543/os-images/ab/image.slx");

	char *none = NULL;
	assert_int_equal(install_index_url(&session, "http://x/os.raw.gz", &none, &err), -EINVAL);
	assert_int_equal(install_index_url(&session, "no url.raw.zst", &none, &err), -EINVAL);

	struct agent_config plain = config;
	struct session plain_session = { .config = &plain };
	plain.url = (char *)"http://192.0.2.1:8090";
	assert_int_equal(install_index_url(&plain_session, URL, &none, &err), -EPERM);
	assert_null(none);
	plain.insecure = true;
	assert_int_equal(install_index_url(&plain_session, URL, &none, NULL), 0);
	free(none);
}

static const struct job_file *find(const struct job *j, const char *path)
{
	for (size_t i = 0; i < j->files_n; i++)
		if (!strcmp(j->files[i].path, path))
			return &j->files[i];
	return NULL;
}

static json_t *seed_answer(void)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "install_id", CLUSTER, "token", "a.b.c", "url", "https://192.0.2.1:9543", "infra_env_id",
			 IE, "host_id", HOST, "ca", "PEM\n");
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
		{ "install_id", "x" }, { "host_id", "" },	{ "url", "https://x\ninstalled = no" }, { "url", "file:///etc" },
		{ "token", "a\nb" },   { "infra_env_id", "../" },
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

/* What one process encodes the other one reads. */
static void test_job(void **state)
{
	AUTO(job_done) struct job a = { 0 }, b = { 0 };

	assert_int_equal(str_set(&a.step_id, "install-1a2b"), 0);
	assert_int_equal(str_set(&a.install_id, CLUSTER), 0);
	assert_int_equal(str_set(&a.device, "/dev/vda"), 0);
	assert_int_equal(str_set(&a.role, "worker"), 0);
	assert_int_equal(str_set(&a.image_url, URL), 0);
	assert_int_equal(job_add_file(&a, "etc/slipway/token", 0600, "a\0b", 3), 0);
	str_copy(a.expect.wwn, sizeof(a.expect.wwn), "0x5000");
	a.expect.size_bytes = 1ull << 40;
	a.percent = 42;
	AUTO(json_decrefp) json_t *obj = job_encode(&a);
	assert_int_equal(job_decode(obj, &b, NULL), 0);
	assert_string_equal(b.device, "/dev/vda");
	assert_null(b.cluster_id);
	assert_string_equal(b.expect.wwn, "0x5000");
	assert_int_equal(b.expect.size_bytes, 1ull << 40);
	assert_int_equal(b.percent, 42);
	assert_int_equal(b.files_n, 1);
	assert_int_equal(b.files[0].len, 3);
	assert_memory_equal(b.files[0].data, "a\0b", 3);
}

static void test_bad_job(void **state)
{
	const struct {
		const char *key;
		json_t *value;
	} rows[] = {
		{ "device", json_string("/etc/passwd") },
		{ "install_id", json_string("1") },
		{ "role", json_string("a\nb") },
		{ "files", json_pack("[{s:s, s:i, s:s}]", "path", "../etc/shadow", "mode", 0600, "data", "") },
		{ "files", json_pack("[{s:s, s:i, s:s}]", "path", "/etc/shadow", "mode", 0600, "data", "") },
		{ "files", json_pack("[{s:s, s:i, s:s}]", "path", "etc/x", "mode", 0600, "data", "not base64!") },
		{ "files", json_pack("[{s:s}]", "path", "etc/x") },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(json_decrefp) json_t *obj = json_pack("{s:s, s:s, s:s, s:s, s:s}", "step_id", "1", "install_id", CLUSTER, "device", "/dev/vda",
							   "role", "worker", "image_url", URL);
		AUTO(job_done) struct job good = { 0 }, j = { 0 };
		assert_int_equal(job_decode(obj, &good, NULL), 0);
		json_object_set_new(obj, rows[i].key, rows[i].value);
		if (job_decode(obj, &j, NULL) != -EINVAL)
			fail_msg("%s, row %zu", rows[i].key, i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),	  cmocka_unit_test(test_bad_installer_args), cmocka_unit_test(test_bad_fields),
		cmocka_unit_test(test_index_url), cmocka_unit_test(test_seed),		     cmocka_unit_test(test_bad_seed),
		cmocka_unit_test(test_job),	  cmocka_unit_test(test_bad_job),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
