#include "common/ipc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/str.h"

#define FLAG_FD 1u
#define READ_STEP (64u << 10)
#define READ_STEP_MAX (1u << 20)

struct header {
	uint32_t len;
	uint16_t type, flags;
	uint32_t id;
};
_Static_assert(sizeof(struct header) == IPC_HEADER_SIZE, "the header has no padding");

struct ipc_out_fd {
	size_t offset; /* of its frame in out */
	int fd;        /* owned */
	struct ipc_out_fd *next;
};

int ipc_pair(int ret_fds[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret_fds) < 0 ? -errno : 0;
}

void ipc_init(struct ipc *c, int fd, size_t max)
{
	*c = (struct ipc){ .fd = fd, .max = MIN_OF(max, (size_t)UINT32_MAX), .in_fd = -1 };
	buf_init(&c->in, IPC_HEADER_SIZE + c->max + READ_STEP);
	buf_init(&c->out, 2 * (IPC_HEADER_SIZE + c->max));
}

static void drop_out_fd(struct ipc *c)
{
	struct ipc_out_fd *first = c->out_fds;
	c->out_fds = first->next;
	c->out_fds_n--;
	close(first->fd);
	free(first);
}

void ipc_done(struct ipc *c)
{
	while (c->out_fds)
		drop_out_fd(c);
	closep(&c->fd);
	closep(&c->in_fd);
	c->fd = c->in_fd = -1;
	buf_done(&c->in);
	buf_done(&c->out);
}

void ipc_msg_done(struct ipc_msg *m)
{
	free(m->data);
	closep(&m->fd);
	*m = (struct ipc_msg){ .fd = -1 };
}

/* --- sending ------------------------------------------------------------------------------- */

/* Remembers a duplicate of @fd for the frame that will begin at the end of out. */
static int remember_fd(struct ipc *c, int fd, struct ipc_out_fd **ret)
{
	struct ipc_out_fd *o = malloc(sizeof(*o));
	if (!o)
		return -ENOMEM;
	*o = (struct ipc_out_fd){ .offset = c->out.len, .fd = fcntl(fd, F_DUPFD_CLOEXEC, 0) };
	if (o->fd < 0) {
		free(o);
		return -errno;
	}
	*ret = o;
	return 0;
}

/* Moves the unsent rest to the front, so that the queue has room again. */
static void compact(struct ipc *c)
{
	if (c->out_sent == 0)
		return;
	buf_consume(&c->out, c->out_sent);
	for (struct ipc_out_fd *o = c->out_fds; o; o = o->next)
		o->offset -= c->out_sent;
	c->out_sent = 0;
}

int ipc_queue(struct ipc *c, uint16_t type, uint32_t id, const void *data, size_t len, int fd)
{
	const struct header h = {
		.len = (uint32_t)len, .type = type, .flags = fd >= 0 ? FLAG_FD : 0, .id = id
	};
	struct ipc_out_fd *o = NULL;
	if (len > c->max)
		return -EMSGSIZE;
	if (fd >= 0 && c->out_fds_n == IPC_FDS_MAX)
		return -ENOBUFS;
	if (c->out.max - c->out.len < sizeof(h) + len)
		compact(c);
	int r = buf_reserve(&c->out, sizeof(h) + len);
	if (r < 0)
		return r == -EMSGSIZE ? -ENOBUFS : r;
	if (fd >= 0) {
		r = remember_fd(c, fd, &o);
		if (r < 0)
			return r;
	}
	struct ipc_out_fd **last = &c->out_fds;
	while (*last)
		last = &(*last)->next;
	*last = o;
	c->out_fds_n += o != NULL;
	/* cannot fail: the room is reserved */
	(void)buf_append(&c->out, &h, sizeof(h));
	(void)buf_append(&c->out, data, len);
	return 0;
}

