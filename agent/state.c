#include "agent/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/crc32.h"
#include "common/fd.h"
#include "common/slx.h"

#define STATE_MAGIC "SLIPINST"
#define STATE_VERSION 1

/* Followed by the bitmap. crc covers everything behind itself. */
struct state_header {
	char magic[8];
	uint32_t version, crc, chunks, guids_n, is_committed, zero;
	uint64_t size_bytes, diskseq;
	char install_id[UUID_LEN + 1], pad[3];
	uint8_t image_id[SHA256_LEN];
	char wwn[DISK_ID_MAX], serial[DISK_ID_MAX];
	uint8_t guids[STATE_GUIDS_MAX][16];
};
#define CRC_FROM offsetof(struct state_header, chunks)

static size_t bitmap_len(uint32_t chunks)
{
	return chunks / 8 + 1;
}

int install_state_init(struct install_state *s, const char *install_id,
		       const uint8_t image_id[SHA256_LEN], uint32_t chunks,
		       const struct disk_id *disk, struct fault *err)
{
	struct install_state n = { .chunks = chunks,
				   .size_bytes = disk->size_bytes,
				   .diskseq = disk->diskseq };

	if (!str_copy(n.install_id, sizeof(n.install_id), install_id))
		return fault_set(err, -EINVAL, "the installation's id is too long");
	memcpy(n.image_id, image_id, SHA256_LEN);
	str_copy(n.wwn, sizeof(n.wwn), disk->wwn);
	str_copy(n.serial, sizeof(n.serial), disk->serial);
	n.flushed = calloc(1, bitmap_len(chunks));
	if (!n.flushed)
		return fault_oom(err);
	*s = n;
	return 0;
}

void install_state_done(struct install_state *s)
{
	free(s->flushed);
	s->flushed = NULL;
}

int install_state_format(const struct install_state *s, void **ret_data, size_t *ret_len,
			 struct fault *err)
{
	struct state_header h = {
		.version = STATE_VERSION,
		.chunks = s->chunks,
		.guids_n = s->guids_n,
		.is_committed = s->is_committed,
		.size_bytes = s->size_bytes,
		.diskseq = s->diskseq,
	};
	size_t len = sizeof(h) + bitmap_len(s->chunks);
	AUTO(freep) uint8_t *data = malloc(len);

	if (!data)
		return fault_oom(err);
	memcpy(h.magic, STATE_MAGIC, 8);
	memcpy(h.install_id, s->install_id, sizeof(h.install_id));
	memcpy(h.image_id, s->image_id, SHA256_LEN);
	memcpy(h.wwn, s->wwn, sizeof(h.wwn));
	memcpy(h.serial, s->serial, sizeof(h.serial));
	memcpy(h.guids, s->guids, sizeof(h.guids));
	memcpy(data, &h, sizeof(h));
	memcpy(data + sizeof(h), s->flushed, bitmap_len(s->chunks));
	uint32_t crc = crc32_update(0, data + CRC_FROM, len - CRC_FROM);
	memcpy(data + offsetof(struct state_header, crc), &crc, sizeof(crc));
	*ret_len = len;
	*ret_data = TAKE(data);
	return 0;
}

static bool is_terminated(const char *s, size_t size)
{
	return memchr(s, '\0', size) != NULL;
}

static bool header_is_good(const struct state_header *h, const uint8_t *data, size_t len)
{
	return !memcmp(h->magic, STATE_MAGIC, 8) && h->version == STATE_VERSION &&
	       h->chunks <= SLX_ENTRIES_MAX && h->guids_n <= STATE_GUIDS_MAX &&
	       h->is_committed <= 1 && len == sizeof(*h) + bitmap_len(h->chunks) &&
	       crc32_update(0, data + CRC_FROM, len - CRC_FROM) == h->crc &&
	       is_terminated(h->install_id, sizeof(h->install_id)) &&
	       is_terminated(h->wwn, sizeof(h->wwn)) && is_terminated(h->serial, sizeof(h->serial));
}

int install_state_parse(const void *data, size_t len, struct install_state *ret, struct fault *err)
{
	struct state_header h;
	struct disk_id disk = { 0 };

	if (len < sizeof(h))
		return fault_set(err, -EBADMSG, "installation state: %zu bytes", len);
	memcpy(&h, data, sizeof(h));
	if (!header_is_good(&h, data, len))
		return fault_set(err, -EBADMSG,
				 "installation state: damaged or of another version");
	disk.size_bytes = h.size_bytes;
	disk.diskseq = h.diskseq;
	memcpy(disk.wwn, h.wwn, sizeof(disk.wwn));
	memcpy(disk.serial, h.serial, sizeof(disk.serial));

	struct install_state s;
	int r = install_state_init(&s, h.install_id, h.image_id, h.chunks, &disk, err);
	if (r < 0)
		return r;
	s.guids_n = h.guids_n;
	s.is_committed = h.is_committed;
	memcpy(s.guids, h.guids, sizeof(s.guids));
	memcpy(s.flushed, (const uint8_t *)data + sizeof(h), bitmap_len(h.chunks));
	*ret = s;
	return 0;
}

int install_state_save(const char *path, const struct install_state *s, struct fault *err)
{
	AUTO(freep) char *dir = str_dup(path);
	AUTO(freep) void *data = NULL;
	size_t len;

	if (!dir)
		return fault_oom(err);
	char *slash = strrchr(dir, '/');
	if (slash && slash != dir) {
		*slash = '\0';
		int r = dir_make_at(AT_FDCWD, dir, 0700, err);

		if (r < 0)
			return r;
	}
	int r = install_state_format(s, &data, &len, err);
	return r < 0 ? r : file_replace_at(AT_FDCWD, path, data, len, 0600, err);
}

static bool is_same(const struct install_state *a, const struct install_state *b)
{
	return str_eq(a->install_id, b->install_id) &&
	       !memcmp(a->image_id, b->image_id, SHA256_LEN) && str_eq(a->wwn, b->wwn) &&
	       str_eq(a->serial, b->serial) && a->size_bytes == b->size_bytes &&
	       a->diskseq == b->diskseq && a->chunks == b->chunks;
}

int install_state_load(const char *path, const struct install_state *want,
		       struct install_state *ret)
{
	AUTO(freep) char *data = NULL;
	AUTO(install_state_done) struct install_state s = { 0 };
	size_t len;

	if (file_read_at(AT_FDCWD, path, STATE_FILE_MAX, &data, &len, NULL) < 0)
		return 0;
	if (install_state_parse(data, len, &s, NULL) < 0 || !is_same(&s, want))
		return 0;
	*ret = s;
	s.flushed = NULL;
	return 1;
}
