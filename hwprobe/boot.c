#include <errno.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/mounts.h"
#include "hwprobe/probe.h"

#define EFI_DIR "sys/firmware/efi"
#define EFIVARS_DIR EFI_DIR "/efivars"
/* UEFI 2.10, 3.3: globally defined variables; efivarfs puts 4 bytes of attributes in front of the value. */
#define SECURE_BOOT_VARIABLE EFIVARS_DIR "/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

static void find_mode(struct survey *s, struct hwp_boot *b)
{
	bool is_uefi = root_is_dir(s->root, EFI_DIR);
	put_str(s, &b->current_boot_mode, is_uefi ? "uefi" : "bios", EFI_DIR);
}

static void find_command_line(struct survey *s, struct hwp_boot *b)
{
	char *text = NULL;
	if (attr_file(s, "proc/cmdline", ROOT_TABLE_MAX, &text, NULL) < 0)
		return;
	put_str(s, &b->command_line, text, "proc/cmdline");

	char *save = NULL;
	for (char *word = strtok_r(text, " \t\n", &save); word;
	     word = strtok_r(NULL, " \t\n", &save)) {
		if (str_starts(word, "BOOTIF=")) {
			put_str(s, &b->pxe_interface, word + strlen("BOOTIF="),
				"proc/cmdline BOOTIF");
			return;
		}
	}
}

/* efivarfs that is not mounted looks as if the variable were absent. */
static bool can_have_variables(struct survey *s)
{
	const struct mount_table *t = survey_mounts(s);
	if (!t->n)
		return true; /* no mount table to ask */
	const struct mount *m = mount_at(t, "/" EFIVARS_DIR);
	return m && !strcmp(m->type, "efivarfs");
}

static const char *secure_boot(struct survey *s, const struct hwp_boot *b)
{
	char data[16];
	if (!str_eq(b->current_boot_mode.s, "uefi"))
		return "NotSupported";
	ssize_t n = root_attr(s->root, SECURE_BOOT_VARIABLE, data, sizeof(data));
	if (n == -ENOENT || n == -ENOTDIR)
		return can_have_variables(s) ? "NotSupported" : "Unknown";
	if (n != 5 || (unsigned char)data[4] > 1) {
		survey_error(s, SECURE_BOOT_VARIABLE, n < 0 ? (int)-n : EBADMSG, "%s",
			     n < 0 ? strerror((int)-n) : "not five bytes with 0 or 1 at the end");
		return "Unknown";
	}
	return data[4] ? "Enabled" : "Disabled";
}

/* A wrong "persistent" is destructive (the service then installs into the running root): when unsure, ephemeral. */
static void find_device_type(struct survey *s, struct hwp_boot *b)
{
	static const char *const live_types[] = { "squashfs", "erofs", "overlay",
						  "tmpfs",    "ramfs", "rootfs" };
	const struct mount_table *t = survey_mounts(s);
	const struct mount *m = mount_at(t, "/sysroot");
	if (m) {
		bool is_loop = str_starts(m->source, "/dev/loop");
		put_str(s, &b->device_type, is_loop ? "ephemeral" : "persistent",
			"proc/self/mountinfo /sysroot");
		return;
	}
	m = mount_at(t, "/");
	for (size_t i = 0; m && i < ARRAY_SIZE(live_types); i++)
		if (!strcmp(m->type, live_types[i]))
			put_str(s, &b->device_type, "ephemeral", "proc/self/mountinfo /");
}

static void run(struct survey *s)
{
	struct hwp_boot *b = &s->inv->boot;
	find_mode(s, b);
	find_command_line(s, b);
	put_str(s, &b->secure_boot_state, secure_boot(s, b), EFI_DIR);
	find_device_type(s, b);
}

const struct probe probe_boot = { .name = "boot", .part = HWP_BOOT, .run = run };
