/* An installation seen from the root process, with a network process that dies, lies or asks too much, on a loop device. Needs root. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/sysmacros.h>
#include "tests/unit/agent/loop_rig.h"
#include "tests/unit/agent/priv_rig.h"

struct both {
	struct priv_rig r;
	struct set s;
};

static void both_make(struct both *b)
{
	rig_begin(&b->r);
	b->r.p.allow_loop = true;
	set_make(&b->s, 512, 0);
}

static void both_done(struct both *b)
{
	rig_end(&b->r);
	set_done(&b->s);
}

static void both_install(struct both *b)
{
	AUTO(closep) int fd = rig_memfd(b->s.x.data, b->s.x.len);

	rig_install(&b->r, rig_job(b->s.disk.path), fd);
}

static bool has_stream(const struct priv_rig *r)
{
	return r->stream_fd >= 0;
}

static bool has_ended(const struct priv_rig *r)
{
	return r->report.phase == INSTALL_FAILED || r->report.phase == INSTALL_DONE;
}

static bool has_no_job(const struct priv_rig *r)
{
	return !r->p.has_job;
}

/* Nothing but zeros, as it was made. */
static void check_untouched(struct both *b)
{
	AUTO(freep) uint8_t *disk = malloc(DISK);

	assert_int_equal(fd_pread(b->s.disk.file, disk, DISK, 0), DISK);
	assert_true(disk[0] == 0 && !memcmp(disk, disk + 1, DISK - 1));
}

static void test_good(void **state)
{
	AUTO(both_done) struct both b;

	both_make(&b);
	both_install(&b);
	rig_listen_until(&b.r, has_stream);
	feeder_done(&b.s.feeder);
	close(feeder_open(&b.s.feeder, b.s.image, &b.s.x.slx));
	close(b.s.feeder.fd);
	b.s.feeder.fd = TAKE_FD(b.r.stream_fd);
	feeder_run(&b.s.feeder);
	rig_listen_until(&b.r, has_ended);
	feeder_join(&b.s.feeder);
	if (b.r.report.phase != INSTALL_DONE)
		fail_msg("%s", b.r.report.text);
	assert_true(b.r.p.job.is_done);
	rig_say(&b.r, MSG_REBOOT, 0, NULL, 0, -1);
	assert_int_equal(access(b.r.rebooted, F_OK), 0);
}

