/*
 * The lines of --watch: one now, one at each change, none for what changes nothing; and between them nothing is done at all. In a
 * network namespace of its own, so as root only. The sources of the program are a part of this test.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <jansson.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "hwprobe/parts.c"
#include "hwprobe/watch.c"

enum {
	WAIT_MS = 20000,
	IDLE_MS = 200,
	IDLE_TRIES = 25,
	LINE_MAX_BYTES = 4 << 20,
	STORM_EVENTS = 400,
	MTU_FIRST = 1500,
};

static void test_part_names(void **state)
{
	for (unsigned part = 1; part <= HWP_ALL; part <<= 1) {
		const char *name = part_name(part);
		if (HWP_ALL & part)
			assert_non_null(name);
		if (name)
			assert_int_equal(part_by_name(name), part);
	}
	assert_int_equal(part_by_name("all"), HWP_ALL);
	assert_int_equal(part_by_name("nics"), 0);
	assert_int_equal(part_by_name(""), 0);
	assert_null(part_name(0));
	assert_null(part_name(HWP_CPU | HWP_MEMORY));
}

/* A recorded machine does not change. */
static void test_recorded(void **state)
{
	struct hwp_ctx *ctx;
	const struct hwp_options opt = { .size = sizeof(opt),
					 .sysroot = "tests/data/roots/arm-devicetree/root" };
	assert_int_equal(hwp_open(&ctx, &opt), 0);
	assert_int_equal(watch(ctx), EXIT_FAILED);
	hwp_close(ctx);
}

static void set_loopback(short flags, int mtu)
{
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = flags };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &r), 0);
	r.ifr_mtu = mtu;
	assert_int_equal(ioctl(fd, SIOCSIFMTU, &r), 0);
	close(fd);
}

static pid_t start_watch(int *ret_fd, bool ignores_pipes)
{
	int pipe_fds[2];
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		struct hwp_ctx *ctx;
		const struct hwp_options opt = { .size = sizeof(opt),
						 .parts = HWP_NICS | HWP_HOSTNAME };
		(void)signal(SIGPIPE, ignores_pipes ? SIG_IGN : SIG_DFL);
		dup2(pipe_fds[1], STDOUT_FILENO);
		close(pipe_fds[0]);
		_exit(hwp_open(&ctx, &opt) < 0 ? 99 : watch(ctx));
	}
	close(pipe_fds[1]);
	*ret_fd = pipe_fds[0];
	return pid;
}

/* The next line as JSON; NULL = none within @timeout_ms. */
static json_t *read_line(int fd, int timeout_ms)
{
	static char text[LINE_MAX_BYTES];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t n = 0;
	do {
		if (poll(&p, 1, timeout_ms) <= 0)
			return NULL;
		assert_int_equal(read(fd, text + n, 1),
				 1); /* lines may follow each other at once */
		assert_true(++n < sizeof(text));
	} while (text[n - 1] != '\n');
	text[n] = '\0';
	json_t *v = json_loads(text, 0, NULL);
	assert_non_null(v);
	return v;
}

static bool has_changed(const json_t *line, const char *part)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_object_get(line, "changed"), i, item) {
		if (!strcmp(json_string_value(item), part))
			return true;
	}
	return false;
}

static int loopback_mtu(const json_t *line)
{
	const json_t *nics = json_object_get(json_object_get(line, "inventory"), "interfaces");
	return (int)json_integer_value(json_object_get(json_array_get(nics, 0), "mtu"));
}

/* Reads lines until one shows that MTU: how many. */
static int read_until_mtu(int fd, int mtu)
{
	for (int lines = 1;; lines++) {
		json_t *line = read_line(fd, WAIT_MS);
		assert_non_null(line);
		assert_true(has_changed(line, "interfaces"));
		assert_false(has_changed(line, "hostname"));
		/* What has not changed is there all the same. */
		assert_non_null(json_object_get(json_object_get(line, "inventory"), "hostname"));
		int now = loopback_mtu(line);
		json_decref(line);
		if (now == mtu)
			return lines;
	}
}

/* How often the process has gone to sleep, which it does in each system call that waits. */
static long sleeps_of(pid_t pid)
{
	char path[64], line[256];
	long n = -1;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		sscanf(line, "voluntary_ctxt_switches: %ld", &n);
	fclose(f);
	return n;
}

/* Events of other things on this machine may wake it; but there is a time without any, and then it sleeps all through. */
static void expect_idle(pid_t pid, int fd)
{
	long slept = -1;
	for (int i = 0; i < IDLE_TRIES && slept; i++) {
		long before = sleeps_of(pid);
		assert_null(read_line(fd, IDLE_MS));
		slept = sleeps_of(pid) - before;
	}
	assert_int_equal(slept, 0);
}

static void test_changes(void **state)
{
	int fd, status;
	if (unshare(CLONE_NEWNET) < 0) {
		print_message("no network namespace: %s\n", strerror(errno));
		skip();
	}
	pid_t pid = start_watch(&fd, false);
	json_t *line = read_line(fd, WAIT_MS);
	assert_non_null(line);
	assert_true(has_changed(line, "interfaces"));
	assert_true(has_changed(line, "hostname"));
	assert_false(has_changed(line, "disks"));
	json_decref(line);

	/* Nothing happens: nothing is printed, nothing is done. */
	expect_idle(pid, fd);

	int64_t start = time_mono_ms();
	set_loopback(IFF_UP, 9000);
	(void)read_until_mtu(fd, 9000);
	print_message("told after %d ms\n", (int)(time_mono_ms() - start));

	/* A storm of events makes a few lines, the last of which tells how it ended. */
	expect_idle(pid, fd);
	for (int i = 1; i <= STORM_EVENTS; i++)
		set_loopback(IFF_UP, MTU_FIRST + i);
	int lines = read_until_mtu(fd, MTU_FIRST + STORM_EVENTS);
	print_message("%d lines for %d events\n", lines, STORM_EVENTS);
	assert_true(lines < STORM_EVENTS / 4);

	/* An event that changes nothing. */
	set_loopback(IFF_UP, MTU_FIRST + STORM_EVENTS);
	assert_null(read_line(fd, IDLE_MS));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	close(fd);
}

/* When nobody reads any more it ends, although nothing happens that it could tell. */
static void test_reader_goes(void **state)
{
	for (int ignores = 0; ignores < 2; ignores++) {
		int fd, status;
		pid_t pid = start_watch(&fd, ignores);
		json_t *line = read_line(fd, WAIT_MS);
		assert_non_null(line);
		json_decref(line);
		struct pollfd end = { .fd = (int)syscall(SYS_pidfd_open, pid, 0),
				      .events = POLLIN };
		assert_true(end.fd >= 0);
		assert_int_equal(poll(&end, 1, IDLE_MS), 0);
		close(fd);
		int n = poll(&end, 1, WAIT_MS);
		close(end.fd);
		(void)kill(pid, SIGKILL); /* which is too late when all is well */
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(n, 1);
		if (ignores)
			assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILED);
		else
			assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_part_names),
		cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_reader_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
