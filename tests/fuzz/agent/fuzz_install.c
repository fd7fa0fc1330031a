/*
 * The whole installation on a disk that forgets: an index (its image id made right) and what the
 * network process sends, both from the input: u16 length of the index, index, bytes of the stream.
 */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "agent/install.h"
#include "common/cleanup.h"
#include "common/slx.h"

#define IMAGE_MAX (8ull << 20)

static int read_zeros(struct disk *d, void *data, size_t len, uint64_t offset)
{
	if (offset + len > d->id.size_bytes)
		abort();
	memset(data, 0, len);
	return 0;
}

static int write_nowhere(struct disk *d, const void *data, size_t len, uint64_t offset)
{
	if (offset + len > d->id.size_bytes || len == 0)
		abort();
	return 0;
}

static int zero_nothing(struct disk *d, uint64_t offset, uint64_t len)
{
	if (offset + len > d->id.size_bytes)
		abort();
	return 0;
}

static int nothing(struct disk *d)
{
	return 0;
}

static const struct disk_ops ops = {
	.read = read_zeros,
	.write = write_nowhere,
	.zero = zero_nothing,
	.flush = nothing,
	.reread_table = nothing,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(freep) uint8_t *index = NULL;
	AUTO(slx_done) struct slx s = { 0 };
	int fds[2];

	if (size < 2)
		return 0;
	size_t index_len = MIN_OF((size_t)(data[0] | data[1] << 8), size - 2);
	index = malloc(index_len + 1);
	memcpy(index, data + 2, index_len);
	if (index_len > SLX_HEADER_SIZE)
		sha256(index + SLX_HEADER_SIZE, index_len - SLX_HEADER_SIZE, index + 56);
	if (slx_parse(index, index_len, &s, NULL) < 0 || s.image_size > IMAGE_MAX)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return 0;
	signal(SIGPIPE, SIG_IGN);
	(void)!send(fds[0], data + 2 + index_len, size - 2 - index_len, MSG_DONTWAIT);
	shutdown(fds[0], SHUT_WR);
	struct disk d = { .ops = &ops, .fd = -1, .direct_fd = -1 };
	d.id = (struct disk_id){ .name = "fuzz",
				 .size_bytes = 2 * IMAGE_MAX,
				 .sector_size = s.sector_size };
	const struct install_params p = {
		.device = "fuzz",
		.install_id = "11111111-2222-3333-4444-555555555555",
		.index = index,
		.index_len = index_len,
	};
	(void)install_run(&p, &d, fds[1], NULL, NULL);
	close(fds[0]);
	close(fds[1]);
	return 0;
}
