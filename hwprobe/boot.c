#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/efi_option.h"
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

#define EFI_GLOBAL "8be4df61-93ca-11d2-aa0d-00e098032b8c"

enum { EFI_ATTRIBUTES_LEN = 4 };

/* "01-aa-bb-cc-dd-ee-ff": the hardware type (1 = Ethernet) in front of the address. */
static bool mac_of_bootif(const char *bootif, char text[18])
{
	unsigned b[7];
	char rest;
	if (!bootif || sscanf(bootif, "%2x-%2x-%2x-%2x-%2x-%2x-%2x%c", &b[0], &b[1], &b[2], &b[3],
			      &b[4], &b[5], &b[6], &rest) != 7)
		return false;
	snprintf(text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", b[1], b[2], b[3], b[4], b[5], b[6]);
	return true;
}

/* The entry that the firmware booted: BootCurrent names a Boot#### variable. */
static void find_boot_entry(struct survey *s, struct hwp_boot *b)
{
	char data[ROOT_ATTR_MAX], text[18];
	const unsigned char *p = (const unsigned char *)data;
	struct efi_option o;
	ssize_t n = root_attr(s->root, EFIVARS_DIR "/BootCurrent-" EFI_GLOBAL, data, sizeof(data));
	if (n != EFI_ATTRIBUTES_LEN + 2)
		return;
	unsigned number = (unsigned)p[4] | (unsigned)p[5] << 8;
	put_num(s, &b->boot_current, number, EFIVARS_DIR "/BootCurrent-" EFI_GLOBAL);
	char *path = arena_printf(s->tmp, EFIVARS_DIR "/Boot%04X-" EFI_GLOBAL, number);
	n = path ? root_attr(s->root, path, data, sizeof(data)) : -ENOMEM;
	if (n == -ENOENT)
		return; /* some firmware removes what it made up for this boot */
	if (n < EFI_ATTRIBUTES_LEN ||
	    efi_option_parse(p + EFI_ATTRIBUTES_LEN, (size_t)n - EFI_ATTRIBUTES_LEN, &o) < 0) {
		survey_error(s, path ? path : EFIVARS_DIR, n < 0 ? (int)-n : EBADMSG,
			     "not a boot entry");
		return;
	}
	put_str(s, &b->boot_entry, o.description, path);
	put_str(s, &b->boot_uri, o.uri, path);
	if (!o.has_mac || b->pxe_mac.s)
		return;
	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", o.mac[0], o.mac[1], o.mac[2],
		 o.mac[3], o.mac[4], o.mac[5]);
	put_str(s, &b->pxe_mac, text, path);
}

/* A variable of one byte behind the attributes; -1 = absent, or something else. */
static int byte_variable(struct survey *s, const char *path)
{
	char data[16];
	ssize_t n = root_attr(s->root, path, data, sizeof(data));
	return n == EFI_ATTRIBUTES_LEN + 1 ? (unsigned char)data[EFI_ATTRIBUTES_LEN] : -1;
}

/*
 * Some firmware is slow to answer, and the kernel lets others than root read a few variables a second only. So of these two the one that matters
 * is read: firmware in setup mode has no Secure Boot (UEFI 2.10, 32.3), and without Secure Boot shim validates nothing anyway.
 */
static void find_secure_boot_details(struct survey *s, struct hwp_boot *b)
{
	static const char setup[] = EFIVARS_DIR "/SetupMode-" EFI_GLOBAL,
			  mok[] = EFIVARS_DIR "/MokSBState-605dab50-e046-4300-abb6-3d810dd8b23a";
	int value;
	if (str_eq(b->secure_boot_state.s, "Enabled") && (value = byte_variable(s, mok)) >= 0)
		put_bool(s, &b->shim_validation, value != 1, mok); /* 1: it was turned off */
	if (str_eq(b->secure_boot_state.s, "Disabled") && (value = byte_variable(s, setup)) >= 0)
		put_bool(s, &b->setup_mode, value == 1, setup);
}

static void find_more(struct survey *s, struct hwp_boot *b)
{
	char mac[18];
	if (mac_of_bootif(b->pxe_interface.s, mac))
		put_str(s, &b->pxe_mac, mac, "proc/cmdline BOOTIF");
	if (!str_eq(b->current_boot_mode.s, "uefi"))
		return;
	find_boot_entry(s, b);
	find_secure_boot_details(s, b);
}

static void run(struct survey *s)
{
	struct hwp_boot *b = &s->inv->boot;
	find_mode(s, b);
	find_command_line(s, b);
	put_str(s, &b->secure_boot_state, secure_boot(s, b), EFI_DIR);
	find_device_type(s, b);
	if (s->opt->flags & HWP_MORE)
		find_more(s, b);
}

const struct probe probe_boot = { .name = "boot", .part = HWP_BOOT, .run = run };
