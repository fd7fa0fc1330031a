#include <string.h>
#include "common/cleanup.h"
#include "hwprobe/watch.h"

static const struct {
	const char *name;
	unsigned part;
} part_names[] = {
	{ "cpu", HWP_CPU },
	{ "memory", HWP_MEMORY },
	{ "disks", HWP_DISKS },
	{ "interfaces", HWP_NICS },
	{ "routes", HWP_ROUTES },
	{ "boot", HWP_BOOT },
	{ "system_vendor", HWP_VENDOR },
	{ "gpus", HWP_GPUS },
	{ "tpm", HWP_TPM },
	{ "bmc", HWP_BMC },
	{ "lldp", HWP_LLDP },
	{ "clock", HWP_CLOCK },
	{ "hostname", HWP_HOSTNAME },
	{ "all", HWP_ALL },
};

const char *part_name(unsigned part)
{
	for (size_t i = 0; i < ARRAY_SIZE(part_names); i++)
		if (part_names[i].part == part)
			return part_names[i].name;
	return NULL;
}

unsigned part_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(part_names); i++)
		if (!strcmp(name, part_names[i].name))
			return part_names[i].part;
	return 0;
}
