#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/mountinfo.h"
#include "hwprobe/scrub.h"
#include "hwprobe/smbios.h"
#include "hwprobe/smbios_host.h"
#include "hwprobe/udev_db.h"

#define DMI_TABLE "sys/firmware/dmi/tables/DMI"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static bool is_one_of(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/* --- SMBIOS (DSP0134): strings that tell one machine from another --------------------------------------------- */

static const struct {
	uint8_t type, at;
} smbios_strings[] = { { 1, 0x07 },  { 2, 0x07 },  { 2, 0x08 },  { 3, 0x07 },
		       { 3, 0x08 },  { 4, 0x20 },  { 4, 0x21 },  { 17, 0x18 },
		       { 17, 0x19 }, { 22, 0x07 }, { 39, 0x08 }, { 39, 0x09 } };

enum {
	OEM_STRINGS = 11,
	OPTION_STRINGS = 12,
	OEM_TYPES = 128, /* from here on vendors' own: MAC addresses, for one */
	HEADER_BYTES = 4,
	UUID_AT = 0x08,
	UUID_BYTES = 16,
};

/* The string of number @number; NULL = none. */
static const char *smbios_string(const struct smbios_item *i, unsigned number, size_t *ret_len)
{
	const char *p = i->strings, *end = p + i->strings_len;
	for (; number && p < end && *p; p += strnlen(p, (size_t)(end - p)) + 1) {
		*ret_len = strnlen(p, (size_t)(end - p));
		if (--number == 0)
			return p;
	}
	return NULL;
}

static bool is_secret_string(const struct smbios_item *i, unsigned number)
{
	for (size_t k = 0; k < ARRAY_SIZE(smbios_strings); k++)
		if (smbios_strings[k].type == i->type &&
		    smbios_u8(i, smbios_strings[k].at) == number)
			return true;
	return false;
}

/* The strings of a structure, each once: two fields may have the same one. */
static void smbios_texts(const struct scrub *s, const struct smbios_item *i)
{
	bool is_free_text = i->type == OEM_STRINGS || i->type == OPTION_STRINGS ||
			    i->type >= OEM_TYPES;
	const char *text;
	size_t len;
	for (unsigned n = 1; n <= UINT8_MAX && (text = smbios_string(i, n, &len)); n++) {
		if (is_free_text || is_secret_string(i, n))
			scrub_shape(s, (char *)text, len);
		else
			scrub_apply(s, (char *)text, len);
	}
}

static void smbios_uuid(const struct scrub *s, const struct smbios_item *i)
{
	uint8_t *uuid = (uint8_t *)i->data + UUID_AT;
	if (i->len < UUID_AT + UUID_BYTES)
		return;
	for (size_t at = 0; at < UUID_BYTES; at += 8) {
		uint64_t random = scrub_hash(s, uuid, 8);
		memcpy(uuid + at, &random, 8);
	}
}

static void smbios_host(const struct scrub *s, const struct smbios_item *i)
{
	struct smbios_redfish r;
	if (!smbios_redfish(i, &r))
		return;
	size_t len = r.family == AF_INET ? 4 : 16;
	scrub_ip(s, (uint8_t *)r.host_address, len, 8 * (unsigned)len);
	scrub_ip(s, (uint8_t *)r.service_address, len, 8 * (unsigned)len);
	for (size_t at = 0; at < UUID_BYTES; at += 8) {
		uint64_t random = scrub_hash(s, r.uuid, 8);
		memcpy((uint8_t *)r.uuid + at, &random, 8);
	}
}

static void in_smbios(const struct scrub *s, char *data, size_t len)
{
	struct smbios table;
	struct smbios_item i = { 0 };
	if (smbios_init(&table, data, len) < 0)
		return;
	for (int n = 0; n < SMBIOS_STRUCTURES_MAX && smbios_next(&table, &i); n++) {
		smbios_texts(s, &i);
		if (i.type >= OEM_TYPES)
			memset((uint8_t *)i.data + HEADER_BYTES, 0, i.len - HEADER_BYTES);
		if (i.type == SMBIOS_SYSTEM)
			smbios_uuid(s, &i);
		smbios_host(s, &i);
	}
}

