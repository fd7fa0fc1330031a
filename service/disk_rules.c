#include "service/disk_rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"
#include "service/cidr.h"
#include "service/csv.h"

#define GB 1000000000ull
#define FORMAT_LIST_MAX (64 * 1024)

/* How the service's own reasons begin: they are renewed at every pass, so that a changed rule leaves no old sentence behind. */
static const char *const own_reasons[] = {
	"Disk is too small", "Drive type is ",      "Disk is one path of ",
	"Multipath device ", "iSCSI host address ",
};

struct disk_check {
	const struct rule_ctx *ctx;
	json_t *inventory, *disk, *reasons;
	const char *drive_type;
	uint64_t min_gb;
};

void disk_size_text(uint64_t bytes, char ret[SIZE_TEXT_LEN])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	uint64_t one = 1; /* bytes of the unit */
	unsigned unit = 0;

	while (unit + 1 < ARRAY_SIZE(units) && bytes / one >= 1000) {
		one *= 1000;
		unit++;
	}
	/* cut, not rounded: a disk just below the limit must not read as large enough */
	unsigned thousandths = one > 1 ? (unsigned)(bytes % one / (one / 1000)) : 0;
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%u.%03u", (unsigned)(bytes / one), thousandths);
	while (digits[n - 1] == '0')
		digits[--n] = '\0';
	if (digits[n - 1] == '.')
		digits[--n] = '\0';
	snprintf(ret, SIZE_TEXT_LEN, "%s %s", digits, units[unit]);
}

static const char *text_of(const json_t *obj, const char *key)
{
	const char *s = json_str(obj, key);
	return s ? s : "";
}

static bool is_own_reason(const char *reason)
{
	for (size_t i = 0; i < ARRAY_SIZE(own_reasons); i++) {
		if (str_starts(reason, own_reasons[i]))
			return true;
	}
	return false;
}

static int add_reason(struct disk_check *c, const char *text)
{
	if (!text)
		return -ENOMEM;
	return json_array_append_new(c->reasons, json_string(text)) ? -ENOMEM : 0;
}

static int check_size(struct disk_check *c)
{
	int64_t size = json_i64(c->disk, "size_bytes");
	uint64_t bytes = size > 0 ? (uint64_t)size : 0;
	if (bytes >= c->min_gb * GB)
		return 0;

	char has[SIZE_TEXT_LEN], needs[SIZE_TEXT_LEN];
	disk_size_text(bytes, has);
	disk_size_text(c->min_gb * GB, needs);
	AUTO(freep)
	char *text = str_printf("Disk is too small: it has %s and %s are needed", has, needs);
	return add_reason(c, text);
}

/* Is @version ("4.18", "4.18.1") at least 4.@minor? A version of another form is newer than all of these. */
static bool version_has_minor(const char *version, unsigned minor)
{
	unsigned major, have;

	if (!version || sscanf(version, "%u.%u", &major, &have) != 2)
		return true;
	return major != 4 || have >= minor;
}

static bool is_any_of(const char *s, const char *const *list)
{
	for (; *list; list++) {
		if (strcmp(s, *list) == 0)
			return true;
	}
	return false;
}

static bool drive_type_is_valid(const struct disk_check *c)
{
	static const char *const always[] = { "HDD", "SSD", "Multipath", NULL };
	static const char *const dasd[] = { "ECKD", "ECKD (ESE)", "FBA", NULL };
	const char *version = c->ctx->infra_env->openshift_version;
	const char *arch = text_of(json_child(c->inventory, "cpu"), "architecture");

	if (is_any_of(c->drive_type, always))
		return true;
	if (strcmp(c->drive_type, "RAID") == 0)
		return version_has_minor(version, 14);
	if (strcmp(c->drive_type, "iSCSI") == 0)
		return version_has_minor(version, 15);
	if (strcmp(c->drive_type, "FC") == 0)
		return strcmp(arch, "x86_64") == 0 || strcmp(arch, "s390x") == 0;
	return strcmp(arch, "s390x") == 0 && is_any_of(c->drive_type, dasd);
}

