#include "imagebuilder/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"
#include "imagebuilder/closure.h"

#define PATH_LEN_MAX 1024

struct link {
	const char *path, *target;
};

/* Merged /usr, as Debian and Fedora have it: udev looks for its helpers in /lib/udev, packages fill /usr/lib/udev or /lib/udev. */
static const struct link merged[] = {
	{ "bin", "usr/bin" },
	{ "sbin", "usr/sbin" },
	{ "lib", "usr/lib" },
	{ "lib64", "usr/lib64" },
};

static const char *const folders[] = {
	"dev",     "etc/slipway", "mnt",     "proc",      "root",           "run", "sys", "tmp",
	"usr/bin", "usr/sbin",    "usr/lib", "usr/lib64", "var/lib/slipway"
};

/* What /init and its DHCP script call, and what a person at the console needs. modprobe is kmod's: busybox's ignores soft dependencies. */
static const char *const applets[] = {
	"awk",     "cat",      "chmod",   "chvt",     "cp",      "cut",   "date",     "dd",
	"df",      "dmesg",    "du",      "echo",     "env",     "false", "find",     "free",
	"grep",    "head",     "hexdump", "hostname", "ip",      "kill",  "less",     "ln",
	"ls",      "mkdir",    "mkfifo",  "mknod",    "more",    "mount", "mv",       "nc",
	"netstat", "nslookup", "openvt",  "ping",     "ps",      "pwd",   "readlink", "reboot",
	"rm",      "sed",      "seq",     "setsid",   "sh",      "sleep", "sort",     "stty",
	"sync",    "tail",     "tee",     "test",     "timeout", "top",   "touch",    "tr",
	"true",    "udhcpc",   "umount",  "uname",    "uptime",  "vi",    "wc",       "which",
};

/* Nothing that assembles or activates anything (md, lvm, dm, btrfs, multipath), no sound, video, input devices. */
static const char *const rules[] = {
	"50-firmware.rules", "50-udev-default.rules",      "60-block.rules",
	"60-cdrom_id.rules", "60-infiniband.rules",        "60-persistent-storage.rules",
	"60-serial.rules",   "73-special-net-names.rules", "75-net-description.rules",
	"80-drivers.rules",  "80-net-setup-link.rules",
};

static const char *const udev_helpers[] = { "ata_id", "cdrom_id", "scsi_id" };

/* Loaded by dlopen(3): name look-ups in C libraries before 2.34, thread exit. */
static const char *const extra_libraries[] = { "libgcc_s.so.1", "libnss_dns.so.2",
					       "libnss_files.so.2", "libresolv.so.2" };

static const struct {
	const char *path, *text;
} texts[] = {
	{ "etc/group",
	  "root:x:0:\ntty:x:5:\ndisk:x:6:\nlp:x:7:\nkmem:x:15:\ndialout:x:20:\ncdrom:x:24:\ntape:x:26:\naudio:x:29:\nvideo:x:44:\n"
	  "sgx:x:102:\ninput:x:103:\nrender:x:104:\nkvm:x:105:\nnogroup:x:65534:\n" },
	{ "etc/hosts", "127.0.0.1 localhost\n::1 localhost\n" },
	{ "etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\nservices: files\n" },
	{ "etc/passwd",
	  "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n" },
	{ "etc/services",
	  "http 80/tcp\nhttps 443/tcp\nntp 123/udp\ndomain 53/udp\ndomain 53/tcp\n" },
};

static int added(int r, const char *what, struct fault *err)
{
	return r < 0 ? fault_set(err, r, "cannot add %s: %s", what, strerror(-r)) : 0;
}

static int add_skeleton(struct file_set *set, struct fault *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(merged); i++)
		r = added(file_set_add_link(set, merged[i].path, merged[i].target), merged[i].path,
			  err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(folders); i++)
		r = added(
			file_set_add_dir(set, folders[i], strcmp(folders[i], "tmp") ? 0755 : 01777),
			folders[i], err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(texts); i++)
		r = added(file_set_add_text(set, texts[i].path, 0644, texts[i].text), texts[i].path,
			  err);
	/* /init writes before devtmpfs is mounted. */
	return r < 0 ? r
		     : added(file_set_add_char_device(set, "dev/console", 0600, 5, 1),
			     "dev/console", err);
}

