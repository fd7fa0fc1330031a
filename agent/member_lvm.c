/*
 * LVM2 physical volumes (lvm2, lib/format_text/layout.h): label, header, metadata areas. Each member
 * of a volume group holds the description of the whole group, unless it was made without one.
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/lvm_text.h"
#include "agent/member.h"
#include "common/cleanup.h"
#include "common/str.h"

#define SECTOR 512u
#define AREAS_MAX 16
#define ID_LEN 32
#define TEXT_MAX (64u << 20)
#define TEXT_IGNORED 1
#define MDA_MAGIC "\040\114\126\115\062\040\170\133\065\101\045\162\060\116\052\076"

struct label_header { /* sectors 0 to 3 */
	char id[8];   /* "LABELONE" */
	uint64_t sector;
	uint32_t crc;
	uint32_t offset; /* of the physical volume's header, from here */
	char type[8];
};

struct area { /* a list of them ends with zeros */
	uint64_t offset, size;
};

struct mda_header { /* one sector at the start of a metadata area */
	uint32_t crc;
	char magic[16];
	uint32_t version;
	uint64_t start, size;
	struct {
		uint64_t offset, size; /* of the text, from the area's start; it may wrap around */
		uint32_t crc, flags;
	} text[4];
} __attribute__((packed));

_Static_assert(sizeof(struct label_header) == 32, "as on disk");
_Static_assert(sizeof(struct mda_header) == 40 + 4 * 24, "as on disk");

/* Data areas and metadata areas follow the id and size of the volume. */
static int areas_read(const uint8_t *sector, uint32_t offset, struct area *ret, size_t *ret_n)
{
	size_t at = offset + ID_LEN + sizeof(uint64_t), lists = 0;
	struct area a;

	for (*ret_n = 0; lists < 2; at += sizeof(a)) {
		if (at + sizeof(a) > SECTOR)
			return -EBADMSG;
		memcpy(&a, sector + at, sizeof(a));
		if (!a.offset) {
			lists++;
			continue;
		}
		if (lists == 1 && *ret_n == AREAS_MAX)
			return -EBADMSG;
		if (lists == 1)
			ret[(*ret_n)++] = (struct area){ le64toh(a.offset), le64toh(a.size) };
	}
	return 0;
}

/*
 * 1 = *ret_text is the group's description, 0 = there is none in this area. *ret_ignored: the area is
 * one that the group does not keep up to date (vgchange --metadatacopies).
 */
static int text_read(const struct member_range *r, const struct area *a, char **ret_text,
		     size_t *ret_len, bool *ret_ignored)
{
	struct mda_header h;
	int e = member_read(r, &h, sizeof(h), a->offset);

	if (e < 0)
		return e;
	uint64_t offset = le64toh(h.text[0].offset), len = le64toh(h.text[0].size);
	if (memcmp(h.magic, MDA_MAGIC, sizeof(h.magic)))
		return -EBADMSG;
	*ret_ignored = le32toh(h.text[0].flags) & TEXT_IGNORED;
	if (!offset || *ret_ignored)
		return 0;
	if (offset < SECTOR || offset >= a->size || len == 0 || len > TEXT_MAX ||
	    len > a->size - SECTOR)
		return -EBADMSG;
	AUTO(freep) char *text = malloc(len);
	if (!text)
		return -ENOMEM;
	uint64_t first = MIN_OF(len, a->size - offset);
	e = member_read(r, text, first, a->offset + offset);
	if (e == 0 && first < len)
		e = member_read(r, text + first, len - first, a->offset + SECTOR);
	if (e < 0)
		return e;
	*ret_text = TAKE(text);
	*ret_len = len;
	return 1;
}

static int peers_take(const struct lvm_vg *vg, struct member *ret)
{
	ret->peers = calloc(vg->pvs_n, sizeof(*ret->peers));
	if (!ret->peers)
		return -ENOMEM;
	for (size_t i = 0; i < vg->pvs_n; i++)
		(void)str_copy(ret->peers[ret->peers_n++], MEMBER_ID_MAX, vg->pvs[i].id);
	return 0;
}

