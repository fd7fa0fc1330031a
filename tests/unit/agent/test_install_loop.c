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
#include "agent/install.h"
#include "agent/offset_mount.h"
#include "common/proc.h"
#include "common/str.h"
#include "tests/unit/agent/install_rig.h"

#define MIB 64u
#define IMAGE ((uint64_t)MIB * RIG_MIB)
#define DISK ((uint64_t)96 * RIG_MIB)
#define ROOT_AT 6u
#define ROOT_MIB (MIB - 7)
#define ID "11111111-2222-3333-4444-555555555555"

struct loop {
	int fd, file;
	char path[32], file_path[64];
};

static char folder[64];

static int loop_make(struct loop *l, uint64_t size, uint32_t sector, unsigned flags)
{
	AUTO(closep) int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);

	*l = (struct loop){ .fd = -1 };
	snprintf(l->file_path, sizeof(l->file_path), "%.40s/disk-XXXXXX", folder);
	l->file = mkostemp(l->file_path, O_CLOEXEC);
	assert_true(control >= 0 && l->file >= 0);
	assert_int_equal(ftruncate(l->file, (off_t)size), 0);
	for (int i = 0; i < 32; i++) {
		struct loop_config c = { .fd = (uint32_t)l->file,
					 .block_size = sector,
					 .info.lo_flags = flags };
		int n = ioctl(control, LOOP_CTL_GET_FREE);

		snprintf(l->path, sizeof(l->path), "/dev/loop%d", n);
		l->fd = open(l->path, O_RDWR | O_CLOEXEC);
		if (l->fd >= 0 && ioctl(l->fd, LOOP_CONFIGURE, &c) == 0) {
			close(TAKE_FD(l->fd)); /* like any disk: nobody has it open */
			return 0;
		}
		closep(&l->fd);
		l->fd = -1;
	}
	return -EBUSY;
}

static void loop_done(struct loop *l)
{
	AUTO(closep) int fd = *l->path ? open(l->path, O_RDWR | O_CLOEXEC) : -1;

	if (fd >= 0)
		(void)ioctl(fd, LOOP_CLR_FD);
	if (l->file_path[0])
		unlink(l->file_path);
	closep(&l->file);
}

static void run(const char *const *argv)
{
	struct fault err = FAULT_INIT;
	const struct proc_spec spec = {
		.argv = argv, .stdin_fd = -1, .stdout_fd = -1, .timeout_ms = 60000
	};

	if (proc_run_ok(&spec, &err) != 0)
		fail_msg("%s: %s", argv[0], fault_text(&err));
}

/* @len bytes of a file into the image. */
static void file_into(uint8_t *at, const char *path, size_t len)
{
	AUTO(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_int_equal(fd_pread(fd, at, len, 0), len);
}

/*
 * As rig_image(), with a real ext4 that has a folder etc and a big file, and a real FAT. Made once.
 */
static uint8_t *image_build(uint32_t sector)
{
	char tree[128], file[128];
	AUTO(freep) uint8_t *noise = malloc(20 * RIG_MIB);
	uint8_t *image = rig_image(MIB, sector, 9);

	snprintf(tree, sizeof(tree), "%s/tree/etc", folder);
	assert_int_equal(dir_make_at(AT_FDCWD, tree, 0755, NULL), 0);
	snprintf(tree, sizeof(tree), "%s/tree", folder);
	snprintf(file, sizeof(file), "%s/tree/blob", folder);
	rig_noise(noise, 20 * RIG_MIB, 77);
	assert_int_equal(file_replace_at(AT_FDCWD, file, noise, 20 * RIG_MIB, 0644, NULL), 0);
	snprintf(file, sizeof(file), "%s/fs", folder);
	AUTO(closep) int fd = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, ROOT_MIB * RIG_MIB), 0);
	run((const char *const[]){ "mkfs.ext4", "-q", "-F", "-b", "4096", "-d", tree, file, NULL });
	file_into(image + ROOT_AT * RIG_MIB, file, ROOT_MIB * RIG_MIB);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(ftruncate(fd, 3 * RIG_MIB), 0);
	run((const char *const[]){ "mkfs.vfat", "-S", sector == 512 ? "512" : "4096", file, NULL });
	file_into(image + 2 * RIG_MIB, file, 3 * RIG_MIB);
	unlink(file);
	return image;
}

static uint8_t *built[2]; /* for 512 and 4096 */

static uint8_t *real_image(uint32_t sector)
{
	uint8_t **image = &built[sector == 4096], *copy = malloc(IMAGE);

	if (!*image)
		*image = image_build(sector);
	memcpy(copy, *image, IMAGE);
	return copy;
}