static int check_drive_type(struct disk_check *c)
{
	if (drive_type_is_valid(c))
		return 0;
	AUTO(freep)
	char *text = str_printf("Drive type is %s: no system can be installed on it",
				*c->drive_type ? c->drive_type : "unknown");
	return add_reason(c, text);
}

static bool is_path_type(const char *drive_type)
{
	return strcmp(drive_type, "FC") == 0 || strcmp(drive_type, "iSCSI") == 0;
}

static int check_path_of_multipath(struct disk_check *c)
{
	if (!is_path_type(c->drive_type))
		return 0;
	size_t i;
	json_t *other;
	json_array_foreach(json_child(c->inventory, "disks"), i, other) {
		if (strcmp(text_of(other, "drive_type"), "Multipath") != 0 ||
		    !csv_has(text_of(c->disk, "holders"), text_of(other, "name")))
			continue;
		AUTO(freep)
		char *text =
			str_printf("Disk is one path of the multipath device %s: install on that",
				   text_of(other, "name"));
		return add_reason(c, text);
	}
	return 0;
}

static int check_multipath(struct disk_check *c)
{
	if (strcmp(c->drive_type, "Multipath") != 0)
		return 0;
	const char *first = NULL;
	size_t i;
	json_t *path;
	json_array_foreach(json_child(c->inventory, "disks"), i, path) {
		if (!csv_has(text_of(path, "holders"), text_of(c->disk, "name")))
			continue;
		const char *type = text_of(path, "drive_type");
		if (!first)
			first = type;
		if (!is_path_type(type) || strcmp(type, first) != 0)
			return add_reason(
				c, "Multipath device has paths that are not all FC or all iSCSI");
	}
	return 0;
}

static bool is_default_route(const json_t *route)
{
	const char *destination = text_of(route, "destination");

	return strcmp(destination, "0.0.0.0") == 0 || strcmp(destination, "::") == 0;
}

/* Does the nic of a default route have this address? Booting over it would break when the route moves. */
static bool default_nic_has(json_t *inventory, const struct cidr *address)
{
	size_t r, n, a;
	json_t *route, *nic, *text;

	json_array_foreach(json_child(inventory, "routes"), r, route) {
		if (!is_default_route(route))
			continue;
		json_array_foreach(json_child(inventory, "interfaces"), n, nic) {
			if (strcmp(text_of(nic, "name"), text_of(route, "interface")) != 0)
				continue;
			json_array_foreach(json_child(nic, address->is_v6 ? "ipv6_addresses"
									  : "ipv4_addresses"),
					   a, text) {
				struct cidr own;
				if (cidr_parse(json_string_value(text), &own) == 0 &&
				    cidr_same_address(&own, address))
					return true;
			}
		}
	}
	return false;
}

static int check_iscsi(struct disk_check *c)
{
	if (strcmp(c->drive_type, "iSCSI") != 0)
		return 0;
	struct cidr address;
	const char *text = text_of(json_child(c->disk, "iscsi"), "host_ip_address");
	if (!*text || cidr_parse(text, &address) < 0)
		return add_reason(c, "iSCSI host address is not known");
	if (default_nic_has(c->inventory, &address))
		return add_reason(c, "iSCSI host address is on the interface of the default route");
	return 0;
}

static int (*const disk_checks[])(struct disk_check *) = {
	check_size, check_drive_type, check_path_of_multipath, check_multipath, check_iscsi,
};

static int keep_agent_reasons(json_t *disk, json_t *out)
{
	size_t i;
	json_t *reason;

	json_array_foreach(
		json_child(json_child(disk, "installation_eligibility"), "not_eligible_reasons"), i,
		reason) {
		if (!is_own_reason(json_string_value(reason)) && json_array_append(out, reason))
			return -ENOMEM;
	}
	return 0;
}

