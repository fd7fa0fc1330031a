#include "service/tar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"

/* pax(1), "ustar Interchange Format"; numbers are octal texts. */
struct tar_header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100],
		magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct tar_header) == TAR_BLOCK, "a header is one block");

struct tar_member {
	struct tar_header header;
	char *data; /* NULL = a file */
	char *file;
	uint64_t size, offset; /* offset: of the header in the archive */
};

struct tar {
	int dirfd;
	struct tar_member *v;
	size_t n, room;
	uint64_t size; /* without the end */
	int fd;        /* of the file read last; -1 = none */
	size_t fd_of;
};

static uint64_t padded(uint64_t size)
{
	return (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}

static void make_header(struct tar_header *h, const char *name, uint64_t size, int64_t mtime_s)
{
	const unsigned char *p = (const unsigned char *)h;
	unsigned sum = 0;
	char number[16];

	memset(h, 0, sizeof(*h));
	str_copy(h->name, sizeof(h->name), name);
	memcpy(h->mode, "0000600", 8);
	memcpy(h->uid, "0000000", 8);
	memcpy(h->gid, "0000000", 8);
	snprintf(number, sizeof(number), "%011llo", (unsigned long long)size);
	memcpy(h->size, number, sizeof(h->size));
	snprintf(number, sizeof(number), "%011llo", (unsigned long long)mtime_s & 077777777777ull);
	memcpy(h->mtime, number, sizeof(h->mtime));
	h->type = '0';
	memcpy(h->magic, "ustar", 6);
	memcpy(h->version, "00", 2);
	memset(h->checksum, ' ', sizeof(h->checksum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += p[i];
	snprintf(number, sizeof(number), "%06o", sum & 0777777);
	memcpy(h->checksum, number, 7);
}

static int append_zeros(struct buf *out, size_t n)
{
	static const char zeros[2 * TAR_BLOCK];

	return buf_append(out, zeros, n);
}

int tar_append(struct buf *out, const char *name, const void *data, size_t len)
{
	struct tar_header h;

	if (strlen(name) > TAR_NAME_MAX)
		return -EINVAL;
	make_header(&h, name, len, 0);
	int r = buf_append(out, &h, sizeof(h));
	if (r == 0)
		r = buf_append(out, data, len);
	return r < 0 ? r : append_zeros(out, (size_t)(padded(len) - len));
}

int tar_append_end(struct buf *out)
{
	return append_zeros(out, (size_t)2 * TAR_BLOCK);
}

/* --- a tar that is sent --- */

struct tar *tar_new(int dirfd)
{
	struct tar *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->fd = -1;
	t->dirfd = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);
	if (t->dirfd < 0) {
		free(t);
		return NULL;
	}
	return t;
}

void tar_free(void *tar)
{
	struct tar *t = tar;

	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++) {
		free(t->v[i].data);
		free(t->v[i].file);
	}
	closep(&t->fd);
	close(t->dirfd);
	free(t->v);
	free(t);
}

static struct tar_member *add(struct tar *t, const char *name, uint64_t size, int64_t mtime_s)
{
	if (size >= TAR_SIZE_MAX)
		return NULL;
	if (t->n == t->room) {
		size_t room = t->room ? t->room * 2 : 8;
		struct tar_member *v = reallocarray(t->v, room, sizeof(*v));
		if (!v)
			return NULL;
		t->v = v;
		t->room = room;
	}
	struct tar_member *m = &t->v[t->n];
	*m = (struct tar_member){ .size = size, .offset = t->size };
	make_header(&m->header, name, size, mtime_s);
	t->size += TAR_BLOCK + padded(size);
	t->n++;
	return m;
}

int tar_add_text(struct tar *t, const char *name, char *data, size_t len, int64_t mtime_s)
{
	struct tar_member *m = add(t, name, len, mtime_s);

	if (!m) {
		free(data);
		return -ENOMEM;
	}
	m->data = data;
	return 0;
}

int tar_add_file(struct tar *t, const char *name, const char *file, uint64_t size, int64_t mtime_s)
{
	AUTO(freep) char *copy = str_dup(file);
	struct tar_member *m = copy ? add(t, name, size, mtime_s) : NULL;

	if (!m)
		return -ENOMEM;
	m->file = TAKE(copy);
	return 0;
}

/* The member in which @offset lies. */
static size_t member_at(const struct tar *t, uint64_t offset)
{
	size_t low = 0, high = t->n;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;
		if (t->v[mid].offset <= offset)
			low = mid;
		else
			high = mid;
	}
	return low;
}

static long read_file(struct tar *t, size_t i, void *data, size_t len, uint64_t offset)
{
	struct stat st;

	if (t->fd < 0 || t->fd_of != i) {
		closep(&t->fd);
		t->fd = openat(t->dirfd, t->v[i].file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		t->fd_of = i;
		/* it may have been replaced since */
		if (t->fd < 0 || fstat(t->fd, &st) < 0 || (uint64_t)st.st_size != t->v[i].size)
			return -EIO;
	}
	ssize_t n = fd_pread(t->fd, data, len, offset);
	return n > 0 ? (long)n : -EIO;
}

static long read_member(struct tar *t, size_t i, void *data, size_t len, uint64_t at)
{
	const struct tar_member *m = &t->v[i];

	if (at < TAR_BLOCK) {
		size_t n = (size_t)MIN_OF((uint64_t)len, TAR_BLOCK - at);
		memcpy(data, (const char *)&m->header + at, n);
		return (long)n;
	}
	at -= TAR_BLOCK;
	if (at < m->size) {
		size_t n = (size_t)MIN_OF((uint64_t)len, m->size - at);
		if (!m->data)
			return read_file(t, i, data, n, at);
		memcpy(data, m->data + at, n);
		return (long)n;
	}
	size_t n = (size_t)MIN_OF((uint64_t)len, padded(m->size) - at);
	memset(data, 0, n);
	return (long)n;
}

static long tar_pread(void *ctx, void *data, size_t len, uint64_t offset)
{
	struct tar *t = ctx;

	if (offset < t->size) {
		size_t i = member_at(t, offset);
		return read_member(t, i, data, len, offset - t->v[i].offset);
	}
	size_t n = (size_t)MIN_OF((uint64_t)len, t->size + (uint64_t)2 * TAR_BLOCK - offset);
	memset(data, 0, n);
	return (long)n;
}

struct http_source tar_source(struct tar *t)
{
	return (struct http_source){ .size = t->size + (uint64_t)2 * TAR_BLOCK,
				     .pread = tar_pread,
				     .free = tar_free,
				     .ctx = t };
}
