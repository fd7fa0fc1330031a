/*
 * The installation on real block devices: loop devices, which need root. Exclusive access, holders,
 * wiping, direct I/O, configuration through a second loop at an offset, the writer as a process,
 * kill -9.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/loop.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "tests/unit/agent/loop_rig.h"

static void test_install(void **state)
{
	static const uint32_t sectors[] = { 512, 4096 };

	for (size_t i = 0; i < 2; i++) {
		AUTO(set_done) struct set s;

		set_make(&s, sectors[i], 0);
		install(&s, 0, false);
		if (s.last.phase != INSTALL_DONE)
			fail_msg("%s", s.last.text);
		assert_int_equal(s.last.percent, 100);
		assert_true(s.percents >= 5);
		check_disk(&s);
	}
}

static void partition_add(int fd, int number, uint64_t first_mib, uint64_t count_mib)
{
	struct blkpg_partition part = { .pno = number,
					.start = (long long)(first_mib * RIG_MIB),
					.length = (long long)(count_mib * RIG_MIB) };
	struct blkpg_ioctl_arg arg = { .op = BLKPG_ADD_PARTITION,
				       .datalen = sizeof(part),
				       .data = &part };

	if (ioctl(fd, BLKPG, &arg) < 0 &&
	    errno != EBUSY) /* busy: the kernel has read the table itself */
		fail_msg("BLKPG: %s", strerror(errno));
}

/* Old partitions with their own file systems are gone, for the kernel too. */
static void test_old_partitions_are_wiped(void **state)
{
	static const struct rig_part old[] = { { gpt_type_linux, "old", 2, 30, 0x77 },
					       { gpt_type_linux, "old2", 40, 50, 0x78 } };
	AUTO(set_done) struct set s;
	AUTO(freep) uint8_t *head = calloc(DISK, 1);
	char part[96], file[96], *plan = NULL;
	struct install_params p;
	struct fault err = FAULT_INIT;

	set_make(&s, 512, LO_FLAGS_PARTSCAN);
	rig_table(head, DISK, 512, old, 2);
	snprintf(file, sizeof(file), "%s/old", folder);
	AUTO(closep) int old_fd = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(old_fd, 50 * RIG_MIB), 0);
	run((const char *const[]){ "mkfs.ext4", "-q", "-F", "-L", "OLDFS", file, NULL });
	file_into(head + 40 * RIG_MIB, file, 50 * RIG_MIB);
	assert_int_equal(fd_pwrite(s.disk.file, head, DISK, 0), 0);
	AUTO(closep) int fd = open(s.disk.path, O_RDWR | O_CLOEXEC);
	partition_add(fd, 1, 2, 30); /* by hand: not every kernel reads GPT */
	partition_add(fd, 2, 40, 50);
	close(TAKE_FD(fd));
	p = params(&s);
	if (install_check(&p, &plan, &err) != 0)
		fail_msg("%s", fault_text(&err));
	if (!strstr(plan, "OLDFS"))
		fail_msg("%s", plan);
	assert_non_null(strstr(plan, "ext4"));
	free(plan);
	install(&s, 0, false);
	if (s.last.phase != INSTALL_DONE)
		fail_msg("%s", s.last.text);
	check_disk(&s);
	snprintf(part, sizeof(part), "/sys/class/block/%.20sp2/start", s.disk.path + 5);
	AUTO(freep) char *start = NULL;
	if (file_read_line_at(AT_FDCWD, part, 64, &start, NULL) == 0)
		assert_string_equal(start, "4096"); /* the new one */
}

static void test_kill_and_resume(void **state)
{
	AUTO(set_done) struct set s;

	set_make(&s, 512, 0);
	s.feeder.delay_us = 20000;
	install(&s, 40, true);
	assert_int_equal(s.last.phase, INSTALL_FAILED);
	assert_non_null(strstr(s.last.text, "killed by signal 9"));
	assert_true(lba0_is_zero(&s));
	unsigned first = s.feeder.sent;
	feeder_done(&s.feeder);
	s.feeder = (struct feeder){ 0 };
	install(&s, 0, false);
	if (s.last.phase != INSTALL_DONE)
		fail_msg("%s", s.last.text);
	assert_int_equal(s.last.is_resumed, 1);
	assert_true(s.feeder.sent < first + 10);
	check_disk(&s);
}

