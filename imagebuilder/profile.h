#pragma once
/*
 * Profiles: which kernel modules a discovery medium begins with; the closure adds what these need. Names that a kernel does not have are skipped,
 * so that one table fits many kernels.
 */

struct profile {
	const char *name;
	const char *help;
	const char *const *const *lists; /* of module names; both levels end with NULL */
};

/* NULL = there is no such profile. @name NULL = "server". */
const struct profile *profile_find(const char *name);
/* All of them, NULL-terminated. */
extern const struct profile *const profiles[];
