/*
 * A base image: kernel, initramfs, boot loaders, hybrid ISO with an empty token area, and a description.
 */
#include "imagebuilder/imagebuilder.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/digest.h"
#include "common/fd.h"
#include "common/json_map.h"
#include "common/str.h"
#include "imagebuilder/elf_deps.h"
#include "imagebuilder/fat.h"
#include "imagebuilder/grub.h"
#include "imagebuilder/initramfs.h"
#include "imagebuilder/iso_write.h"
#include "imagebuilder/modules.h"
#include "imagebuilder/rootfs.h"
#include "imagebuilder/scratch.h"

#define PATH_LEN_MAX 1024
#define VOLUME_ID "SLIPWAY"
#define BIOS_IMAGE "/boot/grub/eltorito.img"
#define ISO_TMP ".base.iso.tmp"
#define BASE_FORMAT 1
#define MARKER_HEX 16 /* digits of the base's digest in the marker's name */

struct build {
	const struct build_spec *spec;
	const struct profile *profile;
	struct source src;
	char *version; /* of the kernel */
	int64_t epoch;
	struct file_set set;
	struct modules modules;
	char *kernel;
	size_t kernel_len;
	struct buf initrd;
	struct grub_images grub;
	char *config;    /* grub.cfg */
	char marker[64]; /* path in the ISO of the file by which GRUB knows its medium */
	uint32_t serial; /* of the EFI partition */
	void *esp;
	size_t esp_len;
	struct iso_area area;
	uint64_t iso_size;
	char iso_digest[SHA256_HEX_LEN + 1];
};

static void build_done(struct build *b)
{
	source_done(&b->src);
	free(b->version);
	file_set_done(&b->set);
	modules_done(&b->modules);
	free(b->kernel);
	buf_done(&b->initrd);
	grub_images_done(&b->grub);
	free(b->config);
	free(b->esp);
}

/* The kernel, and from its date the date of everything when none was given: it comes from the package, so it is an input like any other. */
static int read_kernel(struct build *b, struct fault *err)
{
	char path[PATH_LEN_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "boot/vmlinuz-%s", b->version);
	int r = source_read(&b->src, path, false, &b->kernel, &b->kernel_len, NULL, err);
	if (r == -ENOENT)
		return fault_set(
			err, r,
			"%s has no %s: unpack the linux-image package of that version there",
			b->spec->root, path);
	if (r < 0)
		return r;
	AUTO(closep) int fd = source_openat(&b->src, path, O_RDONLY, false, err);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fault_set(err, -EIO, "cannot stat %s", path);
	b->epoch = b->spec->epoch ? b->spec->epoch : st.st_mtime;
	if (b->epoch < 0 || b->epoch > UINT32_MAX)
		return fault_set(err, -EINVAL,
				 "the date %" PRId64 " cannot be written into a cpio archive",
				 b->epoch);
	return 0;
}

static int open_inputs(struct build *b, struct fault *err)
{
	const struct build_spec *spec = b->spec;

	b->profile = profile_find(spec->profile);
	if (!b->profile)
		return fault_set(err, -EINVAL, "there is no profile %s: use virt or server",
				 spec->profile);
	int r = source_open(spec->root, &b->src, err);
	if (r < 0)
		return r;
	if (spec->kernel_version && strchr(spec->kernel_version, '/'))
		return fault_set(err, -EINVAL, "bad kernel version %s", spec->kernel_version);
	r = spec->kernel_version ? str_set(&b->version, spec->kernel_version)
				 : modules_newest_version(&b->src, &b->version, err);
	return r < 0 ? r : read_kernel(b, err);
}

/* As installed; else, when the program runs from a build folder inside the source tree, the sources. */
static int find_data_dir(const struct build_spec *spec, char ret[PATH_LEN_MAX])
{
	static const char *const tries[] = { "../share/slipway", "../../imagebuilder",
					     "../../../imagebuilder" };
	char exe[PATH_LEN_MAX], path[2 * PATH_LEN_MAX];

	str_copy(ret, PATH_LEN_MAX, spec->data_dir ? spec->data_dir : SLIPWAY_DATADIR);
	snprintf(path, sizeof(path), "%s/discovery/init", ret);
	if (spec->data_dir || access(path, R_OK) == 0)
		return 0;

	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (n < 0)
		return -errno;
	exe[n] = '\0';
	*strrchr(exe, '/') = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		snprintf(path, sizeof(path), "%s/%s/discovery/init", exe, tries[i]);
		if (access(path, R_OK) == 0) {
			snprintf(path, sizeof(path), "%s/%s", exe, tries[i]);
			return str_copy(ret, PATH_LEN_MAX, path) ? 0 : -ENAMETOOLONG;
		}
	}
	return -ENOENT;
}