/* {"eligible":true,"not_eligible_reasons":null}, or the reasons alone: false is never sent (assisted-v2 §1.2). */
static int set_eligibility(json_t *disk, json_t *reasons)
{
	json_t *e = json_object();
	if (json_object_set_new(disk, "installation_eligibility", e))
		return -ENOMEM;
	if (json_array_size(reasons))
		return json_object_set(e, "not_eligible_reasons", reasons) ? -ENOMEM : 0;
	if (json_object_set_new(e, "eligible", json_true()) ||
	    json_object_set_new(e, "not_eligible_reasons", json_null()))
		return -ENOMEM;
	return 0;
}

int disk_rules_eligibility(const struct rule_ctx *ctx, json_t *inventory, uint64_t min_gb,
			   struct fault *err)
{
	size_t i;
	json_t *disk;

	json_array_foreach(json_child(inventory, "disks"), i, disk) {
		AUTO(json_decrefp) json_t *reasons = json_array();
		struct disk_check c = {
			ctx, inventory, disk, reasons, text_of(disk, "drive_type"), min_gb
		};
		int r = reasons ? keep_agent_reasons(disk, reasons) : -ENOMEM;
		for (size_t k = 0; r == 0 && k < ARRAY_SIZE(disk_checks); k++)
			r = disk_checks[k](&c);
		if (r == 0)
			r = set_eligibility(disk, reasons);
		if (r < 0)
			return fault_oom(err);
	}
	return 0;
}

bool disk_is_eligible(const json_t *disk)
{
	return json_flag(json_child(disk, "installation_eligibility"), "eligible");
}

bool disk_is_named(const json_t *disk, const char *name)
{
	if (str_empty(name))
		return false;
	if (strcmp(text_of(disk, "id"), name) == 0 || strcmp(text_of(disk, "by_path"), name) == 0)
		return true;
	return str_starts(name, "/dev/") &&
	       strcmp(text_of(disk, "name"), name + strlen("/dev/")) == 0;
}

static int compare_bool(bool a, bool b)
{
	return (int)b - (int)a; /* true first */
}

static int compare_disks(const json_t *a, const json_t *b)
{
	int r = compare_bool(json_flag(a, "bootable"), json_flag(b, "bootable"));
	if (r)
		return r;
	r = compare_bool(!str_starts(text_of(a, "name"), "nvme"),
			 !str_starts(text_of(b, "name"), "nvme"));
	if (r)
		return r;
	r = strcmp(text_of(a, "drive_type"), text_of(b, "drive_type"));
	if (r)
		return r;
	int64_t sa = json_i64(a, "size_bytes"), sb = json_i64(b, "size_bytes");
	if (sa != sb)
		return sa < sb ? -1 : 1;
	return strcmp(text_of(a, "hctl"), text_of(b, "hctl"));
}

json_t *disk_rules_choose(json_t *inventory)
{
	json_t *best = NULL, *disk;
	size_t i;

	json_array_foreach(json_child(inventory, "disks"), i, disk) {
		if (disk_is_eligible(disk) && (!best || compare_disks(disk, best) < 0))
			best = disk;
	}
	return best;
}

static bool needs_format(const json_t *disk, const char *skip_csv)
{
	static const char *const never[] = { "FC", "iSCSI", "LVM", "Multipath", NULL };

	if (!json_flag(disk, "bootable") || json_flag(disk, "removable") ||
	    json_flag(disk, "is_installation_media"))
		return false;
	/* eMMC cards say they are fixed, but people take them out */
	if (str_starts(text_of(disk, "name"), "mmcblk") ||
	    is_any_of(text_of(disk, "drive_type"), never))
		return false;
	return !csv_has(skip_csv, text_of(disk, "id"));
}

char *disk_rules_to_format(json_t *inventory, const char *skip_csv)
{
	AUTO(buf_done) struct buf out;
	size_t i;
	json_t *disk;

	buf_init(&out, FORMAT_LIST_MAX);
	json_array_foreach(json_child(inventory, "disks"), i, disk) {
		if (needs_format(disk, skip_csv) &&
		    buf_printf(&out, "%s%s", out.len ? "," : "", text_of(disk, "id")) < 0)
			return NULL;
	}
	return buf_take(&out);
}
