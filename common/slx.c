#include "common/slx.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/byteorder.h"
#include "common/cleanup.h"
#include "common/str.h"

#define SLX_VERSION 1
#define SLX_HASH_SHA256 1
#define SLX_LABEL_LEN 32
#define FRAME_OVERHEAD_MAX \
	(64u << 10)         /* a frame that does not compress is a little longer than its chunk */
#define SIGNATURE_HEADER 36 /* u16 algorithm, 32 bytes of key id, u16 length */

/* Places in the header, in bytes. */
enum {
	AT_MAGIC = 0,
	AT_HEADER_SIZE = 8,
	AT_VERSION = 12,
	AT_IMAGE_SIZE = 16,
	AT_CHUNK_SIZE = 24,
	AT_SECTOR_SIZE = 28,
	AT_COUNT = 32,
	AT_CODEC = 36,
	AT_HASH = 37,
	AT_FLAGS = 38,
	AT_PAYLOAD_SIZE = 40,
	AT_CREATED = 48,
	AT_IMAGE_ID = 56,
	AT_LABEL = 88,
	AT_ZERO = 120,
};

#define bad(err, ...) fault_set(err, -EBADMSG, "image index: " __VA_ARGS__)

static void put16(uint8_t *p, uint16_t v)
{
	v = htole16(v);
	memcpy(p, &v, sizeof(v));
}

static void put32(uint8_t *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
}

static void put64(uint8_t *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof(v));
}

uint32_t slx_chunk_len(const struct slx *s, uint32_t i)
{
	uint64_t start = (uint64_t)i * s->chunk_size;
	return (uint32_t)MIN_OF(s->image_size - start, (uint64_t)s->chunk_size);
}

void slx_done(struct slx *s)
{
	free(s->entries);
	s->entries = NULL;
	s->count = 0;
}

/* --- checks, the same for reading and writing ---------------------------------------------- */

static int check_geometry(const struct slx *s, struct fault *err)
{
	uint32_t c = s->chunk_size;
	if (c < SLX_CHUNK_MIN || c > SLX_CHUNK_MAX || (c & (c - 1)) != 0)
		return bad(err, "%u is no chunk size", c);
	if (s->sector_size != 512 && s->sector_size != 4096)
		return bad(err, "%u is no sector size", s->sector_size);
	if (s->image_size == 0 || s->image_size % s->sector_size != 0)
		return bad(err, "the image size %llu is no number of sectors",
			   (unsigned long long)s->image_size);
	if (s->count == 0 || s->count > SLX_ENTRIES_MAX)
		return bad(err, "%u is no number of chunks", s->count);
	if (s->count != (s->image_size - 1) / c + 1)
		return bad(err, "%u chunks of %u bytes do not make %llu bytes", s->count, c,
			   (unsigned long long)s->image_size);
	return 0;
}

static int check_kind(const struct slx *s, struct fault *err)
{
	if (s->codec > SLX_CODEC_ZSTD)
		return bad(err, "unknown codec %u", s->codec);
	if (s->hash != SLX_HASH_SHA256)
		return bad(err, "unknown hash %u", s->hash);
	if (s->flags != 0)
		return bad(err, "unknown flags 0x%x", s->flags);
	if (s->created < 0)
		return bad(err, "the time of creation lies before 1970");
	if (!str_is_text(s->label) || strpbrk(s->label, "\t\n"))
		return bad(err, "the label is no text");
	return 0;
}

static int check_entry(const struct slx *s, uint32_t i, uint64_t *end, struct fault *err)
{
	const struct slx_entry *e = &s->entries[i];
	uint32_t chunk = slx_chunk_len(s, i);
	uint64_t e_end;
	if (e->flags & ~(uint32_t)SLX_ENTRY_ZERO)
		return bad(err, "chunk %u has unknown flags 0x%x", i, e->flags);
	if (e->length == 0 || e->length > chunk + FRAME_OVERHEAD_MAX)
		return bad(err, "chunk %u cannot have a frame of %u bytes", i, e->length);
	if (s->codec == SLX_CODEC_NONE && e->length != chunk)
		return bad(err, "chunk %u is stored plainly with %u instead of %u bytes", i,
			   e->length, chunk);
	if (e->offset < *end)
		return bad(err, "chunk %u overlaps the one before", i);
	if (__builtin_add_overflow(e->offset, (uint64_t)e->length, &e_end) ||
	    e_end > s->payload_size)
		return bad(err, "chunk %u lies outside of the payload", i);
	*end = e_end;
	return 0;
}

static int check_all(const struct slx *s, struct fault *err)
{
	uint64_t end = 0;
	int r = check_geometry(s, err);
	if (r == 0)
		r = check_kind(s, err);
	for (uint32_t i = 0; r == 0 && i < s->count; i++)
		r = check_entry(s, i, &end, err);
	return r;
}

/* --- reading ------------------------------------------------------------------------------- */

