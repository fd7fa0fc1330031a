/* Is it a virtual machine, and which kind? One small tree per rule. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "hwprobe/virt.h"
#include "tests/unit/hwprobe/tree.h"

#define DMI "sys/class/dmi/id/"
#define DT "sys/firmware/devicetree/base/"
#define PARTITION DT "ibm,partition-name", "lpar1", DT "hmc-managed?", "\1"
#define HYPERVISOR "1 1 0 0 0 => 0 0 80000000 0\n"

#define METAL "1 1 0 0 0 => 0 0 0 0\n"
#define HYPERV "1 40000000 0 0 0 => 4000000b 7263694d 666f736f 76482074\n"
#define HYPERV_MAY(hex) "1 40000003 0 0 0 => 2e7f " #hex " 0 0\n"
struct virt_case {
	const char *files[10];
	const char *want; /* NULL = no virtual machine */
	uint8_t firmware; /* byte 0x13 of SMBIOS type 0; 0 = no table */
};

static const struct virt_case virt_cases[] = {
	{ { NULL }, NULL },
	{ { DMI "product_name", "KVM Virtual Machine" }, "kvm" },
	{ { DMI "sys_vendor", "QEMU" }, "qemu" },
	{ { DMI "bios_vendor", "innotek GmbH" }, "oracle" },
	{ { DMI "sys_vendor", "Microsoft Corporation", DMI "product_name", "Surface Laptop" },
	  NULL },
	{ { DMI "sys_vendor", "Microsoft Corporation", DMI "product_name", "Virtual Machine",
	    "cpuid.txt", HYPERVISOR HYPERV },
	  "microsoft" },
	{ { DMI "sys_vendor", "Amazon EC2", DMI "product_name", "m5.large", "cpuid.txt",
	    HYPERVISOR },
	  "amazon" },
	{ { DMI "sys_vendor", "Amazon EC2", DMI "product_name", "m5.metal", "cpuid.txt",
	    HYPERVISOR },
	  NULL },
	/* Not virtual by CPUID, and nothing by SMBIOS; by nothing but the name, as on arm64 without the right to read SMBIOS */
	{ { DMI "sys_vendor", "Amazon EC2", DMI "product_name", "i3.4xlarge", "cpuid.txt", METAL },
	  NULL },
	{ { DMI "sys_vendor", "Amazon EC2", DMI "product_name", "t4g.micro" }, "amazon" },
	{ { DMI "sys_vendor", "Amazon EC2", DMI "product_name", "c7i.metal-24xl" }, NULL },
	{ { DMI "sys_vendor", "Amazon EC2", DMI "product_name", "c7g.large" }, "amazon", 0x10 },
	{ { DMI "sys_vendor", "Amazon EC2", DMI "product_name", "c7g.large" }, NULL, 0x20 },
	{ { DMI "product_name", "Google Compute Engine", "proc/cpuinfo", "Features : fp asimd\n" },
	  "google" },
	{ { DMI "product_name", "Google Compute Engine", "cpuid.txt", METAL }, NULL },
	{ { DMI "product_name", "Google Compute Engine", "cpuid.txt", HYPERVISOR }, "google" },
	{ { DMI "product_name", "Xen", "proc/xen/capabilities", "control_d\n" }, NULL },
	{ { "sys/hypervisor/type", "xen\n" }, "xen" },
	{ { "sys/hypervisor/type", "xen\n", "sys/hypervisor/properties/features", "00002705\n" },
	  "xen" },
	{ { "sys/hypervisor/type", "xen\n", "sys/hypervisor/properties/features", "00002f05\n" },
	  NULL },
	{ { NULL }, "other", 0x10 },
	{ { NULL }, NULL, 0x20 },
	{ { DMI "sys_vendor", "Dell Inc.", "cpuid.txt", HYPERVISOR HYPERV HYPERV_MAY(2db0) },
	  "microsoft" },
	/* The root partition; one that claims to be that and confidential is none. */
	{ { DMI "sys_vendor", "Dell Inc.", "cpuid.txt", HYPERVISOR HYPERV HYPERV_MAY(3db0) },
	  NULL },
	{ { DMI "sys_vendor", "Dell Inc.", "cpuid.txt", HYPERVISOR HYPERV HYPERV_MAY(403db0) },
	  "microsoft" },
	{ { "cpuid.txt", HYPERVISOR "1 40000000 0 0 0 => 40000001 4b4d564b 564b4d56 4d\n" },
	  "kvm" },
	{ { "cpuid.txt", HYPERVISOR }, "other" },
	{ { "proc/cpuinfo", "flags : fpu hypervisor lm\n" }, "other" },
	{ { "proc/cpuinfo", "flags : fpu hypervisors\n" }, NULL },
	{ { "cpuid.txt", "1 1 0 0 0 => 0 0 0 0\n", "proc/cpuinfo", "flags : hypervisor\n" }, NULL },
	{ { "sys/firmware/devicetree/base/hypervisor/compatible", "linux,kvm" }, "kvm" },
	{ { "sys/firmware/devicetree/base/fw-cfg@9020000/reg", "x" }, "qemu" },
	{ { PARTITION }, "powervm" },
	{ { PARTITION, DT "chosen/qemu,graphic-width", "\1" }, NULL },
	{ { DT "ibm,partition-name", "lpar1" }, NULL },
	{ { "proc/sysinfo", "Manufacturer: IBM\nVM00 Control Program: KVM/Linux\n" }, "kvm" },
	{ { "proc/sysinfo", "Manufacturer: IBM\nVM00 Control Program: z/VM    6.1.0\n" }, "zvm" },
};

static void test_virtual(void **state)
{
	for (size_t i = 0; i < sizeof(virt_cases) / sizeof(virt_cases[0]); i++) {
		struct tree t;
		tree_init(&t);
		tree_add(&t, virt_cases[i].files);
		const uint8_t table[0x18 + 2] = { [1] = 0x18, [0x13] = virt_cases[i].firmware };
		if (virt_cases[i].firmware)
			tree_write(&t, "sys/firmware/dmi/tables/DMI", table, sizeof(table));
		struct hwp_inventory *inv = tree_probe(&t, HWP_VENDOR);
		const struct hwp_vendor *v = hwp_get_system_vendor(inv);
		print_message("case %zu: %s\n", i,
			      v->virtualization.s ? v->virtualization.s : "none");
		bool is_named = virt_cases[i].want != NULL;
		/* z/VM is named, but counts as bare metal. */
		assert_int_equal(v->is_virtual.v,
				 is_named && strcmp(virt_cases[i].want, "zvm") != 0);
		assert_int_equal(v->virtualization.s != NULL, is_named);
		if (is_named)
			assert_string_equal(v->virtualization.s, virt_cases[i].want);
		hwp_unref(inv);
		tree_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_virtual),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
