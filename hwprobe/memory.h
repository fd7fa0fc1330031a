#pragma once
#include <stdint.h>

/* Sum of the "present" pages of all zones in /proc/zoneinfo, device memory (ZONE_DEVICE) left out. */
uint64_t zoneinfo_present(const char *text);