static int add_busybox(struct file_set *set, const struct source *src, struct fault *err)
{
	char path[64];

	int r = closure_add(set, src, "bin/busybox", NULL, "busybox-static", NULL);
	if (r == -ENOENT) /* Fedora */
		r = closure_add(set, src, "sbin/busybox", "bin/busybox", "busybox", NULL);
	if (r < 0)
		return fault_set(err, r,
				 "%s has no bin/busybox: unpack the package busybox-static there",
				 src->root);
	for (size_t i = 0; i < ARRAY_SIZE(applets); i++) {
		snprintf(path, sizeof(path), "usr/bin/%s", applets[i]);
		r = added(file_set_add_link(set, path, "busybox"), path, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A file that may be missing. */
static int copy_optional(struct file_set *set, const struct source *src, const char *path,
			 struct fault *err)
{
	unsigned perm;
	char *data;
	size_t len;

	int r = source_read(src, path, false, &data, &len, &perm, err);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : added(file_set_add(set, path, perm, data, len), path, err);
}

static int add_modprobe(struct file_set *set, const struct source *src, struct fault *err)
{
	AUTO(source_names_free) char **names = NULL;
	char path[PATH_LEN_MAX];

	/* The kernel's request_module() runs /sbin/modprobe (kernel/module/kmod.c). */
	int r = closure_add(set, src, "bin/kmod", NULL, "kmod", err);
	if (r == 0)
		r = added(file_set_add_link(set, "usr/sbin/modprobe", "../bin/kmod"), "modprobe",
			  err);
	if (r == 0)
		r = added(file_set_add_link(set, "usr/bin/lsmod", "kmod"), "lsmod", err);
	if (r == 0)
		r = source_names(src, "lib/modprobe.d", ".conf", &names, err);
	for (size_t i = 0; r == 0 && names[i]; i++) {
		snprintf(path, sizeof(path), "usr/lib/modprobe.d/%s", names[i]);
		r = copy_optional(set, src, path, err);
	}
	return r;
}

/* Debian and newer Fedora: systemd-udevd is udevadm by another name. */
static int add_udevd(struct file_set *set, const struct source *src, struct fault *err)
{
	AUTO(freep) char *tool = NULL, *daemon = NULL;
	size_t tool_len, daemon_len;

	int r = source_read(src, "bin/udevadm", false, &tool, &tool_len, NULL, err);
	if (r == 0)
		r = source_read(src, "lib/systemd/systemd-udevd", false, &daemon, &daemon_len, NULL,
				err);
	if (r == -ENOENT)
		return fault_set(
			err, r,
			"%s has no bin/udevadm with lib/systemd/systemd-udevd: unpack the package udev there",
			src->root);
	if (r < 0)
		return r;
	if (tool_len == daemon_len && memcmp(tool, daemon, tool_len) == 0)
		r = added(file_set_add_link(set, "usr/lib/systemd/systemd-udevd",
					    "../../bin/udevadm"),
			  "systemd-udevd", err);
	else
		r = closure_add(set, src, "lib/systemd/systemd-udevd", NULL, "udev", err);
	return r < 0 ? r : closure_add(set, src, "bin/udevadm", NULL, "udev", err);
}

static int add_udev(struct file_set *set, const struct source *src, struct fault *err)
{
	char path[PATH_LEN_MAX];

	int r = add_udevd(set, src, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(rules); i++) {
		snprintf(path, sizeof(path), "usr/lib/udev/rules.d/%s", rules[i]);
		r = copy_optional(set, src, path, err);
	}
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(udev_helpers); i++) {
		snprintf(path, sizeof(path), "lib/udev/%s", udev_helpers[i]);
		r = closure_add(set, src, path, NULL, "udev", err);
	}
	if (r < 0)
		return r;
	if (!file_set_has(set, "usr/lib/udev/rules.d/60-persistent-storage.rules"))
		return fault_set(
			err, -ENOENT,
			"%s has no lib/udev/rules.d/60-persistent-storage.rules: unpack the package udev there",
			src->root);
	/* Predictable interface names. */
	return copy_optional(set, src, "usr/lib/systemd/network/99-default.link", err);
}

static int add_data_file(struct file_set *set, const char *data_dir, const char *name,
			 const char *dest, struct fault *err)
{
	char path[PATH_LEN_MAX];
	char *data;
	size_t len;

	snprintf(path, sizeof(path), "%s/discovery/%s", data_dir, name);
	int r = file_read_at(AT_FDCWD, path, SOURCE_FILE_MAX, &data, &len, NULL);
	if (r < 0)
		return fault_set(err, r,
				 "cannot read %s: %s; name the folder that has it by --data-dir",
				 path, strerror(-r));
	return added(file_set_add(set, dest, 0755, data, len), dest, err);
}

static int add_agent(struct file_set *set, const struct source *src, const char *agent,
		     struct fault *err)
{
	char *data;
	size_t len;

	int r = file_read_at(AT_FDCWD, agent, SOURCE_FILE_MAX, &data, &len, NULL);
	if (r < 0)
		return fault_set(err, r,
				 "cannot read the agent %s: %s; name the program by --agent", agent,
				 strerror(-r));
	if (len < 4 || memcmp(data, "\177ELF", 4) != 0) {
		free(data);
		return fault_set(err, -ENOEXEC, "the agent %s is no ELF program", agent);
	}
	r = closure_add_data(set, src, "usr/bin/slipway-agent", agent, data, len, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(extra_libraries); i++)
		r = closure_add_library(set, src, extra_libraries[i], err);
	return r;
}

int rootfs_add(struct file_set *set, const struct source *src, const char *data_dir,
	       const char *agent, struct fault *err)
{
	int r = add_skeleton(set, err);

	if (r == 0)
		r = add_data_file(set, data_dir, "init", "init", err);
	if (r == 0)
		r = add_data_file(set, data_dir, "dhcp", "usr/lib/slipway/dhcp", err);
	if (r == 0)
		r = add_busybox(set, src, err);
	if (r == 0)
		r = add_modprobe(set, src, err);
	if (r == 0)
		r = add_udev(set, src, err);
	return r < 0 ? r : add_agent(set, src, agent, err);
}