/* The boot loaders, the profile tables and the area layout are for this one architecture so far. */
static int check_architecture(const struct build *b, struct fault *err)
{
	for (size_t i = 0; i < b->set.n; i++) {
		const struct set_file *f = &b->set.v[i];
		struct elf_deps deps;
		if (strcmp(f->path, "usr/bin/slipway-agent") == 0 &&
		    elf_deps_parse(f->data, f->len, &deps, NULL) == 0 && deps.machine != EM_X86_64)
			return fault_set(err, -ENOTSUP, "the agent %s is not a program for x86_64",
					 b->spec->agent);
	}
	return 0;
}

static int make_initramfs(struct build *b, struct progress *p, struct fault *err)
{
	char data_dir[PATH_LEN_MAX];

	if (find_data_dir(b->spec, data_dir) < 0)
		return fault_set(
			err, -ENOENT,
			"cannot find discovery/init below %s: name the folder that has it by --data-dir",
			data_dir);
	int r = rootfs_add(&b->set, &b->src, data_dir, b->spec->agent, err);
	if (r == 0)
		r = check_architecture(b, err);
	if (r == 0)
		r = modules_add(&b->set, &b->src, b->version, b->profile, b->spec->firmware_dir,
				&b->modules, err);
	if (r < 0)
		return r;
	progress_step(p, "initramfs", 600, b->set.bytes);
	return initramfs_pack(&b->set, (uint32_t)b->epoch, b->spec->compression_level, &b->initrd,
			      p, err);
}

static const char *grub_dir(const struct build *b, char path[PATH_LEN_MAX])
{
	if (b->spec->grub_dir)
		return b->spec->grub_dir;
	snprintf(path, PATH_LEN_MAX, "%s/usr/lib/grub/i386-pc", b->spec->root);
	if (access(path, R_OK) < 0)
		return "/usr/lib/grub";
	*strrchr(path, '/') = '\0';
	return path;
}

/* The marker's name depends on what is booted, so that GRUB on a machine with two media takes its own. */
static void name_marker(struct build *b)
{
	uint8_t digest[SHA256_LEN];
	char hex[SHA256_HEX_LEN + 1];
	struct sha256 s;

	sha256_init(&s);
	sha256_update(&s, b->kernel, b->kernel_len);
	sha256_update(&s, b->initrd.data, b->initrd.len);
	sha256_update(&s, b->config, strlen(b->config));
	sha256_final(&s, digest);
	hex_encode(digest, sizeof(digest), hex);
	snprintf(b->marker, sizeof(b->marker), "/boot/slipway-%.*s", MARKER_HEX, hex);
	memcpy(&b->serial, digest, sizeof(b->serial));
}

static int make_loaders(struct build *b, struct fault *err)
{
	static const char *const folders[] = { "EFI", "BOOT", NULL };
	char path[PATH_LEN_MAX];

	int r = grub_config(b->spec->kernel_args, &b->config, err);
	if (r < 0)
		return r;
	name_marker(b);
	r = grub_images_make(grub_dir(b, path), b->marker, &b->grub, err);
	if (r < 0)
		return r;
	const struct fat_file file = { .name = "BOOTX64.EFI",
				       .data = b->grub.efi,
				       .len = b->grub.efi_len };
	return fat_image(folders, &file, 1, b->epoch, b->serial, &b->esp, &b->esp_len, err);
}

static int write_iso(struct build *b, const struct scratch *tmp, const void *token_area, int fd,
		     struct fault *err)
{
	char esp_file[PATH_LEN_MAX];
	const struct iso_entry files[] = {
		{ b->marker, b->marker, strlen(b->marker) },
		{ "/boot/grub/grub.cfg", b->config, strlen(b->config) },
		{ BIOS_IMAGE, b->grub.eltorito, b->grub.eltorito_len },
		{ TOKEN_AREA_PATH, token_area, TOKEN_AREA_SIZE },
		{ "/boot/vmlinuz", b->kernel, b->kernel_len },
		{ "/boot/initrd.img", b->initrd.data, b->initrd.len },
	};
	const struct iso_spec iso = {
		.volume_id = VOLUME_ID,
		.epoch = b->epoch,
		.files = files,
		.n_files = ARRAY_SIZE(files),
		.bios_image = BIOS_IMAGE,
		.mbr = b->grub.mbr,
		.mbr_len = b->grub.mbr_len,
		.esp_file = esp_file,
	};

	snprintf(esp_file, sizeof(esp_file), "%s/esp.img", tmp->path);
	int r = file_create_at(tmp->fd, "esp.img", b->esp, b->esp_len, 0600, err);
	return r < 0 ? r : iso_write(&iso, fd, err);
}

static int digest_file(int fd, uint64_t *ret_size, char ret[SHA256_HEX_LEN + 1], struct fault *err)
{
	AUTO(freep) char *block = malloc(1u << 20);
	uint8_t digest[SHA256_LEN];
	uint64_t size = 0;
	struct sha256 s;
	ssize_t n;

	if (!block)
		return fault_oom(err);
	sha256_init(&s);
	while ((n = fd_pread(fd, block, 1u << 20, size)) > 0) {
		sha256_update(&s, block, (size_t)n);
		size += (uint64_t)n;
	}
	if (n < 0)
		return fault_set(err, (int)n, "cannot read the ISO back: %s", strerror((int)-n));
	sha256_final(&s, digest);
	hex_encode(digest, sizeof(digest), ret);
	*ret_size = size;
	return 0;
}

