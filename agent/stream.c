#include "agent/stream.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"

int stream_init(struct stream *s, int fd, const struct slx *slx, struct fault *err)
{
	*s = (struct stream){ .fd = fd, .slx = slx };
	buf_init(&s->out, STREAM_OUT_MAX);
	s->wanted = calloc(1, slx->count / 8 + 1);
	if (!s->wanted)
		return fault_oom(err);
	int r = fd_set_nonblock(fd);
	return r < 0 ? fault_set(err, r, "stream socket: %s", strerror(-r)) : 0;
}

void stream_done(struct stream *s)
{
	buf_done(&s->out);
	free(s->wanted);
	s->wanted = NULL;
}

static bool is_wanted(const struct stream *s, uint32_t i)
{
	return s->wanted[i / 8] >> (i % 8) & 1;
}

static int out_put(struct stream *s, struct install_want w, struct fault *err)
{
	int r = buf_append(&s->out, &w, sizeof(w));

	return r < 0 ? fault_set(err, r, "too many requests wait for the network process") : 0;
}

int stream_want(struct stream *s, uint32_t first, uint32_t count, struct fault *err)
{
	for (uint32_t i = first; i < first + count; i++) {
		s->wanted[i / 8] |= (uint8_t)(1 << (i % 8));
		s->wanted_n++;
	}
	return out_put(s, (struct install_want){ .first = first, .count = count }, err);
}

int stream_want_end(struct stream *s, struct fault *err)
{
	return out_put(s, (struct install_want){ .first = INSTALL_WANT_END }, err);
}

static int gone(struct stream *s, struct fault *err)
{
	return fault_set(err, -EPIPE,
			 "the process that fetches the image is gone, %u chunks are missing",
			 s->wanted_n);
}

static int send_some(struct stream *s, struct fault *err)
{
	ssize_t n = send(s->fd, s->out.data, s->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : gone(s, err);
	buf_consume(&s->out, (size_t)n);
	return 0;
}

/* Up to @len bytes now: >0, 0 = nothing there, -EPIPE. */
static ssize_t receive_some(struct stream *s, void *data, size_t len, struct fault *err)
{
	ssize_t n = recv(s->fd, data, len, MSG_DONTWAIT);

	if (n > 0)
		return n;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return gone(s, err);
}

static int frame_check(struct stream *s, struct fault *err)
{
	struct install_frame *f = &s->frame;

	if (f->index == INSTALL_FRAME_ERROR)
		return f->length <= INSTALL_ERROR_MAX
			       ? 0
			       : fault_set(err, -EPROTO, "stream: an error text of %u bytes",
					   f->length);
	if (f->index >= s->slx->count || !is_wanted(s, f->index))
		return fault_set(err, -EPROTO, "stream: chunk %u was not asked for", f->index);
	if (f->length != slx_chunk_len(s->slx, f->index))
		return fault_set(err, -EPROTO, "stream: chunk %u has %u bytes instead of %u",
				 f->index, f->length, slx_chunk_len(s->slx, f->index));
	return 0;
}

static int frame_finish(struct stream *s, char *data, uint32_t *ret_index, struct fault *err)
{
	uint32_t i = s->frame.index;

	if (i == INSTALL_FRAME_ERROR) {
		char text[INSTALL_ERROR_MAX + 1];

		memcpy(text, data, s->frame.length);
		text[s->frame.length] = '\0';
		str_make_utf8(text);
		return fault_set(err, -EREMOTEIO, "%s",
				 *text ? text : "the image cannot be fetched");
	}
	s->wanted[i / 8] &= (uint8_t) ~(1 << (i % 8));
	s->wanted_n--;
	s->frame_have = s->data_have = 0;
	*ret_index = i;
	return 1;
}

/* 1 = a chunk, 0 = not yet. */
static int receive_frame(struct stream *s, char *data, uint32_t *ret_index, struct fault *err)
{
	for (;;) {
		bool is_header = s->frame_have < sizeof(s->frame);
		char *to = is_header ? (char *)&s->frame + s->frame_have : data + s->data_have;
		size_t want = is_header ? sizeof(s->frame) - s->frame_have
					: s->frame.length - s->data_have;

		if (!is_header && want == 0)
			return frame_finish(s, data, ret_index, err);
		ssize_t n = receive_some(s, to, want, err);
		if (n <= 0)
			return (int)n;
		if (!is_header) {
			s->data_have += (size_t)n;
			continue;
		}
		s->frame_have += (size_t)n;
		int r = s->frame_have == sizeof(s->frame) ? frame_check(s, err) : 0;
		if (r < 0)
			return r;
	}
}

/* What the socket is ready for; 0 = woken, timeout or signal. */
static short wait_ready(const struct stream *s, bool is_receiving, int wake_fd, int timeout_ms)
{
	struct pollfd p[2] = {
		{ .fd = s->fd,
		  .events = (short)((is_receiving ? POLLIN : 0) | (s->out.len ? POLLOUT : 0)) },
		{ .fd = wake_fd, .events = POLLIN },
	};

	if (!p[0].events && wake_fd < 0)
		return 0;
	if (!p[0].events)
		p[0].fd = -1; /* poll() reports POLLHUP even when nothing is asked */
	return poll(p, 2, timeout_ms) > 0 ? p[0].revents : 0;
}

int stream_step(struct stream *s, void *data, int wake_fd, int timeout_ms, uint32_t *ret_index,
		struct fault *err)
{
	int r = s->out.len ? send_some(s, err) : 0;

	if (r == 0 && data)
		r = receive_frame(s, data, ret_index, err);
	if (r != 0)
		return r;
	short ready = wait_ready(s, data != NULL, wake_fd, timeout_ms);
	if (ready & POLLOUT)
		r = send_some(s, err);
	if (r == 0 && data && (ready & (POLLIN | POLLHUP | POLLERR)))
		r = receive_frame(s, data, ret_index, err);
	return r;
}
