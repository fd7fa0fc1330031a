/*
 * File systems in ranges of a loop device that is held exclusively: seen by nobody else, gone with
 * their descriptors.
 */
#include <sys/wait.h>
#include "agent/offset_mount.h"
#include "tests/unit/agent/loop_rig.h"

struct at {
	struct set s;
	struct disk d;
};

static struct at a;

static int set_up(void **state)
{
	set_make(&a.s, 512, 0);
	if (fd_pwrite(a.s.disk.file, a.s.image, IMAGE, 0) < 0)
		return -1;
	return disk_open(a.s.disk.path, NULL, &a.d, NULL);
}

static int tear_down(void **state)
{
	disk_close(&a.d);
	set_done(&a.s);
	return 0;
}

/* -ENODEV: a kernel without that file system cannot be asked for it. */
static int open_at(uint64_t mib, uint64_t size_mib, bool is_read_only, struct offset_mount *m,
		   struct fault *err)
{
	*m = OFFSET_MOUNT_INIT;
	return offset_mount_open(&a.d, mib * RIG_MIB, size_mib * RIG_MIB, is_read_only, m, err);
}

static bool is_loop_gone(const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/block/%.32s/loop/backing_file", name + strlen("/dev/"));
	return access(path, F_OK) < 0;
}

static void test_write_and_read_again(void **state)
{
	struct offset_mount m;
	struct fault err = FAULT_INIT;
	AUTO(freep) char *text = NULL;
	char name[32];
	size_t len;

	if (open_at(ROOT_AT, ROOT_MIB, false, &m, &err) < 0)
		fail_msg("%s", fault_text(&err));
	assert_string_equal(m.fstype, "ext4");
	str_copy(name, sizeof(name), m.loop_name);
	assert_int_equal(file_create_at(m.mount_fd, "new", "content", 7, 0600, NULL), 0);
	/* while it is mounted nobody has it in his mounts */
	AUTO(freep) char *mounts = NULL;
	assert_int_equal(
		file_read_at(AT_FDCWD, "/proc/self/mountinfo", 4 << 20, &mounts, &len, NULL), 0);
	assert_null(strstr(mounts, name));
	assert_int_equal(offset_mount_close(&m, &err), 0);
	assert_int_equal(m.mount_fd, -1);
	assert_true(is_loop_gone(name));
	assert_int_equal(open_at(ROOT_AT, ROOT_MIB, true, &m, NULL), 0);
	assert_int_equal(file_read_at(m.mount_fd, "new", 100, &text, &len, NULL), 0);
	assert_string_equal(text, "content");
	assert_int_equal(offset_mount_close(&m, NULL), 0);
	/* what lies beside the range is as it was */
	AUTO(freep) uint8_t *back = malloc(ROOT_AT * RIG_MIB);
	assert_int_equal(fd_pread(a.s.disk.file, back, ROOT_AT * RIG_MIB, 0), ROOT_AT * RIG_MIB);
	assert_memory_equal(back, a.s.image, ROOT_AT * RIG_MIB);
}

static void test_read_only(void **state)
{
	struct offset_mount m;

	assert_int_equal(open_at(ROOT_AT, ROOT_MIB, true, &m, NULL), 0);
	assert_int_equal(file_create_at(m.mount_fd, "new", "x", 1, 0600, NULL), -EROFS);
	assert_int_equal(offset_mount_close(&m, NULL), 0);
	AUTO(freep) uint8_t *back = malloc(IMAGE);
	assert_int_equal(fd_pread(a.s.disk.file, back, IMAGE, 0), IMAGE);
	assert_memory_equal(back, a.s.image, IMAGE);
}

/* Programs and devices in the new system are not for this one. */
static void test_no_exec_no_devices(void **state)
{
	struct offset_mount m;
	struct fault err = FAULT_INIT;

	if (open_at(ROOT_AT, ROOT_MIB, false, &m, &err) < 0)
		fail_msg("%s", fault_text(&err));
	assert_int_equal(file_create_at(m.mount_fd, "run", "#!/bin/true\n", 12, 0755, NULL), 0);
	assert_int_equal(faccessat(m.mount_fd, "run", X_OK, 0), -1);
	assert_int_equal(errno, EACCES);
	assert_int_equal(mknodat(m.mount_fd, "null", S_IFCHR | 0666, 0x103), 0);
	assert_int_equal(openat(m.mount_fd, "null", O_RDONLY | O_CLOEXEC), -1);
	assert_int_equal(errno, EACCES);
	assert_int_equal(offset_mount_close(&m, NULL), 0);
}

static void test_no_file_system(void **state)
{
	struct offset_mount m;
	struct fault err = FAULT_INIT;

	assert_int_equal(open_at(1, 1, true, &m, &err), -EMEDIUMTYPE);
	assert_non_null(strstr(err.text, "no known file system at offset 1048576"));
	assert_int_equal(m.loop_fd, -1);
	/* a superblock alone is no file system: the kernel says so, and no loop device stays behind */
	AUTO(freep) uint8_t *zeros = calloc(1, RIG_MIB);
	assert_int_equal(fd_pwrite(a.s.disk.file, zeros, 65536, ROOT_AT * RIG_MIB + 2048), 0);
	int r = open_at(ROOT_AT, ROOT_MIB, true, &m, &err);
	assert_true(r < 0 && r != -EMEDIUMTYPE);
	assert_non_null(strstr(err.text, "cannot mount"));
	assert_int_equal(m.loop_fd, -1);
}

/* Nothing of it survives its process. */
static void test_process_dies(void **state)
{
	char path[96] = "";
	int fds[2], status;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct offset_mount m;

		if (open_at(ROOT_AT, ROOT_MIB, false, &m, NULL) < 0)
			_exit(1);
		(void)!write(fds[1], m.loop_name, strlen(m.loop_name));
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fds[1]);
	assert_true(read(fds[0], path, sizeof(path) - 1) > 0);
	close(fds[0]);
	for (int64_t end = time_mono_ms() + 10000; !is_loop_gone(path) && time_mono_ms() < end;)
		usleep(10000);
	assert_true(is_loop_gone(path));
}

static void test_close_of_nothing(void **state)
{
	struct offset_mount m = OFFSET_MOUNT_INIT;

	assert_int_equal(offset_mount_close(&m, NULL), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_write_and_read_again), CASE(test_read_only),
		CASE(test_no_exec_no_devices),   CASE(test_no_file_system),
		CASE(test_process_dies),         cmocka_unit_test(test_close_of_nothing),
	};

	if (geteuid() != 0 || access("/dev/loop-control", R_OK | W_OK) < 0) {
		printf("1..0 # SKIP loop devices need root and /dev/loop-control\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
