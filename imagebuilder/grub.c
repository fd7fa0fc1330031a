#include "imagebuilder/grub.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/proc.h"
#include "common/str.h"
#include "imagebuilder/scratch.h"

#define IMAGE_MAX (16u << 20) /* bytes of a GRUB image */
#define MKIMAGE_MS 60000u
#define EARLY "early.cfg"
#define ARGS_MAX 1024u /* the kernel takes 2048 bytes on x86 */

#define MODULES_COMMON                                                                         \
	"fat", "iso9660", "part_gpt", "part_msdos", "normal", "linux", "configfile", "search", \
		"search_fs_file", "echo", "test", "minicmd"

void grub_images_done(struct grub_images *g)
{
	free(g->efi);
	free(g->eltorito);
	free(g->mbr);
	*g = (struct grub_images){ 0 };
}

static int mkimage(const struct scratch *tmp, const char *grub_dir, const char *format,
		   const char *platform, const char *const *modules, char **ret, size_t *ret_len,
		   struct fault *err)
{
	char dir[1024], early[300], out[300];
	const char *argv[48] = { "grub-mkimage", "--directory", dir,         "--format",
				 format,         "--output",    out,         "--config",
				 early,          "--prefix",    "/boot/grub" };
	size_t n = 11;

	snprintf(dir, sizeof(dir), "%s/%s", grub_dir, platform);
	snprintf(early, sizeof(early), "%s/" EARLY, tmp->path);
	snprintf(out, sizeof(out), "%s/%s", tmp->path, format);
	for (; *modules && n < ARRAY_SIZE(argv) - 1; modules++)
		argv[n++] = *modules;
	argv[n] = NULL;

	int r = proc_run_ok(&(struct proc_spec){ .argv = argv,
						 .env = scratch_env,
						 .stdin_fd = -1,
						 .stdout_fd = -1,
						 .timeout_ms = MKIMAGE_MS },
			    err);
	if (r == -ENOENT)
		return fault_set(
			err, r,
			"there is no program grub-mkimage: install the package grub-common");
	return r < 0 ? r : file_read_at(tmp->fd, format, IMAGE_MAX, ret, ret_len, err);
}

static int check_dir(const char *grub_dir, const char *platform, const char *file,
		     const char *package, struct fault *err)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s/%s", grub_dir, platform, file);
	if (access(path, R_OK) == 0)
		return 0;
	return fault_set(
		err, -ENOENT,
		"there is no %s: install or unpack the package %s, or name its folder by --grub-dir",
		path, package);
}

static int write_early(const struct scratch *tmp, const char *marker, struct fault *err)
{
	AUTO(freep)
	char *text = str_printf("search --no-floppy --set=root --file %s\n"
				"set prefix=($root)/boot/grub\n"
				"configfile $prefix/grub.cfg\n",
				marker);

	return text ? file_create_at(tmp->fd, EARLY, text, strlen(text), 0644, err)
		    : fault_oom(err);
}

static int make_all(const struct scratch *tmp, const char *grub_dir, struct grub_images *g,
		    struct fault *err)
{
	/* efi_gop: the kernel gets the frame buffer's address from the loader, or real machines stay dark. */
	static const char *const efi_modules[] = { MODULES_COMMON, "efi_gop", "all_video", NULL };
	static const char *const bios_modules[] = { MODULES_COMMON, "biosdisk", NULL };
	AUTO(freep) char *mbr = str_printf("%s/i386-pc/boot_hybrid.img", grub_dir);

	if (!mbr)
		return fault_oom(err);
	int r = mkimage(tmp, grub_dir, "x86_64-efi", "x86_64-efi", efi_modules, &g->efi,
			&g->efi_len, err);
	if (r == 0)
		r = mkimage(tmp, grub_dir, "i386-pc-eltorito", "i386-pc", bios_modules,
			    &g->eltorito, &g->eltorito_len, err);
	return r < 0 ? r : file_read_at(AT_FDCWD, mbr, 32768, &g->mbr, &g->mbr_len, err);
}

int grub_images_make(const char *grub_dir, const char *marker, struct grub_images *ret,
		     struct fault *err)
{
	AUTO(scratch_done) struct scratch tmp = SCRATCH_INIT;
	AUTO(grub_images_done) struct grub_images g = { 0 };

	int r = check_dir(grub_dir, "x86_64-efi", "moddep.lst", "grub-efi-amd64-bin", err);
	if (r == 0)
		r = check_dir(grub_dir, "i386-pc", "cdboot.img", "grub-pc-bin", err);
	if (r == 0)
		r = check_dir(grub_dir, "i386-pc", "boot_hybrid.img", "grub-pc-bin", err);
	if (r == 0)
		r = scratch_make(&tmp, err);
	if (r == 0)
		r = write_early(&tmp, marker, err);
	if (r == 0)
		r = make_all(&tmp, grub_dir, &g, err);
	if (r < 0)
		return r;

	*ret = g;
	g = (struct grub_images){ 0 };
	return 0;
}

int grub_config(const char *args, char **ret, struct fault *err)
{
	/* '$', quotes, ';', '{' and line ends mean something to GRUB's parser. */
	if (args &&
	    (!str_is_text(args) || strpbrk(args, "\n\t$\"'`;{}\\|&<>#") || strlen(args) > ARGS_MAX))
		return fault_set(
			err, -EINVAL,
			"the kernel arguments must be one line without quotes or any of $ ; { } \\ | & < > #");

	*ret = str_printf("set timeout=0\n"
			  "set default=0\n"
			  "if [ \"$grub_platform\" = efi ]; then\n"
			  "	set gfxpayload=keep\n"
			  "else\n"
			  "	set gfxpayload=text\n"
			  "fi\n"
			  "menuentry \"Slipway discovery\" {\n"
			  "	linux /boot/vmlinuz quiet console=tty0 console=ttyS0,115200n8%s%s\n"
			  "	initrd /boot/initrd.img "
			  "/boot/token.img\n"
			  "}\n",
			  str_empty(args) ? "" : " ", args ? args : "");
	return *ret ? 0 : fault_oom(err);
}