struct set {
	uint8_t *image;
	struct rig_index x;
	struct loop disk;
	struct feeder feeder;
	char state[128];
	struct install_report last;
	unsigned percents;
};

static const struct install_file seed[] = {
	{ "etc/slipway/agent.conf", 0600, "[agent]\n", 8 },
	{ "etc/slipway/token", 0600, "secret", 6 },
};

static void set_make(struct set *s, uint32_t sector, unsigned flags)
{
	*s = (struct set){ .image = real_image(sector) };
	rig_index_make(&s->x, s->image, IMAGE, 1u << 20, sector);
	snprintf(s->state, sizeof(s->state), "%s/install.state", folder);
	unlink(s->state);
	assert_int_equal(loop_make(&s->disk, DISK, sector, flags), 0);
}

static void set_done(struct set *s)
{
	loop_done(&s->disk);
	free(s->image);
	rig_index_done(&s->x);
	feeder_done(&s->feeder);
}

static struct install_params params(const struct set *s)
{
	return (struct install_params){
		.device = s->disk.path,
		.install_id = ID,
		.index = s->x.data,
		.index_len = s->x.len,
		.state_path = s->state,
		.files = seed,
		.files_n = 2,
		.allow_loop = true,
	};
}

/*
 * Runs the writer as a process to its end; kills it (or asks it to stop) when @signal_at percent
 * are reached.
 */
static void install(struct set *s, unsigned signal_at, bool is_kill)
{
	const struct install_params p = params(s);
	struct install_writer w;
	struct install_report r;
	int fd = feeder_open(&s->feeder, s->image, &s->x.slx);
	int got;

	s->percents = 0;
	s->last = (struct install_report){ 0 };
	assert_int_equal(install_writer_start(&p, fd, &w, NULL), 0);
	feeder_run(&s->feeder);
	while ((got = install_writer_read(&w, &r)) != 0) {
		struct pollfd pfd = { .fd = w.report_fd, .events = POLLIN };

		if (got == -EAGAIN) {
			assert_int_equal(poll(&pfd, 1, 60000), 1);
			continue;
		}
		assert_int_equal(got, 1);
		s->percents += r.percent > s->last.percent;
		s->last = r;
		if (signal_at && r.percent >= signal_at && is_kill)
			kill(w.pid, SIGKILL);
		else if (signal_at && r.percent >= signal_at)
			install_writer_cancel(&w);
	}
	install_writer_done(&w);
	feeder_join(&s->feeder);
}

static void check_seed(struct set *s)
{
	struct disk d;
	struct offset_mount m;
	struct stat st;
	AUTO(freep) char *token = NULL;
	size_t len;

	assert_int_equal(disk_open(s->disk.path, NULL, &d, NULL), 0);
	assert_int_equal(
		offset_mount_open(&d, ROOT_AT * RIG_MIB, ROOT_MIB * RIG_MIB, true, &m, NULL), 0);
	assert_string_equal(m.fstype, "ext4");
	assert_int_equal(fstatat(m.mount_fd, "etc/slipway", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(fstatat(m.mount_fd, "etc/slipway/token", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(file_read_at(m.mount_fd, "etc/slipway/token", 100, &token, &len, NULL), 0);
	assert_string_equal(token, "secret");
	assert_int_equal(offset_mount_close(&m, NULL), 0);
	disk_close(&d);
}

static void check_disk(struct set *s)
{
	AUTO(freep) uint8_t *disk = malloc(DISK);
	uint32_t sector = s->x.slx.sector_size;
	AUTO(gpt_done) struct gpt g = { 0 };

	assert_int_equal(fd_pread(s->disk.file, disk, DISK, 0), DISK);
	/* all but the root file system, which has the seed now */
	assert_memory_equal(disk + RIG_MIB, s->image + RIG_MIB, (ROOT_AT - 1) * RIG_MIB);
	assert_int_equal(gpt_parse(disk, RIG_MIB, sector, &g, NULL), 0);
	assert_int_equal(g.alternate_lba, DISK / sector - 1);
	assert_memory_equal(disk + DISK - sector, "EFI PART", 8);
	check_seed(s);
}

static bool lba0_is_zero(struct set *s)
{
	uint8_t head[512];

	assert_int_equal(fd_pread(s->disk.file, head, 512, 0), 512);
	return head[0] == 0 && !memcmp(head, head + 1, 511);
}

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

static int folder_make(void **state)
{
	strcpy(folder, "/tmp/slipway-loop-XXXXXX");
	signal(SIGPIPE, SIG_IGN);
	return mkdtemp(folder) ? 0 : -1;
}

static int folder_remove(void **state)
{
	free(built[0]);
	free(built[1]);
	return dir_remove_at(AT_FDCWD, folder, NULL);
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
