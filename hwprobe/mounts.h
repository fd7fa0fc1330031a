#pragma once
#include "hwprobe/mountinfo.h"
#include "hwprobe/probe.h"

/* The mount table of this pass, read once. Never NULL; empty when absent. */
const struct mount_table *survey_mounts(struct survey *s);
/* The mount on top at @point (the last one); NULL = none. */
const struct mount *mount_at(const struct mount_table *t, const char *point);
