/* The first byte says which file of a record the rest is: it is learnt from and rewritten in place, and stays as long as it was or becomes shorter. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "hwprobe/scrub.h"

static const char *const paths[] = {
	"proc/cmdline",
	"proc/cpuinfo",
	"proc/sysinfo",
	"proc/self/mountinfo",
	"proc/sys/kernel/hostname",
	"uname",
	"sys/firmware/dmi/tables/DMI",
	"sys/firmware/efi/efivars/Boot0001-8be4df61-93ca-11d2-aa0d-00e098032b8c",
	"sys/class/dmi/id/product_serial",
	"sys/class/net/eth0/address",
	"sys/block/sda/device/vpd_pg80",
	"sys/block/dm-0/dm/uuid",
	"run/udev/data/b8:0",
	"run/systemd/netif/leases/2",
	"netlink/link.nl",
	"netlink/addr.nl",
	"netlink/route4.nl",
	"lldp/eth0",
	"ethtool.txt",
	"ipmi.txt",
	"dev/sda",
	"dev/sda.tail",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scrub s = { .key = "fuzz" };
	if (!size)
		return 0;
	const char *path = paths[data[0] % ARRAY_SIZE(paths)];
	size_t len = size - 1;
	char *copy = malloc(len + 1); /* with a NUL behind it, as file_read_at() has it */
	if (!copy)
		return 0;
	memcpy(copy, data + 1, len);
	copy[len] = '\0';
	scrub_learn(&s, path, copy, len);
	scrub_ready(&s);
	if (scrub_file(&s, path, copy, len) > len)
		abort();
	arena_done(&s.mem);
	free(copy);
	return 0;
}
