#pragma once
/*
 * Framed messages with descriptor passing over a SOCK_STREAM socketpair: header {u32 length, u16 type, u16 flags, u32 id} in host
 * order (same machine), then the payload. A length above the channel's maximum or an unknown flag ends the channel. At most one
 * descriptor per message: flag 1 says that one comes with the frame's first byte (unix(7), SCM_RIGHTS).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/buf.h"

#define IPC_MAX_DEFAULT (16u << 20)
#define IPC_HEADER_SIZE 12
#define IPC_FDS_MAX 64 /* descriptors that wait to be sent on one channel */

struct ipc_msg {
	uint16_t type;
	uint32_t id;
	char *data; /* owned; NUL behind len */
	size_t len;
	int fd; /* owned; -1 = none */
};

struct ipc {
	int fd; /* owned */
	size_t max;
	struct buf in, out;
	size_t out_sent;            /* bytes of out that are gone already */
	int in_fd;                  /* received, waits for its frame; -1 = none */
	struct ipc_out_fd *out_fds; /* descriptors that wait for their frame, oldest first */
	unsigned out_fds_n;
};

int ipc_pair(int ret_fds[2]);                     /* close-on-exec, both blocking */
void ipc_init(struct ipc *c, int fd, size_t max); /* takes @fd */
void ipc_done(struct ipc *c);

/* Blocking use. ipc_recv: 1 = message, 0 = the peer is gone, -errno (-EPROTO: bad frame). @fd is duplicated, -1 = none. */
int ipc_send(struct ipc *c, uint16_t type, uint32_t id, const void *data, size_t len, int fd);
int ipc_recv(struct ipc *c, struct ipc_msg *ret);
/* As ipc_recv, gives -ETIMEDOUT after @timeout_ms. */
int ipc_recv_timeout(struct ipc *c, struct ipc_msg *ret, int timeout_ms);

/*
 * Use on a loop: queue, flush when writable, read when readable. No call blocks, whatever the descriptor's mode. -EMSGSIZE:
 * longer than the maximum; -ENOBUFS: the peer does not read and the queue is full (two messages of the maximum, or IPC_FDS_MAX
 * descriptors).
 */
int ipc_queue(struct ipc *c, uint16_t type, uint32_t id, const void *data, size_t len, int fd);
int ipc_flush(struct ipc *c); /* 1 = all out, 0 = would block, -errno */
bool ipc_wants_write(const struct ipc *c);
/* Reads what is there; call ipc_next() until it has no more before the next ipc_fill(). 1, 0 = the peer is gone, -EAGAIN, -EPROTO, -errno. */
int ipc_fill(struct ipc *c);
int ipc_next(struct ipc *c, struct ipc_msg *ret); /* 1 = a complete message, 0 = not yet, -EPROTO */
void ipc_msg_done(struct ipc_msg *m);
