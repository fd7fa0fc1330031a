#pragma once
/* Names from the PCI id database, found by walking its lines; nothing is loaded. */
#include <stddef.h>
#include "hwprobe/arena.h"

enum { PCI_IDS_MAX = 16 << 20 };

struct pci_ids {
	const char *text; /* mapped; NULL = no database */
	size_t len;
};

/*
 * @path: NULL = the usual places, where a missing database is not an error: names stay unknown. 0, else -errno of @path, and
 * -EBADMSG when it is no file of a database's size.
 */
int pci_ids_open(struct pci_ids *ids, const char *path);
void pci_ids_done(struct pci_ids *ids);
/* @vendor, @device: four lower-case hex digits; @device NULL = not asked. Results in @a, NULL = unknown. */
void pci_ids_find(const struct pci_ids *ids, struct arena *a, const char *vendor,
		  const char *device, char **ret_vendor, char **ret_device);
