#pragma once
/*
 * The writer's end of the stream socket (agent/install.h): wants go out, chunks come in, never
 * blocking for longer than asked. Whatever the other side sends is checked here: only chunks that
 * were asked for, with exactly their length, once per request.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "agent/install.h"
#include "common/buf.h"
#include "common/fault.h"
#include "common/slx.h"

/* Bytes of wants that wait: more than an index of SLX_ENTRIES_MAX alternating chunks needs. */
#define STREAM_OUT_MAX (8u << 20)

struct stream {
	int fd; /* borrowed */
	const struct slx *slx;
	struct buf out;
	uint8_t *wanted; /* bitmap, owned: asked for and not yet here */
	uint32_t wanted_n;
	struct install_frame frame; /* the header being read */
	size_t frame_have;          /* bytes of it */
	size_t data_have;           /* bytes of the chunk in the caller's buffer */
};

int stream_init(struct stream *s, int fd, const struct slx *slx,
		struct fault *err); /* makes @fd non-blocking */
void stream_done(struct stream *s);

/* Asks for chunks (none of which may be wanted already). */
int stream_want(struct stream *s, uint32_t first, uint32_t count, struct fault *err);
/* Says that nothing more will be asked. */
int stream_want_end(struct stream *s, struct fault *err);
/*
 * Sends and receives until a whole chunk is in @data (room for chunk_size; the same memory at each
 * call until then), or @wake_fd is readable (-1 = none), or @timeout_ms are over. 1 = chunk
 * *ret_index; 0 = woken, timeout or signal; -EPIPE: the other side is gone; -EPROTO; or what it
 * reported (-EREMOTEIO).
 * @data NULL: only sends.
 */
int stream_step(struct stream *s, void *data, int wake_fd, int timeout_ms, uint32_t *ret_index,
		struct fault *err);