/* What it sends is not what was asked for: it ends with words, and the disk is as it was. */
static void test_lies_on_the_stream(void **state)
{
	static const struct install_frame frames[] = {
		{ 0, 1 << 19 },
		{ 0, 0 },
		{ 7, 1 << 20 },
		{ 1 << 30, 1 << 20 },
		{ 0, UINT32_MAX },
		{ INSTALL_FRAME_ERROR, INSTALL_ERROR_MAX + 1 },
		{ INSTALL_FRAME_ERROR, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		AUTO(both_done) struct both b;

		both_make(&b);
		both_install(&b);
		rig_listen_until(&b.r, has_stream);
		assert_true(has_stream(&b.r));
		assert_int_equal(fd_write(b.r.stream_fd, &frames[i], sizeof(frames[i])), 0);
		rig_listen_until(&b.r, has_ended);
		assert_int_equal(b.r.report.phase, INSTALL_FAILED);
		assert_true(b.r.report.text[0] != '\0');
		assert_false(b.r.p.has_job);
		check_untouched(&b);
	}
}

static void test_second_one_is_refused(void **state)
{
	AUTO(both_done) struct both b;
	struct loop other;

	both_make(&b);
	assert_int_equal(loop_make(&other, DISK, 512, 0), 0);
	both_install(&b);
	rig_listen_until(&b.r, has_stream);
	AUTO(closep) int fd = rig_memfd(b.s.x.data, b.s.x.len);
	rig_install(&b.r, rig_job(other.path), fd);
	assert_string_equal(b.r.p.job.device, b.s.disk.path);
	assert_int_equal(b.r.types[MSG_STREAM], 1);
	loop_done(&other);
}

/* Only loop devices are let in by that option: no other disk without an inventory that showed it. */
static void test_allowing_loops_allows_nothing_else(void **state)
{
	AUTO(both_done) struct both b;
	static const char node[] = "/dev/slipway-test-node";

	both_make(&b);
	unlink(node);
	/* a ram disk's number: no driver needs to be there for the question to be asked */
	assert_int_equal(mknod(node, S_IFBLK | 0600, makedev(1, 0)), 0);
	AUTO(closep) int fd = rig_memfd(b.s.x.data, b.s.x.len);
	rig_install(&b.r, rig_job(node), fd);
	unlink(node);
	assert_int_equal(b.r.report.code, -ENODEV);
	assert_non_null(strstr(b.r.report.text, "not in this host's inventory"));
}

/* The service stops it, and in this moment the network process dies: it must not go on with the next one. */
static void test_stop_outlives_the_network_process(void **state)
{
	AUTO(both_done) struct both b;

	both_make(&b);
	both_install(&b);
	rig_listen_until(&b.r, has_stream);
	assert_true(b.r.p.has_writer);
	kill(b.r.p.writer.pid, SIGSTOP); /* both come before it can look */
	rig_say(&b.r, MSG_ASK_CANCEL, 5, NULL, 0, -1);
	rig_hang_up(&b.r);
	priv_install_net_lost(&b.r.p);
	rig_channel(&b.r);
	kill(b.r.p.writer.pid, SIGCONT);
	rig_listen_until(&b.r, has_no_job);
	assert_false(b.r.p.has_job);
	assert_false(b.r.p.has_writer);
	assert_int_equal(b.r.types[MSG_STREAM], 1);
	check_untouched(&b);
}

/* The agent was killed; when it comes back, another disk has the same name. */
static void test_changed_disk_after_a_restart(void **state)
{
	AUTO(both_done) struct both b;
	struct fault err = FAULT_INIT;
	struct disk_id id;

	both_make(&b);
	both_install(&b);
	rig_listen_until(&b.r, has_stream);
	assert_int_equal(access(b.s.state, F_OK), -1);
	/* kill -9: nothing is tidied up but what the kernel does */
	kill(b.r.p.writer.pid, SIGKILL);
	priv_install_done(&b.r.p);
	rig_hang_up(&b.r);
	b.r.p.has_job = b.r.p.has_writer = false;
	b.r.p.index = NULL;
	assert_int_equal(disk_id_read(b.s.disk.path, &id, &err), 0);
	assert_int_equal(loop_again(&b.s.disk), 0);
	rig_channel(&b.r);
	priv_install_load(&b.r.p);
	assert_true(b.r.p.has_job);
	assert_true(b.r.p.job.expect.diskseq == id.diskseq);
	priv_install_net_ready(&b.r.p);
	rig_listen_until(&b.r, has_ended);
	assert_int_equal(b.r.report.code, -ESTALE);
	assert_false(b.r.p.has_job);
	check_untouched(&b);
}

/* What is kept for a restart was damaged: no installation goes on by guesswork. */
static void test_damaged_state(void **state)
{
	static const char *const names[] = { "install.json", "install.slx" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		AUTO(both_done) struct both b;

		both_make(&b);
		both_install(&b);
		rig_listen_until(&b.r, has_stream);
		priv_install_done(&b.r.p);
		rig_hang_up(&b.r);
		b.r.p.has_job = b.r.p.has_writer = false;
		b.r.p.index = NULL;
		AUTO(closep) int fd = openat(b.r.p.state_dir, names[i], O_WRONLY | O_CLOEXEC);
		assert_int_equal(fd_pwrite(fd, "\0\0\0\0", 4, 200), 0);
		rig_channel(&b.r);
		priv_install_load(&b.r.p);
		priv_install_net_ready(&b.r.p);
		rig_listen_until(&b.r, has_no_job);
		assert_false(b.r.p.has_job);
		check_untouched(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_lies_on_the_stream),
		cmocka_unit_test(test_second_one_is_refused),
		cmocka_unit_test(test_allowing_loops_allows_nothing_else),
		cmocka_unit_test(test_stop_outlives_the_network_process),
		cmocka_unit_test(test_changed_disk_after_a_restart),
		cmocka_unit_test(test_damaged_state),
	};

	if (geteuid() != 0 || access("/dev/loop-control", R_OK | W_OK) < 0) {
		printf("1..0 # SKIP loop devices need root and /dev/loop-control\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
