#pragma once
struct survey;
#include <stdint.h>

/* Sum of the "present" pages of all zones in /proc/zoneinfo, device memory (ZONE_DEVICE) left out. */
uint64_t zoneinfo_present(const char *text);
/* Modules, huge pages, swap: what only the full format shows. */
void memory_find_more(struct survey *s);
