#pragma once
/*
 * The firmware's boot entries, through libefivar and libefiboot: one entry for the new system,
 * started once by BootNext; entries that lead to what was overwritten are removed, all others stay.
 */
#include <stdbool.h>
#include <stdint.h>
#include "agent/install.h"
#include "common/fault.h"

struct efiboot_spec {
	const char *label;  /* description of the entry */
	const char *loader; /* path in the EFI system partition, backslashes */
	uint32_t part_number;
	uint64_t part_start, part_size; /* sectors of the disk */
	uint8_t part_guid[16];
	const uint8_t (*stale)[16]; /* GUIDs of the partitions that were on the disk before */
	uint32_t stale_n;
	enum install_boot_order order;
};

struct efiboot_result {
	uint16_t number; /* of Boot#### */
	bool was_there;  /* an entry for the same partition and loader was used */
	uint32_t removed;
};

/* Was this system started by UEFI, and can its variables be reached? */
bool efiboot_is_available(void);
/*
 * Makes (or finds) the entry, puts it into BootOrder, sets BootNext, reads all of it back. -ENOSPC:
 * the variable store is full. After a failure the removable path of the EFI system partition still
 * leads to the new system.
 */
int efiboot_set(const struct efiboot_spec *spec, struct efiboot_result *ret, struct fault *err);

/*
 * Finds the hard-disk node of a load option (UEFI 3.1.3, 10.3.5.1) whose length and content nobody
 * has checked: true and the partition's GUID, and whether the node behind it is the file @loader.
 */
bool efiboot_option_disk(const uint8_t *data, size_t len, const char *loader, uint8_t ret_guid[16],
			 bool *ret_is_loader);
/*
 * Where @number goes: first, or behind @current (first when that is not in the list). @order has
 * room for one more; duplicates of @number are dropped.
 */
uint32_t efiboot_order_insert(uint16_t *order, uint32_t n, uint16_t number, const uint16_t *current,
			      enum install_boot_order how);
