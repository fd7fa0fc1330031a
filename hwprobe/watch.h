#pragma once
#include "hwprobe/hwprobe.h"

/*
 * Prints the inventory as one line of JSON, and again whenever it changes: {"changed":["disks"],"inventory":{…}}.
 * Does not return but on failure: an exit status.
 */
int watch(struct hwp_ctx *ctx);
/* Name of a single part, as in --parts; NULL = none. */
const char *part_name(unsigned part);
/* The part of that name ("all" too); 0 = none. */
unsigned part_by_name(const char *name);