static int make_iso(struct build *b, int out_dirfd, struct fault *err)
{
	AUTO(scratch_done) struct scratch tmp = SCRATCH_INIT;
	AUTO(freep) void *token_area = calloc(1, TOKEN_AREA_SIZE);

	if (!token_area)
		return fault_oom(err);
	int r = scratch_make(&tmp, err);
	if (r < 0)
		return r;
	AUTO(closep)
	int fd = openat(out_dirfd, ISO_TMP, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return fault_set(err, -errno, "cannot make " ISO_TMP ": %s", strerror(errno));

	r = write_iso(b, &tmp, token_area, fd, err);
	if (r == 0)
		r = iso_area_find(fd, &b->area, err);
	if (r == 0)
		r = digest_file(fd, &b->iso_size, b->iso_digest, err);
	if (r == 0)
		r = fd_sync(fd, "base.iso", err);
	if (r < 0)
		(void)unlinkat(out_dirfd, ISO_TMP, 0);
	return r;
}

static json_t *file_json(const void *data, size_t len)
{
	char hex[SHA256_HEX_LEN + 1];

	sha256_hex(data, len, hex);
	return json_pack("{s:I, s:s}", "size_bytes", (json_int_t)len, "sha256", hex);
}

static json_t *strs_json(const struct json_strs *s)
{
	json_t *a = json_array();

	for (size_t i = 0; a && i < s->n; i++)
		json_array_append_new(a, json_string(s->v[i]));
	return a;
}

static int write_description(const struct build *b, int out_dirfd, struct fault *err)
{
	AUTO(json_decrefp)
	json_t *j = json_pack(
		"{s:i, s:s, s:s, s:s, s:s, s:I, s:s, s:{s:{s:I, s:s}, s:o, s:o}, s:{s:s, s:I, s:I}, s:o, s:o}",
		"format", BASE_FORMAT, "version", SLIPWAY_VERSION, "kernel", b->version,
		"architecture", "x86_64", "profile", b->profile->name, "created",
		(json_int_t)b->epoch, "kernel_arguments",
		b->spec->kernel_args ? b->spec->kernel_args : "", "files", "base.iso", "size_bytes",
		(json_int_t)b->iso_size, "sha256", b->iso_digest, "vmlinuz",
		file_json(b->kernel, b->kernel_len), "initrd.img",
		file_json(b->initrd.data, b->initrd.len), "token_area", "path", b->area.path,
		"offset", (json_int_t)b->area.offset, "length", (json_int_t)b->area.length,
		"modules", strs_json(&b->modules.names), "missing_firmware",
		strs_json(&b->modules.missing_firmware));
	AUTO(freep) char *text = j ? json_dumps(j, JSON_INDENT(1) | JSON_PRESERVE_ORDER) : NULL;

	return text ? file_replace_at(out_dirfd, "base.json", text, strlen(text), 0644, err)
		    : fault_oom(err);
}

static int write_outputs(struct build *b, int out_dirfd, struct fault *err)
{
	int r = make_iso(b, out_dirfd, err);

	/* A folder with a description is complete: it goes first and comes back last. */
	if (r == 0 && unlinkat(out_dirfd, "base.json", 0) < 0 && errno != ENOENT)
		r = fault_set(err, -errno, "cannot remove the old base.json: %s", strerror(errno));
	if (r == 0)
		r = file_replace_at(out_dirfd, "vmlinuz", b->kernel, b->kernel_len, 0644, err);
	if (r == 0)
		r = file_replace_at(out_dirfd, "initrd.img", b->initrd.data, b->initrd.len, 0644,
				    err);
	if (r == 0 && renameat(out_dirfd, ISO_TMP, out_dirfd, "base.iso") < 0)
		r = fault_set(err, -errno, "cannot rename " ISO_TMP ": %s", strerror(errno));
	return r < 0 ? r : write_description(b, out_dirfd, err);
}

int build_base(const struct build_spec *spec, int out_dirfd, struct progress *p, struct fault *err)
{
	AUTO(build_done) struct build b = { .spec = spec, .src = SOURCE_INIT };

	buf_init(&b.initrd, INITRAMFS_MAX);
	progress_step(p, "collecting files", 200, 1);
	int r = open_inputs(&b, err);
	if (r == 0)
		r = make_initramfs(&b, p, err);
	if (r < 0)
		return r;
	if (progress_cancelled(p))
		return -ECANCELED;

	progress_step(p, "boot loaders and ISO", 200, 2);
	r = make_loaders(&b, err);
	progress_add(p, 1);
	if (r == 0)
		r = write_outputs(&b, out_dirfd, err);
	if (r == 0)
		progress_end(p);
	return r;
}
