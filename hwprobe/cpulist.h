#pragma once
/* Lists of CPUs as sysfs writes them: "0-3,8,10-12" (kernel lib/bitmap.c). */
#include <stdbool.h>
#include <stdint.h>
#include "hwprobe/arena.h"

enum { CPULIST_CPU_MAX = 1 << 20 };

/* How many CPUs are in the list; -EINVAL when it is no list. */
int64_t cpulist_count(const char *text);
/* Is @cpu in the list, as far as it is one? */
bool cpulist_has(const char *text, uint64_t cpu);
/* The CPUs of @list that are not in @gone, as a list in @a; NULL = none, or one of them is no list. */
char *cpulist_without(struct arena *a, const char *list, const char *gone);
