#include "hwprobe/inventory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "common/cleanup.h"
#include "common/str.h"

struct hwp_inventory *inventory_new(unsigned parts)
{
	struct hwp_inventory *inv = calloc(1, sizeof(*inv));
	if (!inv)
		return NULL;
	inv->refs = 1;
	inv->parts = parts;
	return inv;
}

struct hwp_inventory *hwp_ref(struct hwp_inventory *inv)
{
	if (!inv)
		return NULL;
	__atomic_add_fetch(&inv->refs, 1, __ATOMIC_RELAXED);
	return inv;
}

void hwp_unref(struct hwp_inventory *inv)
{
	if (!inv || __atomic_sub_fetch(&inv->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(inv->origins); i++)
		hwp_unref(inv->origins[i]);
	for (size_t i = 0; i < inv->source_count; i++)
		hwp_unref(inv->sources[i]);
	arena_done(&inv->mem);
	free(inv);
}

static bool has_part(const struct hwp_inventory *inv, unsigned part)
{
	return inv && inv->parts & part;
}

unsigned hwp_get_parts(const struct hwp_inventory *inv)
{
	return inv ? inv->parts : 0;
}

const struct hwp_cpu *hwp_get_cpu(const struct hwp_inventory *inv)
{
	return has_part(inv, HWP_CPU) ? &inv->cpu : NULL;
}

const struct hwp_memory *hwp_get_memory(const struct hwp_inventory *inv)
{
	return has_part(inv, HWP_MEMORY) ? &inv->memory : NULL;
}

const struct hwp_boot *hwp_get_boot(const struct hwp_inventory *inv)
{
	return has_part(inv, HWP_BOOT) ? &inv->boot : NULL;
}

const struct hwp_vendor *hwp_get_system_vendor(const struct hwp_inventory *inv)
{
	return has_part(inv, HWP_VENDOR) ? &inv->vendor : NULL;
}

const struct hwp_clock *hwp_get_clock(const struct hwp_inventory *inv)
{
	return has_part(inv, HWP_CLOCK) ? &inv->clock : NULL;
}

const char *hwp_get_hostname(const struct hwp_inventory *inv)
{
	return has_part(inv, HWP_HOSTNAME) ? inv->hostname.s : NULL;
}

const char *hwp_get_tpm_version(const struct hwp_inventory *inv)
{
	return has_part(inv, HWP_TPM) ? inv->tpm.version.s : NULL;
}

const char *hwp_get_bmc_address(const struct hwp_inventory *inv, int family)
{
	if (!has_part(inv, HWP_BMC))
		return NULL;
	if (family == AF_INET6)
		return inv->bmc.v6address.s;
	return family == AF_INET ? inv->bmc.address.s : NULL;
}

const struct hwp_tpm *hwp_get_tpm(const struct hwp_inventory *inv)
{
	return has_part(inv, HWP_TPM) ? &inv->tpm : NULL;
}

const struct hwp_bmc *hwp_get_bmc(const struct hwp_inventory *inv)
{
	return has_part(inv, HWP_BMC) ? &inv->bmc : NULL;
}

const struct hwp_strs *hwp_get_degraded(const struct hwp_inventory *inv)
{
	return inv ? &inv->degraded : NULL;
}

size_t hwp_disk_count(const struct hwp_inventory *inv)
{
	return has_part(inv, HWP_DISKS) ? inv->disk_count : 0;
}

const struct hwp_disk *hwp_disk_at(const struct hwp_inventory *inv, size_t i)
{
	return i < hwp_disk_count(inv) ? &inv->disks[i] : NULL;
}

const struct hwp_disk *hwp_disk_find(const struct hwp_inventory *inv, const char *id_or_path)
{
	for (size_t i = 0; id_or_path && i < hwp_disk_count(inv); i++) {
		const struct hwp_disk *d = &inv->disks[i];
		if (str_eq(d->id.s, id_or_path) || str_eq(d->path.s, id_or_path) ||
		    str_eq(d->by_id.s, id_or_path) || str_eq(d->by_path.s, id_or_path))
			return d;
	}
	return NULL;
}

size_t hwp_nic_count(const struct hwp_inventory *inv)
{
	return has_part(inv, HWP_NICS) ? inv->nic_count : 0;
}

const struct hwp_nic *hwp_nic_at(const struct hwp_inventory *inv, size_t i)
{
	return i < hwp_nic_count(inv) ? &inv->nics[i] : NULL;
}

size_t hwp_route_count(const struct hwp_inventory *inv)
{
	return has_part(inv, HWP_ROUTES) ? inv->route_count : 0;
}

const struct hwp_route *hwp_route_at(const struct hwp_inventory *inv, size_t i)
{
	return i < hwp_route_count(inv) ? &inv->routes[i] : NULL;
}

size_t hwp_gpu_count(const struct hwp_inventory *inv)
{
	return has_part(inv, HWP_GPUS) ? inv->gpu_count : 0;
}

const struct hwp_gpu *hwp_gpu_at(const struct hwp_inventory *inv, size_t i)
{
	return i < hwp_gpu_count(inv) ? &inv->gpus[i] : NULL;
}

size_t hwp_errors(const struct hwp_inventory *inv, const struct hwp_error **ret_errors)
{
	if (ret_errors)
		*ret_errors = inv ? inv->errors : NULL;
	return inv ? inv->error_count : 0;
}
