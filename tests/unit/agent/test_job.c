#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "agent/job.h"
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"

#define CLUSTER "fc56491c-2703-4b95-b0cf-3418d90aff5b"
#define URL "http://192.0.2.1:8090/os-images/ab/image.raw.zst"

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
	a.disks_to_format.v = calloc(2, sizeof(char *));
	a.disks_to_format.v[a.disks_to_format.n++] = str_dup("/dev/vdb");
	a.disks_to_format.v[a.disks_to_format.n++] = str_dup("/dev/vdc");
	a.disks_named.v = calloc(1, sizeof(char *));
	a.disks_named.v[a.disks_named.n++] = str_dup("/dev/vdd");
	AUTO(json_decrefp) json_t *obj = job_encode(&a);
	assert_int_equal(job_decode(obj, &b, NULL), 0);
	assert_string_equal(b.device, "/dev/vda");
	assert_null(b.cluster_id);
	assert_string_equal(b.expect.wwn, "0x5000");
	assert_int_equal(b.expect.size_bytes, 1ull << 40);
	assert_int_equal(b.percent, 42);
	assert_int_equal(b.disks_to_format.n, 2);
	assert_string_equal(b.disks_to_format.v[1], "/dev/vdc");
	assert_int_equal(b.disks_named.n, 1);
	assert_string_equal(b.disks_named.v[0], "/dev/vdd");
	assert_int_equal(b.files_n, 1);
	assert_int_equal(b.files[0].len, 3);
	assert_memory_equal(b.files[0].data, "a\0b", 3);
}

static json_t *many_disks(void)
{
	json_t *list = json_array();

	for (int i = 0; i <= INSTALL_GIVEN_UP_MAX; i++)
		json_array_append_new(list, json_string("/dev/sdb"));
	return list;
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
		{ "files", json_pack("[{s:s, s:i, s:s}]", "path", "../etc/shadow", "mode", 0600,
				     "data", "") },
		{ "files",
		  json_pack("[{s:s, s:i, s:s}]", "path", "/etc/shadow", "mode", 0600, "data", "") },
		{ "files", json_pack("[{s:s, s:i, s:s}]", "path", "etc/x", "mode", 0600, "data",
				     "not base64!") },
		{ "files", json_pack("[{s:s}]", "path", "etc/x") },
		{ "disks_to_format", json_pack("[s]", "sdb") },
		{ "disks_named", json_pack("[s]", "sdb") },
		{ "disks_to_format", json_pack("[s]", "/dev/s\ndb") },
		{ "disks_to_format", many_disks() },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(json_decrefp)
		json_t *obj = json_pack("{s:s, s:s, s:s, s:s, s:s}", "step_id", "1", "install_id",
					CLUSTER, "device", "/dev/vda", "role", "worker",
					"image_url", URL);
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
		cmocka_unit_test(test_job),
		cmocka_unit_test(test_bad_job),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
