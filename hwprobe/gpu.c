#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/pci_ids.h"
#include "hwprobe/probe.h"

#define PCI_DIR "sys/bus/pci/devices"

/* PCI class and subclass: VGA, 3D, other display, processing accelerator. */
static const unsigned gpu_classes[] = { 0x0300, 0x0302, 0x0380, 0x1200 };

static bool is_gpu(struct survey *s, const char *address)
{
	char *text = attr_text(s, PCI_DIR "/%s/class", address), *end;
	if (!text)
		return false;
	unsigned long class = strtoul(text, &end, 16);
	if (*end || class > 0xffffff) {
		survey_error(s, address, EBADMSG, "class is no PCI class");
		return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(gpu_classes); i++)
		if (class >> 8 == gpu_classes[i])
			return true;
	return false;
}

/* "0x10de" as "10de"; NULL = absent or no id. */
static char *pci_id(struct survey *s, const char *address, const char *file)
{
	char *text = attr_text(s, PCI_DIR "/%s/%s", address, file), *end;
	if (!text)
		return NULL;
	unsigned long id = strtoul(text, &end, 16);
	if (!str_starts(text, "0x") || *end || id > 0xffff) {
		survey_error(s, address, EBADMSG, "%s is no PCI id", file);
		return NULL;
	}
	return arena_printf(s->tmp, "%04lx", id);
}

static void add_gpu(struct survey *s, const char *address, const struct pci_ids *ids)
{
	struct hwp_inventory *inv = s->inv;
	struct hwp_gpu *g = arena_append(s->mem, &inv->gpus, &inv->gpu_count, sizeof(*g));
	if (!g)
		return;
	char *vendor = pci_id(s, address, "vendor"), *device = pci_id(s, address, "device");
	char *vendor_name = NULL, *device_name = NULL;
	if (vendor)
		pci_ids_find(ids, s->tmp, vendor, device, &vendor_name, &device_name);
	put_str(s, &g->address, address, PCI_DIR);
	put_str(s, &g->vendor_id, vendor, "vendor");
	put_str(s, &g->device_id, device, "device");
	put_str(s, &g->vendor, vendor_name ? vendor_name : "unknown", "pci.ids");
	put_str(s, &g->name, device_name ? device_name : "unknown", "pci.ids");
}

static void run(struct survey *s)
{
	AUTO(pci_ids_done) struct pci_ids ids = { 0 };
	bool has_opened = false;
	struct root_names names = attr_list(s, PCI_DIR);
	for (size_t i = 0; i < names.n; i++) {
		if (!is_gpu(s, names.v[i]))
			continue;
		if (!has_opened)
			pci_ids_open(&ids, s->opt->pci_ids);
		has_opened = true;
		add_gpu(s, names.v[i], &ids);
	}
}

const struct probe probe_gpus = { .name = "gpus", .part = HWP_GPUS, .run = run };
