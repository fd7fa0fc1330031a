#pragma once
#include "hwprobe/probe.h"

/* Fills is_virtual and virtualization; the DMI strings of @v must be there. Containers do not count; z/VM is named, but no virtual machine. */
void virt_detect(struct survey *s, struct hwp_vendor *v);
/* An x86 machine that is none of a hypervisor's: CPUID.1:ECX[31]; in a recorded tree without cpuid.txt cpuinfo's flags tell both. */
bool virt_is_x86_metal(struct survey *s);
/* Text behind the colon of "VMnn Control Program:" in /proc/sysinfo; NULL = not a guest. */
char *sysinfo_control_program(struct arena *a, const char *text);
