#pragma once
#include "hwprobe/probe.h"

/* Fills is_virtual and virtualization; the DMI strings of @v must be there. Containers do not count. */
void virt_detect(struct survey *s, struct hwp_vendor *v);
/* Text behind the colon of "VMnn Control Program:" in /proc/sysinfo; NULL = not a guest. */
char *sysinfo_control_program(struct arena *a, const char *text);