static void test_cancel(void **state)
{
	AUTO(set_done) struct set s;

	set_make(&s, 512, 0);
	s.feeder.delay_us = 20000;
	install(&s, 20, false);
	assert_int_equal(s.last.phase, INSTALL_FAILED);
	assert_int_equal(s.last.code, -ECANCELED);
	assert_int_equal(s.last.is_committed, 0);
	assert_true(lba0_is_zero(&s));
}

static int check(const struct set *s, struct fault *err)
{
	const struct install_params p = params(s);

	return install_check(&p, NULL, err);
}

static void test_mounted_disk(void **state)
{
	AUTO(set_done) struct set s;
	struct fault err = FAULT_INIT;
	char where[96];

	set_make(&s, 512, 0);
	run((const char *const[]){ "mkfs.ext4", "-q", "-F", s.disk.path, NULL });
	snprintf(where, sizeof(where), "%s/mnt", folder);
	assert_int_equal(mkdir(where, 0700), 0);
	assert_int_equal(mount(s.disk.path, where, "ext4", 0, NULL), 0);
	int r = check(&s, &err);
	install(&s, 0, false);
	assert_int_equal(umount(where), 0);
	rmdir(where);
	assert_int_equal(r, -EBUSY);
	assert_non_null(strstr(err.text, where));
	assert_int_equal(s.last.code, -EBUSY);
	assert_int_equal(s.feeder.sent, 0);
	assert_int_equal(check(&s, &err), 0);
}

