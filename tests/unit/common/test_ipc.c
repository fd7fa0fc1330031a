#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fd.h"
#include "common/ipc.h"

#define MAX 4096

struct channel {
	struct ipc a, b;
};

static int setup(void **state)
{
	struct channel *c = calloc(1, sizeof(*c));
	int fds[2];
	if (!c || ipc_pair(fds) < 0)
		return -1;
	ipc_init(&c->a, fds[0], MAX);
	ipc_init(&c->b, fds[1], MAX);
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	struct channel *c = *state;
	ipc_done(&c->a);
	ipc_done(&c->b);
	free(c);
	return 0;
}

static unsigned open_descriptors(void)
{
	unsigned n = 0;
	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* A pipe's reading end with @text in it. */
static int pipe_with(const char *text)
{
	int fds[2];
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(fd_write(fds[1], text, strlen(text)), 0);
	close(fds[1]);
	return fds[0];
}

static void assert_pipe_holds(int fd, const char *text)
{
	char seen[64] = "";
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(fd_read(fd, seen, sizeof(seen) - 1), strlen(text));
	assert_string_equal(seen, text);
}

static void test_pair_is_close_on_exec(void **state)
{
	struct channel *c = *state;
	assert_true(fcntl(c->a.fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(c->b.fd, F_GETFD) & FD_CLOEXEC);
}

static void test_messages(void **state)
{
	struct channel *c = *state;
	struct ipc_msg m;
	assert_int_equal(ipc_send(&c->a, 1, 100, "hello", 5, -1), 0);
	assert_int_equal(ipc_send(&c->a, 65535, UINT32_MAX, NULL, 0, -1), 0);
	assert_int_equal(ipc_recv(&c->b, &m), 1);
	assert_int_equal(m.type, 1);
	assert_int_equal(m.id, 100);
	assert_int_equal(m.len, 5);
	assert_string_equal(m.data, "hello");
	assert_int_equal(m.fd, -1);
	ipc_msg_done(&m);
	assert_int_equal(ipc_recv(&c->b, &m), 1);
	assert_int_equal(m.type, 65535);
	assert_true(m.id == UINT32_MAX);
	assert_int_equal(m.len, 0);
	assert_string_equal(m.data, "");
	ipc_msg_done(&m);
	ipc_done(&c->a);
	assert_int_equal(ipc_recv(&c->b, &m), 0);
}

static void test_size_limit(void **state)
{
	struct channel *c = *state;
	struct ipc_msg m;
	char data[MAX + 1];
	memset(data, 's', sizeof(data));
	assert_int_equal(ipc_send(&c->a, 1, 1, data, MAX + 1, -1), -EMSGSIZE);
	assert_int_equal(ipc_send(&c->a, 1, 1, data, MAX, -1), 0);
	assert_int_equal(ipc_recv(&c->b, &m), 1);
	assert_int_equal(m.len, MAX);
	ipc_msg_done(&m);
}

static void put_header(struct ipc *c, uint32_t len, uint16_t type, uint16_t flags)
{
	const struct {
		uint32_t len;
		uint16_t type, flags;
		uint32_t id;
	} h = { len, type, flags, 1 };
	assert_int_equal(fd_write(c->fd, &h, sizeof(h)), 0);
}

static void test_bad_frames(void **state)
{
	static const struct {
		uint32_t len;
		uint16_t flags;
	} cases[] = { { MAX + 1, 0 },
		      { UINT32_MAX, 0 },
		      { 0, 2 },
		      { 0, 0x8000 },
		      { 0, 1 /* no descriptor came */ } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct channel *c;
		struct ipc_msg m;
		assert_int_equal(setup((void **)&c), 0);
		put_header(&c->a, cases[i].len, 1, cases[i].flags);
		assert_int_equal(ipc_recv(&c->b, &m), -EPROTO);
		teardown((void **)&c);
	}
}

static void test_cut_frame(void **state)
{
	struct channel *c = *state;
	struct ipc_msg m;
	put_header(&c->a, 10, 1, 0);
	assert_int_equal(fd_write(c->a.fd, "short", 5), 0);
	assert_int_equal(ipc_recv_timeout(&c->b, &m, 20), -ETIMEDOUT);
	ipc_done(&c->a);
	assert_int_equal(ipc_recv(&c->b, &m), -EPROTO);
}

static void test_byte_by_byte(void **state)
{
	struct channel *c = *state;
	struct ipc_msg m;
	static const char frame[] = "\3\0\0\0\7\0\0\0\11\0\0\0abc";
	for (size_t i = 0; i < 15; i++) {
		assert_int_equal(ipc_next(&c->b, &m), 0);
		assert_int_equal(fd_write(c->a.fd, frame + i, 1), 0);
		assert_int_equal(ipc_fill(&c->b), 1);
	}
	assert_int_equal(ipc_next(&c->b, &m), 1);
	assert_int_equal(m.type, 7);
	assert_int_equal(m.id, 9);
	assert_string_equal(m.data, "abc");
	ipc_msg_done(&m);
	assert_int_equal(ipc_fill(&c->b), -EAGAIN);
}

/* Descriptors stay with their frames, whatever else is on the way. */
static void test_descriptors(void **state)
{
	struct channel *c = *state;
	static const char *const texts[] = { "one", NULL, "two", "three", NULL, NULL, "four" };
	unsigned before = open_descriptors();
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		AUTO(closep) int fd = texts[i] ? pipe_with(texts[i]) : -1;
		assert_int_equal(ipc_queue(&c->a, (uint16_t)i, 0, "payload", 7, fd), 0);
	}
	assert_int_equal(ipc_flush(&c->a), 1);
	assert_false(ipc_wants_write(&c->a));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct ipc_msg m;
		assert_int_equal(ipc_recv(&c->b, &m), 1);
		assert_int_equal(m.type, i);
		assert_int_equal(m.fd >= 0, texts[i] != NULL);
		if (texts[i])
			assert_pipe_holds(m.fd, texts[i]);
		ipc_msg_done(&m);
	}
	assert_int_equal(open_descriptors(), before);
}

