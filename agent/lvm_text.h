#pragma once
/*
 * The text in which LVM2 keeps a volume group (lvm2, lib/format_text): sections, values, lists. Only
 * what tells which devices belong together and where volumes begin.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LVM_NAME_MAX 128 /* lvm2 itself: NAME_LEN */
#define LVM_PVS_MAX 1024
#define LVM_LVS_MAX 65536

struct lvm_pv {
	char name[LVM_NAME_MAX]; /* "pv0": what segments call it */
	char id[40];             /* as the label has it, without hyphens */
	uint64_t pe_start;       /* sectors of 512 */
};

struct lvm_lv {
	char name[LVM_NAME_MAX];
	char pv[LVM_NAME_MAX];  /* of its first stripe, "" = none (thin, virtual) */
	uint64_t extent, count; /* on that, of its first segment */
};

struct lvm_vg {
	char name[LVM_NAME_MAX];
	char id[40];
	uint64_t extent_sectors;
	bool is_shared;     /* clustered, locked by lvmlockd, or in use by Ceph */
	struct lvm_pv *pvs; /* owned */
	size_t pvs_n;
	struct lvm_lv *lvs; /* owned */
	size_t lvs_n;
};

/* @text: not terminated. -EBADMSG: not that text; -EOVERFLOW: more than the limits; -ENOMEM. */
int lvm_text_parse(const char *text, size_t len, struct lvm_vg *ret);
void lvm_vg_done(struct lvm_vg *vg);
