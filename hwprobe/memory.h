#pragma once
struct survey;
#include <stddef.h>
#include <stdint.h>

/* Sum of the "present" pages of all zones in /proc/zoneinfo, device memory (ZONE_DEVICE) left out. */
uint64_t zoneinfo_present(const char *text);
struct hwp_hugepages;
/* The pools below @dir ("hugepages-2048kB"): of the machine, or of one NUMA node. */
void memory_find_hugepages(struct survey *s, const char *dir, const struct hwp_hugepages **ret,
			   size_t *ret_count);
/* Modules, huge pages, swap: what only the full format shows. */
void memory_find_more(struct survey *s);
