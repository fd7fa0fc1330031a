#pragma once
/* The snapshot behind struct hwp_inventory: everything lives in its own arena. */
#include "hwprobe/arena.h"
#include "hwprobe/hwprobe.h"

struct explain_event;

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
};

struct hwp_inventory *inventory_new(unsigned parts);