static const struct lvm_pv *pv_find(const struct lvm_vg *vg, const char *id)
{
	for (size_t i = 0; i < vg->pvs_n; i++)
		if (str_eq(vg->pvs[i].id, id))
			return &vg->pvs[i];
	return NULL;
}

/* Volumes whose first extent is on this device: a file system shows itself at its beginning. */
static int inside_take(const struct lvm_vg *vg, const struct lvm_pv *pv, struct member *ret)
{
	ret->inside = calloc(MEMBER_INSIDE_MAX, sizeof(*ret->inside));
	if (!ret->inside)
		return -ENOMEM;
	for (size_t i = 0; i < vg->lvs_n; i++) {
		const struct lvm_lv *lv = &vg->lvs[i];
		struct member_inside *in = &ret->inside[ret->inside_n];
		uint64_t start;

		if (!str_eq(lv->pv, pv->name) || !lv->count)
			continue;
		if (ret->inside_n == MEMBER_INSIDE_MAX)
			return -EOVERFLOW;
		if (__builtin_mul_overflow(lv->extent, vg->extent_sectors * SECTOR, &start) ||
		    __builtin_add_overflow(start, pv->pe_start * SECTOR, &in->start_bytes) ||
		    __builtin_mul_overflow(lv->count, vg->extent_sectors * SECTOR, &in->size_bytes))
			return -EBADMSG;
		snprintf(in->name, sizeof(in->name), "LVM volume %.50s/%.50s", vg->name, lv->name);
		ret->inside_n++;
	}
	return 0;
}

static int group_take(const char *text, size_t len, struct member *ret)
{
	AUTO(lvm_vg_done) struct lvm_vg vg = { 0 };
	int e = lvm_text_parse(text, len, &vg);

	if (e < 0)
		return e;
	const struct lvm_pv *pv = pv_find(&vg, ret->self);
	if (!pv || vg.extent_sectors > UINT64_MAX / SECTOR || pv->pe_start > UINT64_MAX / SECTOR)
		return -EBADMSG;
	(void)str_copy(ret->set, sizeof(ret->set), vg.id);
	(void)str_copy(ret->name, sizeof(ret->name), vg.name);
	ret->devices = (unsigned)vg.pvs_n;
	ret->is_shared = vg.is_shared;
	e = peers_take(&vg, ret);
	return e < 0 ? e : inside_take(&vg, pv, ret);
}

int member_lvm(const struct member_range *r, uint64_t magic, struct member *ret)
{
	struct area areas[AREAS_MAX];
	struct label_header label;
	uint8_t sector[SECTOR];
	size_t n, kept = 0;
	int e = member_read(r, sector, sizeof(sector), magic / SECTOR * SECTOR);

	if (e < 0)
		return e;
	memcpy(&label, sector, sizeof(label));
	uint32_t offset = le32toh(label.offset);
	if (memcmp(label.id, "LABELONE", 8) || offset < sizeof(label) ||
	    offset > SECTOR - ID_LEN - sizeof(uint64_t))
		return -EBADMSG;
	memcpy(ret->self, sector + offset, ID_LEN);
	e = areas_read(sector, offset, areas, &n);
	for (size_t i = 0; e == 0 && i < n; i++) {
		AUTO(freep) char *text = NULL;
		bool is_ignored = false;
		size_t len;

		e = text_read(r, &areas[i], &text, &len, &is_ignored);
		kept += !is_ignored;
		if (e > 0)
			e = group_take(text, len, ret);
		else if (e == 0)
			continue;
		return e < 0 ? e : 1;
	}
	/* Without an area of its own it is described by others; with an empty one it is in no group. */
	if (e == 0 && kept > 0) {
		(void)str_copy(ret->set, sizeof(ret->set), ret->self);
		ret->devices = 1;
	}
	return e < 0 ? e : 1;
}
