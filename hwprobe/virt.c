#include "hwprobe/virt.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/cpuid.h"
#include "hwprobe/cpuinfo.h"

/* z/VM and LPAR are the bare metal of s390x; only KVM counts as virtual there. */
#define ZVM "zvm"

struct known_name {
	const char *text, *id;
};

/*
 * Start of product name, vendor, board vendor, firmware vendor or product version. A bare "Microsoft" is no sign: it is on laptops, too.
 */
static const struct known_name dmi_names[] = {
	{ "KVM", "kvm" },
	{ "OpenStack", "kvm" },
	{ "KubeVirt", "kvm" },
	{ "Amazon EC2", "amazon" },
	{ "QEMU", "qemu" },
	{ "VMware", "vmware" },
	{ "VMW", "vmware" },
	{ "innotek GmbH", "oracle" },
	{ "VirtualBox", "oracle" },
	{ "Oracle Corporation", "oracle" },
	{ "Xen", "xen" },
	{ "Bochs", "bochs" },
	{ "Parallels", "parallels" },
	{ "BHYVE", "bhyve" },
	{ "Hyper-V", "microsoft" },
	{ "Apple Virtualization", "apple" },
	{ "Google Compute Engine", "google" },
};

/* Signatures of CPUID leaf 0x40000000. */
static const struct known_name cpuid_names[] = {
	{ "KVMKVMKVM", "kvm" },          { "Linux KVM Hv", "kvm" },    { "TCGTCGTCGTCG", "qemu" },
	{ "Microsoft Hv", "microsoft" }, { "VMwareVMware", "vmware" }, { "XenVMMXenVMM", "xen" },
	{ "bhyve bhyve ", "bhyve" },     { "QNXQVMBSQG", "qnx" },      { "ACRNACRNACRN", "acrn" },
	{ "SRESRESRESRE", "sre" },       { "Apple VZ", "apple" },
};

static const char *dmi_name(const struct hwp_vendor *v)
{
	const char *const texts[] = { v->product_name.s, v->manufacturer.s, v->board_vendor.s,
				      v->firmware_vendor.s, v->version.s };
	for (size_t t = 0; t < ARRAY_SIZE(texts); t++)
		for (size_t i = 0; texts[t] && i < ARRAY_SIZE(dmi_names); i++)
			if (str_starts(texts[t], dmi_names[i].text))
				return dmi_names[i].id;
	return NULL;
}

/* Bit 4 of the second characteristics extension byte: "SMBIOS table describes a virtual machine" (DSP0134 7.1.2.2). -1 = no table to read. */
static int smbios_vm_bit(struct survey *s)
{
	struct smbios_item i;
	if (!smbios_find(survey_smbios(s), SMBIOS_FIRMWARE, &i))
		return -1;
	return (smbios_u8(&i, 0x13) & 0x10) != 0;
}

/* CPUID.1:ECX[31]; in a recorded tree without cpuid.txt the flag of that name stands for it. -1 = this is no x86. */
static int hypervisor_bit(struct survey *s)
{
	struct cpuid_regs r;
	if (cpuid_read(s, 1, 0, &r))
		return (int)(r.ecx >> 31);
	const char *info = survey_cpuinfo(s);
	char *flags = info ? cpuinfo_get(s->tmp, info, "flags") : NULL;
	char *save = NULL;
	if (!flags)
		return -1;
	for (char *f = strtok_r(flags, " ", &save); f; f = strtok_r(NULL, " ", &save))
		if (!strcmp(f, "hypervisor"))
			return 1;
	return 0;
}

static bool has_hypervisor_bit(struct survey *s)
{
	return hypervisor_bit(s) == 1;
}

bool virt_is_x86_metal(struct survey *s)
{
	return hypervisor_bit(s) == 0;
}

/*
 * Linux as the root partition of Hyper-V manages the CPUs of its guests, but is no guest itself: privileges in EBX of leaf 0x40000003, as
 * the kernel tells it (arch/x86/kernel/cpu/mshyperv.c).
 */
static bool is_hyperv_root(struct survey *s)
{
	enum { CPU_MANAGEMENT = 1 << 12, ISOLATION = 1 << 22 };
	struct cpuid_regs r;
	return cpuid_read(s, 0x40000003, 0, &r) &&
	       (r.ebx & (CPU_MANAGEMENT | ISOLATION)) == CPU_MANAGEMENT;
}

static const char *cpuid_name(struct survey *s)
{
	if (!has_hypervisor_bit(s))
		return NULL;
	struct cpuid_regs r;
	if (cpuid_read(s, 0x40000000, 0, &r)) {
		char text[13] = { 0 };
		memcpy(text, &r.ebx, 4);
		memcpy(text + 4, &r.ecx, 4);
		memcpy(text + 8, &r.edx, 4);
		if (!strcmp(text, "Microsoft Hv") && is_hyperv_root(s))
			return NULL;
		for (size_t i = 0; i < ARRAY_SIZE(cpuid_names); i++)
			if (!strcmp(text, cpuid_names[i].text))
				return cpuid_names[i].id;
	}
	return "other";
}

