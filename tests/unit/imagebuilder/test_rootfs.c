#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "common/cleanup.h"
#include "fake_root.h"
#include "imagebuilder/rootfs.h"

/* Files that are no programs have no closure: enough for the places of things. */
static void make_tree(struct fake_root *root)
{
	static const char *const files[] = {
		"data/discovery/init",
		"data/discovery/dhcp",
		"bin/busybox",
		"bin/kmod",
		"lib/modprobe.d/aliases.conf",
		"lib/modprobe.d/note.txt",
		"bin/udevadm",
		"lib/udev/ata_id",
		"lib/udev/cdrom_id",
		"lib/udev/scsi_id",
		"lib/udev/rules.d/60-persistent-storage.rules",
		"lib/udev/rules.d/64-md-raid-assembly.rules",
		"lib/udev/hwdb.bin",
		"lib/systemd/network/99-default.link",
	};

	fake_root_make(root);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		fake_root_text(root, files[i], files[i]);
	fake_root_link(root, "lib/systemd/systemd-udevd", "/bin/udevadm");
}

static const struct set_file *get(const struct file_set *set, const char *path)
{
	for (size_t i = 0; i < set->n; i++)
		if (strcmp(set->v[i].path, path) == 0)
			return &set->v[i];
	return NULL;
}

static void assert_link(const struct file_set *set, const char *path, const char *target)
{
	const struct set_file *f = get(set, path);

	assert_non_null(f);
	assert_int_equal(f->mode, S_IFLNK | 0777);
	assert_int_equal(f->len, strlen(target));
	assert_memory_equal(f->data, target, f->len);
}

static int add(struct fake_root *root, struct file_set *set, const char *agent, struct fault *err)
{
	struct source src;
	char data_dir[128];

	snprintf(data_dir, sizeof(data_dir), "%s/data", root->path);
	assert_int_equal(source_open(root->path, &src, NULL), 0);
	int r = rootfs_add(set, &src, data_dir, agent, err);
	source_done(&src);
	return r;
}

static void test_places(void **state)
{
	static const char *const there[] = {
		"init",
		"usr/lib/slipway/dhcp",
		"usr/bin/busybox",
		"usr/bin/kmod",
		"usr/lib/modprobe.d/aliases.conf",
		"usr/bin/udevadm",
		"usr/lib/udev/scsi_id",
		"usr/lib/udev/rules.d/60-persistent-storage.rules",
		"usr/lib/systemd/network/99-default.link",
		"usr/bin/slipway-agent",
		"etc/nsswitch.conf",
		"dev/console",
		"etc/slipway",
	};
	static const char *const absent[] = {
		"usr/lib/modprobe.d/note.txt",
		"usr/lib/udev/rules.d/64-md-raid-assembly.rules",
		"usr/lib/udev/hwdb.bin",
		"usr/bin/modprobe",
	};
	AUTO(file_set_done) struct file_set set = FILE_SET_INIT;
	struct fake_root root;

	make_tree(&root);
	assert_int_equal(add(&root, &set, "/proc/self/exe", NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(there); i++)
		if (!get(&set, there[i]))
			fail_msg("%s is missing", there[i]);
	for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
		if (get(&set, absent[i]))
			fail_msg("%s is there", absent[i]);
	assert_link(&set, "lib", "usr/lib");
	assert_link(&set, "sbin", "usr/sbin");
	assert_link(&set, "usr/sbin/modprobe", "../bin/kmod");
	assert_link(&set, "usr/lib/systemd/systemd-udevd", "../../bin/udevadm");
	assert_link(&set, "usr/bin/udhcpc", "busybox");
	assert_int_equal(get(&set, "tmp")->mode, S_IFDIR | 01777);
	assert_int_equal(get(&set, "init")->mode, S_IFREG | 0755);
	fake_root_done(&root);
}

static void test_agent(void **state)
{
	static const struct {
		const char *agent;
		int r;
		const char *text;
	} cases[] = {
		{ "/nonexistent/agent", -ENOENT, "--agent" },
		{ "/proc/self/status", -ENOEXEC, "no ELF program" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(file_set_done) struct file_set set = FILE_SET_INIT;
		struct fault err = FAULT_INIT;
		struct fake_root root;
		make_tree(&root);
		assert_int_equal(add(&root, &set, cases[i].agent, &err), cases[i].r);
		assert_non_null(strstr(err.text, cases[i].text));
		fake_root_done(&root);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_agent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