/* --- learning ------------------------------------------------------------------------------------------------- */

/* Attributes of sysfs that name one thing in the world. */
static const char *const secret_attrs[] = {
	"serial",
	"wwid",
	"uuid",
	"nguid",
	"eui",
	"unique_id",
	"product_serial",
	"product_uuid",
	"board_serial",
	"chassis_serial",
	"board_asset_tag",
	"chassis_asset_tag",
	"port_name",
	"node_name",
	"port_id",
	"fabric_name",
	"targetname",
	"target-name",
	"initiatorname",
	"initiator-name",
	"ipaddress",
	"ip-addr",
	"hostname",
	"subsysnqn",
	"uid",
	"persistent_address",
	"hostnqn",
	"address",
	"cid",
	"csd",
	"mac",
	"port_guid",
	"node_guid",
	"vpd_pg80",
	"serial-number",
};

/* What stands behind the kind in a name of device-mapper: "mpath-3600…", "part1-mpath-3600…", "LVM-…", "CRYPT-LUKS2-…". */
static void learn_dm_uuid(struct scrub *s, const char *text, size_t len)
{
	bool is_partition = len > 4 && str_starts(text, "part");
	for (int kinds = is_partition ? 2 : 1; kinds > 0; kinds--) {
		const char *dash = memchr(text, '-', len);
		if (!dash)
			return;
		len -= (size_t)(dash + 1 - text);
		text = dash + 1;
	}
	scrub_add(s, text, len);
}

/* "pci-0000:05:00.0-fc-0x500…-lun-0", "ip-192.0.2.1:3260-iscsi-iqn.2001-04.x:y-lun-1" */
static void learn_id_path(struct scrub *s, const char *text)
{
	static const char mark[] = "-iscsi-";
	const char *iscsi = strstr(text, mark);
	const char *target = iscsi ? iscsi + strlen(mark) : NULL,
		   *lun = target ? strstr(target, "-lun-") : NULL;
	for (const char *p = text; (p = strstr(p, "0x")); p += 2)
		scrub_add(s, p, 2 + strspn(p + 2, "0123456789abcdef"));
	if (!lun)
		return;
	scrub_add(s, target, (size_t)(lun - target));
	const char *ip = strstr(text, "ip-");
	if (ip && ip < iscsi)
		scrub_add(s, ip + strlen("ip-"), strcspn(ip + strlen("ip-"), ":-"));
}

static bool is_secret_key(const char *key)
{
	static const char *const parts[] = { "SERIAL", "WWN",  "UUID", "WWID",     "NQN",
					     "_IQN",   "_MAC", "GUID", "ASSET_TAG" };
	/* The type of a partition is a UUID that all the world shares. */
	for (size_t i = 0; strcmp(key, "ID_PART_ENTRY_TYPE") && i < ARRAY_SIZE(parts); i++)
		if (strstr(key, parts[i]))
			return true;
	return false;
}

/* mdadm(8) names an array after the host that made it, "host:0"; blkid calls the same of a member its label. */
static bool is_md_name(const char *key)
{
	static const char *const names[] = { "MD_NAME", "MD_DEVNAME", "ID_FS_LABEL",
					     "ID_FS_LABEL_ENC" };
	return is_one_of(names, ARRAY_SIZE(names), key);
}

static void learn_property(struct scrub *s, const char *key, const char *value)
{
	if (!strcmp(key, "DM_UUID")) {
		learn_dm_uuid(s, value, strlen(value));
		return;
	}
	if (!strcmp(key, "ID_PATH"))
		learn_id_path(s, value);
	const char *colon = is_md_name(key) ? strrchr(value, ':') : NULL;
	if (colon)
		scrub_add_known(s, value, (size_t)(colon - value));
	if (is_secret_key(key))
		scrub_add_known(s, value, strlen(value));
}