static void test_descriptors_are_not_lost_on_done(void **state)
{
	struct channel *c = *state;
	unsigned before = open_descriptors();
	AUTO(closep) int fd = pipe_with("x");
	assert_int_equal(ipc_queue(&c->a, 1, 0, "p", 1, fd), 0);
	assert_int_equal(ipc_flush(&c->a), 1);
	assert_int_equal(ipc_fill(&c->b), 1); /* received, never asked for */
	assert_int_equal(ipc_queue(&c->a, 1, 0, "p", 1, fd), 0);
	ipc_done(&c->a);
	ipc_done(&c->b);
	assert_int_equal(open_descriptors(), before - 2 + 1);
}

static void send_raw(int sock, const void *data, size_t len, const int *fds, size_t n)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(4 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (void *)data, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space };
	m.msg_controllen = CMSG_SPACE(n * sizeof(int));
	struct cmsghdr *cm = CMSG_FIRSTHDR(&m);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(cm), fds, n * sizeof(int));
	assert_int_equal(sendmsg(sock, &m, 0), len);
}

/* A hostile peer: two descriptors at once, or one that no frame speaks of. Neither is left open. */
static void test_unasked_descriptors(void **state)
{
	struct channel *c = *state;
	struct ipc_msg m;
	unsigned before = open_descriptors();
	const int two[] = { 0, 1 };
	send_raw(c->a.fd, "\0\0\0\0\1\0\1\0\0\0\0\0", 12, two, 2);
	assert_int_equal(ipc_recv(&c->b, &m), -EPROTO);
	teardown(state);
	assert_int_equal(open_descriptors(), before - 2);

	assert_int_equal(setup(state), 0);
	c = *state;
	send_raw(c->a.fd, "\5\0\0\0\1\0\0\0\0\0\0\0", 12, two, 1);
	assert_int_equal(ipc_recv(&c->b, &m), -EPROTO);
	ipc_done(&c->b);
	assert_int_equal(open_descriptors(), before - 1);
}

