#pragma once
/* The sources behind struct hwp_ctx. */
#include <stdint.h>
#include "hwprobe/bmc.h"
#include "hwprobe/gpu_rules.h"
#include "hwprobe/hwprobe.h"
#include "hwprobe/root.h"

struct blkid_library;
struct hung_head;

struct cpuid_regs {
	uint32_t eax, ebx, ecx, edx;
};

struct hwp_ctx {
	struct hwp_options opt; /* strings owned by the context */
	struct root root;
	char *sysroot, *pci_ids, *gpu_rules_file;
	struct gpu_rules gpu_rules;
	struct bmc_cache bmc;
	ssize_t (*read_device)(const char *path, uint64_t offset, void *data,
			       size_t len); /* instead of open and read; NULL = those */
	struct blkid_library *blkid;        /* signature.h; NULL = not needed yet */
	struct hung_head *hung_heads;       /* device_heads.h; devices that hang */
};

/* As hwp_probe(), but of the disks only those that are named; NULL = all. */
int context_probe(struct hwp_ctx *ctx, unsigned parts, const struct root_names *only,
		  struct hwp_inventory **ret_inv);
