#define LIBISOFS_WITHOUT_LIBBURN
#include "imagebuilder/iso_write.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <libisofs/libisofs.h>
#include "common/cleanup.h"
#include "common/fd.h"

#define BLOCK 2048
#define READ_BLOCKS 512
#define SYSTEM_AREA 32768
#define CATALOG "/boot/boot.cat"
#define ESP_INTERVAL "--interval:appended_partition_2:all::"

/* libisofs.h: options of iso_write_opts_set_system_area() and el_torito_set_isolinux_options() */
enum { AREA_PROTECTIVE_MBR = 1 << 0, AREA_GRUB2 = 1 << 14, AREA_ACTIVE = 1 << 15 };
enum { BOOT_INFO_TABLE = 1 << 0, BOOT_GRUB2_INFO = 1 << 9 };
#define MBR_TYPE_ESP 0xef
#define PLATFORM_EFI 0xef

static void image_unrefp(IsoImage **i)
{
	if (*i)
		iso_image_unref(*i);
}

static void opts_freep(IsoWriteOpts **o)
{
	if (*o)
		iso_write_opts_free(*o);
}

/* libisofs' own burn_source_free() lives in libburn. */
static void source_freep(struct burn_source **s)
{
	if (!*s)
		return;
	(*s)->free_data(*s);
	free(*s);
}

static int check(int r, const char *what, struct fault *err)
{
	if (r >= 0)
		return 0;
	return fault_set(err, -EIO, "libisofs cannot %s: %s", what, iso_error_to_msg(r));
}

/* The folder @name of @parent, made when it is not there. */
static int folder(IsoDir *parent, const char *name, IsoDir **ret, struct fault *err)
{
	IsoNode *node;

	if (iso_dir_get_node(parent, name, &node) == 1) {
		*ret = (IsoDir *)node;
		return 0;
	}
	int r = check(iso_tree_add_new_dir(parent, name, ret), "make a folder", err);
	if (r == 0)
		iso_node_set_permissions((IsoNode *)*ret, 0555);
	return r;
}

static int add_content(IsoDir *dir, const char *name, const struct iso_entry *e, int weight,
		       struct fault *err)
{
	IsoStream *stream;
	IsoFile *file;
	unsigned char *copy = malloc(e->len ? e->len : 1);

	if (!copy)
		return fault_oom(err);
	memcpy(copy, e->data, e->len);
	int r = iso_memory_stream_new(copy, e->len, &stream);
	if (r < 0) {
		free(copy);
		return check(r, "take a file", err);
	}
	r = iso_tree_add_new_file(dir, name, stream, &file);
	if (r < 0) {
		iso_stream_unref(stream);
		return check(r, "add a file", err);
	}
	iso_node_set_permissions((IsoNode *)file, 0444);
	iso_node_set_sort_weight((IsoNode *)file, weight);
	return 0;
}

static int add_file(IsoImage *image, const struct iso_entry *e, int weight, struct fault *err)
{
	IsoDir *dir = iso_image_get_root(image);
	char name[256];

	for (const char *p = e->path + strspn(e->path, "/");;) {
		size_t len = strcspn(p, "/");
		if (!len || len >= sizeof(name))
			return fault_set(err, -EINVAL, "bad path in the image: %s", e->path);
		memcpy(name, p, len);
		name[len] = '\0';
		if (!p[len])
			return add_content(dir, name, e, weight, err);
		int r = folder(dir, name, &dir, err);
		if (r < 0)
			return r;
		p += len + 1;
	}
}