static void test_full_queue(void **state)
{
	struct channel *c = *state;
	char data[MAX] = "";
	int r = 0;
	unsigned sent = 0, got = 0;
	while (sent < 10000 && (r = ipc_queue(&c->a, 1, sent, data, sizeof(data), -1)) == 0) {
		sent++;
		assert_true(ipc_flush(&c->a) >= 0);
	}
	assert_int_equal(r, -ENOBUFS);
	assert_true(ipc_wants_write(&c->a));
	assert_int_equal(ipc_flush(&c->a), 0);
	while (got < sent) {
		struct ipc_msg m;
		assert_int_equal(ipc_recv_timeout(&c->b, &m, 1000), 1);
		assert_int_equal(m.id, got);
		ipc_msg_done(&m);
		got++;
		assert_true(ipc_flush(&c->a) >= 0);
	}
	assert_false(ipc_wants_write(&c->a));
	assert_int_equal(ipc_queue(&c->a, 1, 0, data, sizeof(data), -1), 0);
}

/* Who does not read gets no stock of descriptors: they are few, and what hangs on them may be large. */
static void test_descriptors_that_wait_are_few(void **state)
{
	struct channel *c = *state;
	AUTO(closep) int fd = pipe_with("x");
	unsigned queued = 0, before = open_descriptors();
	int r = 0;

	while (r == 0 && queued <= 1000) {
		r = ipc_queue(&c->a, 1, 0, NULL, 0, fd);
		queued += r == 0;
	}
	assert_int_equal(r, -ENOBUFS);
	assert_int_equal(queued, IPC_FDS_MAX);
	assert_int_equal(open_descriptors(), before + IPC_FDS_MAX);
	assert_int_equal(ipc_queue(&c->a, 1, 0, NULL, 0, -1), 0);
	assert_true(ipc_flush(&c->a) >= 0);
	assert_int_equal(ipc_queue(&c->a, 1, 0, NULL, 0, fd), 0);
}

static void test_peer_is_gone(void **state)
{
	struct channel *c = *state;
	struct ipc_msg m;
	ipc_done(&c->b);
	assert_int_equal(ipc_send(&c->a, 1, 1, "x", 1, -1), -EPIPE);
	assert_int_equal(ipc_recv(&c->a, &m), 0);
}

static void test_timeout(void **state)
{
	struct channel *c = *state;
	struct ipc_msg m;
	assert_int_equal(ipc_recv_timeout(&c->b, &m, 0), -ETIMEDOUT);
	assert_int_equal(ipc_recv_timeout(&c->b, &m, 30), -ETIMEDOUT);
}

static _Noreturn void echo_and_exit(int fd)
{
	struct ipc c;
	struct ipc_msg m;
	int r;
	ipc_init(&c, fd, 8 << 20);
	while ((r = ipc_recv(&c, &m)) == 1) {
		r = ipc_send(&c, m.type, m.id, m.data, m.len, m.fd);
		ipc_msg_done(&m);
		if (r < 0)
			break;
	}
	_exit(r == 0 ? 0 : 1);
}

/* Large messages between two processes, more than the socket holds, with a descriptor on each second one. */
static void test_two_processes(void **state)
{
	int fds[2];
	assert_int_equal(ipc_pair(fds), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fds[0]);
		echo_and_exit(fds[1]);
	}
	close(fds[1]);
	struct ipc c;
	ipc_init(&c, fds[0], 8 << 20);
	size_t size = 5 << 20;
	AUTO(freep) char *data = malloc(size);
	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i * 7 >> 4);
	for (uint32_t i = 0; i < 6; i++) {
		struct ipc_msg m;
		AUTO(closep) int fd = i % 2 ? pipe_with("passed on") : -1;
		assert_int_equal(ipc_send(&c, 3, i, data, size - i, fd), 0);
		assert_int_equal(ipc_recv_timeout(&c, &m, 20000), 1);
		assert_int_equal(m.id, i);
		assert_int_equal(m.len, size - i);
		assert_memory_equal(m.data, data, m.len);
		if (i % 2)
			assert_pipe_holds(m.fd, "passed on");
		ipc_msg_done(&m);
	}
	ipc_done(&c);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_pair_is_close_on_exec),
		CASE(test_messages),
		CASE(test_size_limit),
		cmocka_unit_test(test_bad_frames),
		CASE(test_cut_frame),
		CASE(test_byte_by_byte),
		CASE(test_descriptors),
		CASE(test_descriptors_are_not_lost_on_done),
		CASE(test_unasked_descriptors),
		CASE(test_full_queue),
		CASE(test_descriptors_that_wait_are_few),
		CASE(test_peer_is_gone),
		CASE(test_timeout),
		cmocka_unit_test(test_two_processes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