static bool is_xen_dom0(struct survey *s)
{
	enum { XENFEAT_DOM0 = 11 }; /* xen/include/public/features.h; there without xenfs, too */
	char *features = attr_text(s, "sys/hypervisor/properties/features");
	if (features && (strtoull(features, NULL, 16) >> XENFEAT_DOM0 & 1))
		return true;
	char *capabilities = attr_text(s, "proc/xen/capabilities");
	return capabilities && strstr(capabilities, "control_d");
}

#define DEVICETREE "sys/firmware/devicetree/base"

static bool is_listed(const struct root_names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (!strcmp(names->v[i], name))
			return true;
	return false;
}

/* A logical partition of POWER; QEMU's pseries machine has these properties, too (systemd, src/basic/virt.c). */
static bool is_powervm(struct survey *s, const struct root_names *properties)
{
	if (!is_listed(properties, "ibm,partition-name") || !is_listed(properties, "hmc-managed?"))
		return false;
	struct root_names chosen = attr_list(s, DEVICETREE "/chosen");
	return !is_listed(&chosen, "qemu,graphic-width");
}

static const char *devicetree_name(struct survey *s)
{
	char *compatible = attr_text(s, DEVICETREE "/hypervisor/compatible");
	if (compatible && !strcmp(compatible, "linux,kvm"))
		return "kvm";
	if (compatible && strstr(compatible, "xen"))
		return "xen";
	if (compatible && strstr(compatible, "vmware"))
		return "vmware";
	if (compatible)
		return "other";
	struct root_names names = attr_list(s, DEVICETREE);
	if (is_powervm(s, &names))
		return "powervm";
	for (size_t i = 0; i < names.n; i++)
		if (str_starts(names.v[i], "fw-cfg@"))
			return "qemu";
	return NULL;
}

char *sysinfo_control_program(struct arena *a, const char *text)
{
	for (const char *line = text; line && *line;
	     line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		if (strncmp(line, "VM", 2) || !isdigit((unsigned char)line[2]) ||
		    !isdigit((unsigned char)line[3]))
			continue;
		const char *colon = strchr(line, ':'), *end = strchrnul(line, '\n');
		if (strncmp(line + 4, " Control Program", 16) || !colon || colon > end)
			continue;
		char *value = arena_copy(a, colon + 1, (size_t)(end - colon - 1));
		return value ? str_trim(value) : NULL;
	}
	return NULL;
}

static const char *s390_name(struct survey *s)
{
	char *text = NULL;
	if (attr_file(s, "proc/sysinfo", ROOT_TABLE_MAX, &text, NULL) < 0)
		return NULL;
	char *program = sysinfo_control_program(s->tmp, text);
	if (!program)
		return NULL;
	return str_starts(program, "KVM/Linux") ? "kvm" : str_starts(program, "z/VM") ? ZVM : NULL;
}

/*
 * Amazon and Google name themselves the same on their bare-metal machines. Google sets the bit of SMBIOS on neither; where there is no CPUID all of
 * theirs are virtual. Who may not read the table has the name of the product only.
 */
static bool is_bare_metal_cloud(struct survey *s, const struct hwp_vendor *v, const char *id)
{
	const char *product = v->product_name.s ? v->product_name.s : "";
	if (!strcmp(id, "google"))
		return hypervisor_bit(s) == 0;
	if (strcmp(id, "amazon") != 0)
		return false;
	if (str_ends(product, ".metal") || strstr(product, ".metal-")) /* "c7i.metal-24xl" */
		return true;
	int vm_bit = smbios_vm_bit(s), hypervisor = hypervisor_bit(s);
	return vm_bit != 1 && hypervisor != 1 && (vm_bit == 0 || hypervisor == 0);
}

static const char *find_name(struct survey *s, const struct hwp_vendor *v, const char **ret_source)
{
	const char *id = dmi_name(v);
	*ret_source = "dmi";
	if (id && is_bare_metal_cloud(s, v, id))
		return NULL;
	if (is_xen_dom0(s))
		return NULL;
	if (id)
		return id;

	char *hypervisor = attr_text(s, "sys/hypervisor/type");
	*ret_source = "sys/hypervisor/type";
	if (hypervisor && !strcmp(hypervisor, "xen"))
		return "xen";
	*ret_source = "cpuid";
	if ((id = cpuid_name(s)))
		return id;
	*ret_source = "smbios type 0";
	if (smbios_vm_bit(s) == 1)
		return "other";
	*ret_source = "devicetree";
	if ((id = devicetree_name(s)))
		return id;
	*ret_source = "proc/sysinfo";
	return s390_name(s);
}

void virt_detect(struct survey *s, struct hwp_vendor *v)
{
	const char *source, *id = find_name(s, v, &source);
	bool is_virtual = id && strcmp(id, ZVM) != 0;
	put_bool(s, &v->is_virtual, is_virtual, id ? source : "dmi, cpuid, devicetree");
	put_str(s, &v->virtualization, id, source);
}
