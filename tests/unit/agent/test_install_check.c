/*
 * Everything that is checked before anything is touched, on loop devices: parameters, index,
 * identity, and what the disk has a part in.
 */
#include "tests/unit/agent/loop_rig.h"
#include "tests/unit/agent/member_rig.h"

static struct set s;

static int set_up(void **state)
{
	set_make(&s, 512, 0);
	return 0;
}

static int tear_down(void **state)
{
	set_done(&s);
	return 0;
}

static void test_plan(void **state)
{
	const struct install_params p = params(&s);
	struct fault err = FAULT_INIT;
	char *plan = NULL;

	if (install_check(&p, &plan, &err) < 0)
		fail_msg("%s", fault_text(&err));
	assert_non_null(strstr(plan, "zero both ends loop"));
	free(plan);
	assert_int_equal(install_check(&p, NULL, NULL), 0);
}

static void test_refusals(void **state)
{
	struct install_params rows[8];
	static const struct {
		int code;
		const char *says;
	} want[ARRAY_SIZE(rows)] = {
		{ -EINVAL, "no valid id" },
		{ -E2BIG, "at most 16" },
		{ -EBADMSG, "" },
		{ -ENOENT, "/dev/nowhere" },
		{ -ESTALE, "serial number" },
		{ -ESTALE, "size" },
		{ -EMEDIUMTYPE, "no disk a system can be installed on" },
		{ -ENOTBLK, "not a block device" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		rows[i] = params(&s);
	rows[0].install_id = "one";
	rows[1].files_n = INSTALL_FILES_MAX + 1;
	rows[2].index_len = 100;
	rows[3].device = "/dev/nowhere";
	str_copy(rows[4].expect.serial, DISK_ID_MAX, "S4E");
	rows[5].expect.size_bytes = DISK - 512;
	rows[6].allow_loop = false;
	rows[7].device = "/dev/null";
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fault err = FAULT_INIT;
		char *plan = NULL;
		int r = install_check(&rows[i], &plan, &err);

		if (r != want[i].code || !strstr(fault_text(&err), want[i].says) || plan)
			fail_msg("row %zu: %d %s", i, r, fault_text(&err));
	}
}

/* An image that needs another disk. */
static void test_image_does_not_fit(void **state)
{
	AUTO(set_done) struct set large = { 0 };
	struct loop small;
	struct fault err = FAULT_INIT;

	set_make(&large, 4096, 0);
	struct install_params p = params(&large);
	p.device = s.disk.path; /* sectors of 512 */
	assert_int_equal(install_check(&p, NULL, &err), -EMEDIUMTYPE);
	assert_non_null(strstr(err.text, "sectors of 4096"));
	assert_int_equal(loop_make(&small, IMAGE - RIG_MIB, 512, 0), 0);
	p = params(&s);
	p.device = small.path;
	assert_int_equal(install_check(&p, NULL, &err), -ENOSPC);
	loop_done(&small);
}

/*
 * Half of a mirror that the kernel has not put together: refused as long as the other half is not
 * given up, whether that is in the machine or not, and not a byte of it is changed.
 */
static void test_half_of_a_mirror(void **state)
{
	static const uint16_t roles[] = { 0, 1 };
	struct install_params p = params(&s);
	AUTO(freep) uint8_t *before = malloc(DISK), *after = malloc(DISK);
	struct fault err = FAULT_INIT;
	struct disk_id id[2];
	struct loop other;
	/* other tests may have members on other loop devices */
	uint8_t set = (uint8_t)getpid();

	assert_int_equal(loop_make(&other, DISK, 512, 0), 0);
	put_md1(s.disk.file, 0, set, 1, roles, 2);
	assert_int_equal(fd_pread(s.disk.file, before, DISK, 0), DISK);
	assert_int_equal(install_check(&p, NULL, &err), -EBUSY);
	assert_non_null(strstr(err.text, "of which 1 are not in this machine"));
	put_md1(other.file, 0, set, 2, roles, 2);
	assert_int_equal(install_check(&p, NULL, &err), -EBUSY);
	assert_non_null(strstr(err.text, other.path + strlen("/dev/")));
	install(&s, 0, false);
	assert_int_equal(s.last.phase, INSTALL_FAILED);
	assert_int_equal(s.last.code, -EBUSY);
	assert_int_equal(fd_pread(s.disk.file, after, DISK, 0), DISK);
	assert_memory_equal(before, after, DISK);

	assert_int_equal(disk_id_read(s.disk.path, &id[0], NULL), 0);
	assert_int_equal(disk_id_read(other.path, &id[1], NULL), 0);
	p.given_up = (const dev_t[]){ id[0].devno };
	p.given_up_n = 1;
	assert_int_equal(install_check(&p, NULL, &err), -EBUSY);
	p.given_up = (const dev_t[]){ id[1].devno };
	if (install_check(&p, NULL, &err) < 0)
		fail_msg("%s", fault_text(&err));
	loop_done(&other);
}

/* The device has other nodes than that in /dev: a loop device that stands on one of them stands on it. */
static void test_loop_by_another_node(void **state)
{
	const struct install_params p = params(&s);
	char node[96], upper[32], want[64];
	struct fault err = FAULT_INIT;
	AUTO(freep) char *plan = NULL;
	struct stat st;

	assert_int_equal(stat(s.disk.path, &st), 0);
	snprintf(node, sizeof(node), "%.60s/node", folder);
	if (mknod(node, S_IFBLK | 0600, st.st_rdev) < 0)
		fail_msg("mknod: %s", strerror(errno));
	assert_int_equal(loop_on(node, upper), 0);
	int r = install_check(&p, &plan, &err);
	AUTO(closep) int fd = open(upper, O_RDWR | O_CLOEXEC);
	if (loop_stands_on(upper, node))
		(void)ioctl(fd, LOOP_CLR_FD);
	if (r < 0)
		fail_msg("%s", fault_text(&err));
	snprintf(want, sizeof(want), "1. detach %.30s:", upper + strlen("/dev/"));
	if (!strstr(plan, want))
		fail_msg("%s", plan);
	assert_int_equal(unlink(node), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plan, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refusals, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_image_does_not_fit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_half_of_a_mirror, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_loop_by_another_node, set_up, tear_down),
	};

	if (geteuid() != 0 || access("/dev/loop-control", R_OK | W_OK) < 0) {
		printf("1..0 # SKIP loop devices need root and /dev/loop-control\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
