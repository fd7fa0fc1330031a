#include "imagebuilder/cpio.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "common/cleanup.h"

#define MAGIC "070701"
#define TRAILER "TRAILER!!!"

struct header {
	uint32_t mode, len, major, minor;
};

static int put(struct cpio_writer *w, const void *data, size_t len)
{
	int r = w->write(w->ctx, data, len);
	if (r < 0)
		return r;

	w->offset += len;
	return 0;
}

static int pad4(struct cpio_writer *w)
{
	static const char zeros[4];

	return w->offset % 4 ? put(w, zeros, 4 - w->offset % 4) : 0;
}

static int put_header(struct cpio_writer *w, const char *name, const struct header *h, uint32_t ino,
		      uint32_t mtime)
{
	char text[CPIO_HEADER_SIZE + 1];
	size_t name_size = strlen(name) + 1;

	if (name_size > CPIO_NAME_MAX || name_size == 1)
		return -ENAMETOOLONG;

	snprintf(text, sizeof(text), MAGIC "%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		 ino, h->mode, 0u, 0u, S_ISDIR(h->mode) ? 2u : 1u, mtime, h->len, 0u, 0u, h->major,
		 h->minor, (unsigned)name_size, 0u);
	int r = put(w, text, CPIO_HEADER_SIZE);
	if (r < 0)
		return r;

	r = put(w, name, name_size);
	return r < 0 ? r : pad4(w);
}

static int put_member(struct cpio_writer *w, const char *name, const struct header *h,
		      const void *data)
{
	int r = put_header(w, name, h, ++w->ino, w->mtime);
	if (r < 0)
		return r;

	r = h->len ? put(w, data, h->len) : 0;
	return r < 0 ? r : pad4(w);
}

static int write_buf(void *ctx, const void *data, size_t len)
{
	return buf_append(ctx, data, len);
}

void cpio_writer_init_buf(struct cpio_writer *w, struct buf *out, uint32_t mtime)
{
	*w = (struct cpio_writer){ .write = write_buf, .ctx = out, .mtime = mtime };
}

int cpio_dir(struct cpio_writer *w, const char *name, unsigned perm)
{
	return put_member(w, name, &(struct header){ .mode = S_IFDIR | perm }, NULL);
}

int cpio_file(struct cpio_writer *w, const char *name, unsigned perm, const void *data, size_t len)
{
	if (len > CPIO_FILE_MAX)
		return -EFBIG;

	return put_member(w, name, &(struct header){ .mode = S_IFREG | perm, .len = (uint32_t)len },
			  data);
}

int cpio_symlink(struct cpio_writer *w, const char *name, const char *target)
{
	return put_member(
		w, name,
		&(struct header){ .mode = S_IFLNK | 0777, .len = (uint32_t)strlen(target) },
		target);
}

int cpio_char_device(struct cpio_writer *w, const char *name, unsigned perm, unsigned major,
		     unsigned minor)
{
	return put_member(
		w, name, &(struct header){ .mode = S_IFCHR | perm, .major = major, .minor = minor },
		NULL);
}

int cpio_end(struct cpio_writer *w)
{
	return put_header(w, TRAILER, &(struct header){ 0 }, 0, 0);
}

/* --- reading --- */

void cpio_reader_init(struct cpio_reader *r, const void *data, size_t len)
{
	*r = (struct cpio_reader){ .data = data, .len = len };
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int field(const uint8_t *header, unsigned index, uint32_t *ret)
{
	const uint8_t *p = header + 6 + (size_t)index * 8;
	uint32_t v = 0;

	for (unsigned i = 0; i < 8; i++) {
		int d = hex_digit(p[i]);
		if (d < 0)
			return -EBADMSG;
		v = v << 4 | (uint32_t)d;
	}
	*ret = v;
	return 0;
}

static size_t align4(size_t v)
{
	return (v + 3) & ~(size_t)3;
}

static int read_fields(const struct cpio_reader *r, struct cpio_member *m, uint32_t *ret_len,
		       uint32_t *ret_name_size)
{
	const uint8_t *h = r->data + r->offset;

	if (memcmp(h, MAGIC, 6) != 0 || field(h, 0, &m->ino) < 0 || field(h, 1, &m->mode) < 0 ||
	    field(h, 5, &m->mtime) < 0 || field(h, 6, ret_len) < 0 ||
	    field(h, 11, ret_name_size) < 0)
		return -EBADMSG;
	return 0;
}

int cpio_next(struct cpio_reader *r, struct cpio_member *ret, struct fault *err)
{
	struct cpio_member m = { 0 };
	uint32_t len, name_size;

	if (r->len - r->offset < CPIO_HEADER_SIZE)
		return fault_set(err, -EBADMSG, "cpio archive is cut off at byte %zu", r->offset);
	if (read_fields(r, &m, &len, &name_size) < 0)
		return fault_set(err, -EBADMSG, "no cpio header at byte %zu", r->offset);

	/* Checked before they are added: both are at most 32 bits wide, size_t has 64. */
	size_t name_at = r->offset + CPIO_HEADER_SIZE;
	if (name_size == 0 || name_size > CPIO_NAME_MAX || name_size > r->len - name_at)
		return fault_set(err, -EBADMSG, "bad name length in the cpio header at byte %zu",
				 r->offset);
	if (strnlen((const char *)r->data + name_at, name_size) != name_size - 1)
		return fault_set(err, -EBADMSG, "bad name in the cpio header at byte %zu",
				 r->offset);

	m.name = (const char *)r->data + name_at;
	size_t data_at = align4(name_at + name_size);
	if (data_at > r->len || len > r->len - data_at)
		return fault_set(err, -EBADMSG,
				 "cpio member at byte %zu is longer than the archive", r->offset);

	m.data = r->data + data_at;
	m.len = len;
	r->offset = MIN_OF(align4(data_at + len), r->len);
	if (strcmp(m.name, TRAILER) == 0)
		return 0;

	*ret = m;
	return 1;
}
