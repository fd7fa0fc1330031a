#include "hwprobe/cpuid.h"

#include <stdio.h>
#include <string.h>
#include "hwprobe/record.h"
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#if defined(__x86_64__) || defined(__i386__)
enum { HYPERVISOR_FIRST = 0x40000000, HYPERVISOR_LAST = 0x400000ff };

static bool live(uint32_t leaf, uint32_t subleaf, struct cpuid_regs *ret)
{
	/* Hypervisor leaves have a maximum of their own, which __get_cpuid_max() does not know. */
	bool is_hypervisor = leaf >= HYPERVISOR_FIRST && leaf <= HYPERVISOR_LAST;
	if (!is_hypervisor && __get_cpuid_max(leaf & 0x80000000, NULL) < leaf)
		return false;
	__cpuid_count(leaf, subleaf, ret->eax, ret->ebx, ret->ecx, ret->edx);
	return true;
}
#else
static bool live(uint32_t leaf, uint32_t subleaf, struct cpuid_regs *ret)
{
	return false;
}
#endif

/* "mask eax ebx ecx edx => eax ebx ecx edx" in hex; bit 0 of the mask: eax counts, bit 2: ecx counts. */
static bool line_matches(const char *line, uint32_t leaf, uint32_t subleaf, struct cpuid_regs *ret)
{
	unsigned mask, in[4];
	struct cpuid_regs r;
	if (sscanf(line, "%x %x %x %x %x => %x %x %x %x", &mask, &in[0], &in[1], &in[2], &in[3],
		   &r.eax, &r.ebx, &r.ecx, &r.edx) != 9)
		return false;
	if (in[0] != leaf || ((mask & 4) && in[2] != subleaf))
		return false;
	*ret = r;
	return true;
}

bool cpuid_read(struct survey *s, uint32_t leaf, uint32_t subleaf, struct cpuid_regs *ret)
{
	if (s->root->is_live) {
		if (!live(leaf, subleaf, ret))
			return false;
		record_line(s->root, "cpuid.txt", "5 %x 0 %x 0 => %x %x %x %x", leaf, subleaf,
			    ret->eax, ret->ebx, ret->ecx, ret->edx);
		return true;
	}
	char *text = NULL;
	if (attr_file(s, "cpuid.txt", ROOT_TABLE_MAX, &text, NULL) < 0)
		return false;
	char *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (line_matches(line, leaf, subleaf, ret))
			return true;
	return false;
}
