/* Frames from a peer that is not trusted: the first byte says in which pieces the rest arrives. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/ipc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX 1024

static int take_all(struct ipc *c)
{
	struct ipc_msg m;
	int r;
	while ((r = ipc_next(c, &m)) == 1) {
		if (m.len > MAX || m.data[m.len] != '\0' || m.fd >= 0)
			abort();
		ipc_msg_done(&m);
	}
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fds[2];
	struct ipc c;
	if (size == 0 || ipc_pair(fds) < 0)
		return 0;
	ipc_init(&c, fds[0], MAX);
	size_t piece = (size_t)data[0] + 1;
	int r = 0;
	for (size_t at = 1; at < size && r == 0; at += piece) {
		size_t n = MIN_OF(piece, size - at);
		if (write(fds[1], data + at, n) != (ssize_t)n)
			abort();
		r = ipc_fill(&c);
		r = r == 1 || r == -EAGAIN ? take_all(&c) : r;
	}
	if (r != 0 && r != -EPROTO)
		abort();
	close(fds[1]);
	ipc_done(&c);
	return 0;
}
