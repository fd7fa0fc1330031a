#pragma once
/* CPUID of the running processor, or of the recorded tree's cpuid.txt (line format of hwloc's cpuid gatherer). */
#include "hwprobe/context.h"
#include "hwprobe/probe.h"

/* false = no such leaf, no record, or no x86. */
bool cpuid_read(struct survey *s, uint32_t leaf, uint32_t subleaf, struct cpuid_regs *ret);
