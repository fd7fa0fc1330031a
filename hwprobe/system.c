#include <stdio.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/cpuinfo.h"
#include "hwprobe/probe.h"
#include "hwprobe/virt.h"

#define DMI_DIR "sys/class/dmi/id"
#define DEVICETREE_DIR "sys/firmware/devicetree/base"

/* A string of SMBIOS: the kernel's attribute first, then the table. */
struct dmi_string {
	size_t offset; /* of the struct hwp_str in struct hwp_vendor */
	const char *attr;
	uint8_t type, field;
};

#define DMI_STRING(member, attr_, type_, field_)                                                 \
	{                                                                                        \
		.offset = offsetof(struct hwp_vendor, member), .attr = (attr_), .type = (type_), \
		.field = (field_)                                                                \
	}

static const struct dmi_string dmi_strings[] = {
	DMI_STRING(manufacturer, "sys_vendor", SMBIOS_SYSTEM, 0x04),
	DMI_STRING(product_name, "product_name", SMBIOS_SYSTEM, 0x05),
	DMI_STRING(version, "product_version", SMBIOS_SYSTEM, 0x06),
	DMI_STRING(serial_number, "product_serial", SMBIOS_SYSTEM, 0x07),
	DMI_STRING(sku, "product_sku", SMBIOS_SYSTEM, 0x19),
	DMI_STRING(family, "product_family", SMBIOS_SYSTEM, 0x1a),
	DMI_STRING(board_vendor, "board_vendor", SMBIOS_BOARD, 0x04),
	DMI_STRING(board_name, "board_name", SMBIOS_BOARD, 0x05),
	DMI_STRING(board_serial, "board_serial", SMBIOS_BOARD, 0x07),
	DMI_STRING(chassis_serial, "chassis_serial", SMBIOS_CHASSIS, 0x07),
	DMI_STRING(chassis_asset_tag, "chassis_asset_tag", SMBIOS_CHASSIS, 0x08),
	DMI_STRING(firmware_vendor, "bios_vendor", SMBIOS_FIRMWARE, 0x04),
	DMI_STRING(firmware_version, "bios_version", SMBIOS_FIRMWARE, 0x05),
	DMI_STRING(firmware_date, "bios_date", SMBIOS_FIRMWARE, 0x08),
};

static void find_dmi_string(struct survey *s, struct hwp_vendor *v, const struct dmi_string *d)
{
	struct hwp_str *dst = (struct hwp_str *)((char *)v + d->offset);
	if (put_attr(s, dst, NULL, DMI_DIR "/%s", d->attr))
		return;
	struct smbios_item i;
	char text[256];
	if (smbios_find(survey_smbios(s), d->type, &i))
		put_str(s, dst, smbios_str(&i, d->field, text, sizeof(text)), "smbios");
}

/* 0x0206 = 2.6; 0 = not told. */
static unsigned smbios_version(struct survey *s)
{
	/* What some firmware says instead of 2.3 and 2.6; the kernel knows them, too (drivers/firmware/dmi_scan.c). */
	static const struct {
		uint16_t told, meant;
	} odd[] = { { 0x021f, 0x0203 }, { 0x0221, 0x0203 }, { 0x0233, 0x0206 } };
	char data[ROOT_ATTR_MAX + 1];
	ssize_t n = root_attr(s->root, "sys/firmware/dmi/tables/smbios_entry_point", data,
			      sizeof(data));
	const uint8_t *p = (const uint8_t *)data;
	/* DSP0134 5.2.1: "_SM_"; what came before that has the version in BCD. 5.2.2: "_SM3_" */
	if (n > 14 && !memcmp(data, "_DMI_", 5))
		return (p[14] & 0xf0u) << 4 | (p[14] & 0x0fu);
	if (n > 8 && !memcmp(data, "_SM3_", 5))
		return (unsigned)p[7] << 8 | p[8];
	if (n < 8 || memcmp(data, "_SM_", 4) != 0)
		return 0;
	unsigned version = (unsigned)p[6] << 8 | p[7];
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++)
		if (odd[i].told == version)
			return odd[i].meant;
	return version;
}

/* Since SMBIOS 2.6 the first three fields are little-endian (DSP0134 7.2.1). Without an entry point: a table of today. */
static bool is_uuid_little_endian(struct survey *s)
{
	unsigned version = smbios_version(s);
	return !version || version >= 0x0206;
}

static void find_uuid(struct survey *s, struct hwp_vendor *v)
{
	struct smbios_item i;
	if (put_attr(s, &v->uuid, NULL, DMI_DIR "/product_uuid"))
		return;
	if (!smbios_find(survey_smbios(s), SMBIOS_SYSTEM, &i) || i.len < 0x18)
		return;
	const uint8_t *b = i.data + 8;
	const uint8_t order[16] = { b[3], b[2], b[1],  b[0],  b[5],  b[4],  b[7],  b[6],
				    b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15] };
	char text[UUID_LEN + 1];
	uuid_format(is_uuid_little_endian(s) ? order : b, text);
	put_str(s, &v->uuid, text, "smbios type 1");
}

