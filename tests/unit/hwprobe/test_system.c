/* Vendor, virtual machines, boot, memory methods, host name: one small tree per rule. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "hwprobe/memory.h"
#include "hwprobe/virt.h"
#include "tests/unit/hwprobe/tree.h"

#define DMI "sys/class/dmi/id/"
#define HYPERVISOR "1 1 0 0 0 => 0 0 80000000 0\n"

struct virt_case {
	const char *files[10];
	const char *want; /* NULL = no virtual machine */
};

static const struct virt_case virt_cases[] = {
	{ { NULL }, NULL },
	{ { DMI "product_name", "KVM Virtual Machine" }, "kvm" },
	{ { DMI "sys_vendor", "QEMU" }, "qemu" },
	{ { DMI "bios_vendor", "innotek GmbH" }, "oracle" },
	{ { DMI "sys_vendor", "Microsoft Corporation", DMI "product_name", "Surface Laptop" },
	  NULL },
	{ { DMI "sys_vendor", "Microsoft Corporation", DMI "product_name", "Virtual Machine",
	    "cpuid.txt", HYPERVISOR "1 40000000 0 0 0 => 4000000b 7263694d 666f736f 76482074\n" },
	  "microsoft" },
	{ { DMI "sys_vendor", "Amazon EC2", DMI "product_name", "m5.large", "cpuid.txt",
	    HYPERVISOR },
	  "amazon" },
	{ { DMI "sys_vendor", "Amazon EC2", DMI "product_name", "m5.metal", "cpuid.txt",
	    HYPERVISOR },
	  NULL },
	{ { DMI "sys_vendor", "Amazon EC2", DMI "product_name", "i3.4xlarge" }, NULL },
	{ { DMI "product_name", "Google Compute Engine", "cpuid.txt", "1 1 0 0 0 => 0 0 0 0\n" },
	  NULL },
	{ { DMI "product_name", "Google Compute Engine", "cpuid.txt", HYPERVISOR }, "google" },
	{ { DMI "product_name", "Xen", "proc/xen/capabilities", "control_d\n" }, NULL },
	{ { "sys/hypervisor/type", "xen\n" }, "xen" },
	{ { "cpuid.txt", HYPERVISOR "1 40000000 0 0 0 => 40000001 4b4d564b 564b4d56 4d\n" },
	  "kvm" },
	{ { "cpuid.txt", HYPERVISOR }, "other" },
	{ { "proc/cpuinfo", "flags : fpu hypervisor lm\n" }, "other" },
	{ { "proc/cpuinfo", "flags : fpu hypervisors\n" }, NULL },
	{ { "cpuid.txt", "1 1 0 0 0 => 0 0 0 0\n", "proc/cpuinfo", "flags : hypervisor\n" }, NULL },
	{ { "sys/firmware/devicetree/base/hypervisor/compatible", "linux,kvm" }, "kvm" },
	{ { "sys/firmware/devicetree/base/fw-cfg@9020000/reg", "x" }, "qemu" },
	{ { "proc/sysinfo", "Manufacturer: IBM\nVM00 Control Program: KVM/Linux\n" }, "kvm" },
	{ { "proc/sysinfo", "Manufacturer: IBM\nVM00 Control Program: z/VM    6.1.0\n" }, NULL },
};

static void add_files(struct tree *t, const char *const *files)
{
	for (; *files; files += 2)
		tree_file(t, files[0], files[1]);
}

static void test_virtual(void **state)
{
	for (size_t i = 0; i < sizeof(virt_cases) / sizeof(virt_cases[0]); i++) {
		struct tree t;
		tree_init(&t);
		add_files(&t, virt_cases[i].files);
		struct hwp_inventory *inv = tree_probe(&t, HWP_VENDOR);
		const struct hwp_vendor *v = hwp_get_system_vendor(inv);
		print_message("case %zu: %s\n", i,
			      v->virtualization.s ? v->virtualization.s : "none");
		assert_int_equal(v->is_virtual.v, virt_cases[i].want != NULL);
		if (virt_cases[i].want)
			assert_string_equal(v->virtualization.s, virt_cases[i].want);
		hwp_unref(inv);
		tree_done(&t);
	}
}

static void test_vendor_names(void **state)
{
	static const struct {
		const char *files[8], *manufacturer, *product;
	} cases[] = {
		{ { DMI "sys_vendor", " HP \n", DMI "product_name", "ProLiant DL585 G2   \n" },
		  "HP",
		  "ProLiant DL585 G2" },
		{ { DMI "sys_vendor", "QEMU", DMI "chassis_asset_tag", "OracleCloud.com" },
		  "OracleCloud.com",
		  NULL },
		{ { DMI "product_name", "RHEL", DMI "product_family", "RHV" }, NULL, "oVirt" },
		{ { "proc/sysinfo", "LPAR Name: x\n" }, "IBM/S390", "LPAR" },
		{ { "proc/sysinfo", "VM00 Control Program: z/VM    6.1.0  \n" },
		  "IBM/S390",
		  "z/VM    6.1.0" },
		{ { "sys/firmware/devicetree/base/compatible", "acme,board" }, "acme", NULL },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		tree_init(&t);
		add_files(&t, cases[i].files);
		struct hwp_inventory *inv = tree_probe(&t, HWP_VENDOR);
		const struct hwp_vendor *v = hwp_get_system_vendor(inv);
		assert_string_equal(v->manufacturer.s ? v->manufacturer.s : "",
				    cases[i].manufacturer ? cases[i].manufacturer : "");
		assert_string_equal(v->product_name.s ? v->product_name.s : "",
				    cases[i].product ? cases[i].product : "");
		hwp_unref(inv);
		tree_done(&t);
	}
}

