#include <string.h>
#include "common/str.h"
#include "hwprobe/device_read.h"
#include "hwprobe/disk.h"

/* The volume id of our own discovery media. */
#define DISCOVERY_LABEL "SLIPWAY"

/* Primary volume descriptor, ECMA-119 8.4: sector 16 of 2048 bytes. */
enum { PVD_AT = 32768, PVD_BYTES = 2048, PVD_LABEL = 40, PVD_LABEL_BYTES = 32 };

/* The volume id of the ISO file system that starts at the disk's first byte, in tmp; NULL = none. */
static char *iso_label(struct survey *s, const struct block_dev *b, const struct hwp_disk *d)
{
	const char *type = udev_get(&b->udev, "ID_FS_TYPE");
	if (type)
		return str_eq(type, "iso9660")
			       ? arena_dup(s->tmp, udev_get(&b->udev, "ID_FS_LABEL"))
			       : NULL;

	char pvd[PVD_BYTES];
	if (!d->path.s || d->size_bytes.v < PVD_AT + PVD_BYTES || !disk_can_be_read(s, b, d))
		return NULL;
	if (device_read(s, d->path.s + 1, PVD_AT, pvd, sizeof(pvd)) != PVD_BYTES ||
	    memcmp(pvd, "\1CD001", 6))
		return NULL;
	char *label = arena_copy(s->tmp, pvd + PVD_LABEL, PVD_LABEL_BYTES);
	return label ? str_trim(label) : NULL;
}

/* "root=live:CDLABEL=NAME", "coreos.liveiso=NAME": the label is a whole value. */
static bool is_on_command_line(struct survey *s, const char *label)
{
	char *text = NULL;
	size_t len = strlen(label);
	if (!len || attr_file(s, "proc/cmdline", ROOT_TABLE_MAX, &text, NULL) < 0)
		return false;
	for (const char *p = strstr(text, label); p; p = strstr(p + 1, label))
		if (p > text && p[-1] == '=' && (!p[len] || strchr(" \t\n", p[len])))
			return true;
	return false;
}

bool disk_is_boot_medium(struct survey *s, const struct block_dev *b, const struct hwp_disk *d)
{
	const char *label = iso_label(s, b, d);
	return label && (!strcmp(label, DISCOVERY_LABEL) || is_on_command_line(s, label));
}
