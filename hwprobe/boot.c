#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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

/* What systems run from that are in memory, or on a medium. */
static bool is_live_type(const char *type)
{
	static const char *const types[] = { "squashfs", "erofs", "overlay",
					     "tmpfs",    "ramfs", "rootfs" };
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(type, types[i]))
			return true;
	return false;
}

/*
 * A wrong "persistent" is destructive (the service then installs into the running root): when unsure, ephemeral. An image of erofs can be mounted
 * without a loop device.
 */
static void find_device_type(struct survey *s, struct hwp_boot *b)
{
	const struct mount_table *t = survey_mounts(s);
	const struct mount *m = mount_at(t, "/sysroot");
	if (m) {
		bool is_live = str_starts(m->source, "/dev/loop") || is_live_type(m->type);
		put_str(s, &b->device_type, is_live ? "ephemeral" : "persistent",
			"proc/self/mountinfo /sysroot");
		return;
	}
	m = mount_at(t, "/");
	if (m && is_live_type(m->type))
		put_str(s, &b->device_type, "ephemeral", "proc/self/mountinfo /");
}

#define EFI_GLOBAL "8be4df61-93ca-11d2-aa0d-00e098032b8c"

enum { EFI_ATTRIBUTES_LEN = 4, BOOT_ENTRY_MAX = 64 << 10 };

static void put_mac(struct survey *s, struct hwp_str *dst, const uint8_t m[6], const char *source)
{
	char text[18];
	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4],
		 m[5]);
	put_str(s, dst, text, source);
}

/* "01-aa-bb-cc-dd-ee-ff": the hardware type (1 = Ethernet) in front of the address; some loaders leave it out, or write colons. */
static void put_bootif_mac(struct survey *s, struct hwp_boot *b)
{
	uint8_t bytes[7];
	size_t n = 0;
	const char *p = b->pxe_interface.s;
	for (; p && n < sizeof(bytes); n++, p += 3) {
		if (!isxdigit((unsigned char)p[0]) || !isxdigit((unsigned char)p[1]))
			return;
		bytes[n] = (uint8_t)strtoul((const char[]){ p[0], p[1], '\0' }, NULL, 16);
		if (!p[2]) {
			n++;
			break;
		}
		if ((p[2] != '-' && p[2] != ':') || n + 1 == sizeof(bytes))
			return;
	}
	if (n == 6 || n == 7)
		put_mac(s, &b->pxe_mac, bytes + n - 6, "proc/cmdline BOOTIF");
}

/* What stands behind the attributes, in one read(2): firmware may be slow. Its length; 0 = absent, or what is wrong is recorded. */
static size_t read_variable(struct survey *s, const char *path, char *data, size_t size,
			    const uint8_t **ret)
{
	ssize_t n = root_attr(s->root, path, data, size);
	if (n >= EFI_ATTRIBUTES_LEN) {
		*ret = (const uint8_t *)data + EFI_ATTRIBUTES_LEN;
		return (size_t)n - EFI_ATTRIBUTES_LEN;
	}
	if (n >= 0)
		survey_error(s, path, EBADMSG, "not a variable: %zd bytes", n);
	else if (n != -ENOENT && n != -ENOTDIR)
		survey_error(s, path, (int)-n, "%s", strerror((int)-n));
	return 0;
}

/* The entry that the firmware booted: BootCurrent names a Boot#### variable. Some firmware removes what it made up for this boot. */
static void find_boot_entry(struct survey *s, struct hwp_boot *b)
{
	static const char current[] = EFIVARS_DIR "/BootCurrent-" EFI_GLOBAL;
	const uint8_t *p = NULL;
	struct efi_option o;
	char *data = arena_alloc(s->tmp, BOOT_ENTRY_MAX);
	size_t n = data ? read_variable(s, current, data, BOOT_ENTRY_MAX, &p) : 0;
	if (n != 2) {
		if (n)
			survey_error(s, current, EBADMSG, "not two bytes, but %zu", n);
		return;
	}
	unsigned number = (unsigned)p[0] | (unsigned)p[1] << 8;
	put_num(s, &b->boot_current, number, current);
	char *path = arena_printf(s->tmp, EFIVARS_DIR "/Boot%04X-" EFI_GLOBAL, number);
	n = path ? read_variable(s, path, data, BOOT_ENTRY_MAX, &p) : 0;
	if (!n)
		return;
	if (efi_option_parse(p, n, &o) < 0) {
		survey_error(s, path, EBADMSG, "not a boot entry");
		return;
	}
	put_str(s, &b->boot_entry, o.description, path);
	put_str(s, &b->boot_uri, o.uri, path);
	if (o.has_mac && !b->pxe_mac.s)
		put_mac(s, &b->pxe_mac, o.mac, path);
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
	put_bootif_mac(s, b);
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