#define EFIVAR "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

static void test_secure_boot(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		const char *mounts, *want;
	} cases[] = {
		{ "\6\0\0\0\1", 5, NULL, "Enabled" },
		{ "\6\0\0\0\0", 5, NULL, "Disabled" },
		{ "\6\0\0\0\2", 5, NULL, "Unknown" },
		{ "\6\0\0\0", 4, NULL, "Unknown" },
		{ "\6\0\0\0\1\1", 6, NULL, "Unknown" },
		{ NULL, 0, NULL, "NotSupported" },
		{ NULL, 0, "1 1 0:5 / /sys rw - sysfs sysfs rw\n", "Unknown" },
		{ NULL, 0, "1 1 0:5 / /sys/firmware/efi/efivars rw - efivarfs efivarfs rw\n",
		  "NotSupported" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		tree_init(&t);
		tree_dir(&t, "sys/firmware/efi/efivars");
		if (cases[i].data)
			tree_write(&t, EFIVAR, cases[i].data, cases[i].len);
		if (cases[i].mounts)
			tree_file(&t, "proc/self/mountinfo", cases[i].mounts);
		struct hwp_inventory *inv = tree_probe(&t, HWP_BOOT);
		assert_string_equal(hwp_get_boot(inv)->secure_boot_state.s, cases[i].want);
		assert_string_equal(hwp_get_boot(inv)->current_boot_mode.s, "uefi");
		hwp_unref(inv);
		tree_done(&t);
	}
}

static void test_device_type(void **state)
{
	static const struct {
		const char *mounts, *want;
	} cases[] = {
		{ "1 1 8:1 / / rw - ext4 /dev/sda1 rw\n", NULL },
		{ "1 1 0:1 / / rw - overlay overlay rw\n", "ephemeral" },
		{ "1 1 0:1 / / rw - rootfs none rw\n", "ephemeral" },
		{ "1 1 0:1 / / rw - overlay o rw\n2 1 8:4 / /sysroot rw - xfs /dev/sda4 rw\n",
		  "persistent" },
		{ "1 1 0:1 / / rw - overlay o rw\n2 1 7:1 / /sysroot rw - squashfs /dev/loop1 rw\n",
		  "ephemeral" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		tree_init(&t);
		tree_file(&t, "proc/self/mountinfo", cases[i].mounts);
		struct hwp_inventory *inv = tree_probe(&t, HWP_BOOT);
		const char *got = hwp_get_boot(inv)->device_type.s;
		assert_string_equal(got ? got : "", cases[i].want ? cases[i].want : "");
		hwp_unref(inv);
		tree_done(&t);
	}
}

#define BLOCKS "sys/devices/system/memory/"

static void test_memory_methods(void **state)
{
	static const struct {
		const char *files[14];
		int64_t physical;
		const char *method;
	} cases[] = {
		{ { NULL }, 0, "" },
		{ { "proc/meminfo", "MemTotal: 1000 kB\n" }, 1024000, "meminfo" },
		{ { "proc/meminfo", "MemTotal: 1000\n" }, 0, "" },
		{ { BLOCKS "block_size_bytes", "8000000", BLOCKS "memory0/state", "online",
		    BLOCKS "memory1/state", "offline", BLOCKS "memory7/state", "online",
		    BLOCKS "probe", "" },
		  2LL << 27,
		  "ghw" },
		{ { BLOCKS "block_size_bytes", "8000000", BLOCKS "memory0/online", "1",
		    BLOCKS "memory1/online", "0" },
		  1LL << 27,
		  "ghw" },
		{ { BLOCKS "block_size_bytes", "-1", "proc/meminfo", "MemTotal: 1 kB\n" },
		  1024,
		  "meminfo" },
		{ { "run/udev/data/+dmi:id",
		    "E:MEMORY_ARRAY_NUM_DEVICES=2\nE:MEMORY_DEVICE_0_SIZE=4294967296\nE:MEMORY_DEVICE_1_SIZE=1\n" },
		  4294967297,
		  "dmidecode" },
		/* less than the kernel has: start-up memory only */
		{ { "run/udev/data/+dmi:id",
		    "E:MEMORY_ARRAY_NUM_DEVICES=1\nE:MEMORY_DEVICE_0_SIZE=1024\n", "proc/meminfo",
		    "MemTotal: 8 kB\n" },
		  8192,
		  "meminfo" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		tree_init(&t);
		add_files(&t, cases[i].files);
		struct hwp_inventory *inv = tree_probe(&t, HWP_MEMORY);
		const struct hwp_memory *m = hwp_get_memory(inv);
		print_message("case %zu\n", i);
		assert_int_equal(m->physical_bytes.v, cases[i].physical);
		assert_string_equal(m->physical_bytes_method.s ? m->physical_bytes_method.s : "",
				    cases[i].method);
		hwp_unref(inv);
		tree_done(&t);
	}
}

static void test_zones(void **state)
{
	assert_int_equal(
		zoneinfo_present(
			"Node 0, zone      DMA\n  pages free 1\n        spanned  4095\n        present  3998\n"
			"Node 0, zone    DMA32\n        present  1000\n      nr_present 5\nNode 1, zone   Device\n        present  7\n"
			"Node 1, zone   Normal\n        present  2"),
		5000);
	assert_int_equal(zoneinfo_present(""), 0);
	assert_int_equal(zoneinfo_present(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_virtual),        cmocka_unit_test(test_vendor_names),
		cmocka_unit_test(test_secure_boot),    cmocka_unit_test(test_device_type),
		cmocka_unit_test(test_memory_methods), cmocka_unit_test(test_zones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
