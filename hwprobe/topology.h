#pragma once
#include "hwprobe/probe.h"

/* Sockets, cores and threads of the online CPUs, and NUMA nodes. Three files per CPU: only with HWP_MORE. */
void topology_find(struct survey *s, struct hwp_cpu *cpu);
/* A list of CPUs, of a fragmented machine longer than a page; in tmp. NULL = absent or empty. */
char *topology_list(struct survey *s, const char *path);
/* Source of hwp_cpu.frequency_mhz where the limits of cpufreq tell it. */
#define TOPOLOGY_MAX_FREQ "cpufreq cpuinfo_max_freq"
/* When so many CPUs in a row do not have a file of cpufreq, the others need not be asked: some may be offline. */
enum { TOPOLOGY_CPUFREQ_TRIES = 8 };
