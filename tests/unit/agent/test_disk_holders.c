/*
 * The sentence that says who has a disk: processes, layers on top, mounts.
 */
#include <sys/sysmacros.h>
#include "agent/graph.h"
#include "tests/unit/agent/loop_rig.h"
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include "common/str.h"

static struct loop disk;

static int set_up(void **state)
{
	return loop_make(&disk, 8 * RIG_MIB, 512, 0);
}

static int tear_down(void **state)
{
	loop_done(&disk);
	return 0;
}

static dev_t devno(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_rdev;
}

/*
 * Programs that look at every disk of the machine open this one, too, for a moment: asks until @want
 * is the answer, 10 s at most.
 */
static void assert_holders(const char *want)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	char text[512] = "x";

	for (int i = 0; i < 500; i++) {
		disk_name_holders(devno(disk.path), text, sizeof(text));
		if (str_eq(text, want))
			return;
		nanosleep(&pause, NULL);
	}
	assert_string_equal(text, want);
}

static void test_nobody(void **state)
{
	char text[512] = "x";

	/* we ourselves are not named: whoever asks knows that */
	AUTO(closep) int fd = open(disk.path, O_RDONLY | O_CLOEXEC);
	assert_holders("");
	disk_name_holders(makedev(4095, 1048575), text, sizeof(text));
	assert_string_equal(text, "");
}

static void test_process(void **state)
{
	int ready[2];
	char want[64], byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		int fd = open(disk.path, O_RDONLY);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)!write(ready[1], "x", 1);
		for (;;)
			pause();
		close(fd);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	snprintf(want, sizeof(want), "process %d (test_disk_holde) has it open", (int)pid);
	assert_holders(want);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(ready[0]);
	close(ready[1]);
}

static void test_layer(void **state)
{
	char text[512], want[96], upper[32];

	assert_int_equal(loop_on(disk.path, upper), 0);
	disk_name_holders(devno(disk.path), text, sizeof(text));
	snprintf(want, sizeof(want), "%.20s (loop device) stands on %.20s", upper + strlen("/dev/"),
		 disk.path + strlen("/dev/"));
	/* cut off, it is still a text */
	char cut[10];
	disk_name_holders(devno(disk.path), cut, sizeof(cut));
	assert_true(strlen(cut) < sizeof(cut));
	AUTO(closep) int fd = open(upper, O_RDWR | O_CLOEXEC);
	if (loop_stands_on(upper, disk.path))
		(void)ioctl(fd, LOOP_CLR_FD);
	assert_non_null(strstr(text, want));
}

/* What disk_open() says in the end. */
static void test_sentence_of_open(void **state)
{
	struct disk d;
	struct fault err = FAULT_INIT;
	AUTO(closep) int fd = open(disk.path, O_RDONLY | O_EXCL | O_CLOEXEC);
	char upper[32], want[64];

	assert_true(fd >= 0);
	assert_int_equal(loop_on(disk.path, upper), 0);
	assert_int_equal(disk_open(disk.path, NULL, &d, &err), -EBUSY);
	AUTO(closep) int loop = open(upper, O_RDWR | O_CLOEXEC);
	if (loop_stands_on(upper, disk.path))
		(void)ioctl(loop, LOOP_CLR_FD);
	snprintf(want, sizeof(want), "%s is in use: ", disk.path);
	assert_non_null(strstr(err.text, want));
	assert_non_null(strstr(err.text, upper + strlen("/dev/")));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_nobody),
		CASE(test_process),
		CASE(test_layer),
		CASE(test_sentence_of_open),
	};

	if (geteuid() != 0 || access("/dev/loop-control", R_OK | W_OK) < 0) {
		printf("1..0 # SKIP loop devices need root and /dev/loop-control\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
