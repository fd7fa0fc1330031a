#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "agent/net_sandbox.h"
#include "common/cleanup.h"
#include "common/str.h"

static char scratch[] = "/tmp/sandbox.XXXXXX";

/* Each returns 0 when it could do it, else errno. */
static int try_write_file(void)
{
	return open(scratch, O_WRONLY) < 0 ? errno : 0;
}
static int try_create_file(void)
{
	return open("/tmp/sandbox-new", O_RDWR | O_CREAT, 0600) < 0 ? errno : 0;
}
static int try_truncate_file(void)
{
	return open(scratch, O_RDONLY | O_TRUNC) < 0 ? errno : 0;
}
static int try_read_file(void)
{
	return open("/etc/passwd", O_RDONLY) < 0 ? errno : 0;
}
static int try_exec(void)
{
	char *const argv[] = { (char *)"true", NULL };
	execv("/bin/true", argv);
	return errno;
}
static int try_fork(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	return pid < 0 ? errno : 0;
}
static int try_mknod(void)
{
	return mknod("/tmp/sandbox-node", S_IFBLK | 0600, makedev(7, 0)) < 0 ? errno : 0;
}
static int try_mount(void)
{
	return mount("none", "/tmp", "tmpfs", 0, NULL) < 0 ? errno : 0;
}
static int try_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 ? errno : 0;
}
static int try_kill_parent(void)
{
	return kill(getppid(), 0) < 0 ? errno : 0;
}
static int try_become_root(void)
{
	return setuid(0) < 0 ? errno : 0;
}
static int try_unlink(void)
{
	return unlink(scratch) < 0 ? errno : 0;
}
static int try_reboot(void)
{
	return reboot(RB_ENABLE_CAD) < 0 ? errno : 0;
}
static int try_set_clock(void)
{
	struct timeval tv = { .tv_sec = 0 };
	return settimeofday(&tv, NULL) < 0 ? errno : 0;
}
static int try_packet_socket(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0) < 0 ? errno : 0;
}
static int try_unshare(void)
{
	return unshare(CLONE_NEWUSER) < 0 ? errno : 0;
}
static int try_exec_memory(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED || mprotect(p, 4096, PROT_READ | PROT_EXEC) < 0 ? errno : 0;
}
static int try_writable_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	return p == MAP_FAILED ? errno : 0;
}
static int try_map_program(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	return p == MAP_FAILED ? errno : 0;
}
static int try_tcp_socket(void)
{
	return socket(AF_INET6, SOCK_STREAM, 0) < 0 && errno != EAFNOSUPPORT ? errno : 0;
}
static int try_memfd(void)
{
	int fd = memfd_create("x", MFD_CLOEXEC);
	return fd < 0 || write(fd, "x", 1) != 1 ? errno : 0;
}
static void *thread_main(void *arg)
{
	*(int *)arg = 1;
	return NULL;
}
static int try_thread(void)
{
	pthread_t t;
	int done = 0;
	int r = pthread_create(&t, NULL, thread_main, &done);
	if (!r)
		r = pthread_join(t, NULL);
	return r ? r : done ? 0 : EIO;
}
static int try_resolve(void)
{
	struct addrinfo *list = NULL;
	if (getaddrinfo("localhost", NULL, NULL, &list) || !list)
		return EIO;
	freeaddrinfo(list);
	return 0;
}
static int try_loop_device(void)
{
	int fd = open("/dev/loop0", O_RDWR);
	return fd < 0 ? errno : 0;
}

static const struct {
	const char *what;
	int (*run)(void);
	int want;
} attempts[] = {
	{ "write to a file", try_write_file, EPERM },
	{ "make a file", try_create_file, EPERM },
	{ "cut a file", try_truncate_file, EPERM },
	{ "run a program", try_exec, EPERM },
	{ "make a process", try_fork, EPERM },
	{ "make a device node", try_mknod, EPERM },
	{ "mount", try_mount, EPERM },
	{ "trace", try_ptrace, EPERM },
	{ "signal its parent", try_kill_parent, EPERM },
	{ "become root", try_become_root, EPERM },
	{ "remove a file", try_unlink, EPERM },
	{ "reboot", try_reboot, EPERM },
	{ "set the clock", try_set_clock, EPERM },
	{ "open a packet socket", try_packet_socket, EPERM },
	{ "make a namespace", try_unshare, EPERM },
	{ "make memory executable", try_exec_memory, EPERM },
	{ "map memory writable and executable", try_writable_code, EPERM },
	{ "write to a block device", try_loop_device, EPERM },
	/* what its work needs */
	{ "read a file", try_read_file, 0 },
	{ "map a program's code, as name services are loaded", try_map_program, 0 },
	{ "open a TCP socket", try_tcp_socket, 0 },
	{ "use a memfd", try_memfd, 0 },
	{ "start a thread", try_thread, 0 },
	{ "resolve a name", try_resolve, 0 },
};

/* The errno that @run ends with, in a process of its own inside the sandbox; 254 = the sandbox could not be entered. */
static int run_inside(int (*run)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct fault err = FAULT_INIT;
		if (sandbox_drop_user(NULL, &err) < 0 || sandbox_enter(false, &err) < 0) {
			(void)!write(2, err.text, strlen(err.text));
			_exit(254);
		}
		_exit(run());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status))
		fail_msg("ended by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

static void test_attempts(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		int got = run_inside(attempts[i].run);
		if (got != attempts[i].want)
			fail_msg("%s: %s", attempts[i].what, got ? strerror(got) : "possible");
	}
	assert_int_equal(access(scratch, F_OK), 0);
}

static int open_block_device(void)
{
	int fd = open("/dev/loop0", O_RDONLY);
	return fd < 0 ? errno : 0;
}

/* Reading is a matter of permissions: without root they are missing. */
static void test_cannot_read_a_disk(void **state)
{
	if (geteuid() != 0 || access("/dev/loop0", F_OK) < 0)
		return; /* nothing is given up without root, and the node's mode is all there is */
	assert_int_equal(run_inside(open_block_device), EACCES);
}

static int who_am_i(void)
{
	uid_t r, e, s;
	gid_t groups[8];
	if (getresuid(&r, &e, &s) < 0 || r == 0 || e == 0 || s == 0)
		return EPERM;
	return getgroups(8, groups) > 0 && groups[0] == 0 ? EINVAL : 0;
}

static void test_is_nobody_of_importance(void **state)
{
	int want = geteuid() == 0 ? 0 : who_am_i();
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(sandbox_drop_user(NULL, NULL) < 0 ? 254 : who_am_i());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), want);
}

static void test_users(void **state)
{
	struct fault err = FAULT_INIT;

	if (geteuid() != 0) {
		assert_int_equal(sandbox_drop_user("no-such-user", &err),
				 0); /* it stays who it is */
		return;
	}
	assert_int_equal(sandbox_drop_user("no-such-user", &err), -ENOENT);
	assert_non_null(strstr(err.text, "no-such-user"));
	assert_int_equal(sandbox_drop_user("root", &err), -EINVAL);
	assert_int_equal(geteuid(), 0);
}

static int setup(void **state)
{
	int fd = mkstemp(scratch);
	if (fd < 0 || fchmod(fd, 0666) < 0)
		return -1;
	return close(fd);
}

static int teardown(void **state)
{
	return unlink(scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attempts),
		cmocka_unit_test(test_cannot_read_a_disk),
		cmocka_unit_test(test_is_nobody_of_importance),
		cmocka_unit_test(test_users),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
