/*
 * What is a disk image and what is not. Magic numbers from the formats' own specifications.
 */
#include "imagebuilder/os_image.h"

#include <errno.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/gpt.h"

struct refusal {
	uint32_t offset;
	const char *magic;
	uint8_t len;
	const char *what, *remedy;
};

#define CONVERT "convert it to raw first: qemu-img convert -O raw IN OUT"

static const struct refusal refusals[] = {
	{ 0, "QFI\xfb", 4, "a qcow2 image", CONVERT },
	{ 0, "KDMV", 4, "a VMDK image", CONVERT },
	{ 0, "# Disk Descriptor", 17, "a VMDK descriptor", CONVERT },
	{ 0, "conectix", 8, "a VHD image", CONVERT },
	{ 0, "vhdxfile", 8, "a VHDX image", CONVERT },
	{ 64, "\x7f\x10\xda\xbe", 4, "a VDI image", CONVERT },
	{ 0, "QED", 4, "a QED image", CONVERT },
	{ 32769, "CD001", 5, "an ISO 9660 image",
	  "boot media are not disk images: take the raw disk image of the same system" },
	{ 0, "hsqs", 4, "a squashfs file system", "take the raw disk image of the same system" },
	{ 0, "PK\x03\x04", 4, "a ZIP archive", "unpack it first: unzip IN" },
	{ 257, "ustar", 5, "a tar archive", "unpack it first: tar -xf IN" },
	{ 0, "7z\xbc\xaf\x27\x1c", 6, "a 7z archive", "unpack it first: 7z x IN" },
	{ 0, "\x04\x22\x4d\x18", 4, "an lz4 file", "unpack it first: lz4 -d IN OUT" },
	{ 0, "\x1f\x8b", 2, "compressed twice", "unpack one layer first: gzip -d" },
	{ 0,
	  "\xfd"
	  "7zXZ",
	  6, "compressed twice", "unpack one layer first: xz -d" },
	{ 0, "\x28\xb5\x2f\xfd", 4, "compressed twice", "unpack one layer first: zstd -d" },
	{ 0, "070701", 6, "a cpio archive", "an initramfs is not a disk image" },
	{ 0,
	  "\x7f"
	  "ELF",
	  4, "a program", "take a raw disk image" },
	{ 0, "!<arch>", 7, "a package", "take a raw disk image" },
};

static const uint8_t *first_visible(const uint8_t *p, const uint8_t *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n' || *p == 0xEF ||
			   *p == 0xBB || *p == 0xBF))
		p++;
	return p;
}

int os_image_refuse(const void *head, size_t len, struct fault *err)
{
	const uint8_t *bytes = head, *first = first_visible(bytes, bytes + MIN_OF(len, 64));

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		const struct refusal *f = &refusals[i];

		if (len >= (size_t)f->offset + f->len &&
		    !memcmp(bytes + f->offset, f->magic, f->len))
			return fault_set(err, -EMEDIUMTYPE, "this is %s, not a disk image; %s",
					 f->what, f->remedy);
	}
	if (first < bytes + len && (*first == '<' || *first == '{'))
		return fault_set(
			err, -EMEDIUMTYPE,
			"this is a web page or an error message, not a disk image; look at what was downloaded");
	return 0;
}

static int gpt_layout(const void *head, size_t len, uint32_t sector_size,
		      struct os_image_layout *ret, struct fault *err)
{
	AUTO(gpt_done) struct gpt g = { 0 };
	int r = gpt_parse(head, len, sector_size, &g, err);

	if (r < 0)
		return r;
	if (!gpt_find_type(&g, gpt_type_esp) && !gpt_find_type(&g, gpt_type_bios_boot) &&
	    !gpt_find_type(&g, gpt_type_prep))
		return fault_set(
			err, -EMEDIUMTYPE,
			"the image has no partition a firmware could boot from (EFI system, BIOS boot or PReP)");
	ret->sector_size = sector_size;
	ret->end_bytes = (g.alternate_lba + 1) * sector_size;
	return 0;
}

int os_image_layout(const void *head, size_t len, struct os_image_layout *ret, struct fault *err)
{
	struct os_image_layout l = { .sector_size = 512 };
	uint32_t sector_size = gpt_sector_size(head, len);
	int r = os_image_refuse(head, len, err);

	if (r < 0)
		return r;
	if (len < OS_IMAGE_HEAD)
		return fault_set(err, -EMEDIUMTYPE, "%zu bytes are no disk image", len);
	if (sector_size)
		return gpt_layout(head, len, sector_size, ret, err);

	r = mbr_check(head, len, &l.end_bytes, err);
	if (r == -ENOENT)
		return fault_set(
			err, -EMEDIUMTYPE,
			"this is no disk image: it has neither a GPT nor an MBR partition table");
	if (r < 0)
		return r;
	*ret = l;
	return 0;
}
