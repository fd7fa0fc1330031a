#pragma once
/* The sources behind struct hwp_ctx. */
#include <stdint.h>
#include "hwprobe/hwprobe.h"
#include "hwprobe/root.h"

struct cpuid_regs {
	uint32_t eax, ebx, ecx, edx;
};

struct hwp_ctx {
	struct hwp_options opt; /* strings owned by the context */
	struct root root;
	char *sysroot, *pci_ids;
};
