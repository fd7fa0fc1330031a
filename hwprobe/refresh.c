/* A snapshot of which only some parts are new: the others are those of an older one, which stays in memory as long as they are used. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/context.h"
#include "hwprobe/disk_refresh.h"
#include "hwprobe/probe.h"

#define PART(bits, member)                                          \
	{                                                           \
		bits, offsetof(struct hwp_inventory, member),       \
			sizeof(((struct hwp_inventory *)0)->member) \
	}

/* What of a snapshot belongs to which part. */
static const struct {
	unsigned part;
	size_t offset, size;
} members[] = {
	PART(HWP_CPU, cpu),
	PART(HWP_MEMORY, memory),
	PART(HWP_BOOT, boot),
	PART(HWP_VENDOR, vendor),
	PART(HWP_CLOCK, clock),
	PART(HWP_HOSTNAME, hostname),
	PART(HWP_TPM, tpm),
	PART(HWP_BMC, bmc),
	PART(HWP_DISKS, degraded), /* by the lack of udev, which is noticed there */
	PART(HWP_DISKS, disks),
	PART(HWP_DISKS, disk_count),
	PART(HWP_DISKS, facts),
	PART(HWP_NICS, nics),
	PART(HWP_NICS, nic_count),
	PART(HWP_ROUTES, routes),
	PART(HWP_ROUTES, route_count),
	PART(HWP_GPUS, gpus),
	PART(HWP_GPUS, gpu_count),
};

static void inventory_freep(struct hwp_inventory **inv)
{
	hwp_unref(*inv);
}

struct hwp_inventory *inventory_origin(const struct hwp_inventory *inv, unsigned part)
{
	struct hwp_inventory *origin = inv->origins[__builtin_ctz(part)];
	return origin ? origin : (struct hwp_inventory *)inv;
}

static unsigned part_of_error(const struct hwp_error *e)
{
	for (const struct probe *const *p = all_probes; *p; p++)
		if (str_eq((*p)->name, e->part))
			return (*p)->part;
	return 0;
}

void inventory_add_error(struct hwp_inventory *inv, const struct hwp_error *e)
{
	struct hwp_error *copy =
		arena_append(&inv->mem, &inv->errors, &inv->error_count, sizeof(*copy));
	if (copy)
		*copy = (struct hwp_error){ .part = arena_dup(&inv->mem, e->part),
					    .source = arena_dup(&inv->mem, e->source),
					    .err = e->err,
					    .detail = arena_dup(&inv->mem, e->detail) };
}

/* Those of @parts; of no known part are those of the last look. */
static void add_errors(struct hwp_inventory *inv, const struct hwp_inventory *from, unsigned parts,
		       bool is_last_look)
{
	for (size_t i = 0; i < from->error_count; i++) {
		const struct hwp_error *e = &from->errors[i];
		unsigned part = part_of_error(e);
		if (part ? !(part & parts) : !is_last_look)
			continue;
		inventory_add_error(inv, e);
	}
}

struct hwp_inventory *inventory_merge(struct hwp_inventory *last, struct hwp_inventory *now)
{
	AUTO(inventory_freep)
	struct hwp_inventory *inv = inventory_new(last->parts | now->parts);
	if (!inv)
		return NULL;
	for (size_t bit = 0; bit < INVENTORY_PARTS; bit++) {
		unsigned part = 1u << bit;
		struct hwp_inventory *from = now->parts & part ? now : last;
		/* Never a merged one: they would form a chain that nobody releases. */
		if (inv->parts & part)
			inv->origins[bit] = hwp_ref(inventory_origin(from, part));
	}
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const struct hwp_inventory *from = now->parts & members[i].part ? now : last;
		memcpy((char *)inv + members[i].offset, (const char *)from + members[i].offset,
		       members[i].size);
	}
	add_errors(inv, last, last->parts & ~now->parts, false);
	add_errors(inv, now, now->parts, true);
	return inv->mem.has_failed ? NULL : TAKE(inv);
}

unsigned inventory_shared_parts(const struct hwp_inventory *a, const struct hwp_inventory *b)
{
	unsigned shared = 0;
	for (size_t bit = 0; bit < INVENTORY_PARTS; bit++) {
		unsigned part = 1u << bit;
		if (a->parts & b->parts & part &&
		    inventory_origin(a, part) == inventory_origin(b, part))
			shared |= part;
	}
	return shared;
}

/* Adds what @now has; *ret_inv is replaced. */
static int add_parts(struct hwp_inventory **inv, struct hwp_inventory *now)
{
	struct hwp_inventory *both = (*inv)->parts & ~now->parts ? inventory_merge(*inv, now)
								 : hwp_ref(now);
	if (!both)
		return -ENOMEM;
	hwp_unref(*inv);
	*inv = both;
	return 0;
}

int inventory_refresh(struct hwp_ctx *ctx, struct hwp_inventory *last, unsigned parts,
		      const struct root_names *disks, struct hwp_inventory **ret_inv)
{
	AUTO(inventory_freep) struct hwp_inventory *inv = hwp_ref(last);
	AUTO(inventory_freep) struct hwp_inventory *some = NULL;
	AUTO(inventory_freep) struct hwp_inventory *now = NULL;
	int rc = 0;
	if (parts & HWP_DISKS && disks)
		rc = disk_refresh(ctx, last, disks, &some);
	if (rc == -EAGAIN)
		rc = 0; /* all of them, with the other parts */
	if (some) {
		rc = add_parts(&inv, some);
		parts &= ~(unsigned)HWP_DISKS;
	}
	/* What neighbours said stands with the interfaces. */
	if (parts & HWP_NICS)
		parts |= last->parts & HWP_LLDP;
	if (!rc && parts)
		rc = hwp_probe(ctx, parts, &now);
	if (!rc && now)
		rc = add_parts(&inv, now);
	if (rc < 0)
		return rc;
	*ret_inv = TAKE(inv);
	return 0;
}

int hwp_refresh(struct hwp_ctx *ctx, struct hwp_inventory *last, unsigned parts,
		struct hwp_inventory **ret_inv)
{
	if (!ctx || !last || !ret_inv)
		return -EINVAL;
	return inventory_refresh(ctx, last, parts ? parts : ctx->opt.parts, NULL, ret_inv);
}
