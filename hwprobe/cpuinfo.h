#pragma once
/* /proc/cpuinfo and /proc/sysinfo: lines "key : value". */
#include <stdint.h>
#include "hwprobe/arena.h"

/* Value of the first line with exactly that key, trimmed, in @a; NULL = absent or empty. */
char *cpuinfo_get(struct arena *a, const char *text, const char *key);
/* The value that most lines with that key have, the first such one of several; NULL = absent or empty. */
char *cpuinfo_most(struct arena *a, const char *text, const char *key);
/* The words that all lines with that key have, in the order of the first, separated by blanks; NULL = none. */
char *cpuinfo_common(struct arena *a, const char *text, const char *key);
/* Largest number among all lines with that key; 0 = none. */
double cpuinfo_max(const char *text, const char *key);
/* Lines "processor : N", on s390 "processor N: …". @text may be NULL (0). */
int64_t cpuinfo_processors(const char *text);
/* The name of the core type that most CPUs have, by MIDR implementer and part; NULL = not arm, or unknown. */
char *cpu_arm_model(struct arena *a, const char *text);