static int parse_header(const uint8_t *h, size_t len, struct slx *s, struct fault *err)
{
	static const uint8_t zero[SLX_HEADER_SIZE - AT_ZERO];
	if (len < SLX_HEADER_SIZE || memcmp(h + AT_MAGIC, SLX_MAGIC, strlen(SLX_MAGIC)) != 0)
		return bad(err, "this is none");
	if (le32_at(h + AT_HEADER_SIZE) != SLX_HEADER_SIZE ||
	    le32_at(h + AT_VERSION) != SLX_VERSION)
		return bad(err, "version %u is unknown", le32_at(h + AT_VERSION));
	if (memcmp(h + AT_ZERO, zero, sizeof(zero)) != 0)
		return bad(err, "the reserved bytes are not zero");
	s->image_size = le64_at(h + AT_IMAGE_SIZE);
	s->chunk_size = le32_at(h + AT_CHUNK_SIZE);
	s->sector_size = le32_at(h + AT_SECTOR_SIZE);
	s->count = le32_at(h + AT_COUNT);
	s->codec = h[AT_CODEC];
	s->hash = h[AT_HASH];
	s->flags = le16_at(h + AT_FLAGS);
	s->payload_size = le64_at(h + AT_PAYLOAD_SIZE);
	s->created = (int64_t)le64_at(h + AT_CREATED);
	memcpy(s->image_id, h + AT_IMAGE_ID, SHA256_LEN);
	memcpy(s->label, h + AT_LABEL, SLX_LABEL_LEN);
	s->label[SLX_LABEL_LEN] = '\0';
	return 0;
}

/* What stands behind the entries: nothing, or one signature. It is checked for its form only; trust comes from TLS. */
static int check_trailer(const uint8_t *p, size_t len, struct fault *err)
{
	if (len == 0)
		return 0;
	if (len < SIGNATURE_HEADER || le16_at(p) != 1 || le16_at(p + 34) != len - SIGNATURE_HEADER)
		return bad(err, "%zu bytes behind the entries are no signature", len);
	return 0;
}

static void parse_entry(const uint8_t *p, struct slx_entry *e)
{
	e->offset = le64_at(p);
	e->length = le32_at(p + 8);
	e->flags = le32_at(p + 12);
	memcpy(e->hash, p + 16, SHA256_LEN);
}

static int check_image_id(const struct slx *s, const uint8_t *entries, size_t len,
			  struct fault *err)
{
	uint8_t id[SHA256_LEN];
	sha256(entries, len, id);
	if (memcmp(id, s->image_id, sizeof(id)) != 0)
		return bad(err, "the entries do not match the image id");
	return 0;
}

int slx_parse(const void *data, size_t len, struct slx *ret, struct fault *err)
{
	const uint8_t *bytes = data, *entries = bytes + SLX_HEADER_SIZE;
	AUTO(slx_done) struct slx s = { 0 };
	int r = parse_header(bytes, len, &s, err);
	if (r == 0)
		r = check_geometry(&s, err); /* limits the count before it is used */
	if (r < 0)
		return r;
	size_t size = (size_t)s.count * SLX_ENTRY_SIZE;
	if (len - SLX_HEADER_SIZE < size)
		return bad(err, "it is cut short");
	r = check_trailer(entries + size, len - SLX_HEADER_SIZE - size, err);
	if (r == 0)
		r = check_image_id(&s, entries, size, err);
	if (r < 0)
		return r;
	s.entries = calloc(s.count, sizeof(*s.entries));
	if (!s.entries)
		return fault_oom(err);
	for (uint32_t i = 0; i < s.count; i++)
		parse_entry(entries + (size_t)i * SLX_ENTRY_SIZE, &s.entries[i]);
	r = check_all(&s, err);
	if (r < 0)
		return r;
	*ret = s;
	s.entries = NULL;
	return 0;
}

/* --- writing ------------------------------------------------------------------------------- */

static void format_entry(const struct slx_entry *e, uint8_t *p)
{
	put64(p, e->offset);
	put32(p + 8, e->length);
	put32(p + 12, e->flags);
	memcpy(p + 16, e->hash, SHA256_LEN);
}

static void format_header(const struct slx *s, uint8_t *h)
{
	memset(h, 0, SLX_HEADER_SIZE);
	memcpy(h + AT_MAGIC, SLX_MAGIC, strlen(SLX_MAGIC));
	put32(h + AT_HEADER_SIZE, SLX_HEADER_SIZE);
	put32(h + AT_VERSION, SLX_VERSION);
	put64(h + AT_IMAGE_SIZE, s->image_size);
	put32(h + AT_CHUNK_SIZE, s->chunk_size);
	put32(h + AT_SECTOR_SIZE, s->sector_size);
	put32(h + AT_COUNT, s->count);
	h[AT_CODEC] = s->codec;
	h[AT_HASH] = s->hash;
	put16(h + AT_FLAGS, s->flags);
	put64(h + AT_PAYLOAD_SIZE, s->payload_size);
	put64(h + AT_CREATED, (uint64_t)s->created);
	memcpy(h + AT_IMAGE_ID, s->image_id, SHA256_LEN);
	memcpy(h + AT_LABEL, s->label, strnlen(s->label, SLX_LABEL_LEN));
}

int slx_format(struct slx *s, void **ret_data, size_t *ret_len, struct fault *err)
{
	int r = check_all(s, err);
	if (r < 0)
		return r;
	size_t size = (size_t)s->count * SLX_ENTRY_SIZE;
	uint8_t *data = malloc(SLX_HEADER_SIZE + size);
	if (!data)
		return fault_oom(err);
	for (uint32_t i = 0; i < s->count; i++)
		format_entry(&s->entries[i], data + SLX_HEADER_SIZE + (size_t)i * SLX_ENTRY_SIZE);
	sha256(data + SLX_HEADER_SIZE, size, s->image_id);
	format_header(s, data);
	*ret_data = data;
	*ret_len = SLX_HEADER_SIZE + size;
	return 0;
}