/* Mounted in another mount namespace only: our own mountinfo does not show it. */
static void test_mounted_elsewhere(void **state)
{
	AUTO(set_done) struct set s;
	struct fault err = FAULT_INIT;
	char where[96], pid_text[32], byte;
	int ready[2], stop[2];

	set_make(&s, 512, 0);
	run((const char *const[]){ "mkfs.ext4", "-q", "-F", s.disk.path, NULL });
	snprintf(where, sizeof(where), "%s/mnt", folder);
	assert_int_equal(mkdir(where, 0700), 0);
	assert_int_equal(pipe(ready) | pipe(stop), 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(stop[1]);
		if (unshare(CLONE_NEWNS) == 0 &&
		    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		    mount(s.disk.path, where, "ext4", 0, NULL) == 0)
			(void)!write(ready[1], "y", 1);
		close(ready[1]);
		(void)!read(stop[0], &byte, 1);
		_exit(0);
	}
	close(ready[1]);
	close(stop[0]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	int r = check(&s, &err);
	struct disk d;
	struct fault open_err = FAULT_INIT;
	int open_r = disk_open(s.disk.path, NULL, &d, &open_err);
	close(stop[1]);
	close(ready[0]);
	waitpid(pid, NULL, 0);
	rmdir(where);
	snprintf(pid_text, sizeof(pid_text), "process %d", (int)pid);
	assert_int_equal(r, -EBUSY);
	assert_non_null(strstr(err.text, pid_text));
	assert_int_equal(open_r, -EBUSY);
	assert_non_null(strstr(open_err.text, where));
}

static void test_held_by_a_process(void **state)
{
	AUTO(set_done) struct set s;
	struct fault err = FAULT_INIT;
	struct disk d;
	char pid_text[64], byte;
	int ready[2], stop[2];

	for (int how = 0; how < 2; how++) { /* O_EXCL, then flock */
		AUTO(set_done) struct set t;

		set_make(&t, 512, 0);
		assert_int_equal(pipe(ready) | pipe(stop), 0);
		pid_t pid = fork();
		if (pid == 0) {
			int fd = open(t.disk.path, O_RDWR | O_CLOEXEC | (how == 0 ? O_EXCL : 0));

			close(stop[1]);
			if (fd >= 0 && (how == 0 || flock(fd, LOCK_EX) == 0))
				(void)!write(ready[1], "y", 1);
			(void)!read(stop[0], &byte, 1);
			_exit(0);
		}
		close(ready[1]);
		close(stop[0]);
		assert_int_equal(read(ready[0], &byte, 1), 1);
		int r = disk_open(t.disk.path, NULL, &d, &err);
		close(stop[1]);
		close(ready[0]);
		waitpid(pid, NULL, 0);
		assert_int_equal(r, -EBUSY);
		snprintf(pid_text, sizeof(pid_text), "process %d (test_install_lo", (int)pid);
		if (!strstr(err.text, pid_text))
			fail_msg("%s", err.text);
		assert_int_equal(disk_open(t.disk.path, NULL, &d, NULL), 0);
		disk_close(&d);
	}
	s = (struct set){ .disk.file = -1 };
}

static void test_identity(void **state)
{
	AUTO(set_done) struct set s;
	struct disk_id id, other;
	struct disk d;
	struct fault err = FAULT_INIT;

	set_make(&s, 512, 0);
	assert_int_equal(disk_id_read(s.disk.path, &id, NULL), 0);
	assert_int_equal(id.size_bytes, DISK);
	assert_int_equal(id.sector_size, 512);
	assert_string_equal(id.name, s.disk.path + 5);
	other = id;
	other.diskseq = id.diskseq + 1;
	assert_int_equal(disk_open(s.disk.path, &other, &d, &err), -ESTALE);
	assert_int_equal(disk_open(s.disk.path, &id, &d, NULL), 0);
	disk_close(&d);
	assert_int_equal(disk_id_read("/dev/null", &id, NULL), -ENOTBLK);
	assert_int_equal(disk_id_read("/dev/no-such-disk", &id, NULL), -ENOENT);
}

static void test_loop_is_refused_unless_allowed(void **state)
{
	AUTO(set_done) struct set s;

	set_make(&s, 512, 0);
	struct install_params p = params(&s);
	p.allow_loop = false;
	assert_int_equal(install_check(&p, NULL, NULL), -EMEDIUMTYPE);
}

/* Nothing of the mount is left: no loop device has the disk as its backing file. */
static void test_offset_mount_leaves_nothing(void **state)
{
	AUTO(set_done) struct set s;
	struct disk d;
	struct offset_mount m;
	char loop[32];

	set_make(&s, 512, 0);
	assert_int_equal(fd_pwrite(s.disk.file, s.image, IMAGE, 0), 0);
	assert_int_equal(disk_open(s.disk.path, NULL, &d, NULL), 0);
	for (int i = 0; i < 5; i++) {
		struct loop_info64 info;

		assert_int_equal(offset_mount_open(&d, ROOT_AT * RIG_MIB, ROOT_MIB * RIG_MIB, false,
						   &m, NULL),
				 0);
		memcpy(loop, m.loop_name, sizeof(loop));
		assert_int_equal(offset_mount_close(&m, NULL), 0);
		AUTO(closep) int fd = open(loop, O_RDONLY | O_CLOEXEC);
		assert_int_equal(ioctl(fd, LOOP_GET_STATUS64, &info), -1);
	}
	assert_int_equal(offset_mount_open(&d, RIG_MIB, RIG_MIB, false, &m, NULL),
			 -EMEDIUMTYPE); /* noise */
	disk_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_install),
		cmocka_unit_test(test_old_partitions_are_wiped),
		cmocka_unit_test(test_kill_and_resume),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_mounted_disk),
		cmocka_unit_test(test_mounted_elsewhere),
		cmocka_unit_test(test_held_by_a_process),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_loop_is_refused_unless_allowed),
		cmocka_unit_test(test_offset_mount_leaves_nothing),
	};

	if (geteuid() != 0 || access("/dev/loop-control", R_OK | W_OK) < 0) {
		printf("1..0 # SKIP loop devices need root and /dev/loop-control\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
