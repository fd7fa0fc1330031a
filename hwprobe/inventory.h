#pragma once
/* The snapshot behind struct hwp_inventory: everything lives in its own arena. */
#include "hwprobe/arena.h"
#include "hwprobe/hwprobe.h"

struct disk_facts;
struct explain_event;
struct root_names;

enum { INVENTORY_PARTS = 13 }; /* bits of enum hwp_part */

struct hwp_inventory {
	int refs; /* atomic */
	struct arena mem;
	unsigned parts; /* asked for */
	struct hwp_cpu cpu;
	struct hwp_memory memory;
	struct hwp_boot boot;
	struct hwp_vendor vendor;
	struct hwp_clock clock;
	struct hwp_str hostname;
	struct hwp_tpm tpm;
	struct hwp_bmc bmc;
	struct hwp_strs degraded;
	struct hwp_disk *disks;
	size_t disk_count;
	const struct disk_facts
		*facts; /* of the disks and what stands beside them; NULL = not kept */
	struct hwp_nic *nics;
	size_t nic_count;
	struct hwp_route *routes;
	size_t route_count;
	struct hwp_gpu *gpus;
	size_t gpu_count;
	struct hwp_error *errors;
	size_t error_count;
	struct explain_event *events; /* HWP_EXPLAIN only; explain.c */
	size_t event_count;
	/* By bit of enum hwp_part: the snapshot that holds the memory of a part that was taken over; NULL = this one. */
	struct hwp_inventory *origins[INVENTORY_PARTS];
	/* Of a list of disks that was put together from several snapshots (disk_refresh.h): those. */
	struct hwp_inventory **sources;
	size_t source_count;
};

struct hwp_inventory *inventory_new(unsigned parts);
/* The parts of @now, and those of @last besides; keeps references to where they come from. NULL = no memory. */
struct hwp_inventory *inventory_merge(struct hwp_inventory *last, struct hwp_inventory *now);
/* The snapshot that has the memory of a part. */
struct hwp_inventory *inventory_origin(const struct hwp_inventory *inv, unsigned part);
/* A copy of @e; what fails is in inv->mem. */
void inventory_add_error(struct hwp_inventory *inv, const struct hwp_error *e);
/*
 * hwp_refresh() that looks of the disks at those of @disks only, as far as that is as good (disk_refresh.h); NULL = all. @parts: 0 = none.
 */
int inventory_refresh(struct hwp_ctx *ctx, struct hwp_inventory *last, unsigned parts,
		      const struct root_names *disks, struct hwp_inventory **ret_inv);
/* The parts that both have from the same snapshot, so that they are the same. */
unsigned inventory_shared_parts(const struct hwp_inventory *a, const struct hwp_inventory *b);
