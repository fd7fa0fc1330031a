/*
 * slipway-agent disk list|plan: what is printed where, and the exit status. The plans themselves need
 * loop devices, and so root.
 */
#include <sys/mman.h>
#include "agent/disk_cli.h"
#include "tests/unit/agent/loop_rig.h"
#include "tests/unit/agent/member_rig.h"
#include "common/json_map.h"
#include "common/verb.h"

struct output {
	int status;
	char *out, *err; /* owned */
};

static void output_done(struct output *o)
{
	free(o->out);
	free(o->err);
}

static char *text_of(int fd)
{
	char *text = calloc(1, 1 << 20);

	assert_true(fd_pread(fd, text, (1 << 20) - 1, 0) >= 0);
	return text;
}

static struct output run_cli(const struct disk_cli *c, const char *verb, const char *device)
{
	AUTO(closep) int out = memfd_create("out", MFD_CLOEXEC);
	AUTO(closep) int err = memfd_create("err", MFD_CLOEXEC);
	char *argv[] = { (char *)verb, (char *)device, NULL };
	struct output o;

	fflush(stdout);
	AUTO(closep) int old_out = dup(STDOUT_FILENO);
	AUTO(closep) int old_err = dup(STDERR_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	o.status = disk_cli_run(c, !verb ? 0 : device ? 2 : 1, argv);
	fflush(stdout);
	dup2(old_out, STDOUT_FILENO);
	dup2(old_err, STDERR_FILENO);
	o.out = text_of(out);
	o.err = text_of(err);
	return o;
}

static void test_usage(void **state)
{
	static const struct {
		const char *verb, *device;
		int status;
	} cases[] = {
		{ NULL, NULL, EXIT_USAGE },
		{ "plan", NULL, EXIT_USAGE },
		{ "list", "/dev/sda", EXIT_USAGE },
		{ "wipe", "/dev/sda", EXIT_USAGE },
		{ "plan", "/dev/nowhere", EXIT_FAILED },
		{ "plan", "/dev/null", EXIT_FAILED },
		{ "plan", "/tmp", EXIT_FAILED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(output_done)
		struct output o = run_cli(&(struct disk_cli){ 0 }, cases[i].verb, cases[i].device);

		if (o.status != cases[i].status || *o.out || !*o.err)
			fail_msg("case %zu: %d \"%s\" \"%s\"", i, o.status, o.out, o.err);
	}
}

static void test_unknown_disk_to_format(void **state)
{
	const struct disk_cli c = { .disks_to_format = "/dev/nowhere" };
	AUTO(output_done) struct output o = run_cli(&c, "plan", "/dev/null");

	assert_int_equal(o.status, EXIT_FAILED);
	assert_non_null(strstr(o.err, "/dev/nowhere"));
}

/* Any machine: each disk with its name and whether it can be installed on, and if not, why. */
static void test_list(void **state)
{
	AUTO(output_done)
	struct output o = run_cli(&(struct disk_cli){ .json = true }, "list", NULL);
	AUTO(json_decrefp) json_t *all = json_loads(o.out, 0, NULL);
	json_t *disk;
	size_t i;

	assert_int_equal(o.status, EXIT_DONE);
	assert_true(json_is_array(all));
	json_array_foreach(all, i, disk) {
		assert_non_null(json_str(disk, "name"));
		assert_true(json_i64(disk, "size_bytes") > 0);
		assert_int_equal(json_flag(disk, "installable"), !*json_str(disk, "refusal"));
		assert_int_equal(json_array_size(json_child(disk, "plan")) > 0,
				 json_flag(disk, "installable"));
	}
	AUTO(output_done) struct output rows = run_cli(&(struct disk_cli){ 0 }, "list", NULL);
	size_t lines = 0;
	for (const char *p = rows.out; (p = strchr(p, '\n')); p++)
		lines++;
	assert_int_equal(lines, json_array_size(all));
}

static void test_plan(void **state)
{
	struct loop disk;
	struct disk_cli c = { .allow_loop = true };

	assert_int_equal(loop_make(&disk, MEMBER_DISK_BYTES, 512, 0), 0);
	AUTO(output_done) struct output text = run_cli(&c, "plan", disk.path);
	assert_int_equal(text.status, EXIT_DONE);
	assert_true(str_starts(text.out, "1. wipe loop"));
	assert_non_null(strstr(text.out, "\n2. zero both ends loop"));
	c.json = true;
	AUTO(output_done) struct output o = run_cli(&c, "plan", disk.path);
	AUTO(json_decrefp) json_t *plan = json_loads(o.out, 0, NULL);
	assert_true(json_flag(plan, "installable"));
	assert_int_equal(json_i64(plan, "size_bytes"), MEMBER_DISK_BYTES);
	assert_int_equal(json_array_size(json_child(plan, "plan")), 2);
	/* not a disk, unless it is said to be one */
	c = (struct disk_cli){ 0 };
	AUTO(output_done) struct output refused = run_cli(&c, "plan", disk.path);
	assert_int_equal(refused.status, EXIT_FAILED);
	assert_true(str_starts(refused.out, "refused: loop"));
	loop_done(&disk);
}

/* Half an array: refused, until the disk is given up. */
static void test_disks_to_format(void **state)
{
	static const uint16_t roles[] = { 0, 1 };
	struct disk_cli c = { .allow_loop = true };
	struct loop disk;

	assert_int_equal(loop_make(&disk, MEMBER_DISK_BYTES, 512, 0), 0);
	put_md1(disk.file, 0, (uint8_t)getpid(), 9, roles, 2);
	AUTO(output_done) struct output refused = run_cli(&c, "plan", disk.path);
	assert_int_equal(refused.status, EXIT_FAILED);
	assert_non_null(strstr(refused.out, "disks_to_format"));
	c.json = true;
	AUTO(output_done) struct output o = run_cli(&c, "plan", disk.path);
	AUTO(json_decrefp) json_t *plan = json_loads(o.out, 0, NULL);
	assert_int_equal(o.status, EXIT_FAILED);
	assert_false(json_flag(plan, "installable"));
	assert_non_null(strstr(json_str(plan, "refusal"), "software RAID"));
	assert_int_equal(json_array_size(json_child(plan, "plan")), 0);
	c = (struct disk_cli){ .allow_loop = true, .disks_to_format = disk.path };
	AUTO(output_done) struct output given_up = run_cli(&c, "plan", disk.path);
	assert_int_equal(given_up.status, EXIT_DONE);
	assert_non_null(strstr(given_up.out, "linux_raid_member"));
	loop_done(&disk);
}

int main(void)
{
	struct CMUnitTest tests[5] = {
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_unknown_disk_to_format),
		cmocka_unit_test(test_list),
	};
	size_t n = 3;

	if (geteuid() == 0 && access("/dev/loop-control", R_OK | W_OK) == 0) {
		tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_plan);
		tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_disks_to_format);
	} else {
		printf("# plans are not tested: loop devices need root and /dev/loop-control\n");
	}
	return _cmocka_run_group_tests("disk_cli", tests, n, folder_make, folder_remove);
}
