#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "common/str.h"
#include "hwprobe/device_heads.h"
#include "hwprobe/disk.h"

enum {
	SECTOR_BYTES = HEAD_SECTOR_BYTES,
	SIGNATURE_AT = 510,
	CODE_BYTES = 440, /* the disk's number follows */
	ENTRIES_AT = 446,
	ENTRIES = 4,
	ENTRY_BYTES = 16,
	ENTRY_ACTIVE = 0x80,
	LEGS_MAX = 1024, /* what a map stands on, at any depth: a damaged tree goes in circles */
};

/* Does this controller, "nvme2", take reads for the namespace of native multipath? */
static bool is_nvme_path_open(struct survey *s, const char *dir, const char *controller)
{
	unsigned subsystem = 0, ns = 0;
	const char *name = strrchr(dir, '/') + 1;
	char *state = attr_text(s, "%s/device/%s/state", dir, controller);
	if (state && strcmp(state, "live"))
		return false;
	if (sscanf(name, "nvme%un%u", &subsystem, &ns) != 2)
		return true;
	return disk_is_ana_open(attr_text(s, "%s/device/%s/nvme%uc%sn%u/ana_state", dir, controller,
					  subsystem, controller + strlen("nvme"), ns));
}

/*
 * The device of a namespace with native multipath is the subsystem, which has its controllers as links in its folder. The kernel keeps reads
 * until one of them takes them again (drivers/nvme/host/multipath.c nvme_ns_head_submit_bio()).
 */
static bool has_nvme_path(struct survey *s, const char *dir)
{
	struct root_names names = attr_list(s, "%s/device", dir);
	size_t controllers = 0;
	for (size_t i = 0; i < names.n; i++) {
		const char *name = names.v[i];
		if (!str_starts(name, "nvme") || name[strspn(name + 4, "0123456789") + 4])
			continue;
		if (is_nvme_path_open(s, dir, name))
			return true;
		controllers++;
	}
	return !controllers;
}

/* A device that is not "running" (or "live", as NVMe says) may never answer. */
static bool is_running(struct survey *s, const char *dir)
{
	char *state = attr_text(s, "%s/device/state", dir);
	if (!state)
		return !str_starts(dir, "sys/block/nvme") || has_nvme_path(s, dir);
	return !strcmp(state, "running") || !strcmp(state, "live");
}

/*
 * Reads of a suspended map, of a multipath map without a working path and of what stands on such a device wait for ever. A multipath map
 * lives while one of its paths does, any other only with all that it stands on.
 */
static bool is_alive(struct survey *s, const char *name, const char *dm_uuid, unsigned *left)
{
	const char *dir = arena_printf(s->tmp, "sys/block/%s", name);
	bool is_multipath = dm_uuid && str_starts(dm_uuid, "mpath-");
	if (!str_starts(name, "dm-"))
		return is_running(s, dir);
	if (attr_is_one(s, "%s/dm/suspended", dir))
		return false;
	struct root_names legs = attr_list(s, "%s/slaves", dir);
	size_t alive = 0;
	for (size_t i = 0; i < legs.n; i++) {
		const char *leg = legs.v[i];
		if (!*left)
			return false;
		--*left;
		char *uuid = str_starts(leg, "dm-") ? attr_text(s, "sys/block/%s/dm/uuid", leg)
						    : NULL;
		alive += is_alive(s, leg, uuid, left);
	}
	return is_multipath ? alive > 0 : alive == legs.n;
}

/* Would it be read if it were in order? */
static bool is_readable_kind(struct survey *s, const struct block_dev *b, const struct hwp_disk *d)
{
	/* Optical and floppy drives spin up or pull in their tray. */
	return !(s->opt->flags & HWP_NO_DEVICE_READ) && !str_starts(b->name, "sr") &&
	       !str_starts(b->name, "fd") && d->size_bytes.v >= SECTOR_BYTES;
}

static bool is_stuck(struct survey *s, const struct block_dev *b)
{
	unsigned left = LEGS_MAX;
	return !is_alive(s, b->name, b->dm_uuid, &left);
}

bool disk_can_be_read(struct survey *s, const struct block_dev *b, const struct hwp_disk *d)
{
	return is_readable_kind(s, b, d) && !is_stuck(s, b);
}

/* The boot record of a PC: code, then four entries of the partition table. */
static void find_code(struct survey *s, const unsigned char sector[SECTOR_BYTES],
		      struct hwp_disk *d)
{
	static const unsigned char zeros[CODE_BYTES];
	bool is_active = false, has_signature = sector[SIGNATURE_AT] == 0x55;
	if (!(s->opt->flags & HWP_MORE))
		return;
	for (size_t i = 0; i < ENTRIES; i++)
		is_active |= sector[ENTRIES_AT + i * ENTRY_BYTES] == ENTRY_ACTIVE;
	put_bool(s, &d->boot.mbr_code, memcmp(sector, zeros, sizeof(zeros)) != 0, "LBA 0");
	put_bool(s, &d->boot.active, has_signature && is_active, "LBA 0");
}

/* A device that will not answer is left alone, and that is told. */
static bool may_read(struct survey *s, const struct block_dev *b, const struct hwp_disk *d)
{
	if (!is_readable_kind(s, b, d))
		return false;
	if (!is_stuck(s, b))
		return true;
	survey_error(s, b->dir, EBUSY,
		     "not read: the device is suspended, off-line or without a path");
	return false;
}

bool disk_may_read_head(struct survey *s, const struct block_dev *b, const struct hwp_disk *d)
{
	return d->path.s && may_read(s, b, d);
}

void disk_find_bootable(struct survey *s, const struct device_head *head, struct hwp_disk *d)
{
	const unsigned char *sector = head->sector;
	int err = head->sector_result < 0 ? (int)-head->sector_result : 0;
	if (err && err != ENOENT && err != ENOMEDIUM && err != EXDEV)
		survey_error(s, head->path, err, "cannot read LBA 0: %s", strerror(err));
	if (head->sector_result != sizeof(head->sector))
		return;
	find_code(s, sector, d);
	put_bool(s, &d->bootable, sector[SIGNATURE_AT] == 0x55 && sector[SIGNATURE_AT + 1] == 0xaa,
		 "LBA 0");
}