static void learn_udev(struct scrub *s, const char *data, size_t len)
{
	for (const char *line = data, *end; line < data + len; line = end + 1) {
		end = memchr(line, '\n', (size_t)(data + len - line));
		end = end ? end : data + len;
		char *copy = arena_copy(&s->mem, line, (size_t)(end - line));
		char *value = copy && str_starts(copy, "E:") ? strchr(copy, '=') : NULL;
		if (!value)
			continue;
		*value++ = '\0';
		learn_property(s, copy + 2, value);
	}
}

/* The "address" of an NVMe controller on PCI is its slot: many machines have the same. */
static bool is_pci_address(const char *text)
{
	unsigned domain, bus, device, function;
	return sscanf(text, "%x:%x:%x.%x", &domain, &bus, &device, &function) == 4;
}

static bool is_secret_attr(const char *path)
{
	return str_starts(path, "sys/") &&
	       is_one_of(secret_attrs, ARRAY_SIZE(secret_attrs), base_name(path));
}

void scrub_learn(struct scrub *s, const char *path, const char *data, size_t len)
{
	const char *name = base_name(path);
	if (str_starts(path, "run/udev/data/"))
		learn_udev(s, data, len);
	else if (!strcmp(path, "netlink/link.nl"))
		scrub_learn_links(s, data, len);
	else if (str_starts(path, "lldp/"))
		scrub_learn_lldp(s, data, len);
	else if (!strcmp(path, "ethtool.txt"))
		scrub_learn_drivers(s, data, len);
	else if (str_starts(path, "sys/") && str_ends(path, "/dm/uuid"))
		learn_dm_uuid(s, data, len);
	else if (!strcmp(path, "proc/sys/kernel/hostname"))
		scrub_add_known(s, data, len);
	else if (!strcmp(name, "vpd_pg80") && len > 4)
		scrub_add_known(s, data + 4, len - 4);
	else if (is_secret_attr(path) && !scrub_add_hwaddr_text(s, data) && !is_pci_address(data))
		scrub_add_known(s, data, len);
}

/* --- rewriting ------------------------------------------------------------------------------------------------ */

static size_t in_hostname(const struct scrub *s, char *data, size_t len)
{
	scrub_shape(s, data, strcspn(data, "\n"));
	return len;
}

/* The second line is the host name. */
static size_t in_uname(const struct scrub *s, char *data, size_t len)
{
	char *name = strchr(data, '\n');
	if (name)
		scrub_shape(s, name + 1, strcspn(name + 1, "\n"));
	return len;
}

/*
 * Whether there is boot code, which partition of the MBR is active, the boot signature, and what says that this is a medium to boot from (ECMA-119
 * 8.2, 8.4; El Torito 2.0); nothing else of a disk is looked at.
 */
static size_t in_device(const struct scrub *s, char *data, size_t len)
{
	enum { CODE_BYTES = 440 };
	static const struct {
		size_t at, len;
	} kept[] = { { 0, 1 },   { 446, 1 },   { 462, 1 },         { 478, 1 },   { 494, 1 },
		     { 510, 2 }, { 32768, 6 }, { 32768 + 40, 32 }, { 34816, 39 } };
	size_t from = 0;
	bool has_code = false;
	for (size_t i = 0; i < MIN_OF(len, (size_t)CODE_BYTES); i++)
		has_code |= data[i] != 0;
	for (size_t i = 0; i < ARRAY_SIZE(kept) && from < len; i++) {
		memset(data + from, 0, MIN_OF(kept[i].at, len) - from);
		from = kept[i].at + kept[i].len;
	}
	if (from < len)
		memset(data + from, 0, len - from);
	if (has_code)
		data[0] = 1;
	return len;
}

static size_t in_tail(const struct scrub *s, char *data, size_t len)
{
	memset(data, 0, len);
	return len;
}

/* Of pages with identifiers only their being there counts. */
static size_t in_vpd83(const struct scrub *s, char *data, size_t len)
{
	if (len > 4)
		memset(data + 4, 0, len - 4);
	return len;
}

static size_t in_vpd80(const struct scrub *s, char *data, size_t len)
{
	if (len > 4)
		scrub_shape(s, data + 4, len - 4);
	return len;
}