static int add_files(IsoImage *image, const struct iso_spec *spec, struct fault *err)
{
	for (size_t i = 0; i < spec->n_files; i++) {
		/* Heavier files stand earlier: the order of the list is the order in the image. */
		int r = add_file(image, &spec->files[i], (int)(spec->n_files - i), err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_boot(IsoImage *image, const struct iso_spec *spec, struct fault *err)
{
	ElToritoBootImage *bios, *efi;

	int r = check(
		iso_image_set_boot_image(image, spec->bios_image, ELTORITO_NO_EMUL, CATALOG, &bios),
		"add the BIOS boot image", err);
	if (r < 0)
		return r;
	el_torito_set_load_size(bios, 4);
	el_torito_set_isolinux_options(bios, BOOT_INFO_TABLE | BOOT_GRUB2_INFO, 0);

	r = check(iso_image_add_boot_image(image, ESP_INTERVAL, ELTORITO_NO_EMUL, 0, &efi),
		  "add the UEFI boot image", err);
	if (r < 0)
		return r;
	el_torito_set_boot_platform_id(efi, PLATFORM_EFI);
	el_torito_set_full_load(efi, 1);
	return 0;
}

static int set_dates(IsoWriteOpts *o, int64_t epoch, struct fault *err)
{
	time_t t = (time_t)epoch;
	struct tm tm;
	char text[17];

	if (!gmtime_r(&t, &tm) || strftime(text, sizeof(text), "%Y%m%d%H%M%S00", &tm) != 16)
		return fault_set(err, -EINVAL, "the date %lld cannot be written into an ISO",
				 (long long)epoch);
	iso_write_opts_set_replace_timestamps(o, 2);
	iso_write_opts_set_default_timestamp(o, t);
	iso_write_opts_set_always_gmt(o, 1);
	int r = check(iso_write_opts_set_pvd_times(o, t, t, 0, 0, text), "set the dates", err);
	return r < 0 ? r : check(iso_write_opts_set_gpt_guid(o, NULL, 2), "set the GPT id", err);
}

static int set_options(IsoWriteOpts *o, const struct iso_spec *spec, struct fault *err)
{
	char area[SYSTEM_AREA] = { 0 };

	if (spec->mbr_len > sizeof(area))
		return fault_set(err, -EFBIG, "the boot sector file is too large");
	memcpy(area, spec->mbr, spec->mbr_len);

	iso_write_opts_set_iso_level(o, 3);
	iso_write_opts_set_rockridge(o, 1);
	/* RRIP 1.12 adds inode numbers, which libisofs gives out in an order that depends on addresses. */
	iso_write_opts_set_rrip_version_1_10(o, 1);
	iso_write_opts_set_sort_files(o, 1);
	iso_write_opts_set_replace_mode(o, 0, 0, 1, 1); /* owner: the default, 0:0 */
	iso_write_opts_set_default_uid(o, 0);
	iso_write_opts_set_default_gid(o, 0);
	iso_write_opts_set_tail_blocks(o, 0);
	int r = set_dates(o, spec->epoch, err);
	if (r == 0)
		r = check(iso_write_opts_set_system_area(
				  o, area, AREA_PROTECTIVE_MBR | AREA_GRUB2 | AREA_ACTIVE, 0),
			  "set the boot sector", err);
	if (r == 0)
		r = check(iso_write_opts_set_partition_img(o, 2, MBR_TYPE_ESP,
							   (char *)spec->esp_file, 0),
			  "append the EFI partition", err);
	if (r == 0)
		r = check(iso_write_opts_set_appended_as_gpt(o, 1), "make a GPT", err);
	return r;
}

static int pump(struct burn_source *s, int out_fd, struct fault *err)
{
	AUTO(freep) unsigned char *block = malloc((size_t)BLOCK * READ_BLOCKS);
	size_t have = 0;
	int n;

	if (!block)
		return fault_oom(err);
	do {
		n = s->read ? s->read(s, block + have, BLOCK) : s->read_xt(s, block + have, BLOCK);
		if (n > 0)
			have += (size_t)n;
		if (n > 0 && have + BLOCK <= (size_t)BLOCK * READ_BLOCKS)
			continue;
		int r = fd_write(out_fd, block, have);
		if (r < 0)
			return fault_set(err, r, "cannot write the ISO: %s", strerror(-r));
		have = 0;
	} while (n > 0);
	return n < 0 ? fault_set(err, -EIO, "libisofs cannot produce the image") : 0;
}

static int write_image(const struct iso_spec *spec, int out_fd, struct fault *err)
{
	AUTO(image_unrefp) IsoImage *image = NULL;
	AUTO(opts_freep) IsoWriteOpts *opts = NULL;
	AUTO(source_freep) struct burn_source *source = NULL;

	int r = check(iso_image_new(spec->volume_id, &image), "make an image", err);
	if (r == 0)
		r = check(iso_write_opts_new(&opts, 0), "make an option set", err);
	if (r == 0)
		r = add_files(image, spec, err);
	if (r == 0)
		r = add_boot(image, spec, err);
	if (r == 0)
		r = set_options(opts, spec, err);
	if (r == 0)
		r = check(iso_image_create_burn_source(image, opts, &source), "lay out the image",
			  err);
	return r < 0 ? r : pump(source, out_fd, err);
}

int iso_write(const struct iso_spec *spec, int out_fd, struct fault *err)
{
	char never[] = "NEVER", none[] = "";

	int r = check(iso_init(), "start", err);
	if (r < 0)
		return r;
	iso_set_msgs_severities(never, never, none);
	r = write_image(spec, out_fd, err);
	iso_finish();
	return r;
}
