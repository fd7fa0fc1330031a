#pragma once
#include "hwprobe/probe.h"

/* Sockets, cores and threads of the online CPUs, and NUMA nodes. Three files per CPU: only with HWP_MORE. */
void topology_find(struct survey *s, struct hwp_cpu *cpu);
