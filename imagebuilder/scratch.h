#pragma once
/*
 * A temporary folder that goes away with its scope, and the environment helper programs get.
 */
#include "common/fault.h"

struct scratch {
	char path[256]; /* "" = none */
	int fd;
};

#define SCRATCH_INIT ((struct scratch){ .fd = -1 })

/* A new folder (0700) in TMPDIR, else /tmp. */
int scratch_make(struct scratch *ret, struct fault *err);
void scratch_done(struct scratch *s);

/* Nothing of the caller's environment reaches what decides about bytes: fixed PATH, C locale, UTC. */
extern const char *const scratch_env[];
