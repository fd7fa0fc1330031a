#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "agent/install_args.h"
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
static struct session session = { .config = &config, .host_id = HOST };

/* What the original sends, plus installer_args. */
static json_t *step_arg(const char *installer_args)
{
	json_t *obj = json_pack("{s:s, s:b, s:s, s:s, s:[], s:s, s:s, s:s, s:b, s:s, s:n}",
				"boot_device", "/dev/disk/by-id/wwn-0x5000", "check_cvo", 0,
				"cluster_id", CLUSTER, "controller_image", "r/c:1",
				"disks_to_format", "host_id", HOST, "infra_env_id", IE,
				"installer_image", "r/i:1", "notify_num_reboots", 1, "role",
				"worker", "service_ips");
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
		"[\"--append-karg\",\"rw\",\"--append-karg\",\"rd.multipath=default\",\"--image-url\",\"" URL
		"\",\"-n\",\"--copy-network\"]",
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
		{ "[\"--save-partlabel\",\"data\"]",
		  "--save-partlabel is not supported by this agent" },
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

/* What is in disks_to_format is given up, unless the installation disk is not to be cleaned. */
static void test_disks_given_up(void **state)
{
	static const struct {
		const char *disk;
		bool is_skipped;
		int code;
		size_t n;
	} rows[] = {
		{ "/dev/disk/by-id/wwn-0x5001", false, 0, 1 },
		{ "/dev/disk/by-id/wwn-0x5001", true, 0, 0 },
		{ NULL, false, 0, 0 },
		{ "sdb", false, -EINVAL, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(json_decrefp) json_t *arg = step_arg("[\"--image-url\",\"" URL "\"]");
		AUTO(job_done) struct job job = { 0 };
		if (rows[i].disk)
			json_object_set_new(arg, "disks_to_format", json_pack("[s]", rows[i].disk));
		if (rows[i].is_skipped)
			json_object_set_new(arg, "skip_installation_disk_cleanup", json_true());
		assert_int_equal(install_args_parse(arg, &session, &job, NULL), rows[i].code);
		assert_int_equal(job.disks_to_format.n, rows[i].n);
		if (rows[i].n)
			assert_string_equal(job.disks_to_format.v[0], rows[i].disk);
	}
}

/* A service that tells what somebody has named lists the rest only for agents that ask nobody. */
static void test_disks_named(void **state)
{
	static const struct {
		const char *named;
		bool is_skipped;
		int code;
		size_t n;
	} rows[] = {
		{ "[]", false, 0, 0 },
		{ "[\"/dev/disk/by-id/wwn-0x5002\"]", false, 0, 1 },
		{ "[\"/dev/disk/by-id/wwn-0x5002\"]", true, 0, 0 },
		{ "[\"sdb\"]", false, -EINVAL, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(json_decrefp) json_t *arg = step_arg("[\"--image-url\",\"" URL "\"]");
		AUTO(job_done) struct job job = { 0 };
		json_object_set_new(arg, "disks_to_format", json_pack("[s]", "/dev/sda"));
		json_object_set_new(arg, "disks_named", json_loads(rows[i].named, 0, NULL));
		if (rows[i].is_skipped)
			json_object_set_new(arg, "skip_installation_disk_cleanup", json_true());
		assert_int_equal(install_args_parse(arg, &session, &job, NULL), rows[i].code);
		assert_int_equal(job.disks_named.n, rows[i].n);
		assert_int_equal(job.disks_to_format.n, 0);
	}
}

/* The index comes from the service that the agent registered with, whatever host the payload is on. */
static void test_index_url(void **state)
{
	AUTO(freep) char *url = NULL;
	struct fault err = FAULT_INIT;

	assert_int_equal(install_index_url(&session,
					   "http://10.9.9.9:8090/os-images/ab/image.raw.zst", &url,
					   NULL),
			 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),        cmocka_unit_test(test_bad_installer_args),
		cmocka_unit_test(test_bad_fields),  cmocka_unit_test(test_disks_given_up),
		cmocka_unit_test(test_disks_named), cmocka_unit_test(test_index_url),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
