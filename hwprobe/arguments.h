#pragma once
/* The command line of slipway-hwprobe as it was understood. */
#include "common/fault.h"
#include "hwprobe/hwprobe.h"

struct arguments {
	struct hwp_options opt;
	enum hwp_format format;
	uint64_t max_bytes;
	const char *record, *explain;
	bool is_watching, has_format;
};

/* Options that contradict each other, or of which one would have no effect; NULL = none, else a sentence. */
const char *arguments_contradiction(const struct arguments *a);
/* Is a machine recorded in the folder? 0; -errno, and what to do about it in @err. */
int arguments_check_sysroot(const char *sysroot, struct fault *err);