/* Is it about a local disk, or one of the mounts that tell how the system was booted? */
static bool is_kept_mount(const struct mount *m)
{
	static const char *const points[] = { "/", "/sysroot", "/sys/firmware/efi/efivars" };
	return m->major || str_starts(m->source, "/dev/") ||
	       is_one_of(points, ARRAY_SIZE(points), m->point);
}

/* The folder of a person or a project: what stands below is theirs. An "iso" at its end tells the medium. */
static void shape_point(const struct scrub *s, char *line, const char *point)
{
	static const char *const above[] = { "/home/", "/media/", "/run/media/", "/mnt/", "/srv/" };
	char *p = strstr(line, point);
	for (size_t i = 0; p && i < ARRAY_SIZE(above); i++) {
		if (!str_starts(point, above[i]))
			continue;
		size_t n = strlen(above[i]), len = strlen(point) - (str_ends(point, "iso") ? 3 : 0);
		if (len > n)
			scrub_shape(s, p + n, len - n);
		return;
	}
}

static size_t in_mountinfo(const struct scrub *s, char *data, size_t len)
{
	AUTO(arena_done) struct arena tmp = { 0 };
	char *out = data;
	for (char *line = data, *end; line < data + len; line = end + 1) {
		end = memchr(line, '\n', (size_t)(data + len - line));
		end = end ? end : data + len;
		size_t n = (size_t)(end - line);
		struct mount_table t;
		char *copy = arena_copy(&tmp, line, n);
		if (!copy)
			return 0;
		mountinfo_parse(&t, &tmp, copy);
		if (t.n != 1 || !is_kept_mount(&t.v[0]))
			continue;
		char *whole = arena_copy(&tmp, line, n);
		if (!whole)
			return 0;
		shape_point(s, whole, t.v[0].point);
		memcpy(out, whole, n);
		out += n;
		if (end < data + len) /* a line that was cut has no end */
			*out++ = '\n';
	}
	return (size_t)(out - data);
}

static size_t in_table(const struct scrub *s, char *data, size_t len)
{
	in_smbios(s, data, len);
	return len;
}

static size_t in_ipmi(const struct scrub *s, char *data, size_t len)
{
	scrub_ipmi(s, data, len);
	return len;
}

static size_t in_netlink(const struct scrub *s, char *data, size_t len)
{
	scrub_apply(s, data, len);
	scrub_addresses(s, data, len);
	return len;
}

char *scrub_link_name(char *link)
{
	static const char *const above[] = { "disk/by-id/", "md/" };
	for (size_t i = 0; i < ARRAY_SIZE(above); i++)
		if (str_starts(link, above[i]))
			return link + strlen(above[i]);
	return NULL;
}

/* The part of a line of the udev database that holds a serial number or a name; NULL = none. */
static char *udev_secret(char *line)
{
	char *value = strchr(line, '=');
	if (str_starts(line, "S:"))
		return scrub_link_name(line + 2);
	if (!str_starts(line, "E:") || !value)
		return NULL;
	*value = '\0';
	bool is_secret = is_secret_key(line + 2) || is_md_name(line + 2);
	*value = '=';
	return is_secret ? value + 1 : NULL;
}

static size_t in_udev(const struct scrub *s, char *data, size_t len)
{
	for (char *line = data, *end; line < data + len; line = end + 1) {
		end = memchr(line, '\n', (size_t)(data + len - line));
		end = end ? end : data + len;
		char after = *end;
		*end = '\0'; /* there is one behind the last byte, too: file_read_at() */
		char *secret = udev_secret(line);
		if (secret)
			scrub_apply_in_place(s, secret, (size_t)(end - secret));
		else
			scrub_apply(s, line, (size_t)(end - line));
		*end = after;
	}
	return len;
}

static size_t in_neighbours(const struct scrub *s, char *data, size_t len)
{
	scrub_lldp(s, data, len);
	return len;
}

static size_t in_efi(const struct scrub *s, char *data, size_t len)
{
	scrub_efi(s, data, len);
	return len;
}

