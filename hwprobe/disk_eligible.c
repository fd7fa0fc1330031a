#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/disk.h"
#include "hwprobe/explain.h"

static void add_reason(struct survey *s, struct hwp_disk *d, const char *code, const char *source,
		       const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* @source: the file that says so. */
static void add_reason(struct survey *s, struct hwp_disk *d, const char *code, const char *source,
		       const char *fmt, ...)
{
	char text[512];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	str_make_utf8(text);
	struct hwp_reason *r = arena_append(s->mem, &d->reasons, &d->reason_count, sizeof(*r));
	if (!r)
		return;
	*r = (struct hwp_reason){ .code = code,
				  .text = arena_dup(s->mem, text),
				  .source = arena_dup(s->mem, source) };
	explain_try(s, r, source, true);
}

static bool is_known_controller(const struct block_dev *b)
{
	static const char *const prefixes[] = { "sd",  "hd",  "vd",   "nvme", "sr",
						"xvd", "mmc", "dasd", "md" };
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (str_starts(b->name, prefixes[i]) && !str_starts(b->name, "mdd"))
			return true;
	return disk_is_multipath(b) || disk_is_lvm(b);
}

/* --- iSCSI: only the target that the firmware boots from may be installed on --------------------------- */

bool disk_is_boot_target(struct survey *s, const char *target, bool *ret_has_ibft)
{
	struct root_names names = attr_list(s, "sys/firmware/ibft");
	for (size_t i = 0; i < names.n; i++) {
		if (!str_starts(names.v[i], "target"))
			continue;
		*ret_has_ibft = true;
		if (str_eq(attr_text(s, "sys/firmware/ibft/%s/target-name", names.v[i]), target))
			return true;
	}
	return false;
}

static void check_iscsi(struct survey *s, const struct block_dev *b, struct hwp_disk *d)
{
	const char *state_file = arena_printf(s->tmp, "%s/device/state", b->dir);
	char *state = attr_text(s, "%s/device/state", b->dir);
	if (!state)
		add_reason(s, d, "iscsi-state-unreadable", state_file,
			   "The state of the iSCSI device cannot be read");
	else if (strcmp(state, "running"))
		add_reason(s, d, "iscsi-not-running", state_file,
			   "The iSCSI device is in state %s, not running", state);

	/* By name, wherever it stands: host adapters with offload sit deeper than software iSCSI. */
	char *session = disk_ancestor(s, b, "session");
	if (!session) {
		add_reason(s, d, "iscsi-no-session", b->real,
			   "No iSCSI session belongs to the disk");
		return;
	}
	char *target = attr_text(s, "sys/class/iscsi_session/%s/targetname", session);
	if (!target) {
		add_reason(s, d, "iscsi-no-target", "sys/class/iscsi_session",
			   "The iSCSI %s names no target", session);
		return;
	}
	bool has_ibft = false;
	if (disk_is_boot_target(s, target, &has_ibft))
		return;
	if (!has_ibft)
		add_reason(s, d, "ibft-missing", "sys/firmware/ibft",
			   "The firmware has no iSCSI boot table");
	else
		add_reason(s, d, "not-in-ibft", "sys/firmware/ibft",
			   "The firmware does not boot from iSCSI target %s", target);
}

static void find_iscsi_host(struct survey *s, const struct block_dev *b, struct hwp_disk *d)
{
	char *host = disk_ancestor(s, b, "host");
	if (host)
		put_attr(s, &d->iscsi.host_ip_address, NULL, "sys/class/iscsi_host/%s/ipaddress",
			 host);
}

#define SWAPS "proc/swaps"

/* --- use -------------------------------------------------------------------------------------------------- */

static bool has_agent_partition(const struct block_dev *b)
{
	for (size_t p = 1; p <= b->parts; p++) {
		const char *label = block_property(b + p, "ID_PART_ENTRY_NAME", NULL);
		if (label && str_starts(label, "agent"))
			return true;
	}
	return false;
}

/* A mounted btrfs names its other members in sysfs only. */
static const char *mounts_source(const struct block_dev *b)
{
	return str_eq(b->mounts.v[0], "(btrfs)") ? "sys/fs/btrfs" : "proc/self/mountinfo";
}

static void check_use(struct survey *s, struct block_map *m, const struct block_dev *b,
		      struct hwp_disk *d)
{
	for (size_t p = 1; p <= b->parts; p++) {
		if (b[p].mounts.n)
			add_reason(s, d, "partition-mounted", mounts_source(b + p),
				   "Partition %s is mounted at %s", b[p].name, b[p].mounts.v[0]);
		if (b[p].is_swap)
			add_reason(s, d, "swap-active", SWAPS, "Partition %s is used as swap",
				   b[p].name);
	}
	if (b->mounts.n)
		add_reason(s, d, "in-use-through-holder", mounts_source(b),
			   "The whole disk is mounted at %s", b->mounts.v[0]);
	if (b->is_swap)
		add_reason(s, d, "swap-active", SWAPS, "The whole disk is used as swap");
	const struct block_dev *user = block_user(m, b);
	if (user)
		add_reason(s, d, "in-use-through-holder",
			   user->mounts.n ? mounts_source(user) : SWAPS,
			   "%s, which stands on the disk, is %s%s", user->name,
			   user->mounts.n ? "mounted at " : "used as swap",
			   user->mounts.n ? user->mounts.v[0] : "");
}

void disk_find_eligibility(struct survey *s, struct block_map *m, const struct block_dev *b,
			   struct hwp_disk *d)
{
	bool is_optical = str_eq(d->drive_type.s, "ODD");
	bool is_iscsi = str_eq(d->drive_type.s, "iSCSI");
	bool is_medium = is_optical || b->backs_live_root || block_has_iso_mount(m, b) ||
			 disk_is_boot_medium(s, b);
	put_bool(s, &d->is_installation_media, is_medium,
		 is_optical           ? "drive_type"
		 : b->backs_live_root ? "loop/backing_file"
				      : "mounts, ISO label");

	if (!is_known_controller(b))
		add_reason(s, d, "unknown-controller", b->dir,
			   "Disks of the kind %s are not supported", d->name.s);
	if (disk_is_lvm(b))
		add_reason(s, d, "lvm-volume", arena_printf(s->tmp, "%s/dm/uuid", b->dir),
			   "It is a logical volume, not a disk");
	if (is_iscsi) {
		find_iscsi_host(s, b, d);
		check_iscsi(s, b, d);
	}
	if (is_medium)
		add_reason(s, d, "installation-media", d->is_installation_media.source, "%s",
			   is_optical ? "It is an optical drive"
				      : "It holds the installation medium");
	if (!has_agent_partition(b))
		check_use(s, m, b, d);
}