/* Sends @len bytes, with @fd (-1 = none) on the first of them. */
static ssize_t send_some(int sock, const char *data, size_t len, int fd)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (char *)data, .iov_len = len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	if (fd >= 0) {
		m.msg_control = control.space;
		m.msg_controllen = sizeof(control.space);
		struct cmsghdr *cm = CMSG_FIRSTHDR(&m);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cm), &fd, sizeof(int));
	}
	ssize_t n;
	do
		n = sendmsg(sock, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* A frame that carries a descriptor begins a sendmsg() of its own: the kernel attaches it to the first byte. */
static ssize_t flush_once(struct ipc *c)
{
	struct ipc_out_fd *o = c->out_fds;
	size_t end = c->out.len;
	int fd = -1;
	if (o && o->offset == c->out_sent) {
		fd = o->fd;
		o = o->next;
	}
	if (o)
		end = o->offset;
	ssize_t n = send_some(c->fd, c->out.data + c->out_sent, end - c->out_sent, fd);
	if (n > 0) {
		if (fd >= 0)
			drop_out_fd(c);
		c->out_sent += (size_t)n;
	}
	return n;
}

int ipc_flush(struct ipc *c)
{
	while (c->out_sent < c->out.len) {
		ssize_t n = flush_once(c);
		if (n == -EAGAIN) {
			if (c->out_sent >
			    c->out.len /
				    2) /* not each time: a slow peer and a long queue would copy for ever */
				compact(c);
			return 0;
		}
		if (n < 0)
			return (int)n;
	}
	compact(c);
	return 1;
}

bool ipc_wants_write(const struct ipc *c)
{
	return c->out_sent < c->out.len;
}

static int wait_for(int fd, short events, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n = poll(&p, 1, timeout_ms);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	return n;
}

int ipc_send(struct ipc *c, uint16_t type, uint32_t id, const void *data, size_t len, int fd)
{
	int r = ipc_queue(c, type, id, data, len, fd);
	while (r == 0) {
		r = ipc_flush(c);
		if (r == 1)
			return 0;
		if (r == 0)
			r = wait_for(c->fd, POLLOUT, -1);
		if (r > 0)
			r = 0;
	}
	return r;
}

/* --- receiving ----------------------------------------------------------------------------- */

/* The frame at @offset of the input: 1 = its header is there and sound, 0 = not yet, -EPROTO. */
static int peek(const struct ipc *c, size_t offset, struct header *ret)
{
	if (c->in.len - offset < sizeof(*ret))
		return 0;
	memcpy(ret, c->in.data + offset, sizeof(*ret));
	return ret->len > c->max || ret->flags & ~FLAG_FD ? -EPROTO : 1;
}

/*
 * How much to read next. While a descriptor waits for its frame, nothing behind that frame may be read: a second descriptor
 * could come with it. 0 = ipc_next() first.
 */
static int read_size(const struct ipc *c, size_t *ret)
{
	struct header h;
	size_t offset = 0;
	for (;;) {
		int r = peek(c, offset, &h);
		if (r < 0)
			return r;
		size_t have = c->in.len - offset;
		size_t frame = sizeof(h) + (r == 1 ? h.len : 0);
		if (r == 1 && c->in_fd >= 0 && h.flags & FLAG_FD) {
			size_t missing = frame - MIN_OF(frame, have);
			*ret = MIN_OF(MIN_OF(missing, (size_t)READ_STEP_MAX),
				      c->in.max - c->in.len);
			return 0;
		}
		if (r == 1 && frame <= have) {
			offset += frame;
			continue;
		}
		size_t rest = frame - have;
		size_t step = MIN_OF(MAX_OF(rest, (size_t)READ_STEP), (size_t)READ_STEP_MAX);
		if (c->in_fd >= 0 && r == 1)
			return -EPROTO; /* the descriptor came with a frame that does not say so */
		*ret = MIN_OF(c->in_fd >= 0 ? rest : step, c->in.max - c->in.len);
		return 0;
	}
}

/* Takes the descriptors out of a received message: exactly one may come, and only one may wait. */
static int take_fds(struct ipc *c, struct msghdr *m)
{
	int r = m->msg_flags & MSG_CTRUNC ? -EPROTO : 0;
	for (struct cmsghdr *cm = CMSG_FIRSTHDR(m); cm; cm = CMSG_NXTHDR(m, cm)) {
		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(cm) + i * sizeof(int), sizeof(int));
			if (c->in_fd < 0) {
				c->in_fd = fd;
				continue;
			}
			close(fd);
			r = -EPROTO;
		}
	}
	return r;
}

int ipc_fill(struct ipc *c)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	size_t size = 0;
	int r = read_size(c, &size);
	if (r < 0)
		return r;
	if (size == 0)
		return -EAGAIN;
	r = buf_reserve(&c->in, size);
	if (r < 0)
		return r;
	struct iovec iov = { .iov_base = c->in.data + c->in.len, .iov_len = size };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control.space,
			    .msg_controllen = sizeof(control.space) };
	ssize_t n;
	do
		n = recvmsg(c->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	if (n == 0)
		return 0;
	c->in.len += (size_t)n;
	c->in.data[c->in.len] = '\0';
	r = take_fds(c, &m);
	return r < 0 ? r : 1;
}

int ipc_next(struct ipc *c, struct ipc_msg *ret)
{
	struct header h;
	int r = peek(c, 0, &h);
	if (r <= 0 || c->in.len - sizeof(h) < h.len)
		return r < 0 ? r : 0;
	bool has_fd = h.flags & FLAG_FD;
	if (has_fd && c->in_fd < 0)
		return -EPROTO;
	char *data = malloc((size_t)h.len + 1);
	if (!data)
		return -ENOMEM;
	memcpy(data, c->in.data + sizeof(h), h.len);
	data[h.len] = '\0';
	buf_consume(&c->in, sizeof(h) + h.len);
	*ret = (struct ipc_msg){ .type = h.type, .id = h.id, .data = data, .len = h.len, .fd = -1 };
	if (has_fd)
		ret->fd = TAKE_FD(c->in_fd);
	return 1;
}

int ipc_recv_timeout(struct ipc *c, struct ipc_msg *ret, int timeout_ms)
{
	int64_t end = time_mono_ms() + timeout_ms;
	for (;;) {
		int r = ipc_next(c, ret);
		if (r != 0)
			return r;
		r = ipc_fill(c);
		if (r == 0)
			return c->in.len > 0 ? -EPROTO : 0; /* gone in the middle of a frame */
		if (r < 0 && r != -EAGAIN)
			return r;
		if (r > 0)
			continue;
		int64_t left = timeout_ms < 0 ? -1 : MAX_OF(end - time_mono_ms(), 0);
		r = wait_for(c->fd, POLLIN, (int)left);
		if (r < 0)
			return r;
		if (r == 0 && left == 0)
			return -ETIMEDOUT;
	}
}

int ipc_recv(struct ipc *c, struct ipc_msg *ret)
{
	return ipc_recv_timeout(c, ret, -1);
}
