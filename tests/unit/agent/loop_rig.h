#pragma once
/*
 * Loop devices as disks, a small image with real file systems, and the writer as a process, for the
 * tests that need root.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
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

static inline int loop_make(struct loop *l, uint64_t size, uint32_t sector, unsigned flags)
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

/* What a loop device stands on by the kernel's word; a free one may be another test's in a moment. */
static inline bool loop_stands_on(const char *loop, const char *file)
{
	AUTO(freep) char *backing = NULL;
	char path[96];

	snprintf(path, sizeof(path), "/sys/block/%.31s/loop/backing_file", loop + 5);
	return file_read_line_at(AT_FDCWD, path, 4096, &backing, NULL) == 0 &&
	       str_eq(str_trim(backing), file);
}

static inline void loop_done(struct loop *l)
{
	AUTO(closep) int fd = *l->path ? open(l->path, O_RDWR | O_CLOEXEC) : -1;

	if (fd >= 0 && loop_stands_on(l->path, l->file_path))
		(void)ioctl(fd, LOOP_CLR_FD);
	if (l->file_path[0])
		unlink(l->file_path);
	closep(&l->file);
}

/* The loop device @loop, which stands on @old, stands on @file from now on. */
static inline int loop_move(const char *loop, const char *old, const char *file)
{
	AUTO(closep) int backing = open(file, O_RDWR | O_CLOEXEC);
	struct loop_config c = { .fd = (uint32_t)backing };
	int r = -EBUSY;

	/* It is detached when the last descriptor is closed. */
	for (int i = 0; r == -EBUSY && i < 100; i++) {
		AUTO(closep) int fd = open(loop, O_RDWR | O_CLOEXEC);

		if (i == 0 && loop_stands_on(loop, old))
			(void)ioctl(fd, LOOP_CLR_FD);
		else
			r = ioctl(fd, LOOP_CONFIGURE, &c) < 0 ? -errno : 0;
		if (r == -EBUSY && i)
			usleep(20000);
	}
	return r;
}

/* The same name, another disk: what a hot swap looks like. */
static inline int loop_again(const struct loop *l)
{
	return loop_move(l->path, l->file_path, l->file_path);
}

/* A loop device on what is there already. */
static inline int loop_on(const char *file, char ret_path[32])
{
	AUTO(closep) int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	AUTO(closep) int backing = open(file, O_RDWR | O_CLOEXEC);
	struct loop_config c = { .fd = (uint32_t)backing };

	for (int i = 0; i < 32; i++) {
		snprintf(ret_path, 32, "/dev/loop%d", ioctl(control, LOOP_CTL_GET_FREE));
		AUTO(closep) int fd = open(ret_path, O_RDWR | O_CLOEXEC);
		if (fd >= 0 && ioctl(fd, LOOP_CONFIGURE, &c) == 0)
			return 0;
	}
	return -EBUSY;
}

static inline void run(const char *const *argv)
{
	struct fault err = FAULT_INIT;
	const struct proc_spec spec = {
		.argv = argv, .stdin_fd = -1, .stdout_fd = -1, .timeout_ms = 60000
	};

	if (proc_run_ok(&spec, &err) != 0)
		fail_msg("%s: %s", argv[0], fault_text(&err));
}

/* @len bytes of a file into the image. */
static inline void file_into(uint8_t *at, const char *path, size_t len)
{
	AUTO(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_int_equal(fd_pread(fd, at, len, 0), len);
}

/*
 * As rig_image(), with a real ext4 that has a folder etc and a big file, and a real FAT. Made once.
 */
static inline uint8_t *image_build(uint32_t sector)
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

static inline uint8_t *real_image(uint32_t sector)
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

static inline void set_make(struct set *s, uint32_t sector, unsigned flags)
{
	*s = (struct set){ .image = real_image(sector) };
	rig_index_make(&s->x, s->image, IMAGE, 1u << 20, sector);
	snprintf(s->state, sizeof(s->state), "%s/install.state", folder);
	unlink(s->state);
	assert_int_equal(loop_make(&s->disk, DISK, sector, flags), 0);
}

static inline void set_done(struct set *s)
{
	loop_done(&s->disk);
	free(s->image);
	rig_index_done(&s->x);
	feeder_done(&s->feeder);
}

static inline struct install_params params(const struct set *s)
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
static inline void install(struct set *s, unsigned signal_at, bool is_kill)
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

static inline void check_seed(struct set *s)
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

static inline void check_disk(struct set *s)
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

static inline bool lba0_is_zero(struct set *s)
{
	uint8_t head[512];

	assert_int_equal(fd_pread(s->disk.file, head, 512, 0), 512);
	return head[0] == 0 && !memcmp(head, head + 1, 511);
}

static inline int folder_make(void **state)
{
	strcpy(folder, "/tmp/slipway-loop-XXXXXX");
	signal(SIGPIPE, SIG_IGN);
	return mkdtemp(folder) ? 0 : -1;
}

static inline int folder_remove(void **state)
{
	free(built[0]);
	free(built[1]);
	return dir_remove_at(AT_FDCWD, folder, NULL);
}