/* That the file is there counts, not what is in it. */
static size_t to_nothing(const struct scrub *s, char *data, size_t len)
{
	return 0;
}

static size_t in_secret(const struct scrub *s, char *data, size_t len)
{
	size_t n = len;
	while (n && isspace((unsigned char)data[n - 1]))
		n--;
	scrub_shape(s, data, n);
	return len;
}

static size_t as_it_is(const struct scrub *s, char *data, size_t len)
{
	return len;
}

/* The first line that starts the path counts; other files lose what scrub_learn() has learnt. */
static const struct {
	const char *prefix,
		*name; /* of the path; the last component or its end (".x"), NULL = any */
	size_t (*rewrite)(const struct scrub *s, char *data, size_t len);
} formats[] = {
	{ DMI_TABLE, NULL, in_table },
	{ "sys/class/dmi/id/", "product_serial", in_secret },
	{ "sys/class/dmi/id/", "product_uuid", in_secret },
	{ "sys/class/dmi/id/", "board_serial", in_secret },
	{ "sys/class/dmi/id/", "board_asset_tag", in_secret },
	{ "sys/class/dmi/id/", "chassis_serial", in_secret },
	{ "sys/class/dmi/id/", "chassis_asset_tag", in_secret },
	{ "sys/devices/virtual/dmi/id/", "product_serial", in_secret },
	{ "sys/devices/virtual/dmi/id/", "product_uuid", in_secret },
	{ "sys/devices/virtual/dmi/id/", "board_serial", in_secret },
	{ "sys/devices/virtual/dmi/id/", "board_asset_tag", in_secret },
	{ "sys/devices/virtual/dmi/id/", "chassis_serial", in_secret },
	{ "sys/devices/virtual/dmi/id/", "chassis_asset_tag", in_secret },
	{ "sys/firmware/devicetree/base/", "serial-number", in_secret },
	{ "sys/firmware/efi/", NULL, in_efi },
	{ "sys/devices/system/", NULL, as_it_is },
	{ "sys/", "vpd_pg80", in_vpd80 },
	{ "sys/", "ipaddress", scrub_ip_text },
	{ "sys/firmware/ibft/", "ip-addr", scrub_ip_text },
	{ "sys/", "vpd_pg83", in_vpd83 },
	{ "sys/", "size", as_it_is },
	{ "sys/", "start", as_it_is },
	{ "proc/sys/kernel/hostname", NULL, in_hostname },
	{ "proc/cmdline", NULL, scrub_cmdline },
	{ "proc/self/mountinfo", NULL, in_mountinfo },
	{ "proc/cpuinfo", NULL, scrub_cpuinfo },
	{ "proc/sysinfo", NULL, scrub_sysinfo },
	{ "proc/meminfo", NULL, as_it_is },
	{ "uname", NULL, in_uname },
	{ "cpuid.txt", NULL, as_it_is },
	{ "clock.txt", NULL, as_it_is },
	{ "run/systemd/netif/leases/", NULL, scrub_lease },
	{ "run/NetworkManager/devices/", NULL, to_nothing },
	{ "run/udev/data/", NULL, in_udev },
	{ "lldp/", NULL, in_neighbours },
	{ "ipmi.txt", NULL, in_ipmi },
	{ "netlink/", NULL, in_netlink },
	{ "dev/", ".smart", as_it_is },
	{ "dev/", ".errno", as_it_is },
	{ "dev/", ".tail", in_tail },
	{ "dev/", NULL, in_device },
};

static bool has_name(const char *path, const char *name)
{
	if (!name)
		return true;
	return *name == '.' ? str_ends(path, name) : !strcmp(base_name(path), name);
}

size_t scrub_file(const struct scrub *s, const char *path, char *data, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (str_starts(path, formats[i].prefix) && has_name(path, formats[i].name))
			return formats[i].rewrite(s, data, len);
	if (is_secret_attr(path))
		scrub_apply_in_place(s, data, len);
	else
		scrub_apply(s, data, len);
	return len;
}
