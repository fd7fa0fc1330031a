/*
 * bench-write INDEX PAYLOAD DEVICE: installs an image on a (loop) device as the agent does, with
 * the decompression in this process and the writer in its own. Prints the time of each phase as
 * JSON lines' raw material on stderr; the exit status says whether the disk is complete.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>
#include "agent/install.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/slx.h"

struct source {
	const struct slx *slx;
	const uint8_t *payload;
	int fd;
};

static int chunk_send(const struct source *s, ZSTD_DCtx *z, uint8_t *data, uint32_t i)
{
	const struct slx_entry *e = &s->slx->entries[i];
	struct install_frame f = { .index = i, .length = slx_chunk_len(s->slx, i) };

	if (ZSTD_decompressDCtx(z, data, f.length, s->payload + e->offset, e->length) != f.length)
		return -EBADMSG;
	int r = fd_write(s->fd, &f, sizeof(f));
	return r < 0 ? r : fd_write(s->fd, data, f.length);
}

static void *source_main(void *ctx)
{
	struct source *s = ctx;
	ZSTD_DCtx *z = ZSTD_createDCtx();
	AUTO(freep) uint8_t *data = malloc(s->slx->chunk_size);
	struct install_want w;
	int r = z && data ? 0 : -ENOMEM;

	while (r == 0 && fd_read(s->fd, &w, sizeof(w)) == sizeof(w) && w.first != INSTALL_WANT_END)
		for (uint32_t i = 0; r == 0 && i < w.count; i++)
			r = chunk_send(s, z, data, w.first + i);
	ZSTD_freeDCtx(z);
	close(s->fd);
	return NULL;
}

static int install(const char *device, const void *index, size_t index_len, struct source *s)
{
	const struct install_params p = {
		.device = device,
		.install_id = "11111111-2222-3333-4444-555555555555",
		.index = index,
		.index_len = index_len,
		.allow_loop = true,
	};
	struct install_writer w;
	struct install_report r = { 0 };
	struct fault err = FAULT_INIT;
	pthread_t thread;
	int fds[2], got;

	if (install_stream_pair(fds) < 0 || install_writer_start(&p, fds[0], &w, &err) < 0) {
		fprintf(stderr, "bench-write: %s\n", fault_text(&err));
		return 1;
	}
	s->fd = fds[1];
	if (pthread_create(&thread, NULL, source_main, s) != 0)
		return 1;
	while ((got = install_writer_read(&w, &r)) != 0) {
		struct pollfd pfd = { .fd = w.report_fd, .events = POLLIN };

		if (got == -EAGAIN)
			(void)poll(&pfd, 1, -1);
	}
	install_writer_done(&w);
	pthread_join(thread, NULL);
	for (int i = 0; i < INSTALL_DONE; i++)
		fprintf(stderr, "%s %llu ms\n", install_phase_name((enum install_phase)i),
			(unsigned long long)r.phase_ms[i]);
	if (r.phase != INSTALL_DONE)
		fprintf(stderr, "bench-write: %s\n", r.text);
	return r.phase != INSTALL_DONE;
}

int main(int argc, char **argv)
{
	AUTO(freep) char *index = NULL;
	AUTO(slx_done) struct slx slx = { 0 };
	struct fault err = FAULT_INIT;
	struct stat st;
	size_t len;

	if (argc != 4) {
		fprintf(stderr, "usage: bench-write INDEX PAYLOAD DEVICE\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	if (file_read_at(AT_FDCWD, argv[1], SLX_FILE_MAX, &index, &len, &err) < 0 ||
	    slx_parse(index, len, &slx, &err) < 0) {
		fprintf(stderr, "bench-write: %s\n", fault_text(&err));
		return 1;
	}
	AUTO(closep) int fd = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || (uint64_t)st.st_size != slx.payload_size) {
		fprintf(stderr, "bench-write: %s is not the payload of this index\n", argv[2]);
		return 1;
	}
	void *payload = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (payload == MAP_FAILED)
		return 1;
	struct source s = { .slx = &slx, .payload = payload };
	return install(argv[3], index, len, &s);
}
