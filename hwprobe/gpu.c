#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/context.h"
#include "hwprobe/pci_ids.h"
#include "hwprobe/probe.h"

#define PCI_DIR "sys/bus/pci/devices"

enum { ID_UNKNOWN = 0xffff }; /* what an absent function answers: nobody has it */

/* A number of at most @max, "0x10de"; -1 = absent, or none (recorded). */
static long pci_number(struct survey *s, const char *address, const char *file, unsigned long max)
{
	char *text = attr_text(s, PCI_DIR "/%s/%s", address, file), *end;
	if (!text)
		return -1;
	unsigned long n = strtoul(text, &end, 16);
	if (str_starts(text, "0x") && !*end && n <= max)
		return (long)n;
	survey_error(s, address, EBADMSG, "%s is no PCI id", file);
	return -1;
}

static uint16_t id_or_unknown(long id)
{
	return id < 0 ? ID_UNKNOWN : (uint16_t)id;
}

/* Four hex digits; NULL = unknown. */
static char *id_text(struct survey *s, long id)
{
	return id < 0 ? NULL : arena_printf(s->tmp, "%04lx", id);
}

/* --- what only the full format shows ---------------------------------------------------------------------------- */

/* The largest memory window: lines "start end flags" (Documentation/PCI/sysfs-pci.rst), the first six are the BARs. */
static void find_memory(struct survey *s, const char *address, struct hwp_gpu *g)
{
	enum { BARS = 6, IS_MEMORY = 0x200 /* IORESOURCE_MEM */ };
	char path[ROOT_PATH_MAX], *text = NULL, *save = NULL;
	unsigned long long start, end, flags, largest = 0;
	snprintf(path, sizeof(path), PCI_DIR "/%s/resource", address);
	if (attr_file(s, path, ROOT_ATTR_MAX, &text, NULL) < 0)
		return;
	char *line = strtok_r(text, "\n", &save);
	for (int i = 0; line && i < BARS; i++, line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "%llx %llx %llx", &start, &end, &flags) != 3 ||
		    !(flags & IS_MEMORY) || end <= start)
			continue;
		largest = MAX_OF(largest, end - start + 1);
	}
	if (largest && largest <= INT64_MAX)
		put_num(s, &g->memory_bytes, (int64_t)largest, path);
}

static void find_more(struct survey *s, const char *address, struct hwp_gpu *g)
{
	int64_t node;
	put_str(s, &g->driver, attr_link_name(s, PCI_DIR "/%s/driver", address), "driver");
	put_str(s, &g->subsystem_vendor_id,
		id_text(s, pci_number(s, address, "subsystem_vendor", UINT16_MAX)),
		"subsystem_vendor");
	put_str(s, &g->subsystem_device_id,
		id_text(s, pci_number(s, address, "subsystem_device", UINT16_MAX)),
		"subsystem_device");
	if (attr_num(s, &node, PCI_DIR "/%s/numa_node", address) == 0 && node >= 0)
		put_num(s, &g->numa_node, node,
			arena_printf(s->tmp, PCI_DIR "/%s/numa_node", address));
	put_attr_bool(s, &g->is_boot_display, PCI_DIR "/%s/boot_vga", address);
	char *physical = attr_link_name(s, PCI_DIR "/%s/physfn", address);
	put_bool(s, &g->is_virtual_function, physical != NULL, "physfn");
	put_str(s, &g->physical_function, physical, "physfn");
	find_memory(s, address, g);
}

/* ------------------------------------------------------------------------------------------------------------------ */

static void add_gpu(struct survey *s, const char *address, long vendor_id, long device_id,
		    const struct pci_ids *ids)
{
	struct hwp_inventory *inv = s->inv;
	struct hwp_gpu *g = arena_append(s->mem, &inv->gpus, &inv->gpu_count, sizeof(*g));
	if (!g)
		return;
	char *vendor = id_text(s, vendor_id), *device = id_text(s, device_id);
	char *vendor_name = NULL, *device_name = NULL;
	if (vendor)
		pci_ids_find(ids, s->tmp, vendor, device, &vendor_name, &device_name);
	put_str(s, &g->address, address, PCI_DIR);
	put_str(s, &g->vendor_id, vendor, "vendor");
	put_str(s, &g->device_id, device, "device");
	put_str(s, &g->vendor, vendor_name ? vendor_name : "unknown", "pci.ids");
	put_str(s, &g->name, device_name ? device_name : "unknown", "pci.ids");
	if (s->opt->flags & HWP_MORE)
		find_more(s, address, g);
}

/* Ids are read where they may decide, or of what is a GPU: a machine has hundreds of functions. */
static void look_at(struct survey *s, const char *address, struct pci_ids *ids, bool *has_opened)
{
	const struct gpu_rules *rules = &s->ctx->gpu_rules;
	long class = pci_number(s, address, "class", 0xffffff), vendor = -1, device = -1;
	if (class < 0)
		return;
	bool is_gpu = gpu_rules_match(rules, (uint16_t)(class >> 8), ID_UNKNOWN, ID_UNKNOWN);
	if (is_gpu || rules->v) {
		vendor = pci_number(s, address, "vendor", UINT16_MAX);
		device = pci_number(s, address, "device", UINT16_MAX);
		is_gpu = gpu_rules_match(rules, (uint16_t)(class >> 8), id_or_unknown(vendor),
					 id_or_unknown(device));
	}
	if (!is_gpu)
		return;
	if (!*has_opened)
		survey_pci_ids(s, ids);
	*has_opened = true;
	add_gpu(s, address, vendor, device, ids);
}

static void run(struct survey *s)
{
	AUTO(pci_ids_done) struct pci_ids ids = { 0 };
	bool has_opened = false;
	struct root_names names = attr_list(s, PCI_DIR);
	for (size_t i = 0; i < names.n; i++)
		look_at(s, names.v[i], &ids, &has_opened);
}

const struct probe probe_gpus = { .name = "gpus", .part = HWP_GPUS, .run = run };