/* DSP0134 table 17: what kind of enclosure; bit 7 says that it has a lock. */
static const char *const chassis_types[] = {
	[0x01] = "Other",
	[0x02] = "Unknown",
	[0x03] = "Desktop",
	[0x04] = "Low Profile Desktop",
	[0x05] = "Pizza Box",
	[0x06] = "Mini Tower",
	[0x07] = "Tower",
	[0x08] = "Portable",
	[0x09] = "Laptop",
	[0x0a] = "Notebook",
	[0x0b] = "Hand Held",
	[0x0c] = "Docking Station",
	[0x0d] = "All in One",
	[0x0e] = "Sub Notebook",
	[0x0f] = "Space-saving",
	[0x10] = "Lunch Box",
	[0x11] = "Main Server Chassis",
	[0x12] = "Expansion Chassis",
	[0x13] = "SubChassis",
	[0x14] = "Bus Expansion Chassis",
	[0x15] = "Peripheral Chassis",
	[0x16] = "RAID Chassis",
	[0x17] = "Rack Mount Chassis",
	[0x18] = "Sealed-case PC",
	[0x19] = "Multi-system chassis",
	[0x1a] = "Compact PCI",
	[0x1b] = "Advanced TCA",
	[0x1c] = "Blade",
	[0x1d] = "Blade Enclosure",
	[0x1e] = "Tablet",
	[0x1f] = "Convertible",
	[0x20] = "Detachable",
	[0x21] = "IoT Gateway",
	[0x22] = "Embedded PC",
	[0x23] = "Mini PC",
	[0x24] = "Stick PC",
};

static void find_chassis_type(struct survey *s, struct hwp_vendor *v)
{
	struct smbios_item i;
	int64_t type = 0;
	const char *source = DMI_DIR "/chassis_type";
	if (attr_num(s, &type, DMI_DIR "/chassis_type") < 0 &&
	    smbios_find(survey_smbios(s), SMBIOS_CHASSIS, &i)) {
		type = smbios_u8(&i, 0x05) & 0x7f;
		source = "smbios type 3";
	}
	if (type > 0 && type < (int64_t)ARRAY_SIZE(chassis_types))
		put_str(s, &v->chassis_type, chassis_types[type], source);
}

/* "2.19"; 255 = this firmware has no such number (DSP0134 7.1, offsets 14h and 15h). */
static void find_firmware_release(struct survey *s, struct hwp_vendor *v)
{
	struct smbios_item i;
	char text[16];
	if (put_attr(s, &v->firmware_release, NULL, DMI_DIR "/bios_release") ||
	    !smbios_find(survey_smbios(s), SMBIOS_FIRMWARE, &i) || i.len < 0x16 ||
	    smbios_u8(&i, 0x14) == UINT8_MAX || smbios_u8(&i, 0x15) == UINT8_MAX)
		return;
	snprintf(text, sizeof(text), "%u.%u", smbios_u8(&i, 0x14), smbios_u8(&i, 0x15));
	put_str(s, &v->firmware_release, text, "smbios type 0");
}

/* What only the full format shows. */
static const struct dmi_string more_strings[] = {
	DMI_STRING(board_version, "board_version", SMBIOS_BOARD, 0x06),
	DMI_STRING(board_asset_tag, "board_asset_tag", SMBIOS_BOARD, 0x08),
	DMI_STRING(chassis_vendor, "chassis_vendor", SMBIOS_CHASSIS, 0x04),
};

static void find_more(struct survey *s, struct hwp_vendor *v)
{
	for (size_t i = 0; i < ARRAY_SIZE(more_strings); i++)
		find_dmi_string(s, v, &more_strings[i]);
	find_chassis_type(s, v);
	find_firmware_release(s, v);
}

static void find_devicetree(struct survey *s, struct hwp_vendor *v)
{
	if (!v->manufacturer.s) {
		char *compatible = attr_text(s, DEVICETREE_DIR "/compatible");
		if (compatible)
			compatible[strcspn(compatible, ",")] = '\0';
		put_str(s, &v->manufacturer, compatible, DEVICETREE_DIR "/compatible");
	}
	if (!v->product_name.s)
		put_attr(s, &v->product_name, NULL, DEVICETREE_DIR "/model");
	if (!v->serial_number.s)
		put_attr(s, &v->serial_number, NULL, DEVICETREE_DIR "/serial-number");
}

/* s390x has neither SMBIOS nor devicetree; z/VM names itself in /proc/sysinfo. */
static void find_s390(struct survey *s, struct hwp_vendor *v)
{
	char *text = NULL;
	if (attr_file(s, "proc/sysinfo", ROOT_TABLE_MAX, &text, NULL) < 0)
		return;
	put_str(s, &v->manufacturer, "IBM/S390", "proc/sysinfo");
	char *program = sysinfo_control_program(s->tmp, text);
	put_str(s, &v->product_name, program ? program : "LPAR", "proc/sysinfo");
}

/* What the original reports in two special clouds. */
static void apply_wire_names(struct survey *s, struct hwp_vendor *v)
{
	if (str_eq(v->chassis_asset_tag.s, "OracleCloud.com"))
		v->manufacturer = v->chassis_asset_tag;
	if (str_eq(v->family.s, "oVirt") || str_eq(v->family.s, "RHV"))
		put_str(s, &v->product_name, "oVirt", v->family.source);
}

static void run(struct survey *s)
{
	struct hwp_vendor *v = &s->inv->vendor;
	for (size_t i = 0; i < ARRAY_SIZE(dmi_strings); i++)
		find_dmi_string(s, v, &dmi_strings[i]);
	find_uuid(s, v);
	if (s->opt->flags & HWP_MORE)
		find_more(s, v);
	if (!v->manufacturer.s || !v->product_name.s)
		find_s390(s, v);
	find_devicetree(s, v);
	virt_detect(s, v);
	apply_wire_names(s, v);
}

const struct probe probe_system = { .name = "system_vendor", .part = HWP_VENDOR, .run = run };
