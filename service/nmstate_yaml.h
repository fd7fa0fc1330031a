#pragma once
/*
 * Network states as users write them for nmstate: looked at line by line, so that interfaces can be named by the MAC address that a
 * machine has. This is no YAML parser: it takes block style (flow style only for what stands on one line and names no interface) and
 * refuses what it cannot be sure of.
 */
#include <stddef.h>
#include "common/buf.h"
#include "common/fault.h"

#define NMSTATE_YAML_MAX (64u << 10) /* bytes of one state */
#define NMSTATE_LINES_MAX 4000
#define NMSTATE_DEPTH_MAX 32

/* One entry of a MAC address map; borrowed. */
struct nmstate_nic {
	const char *mac, *name;
};

/*
 * Is @yaml a network state that nmstate_policy() can turn over, with an "interfaces" list, whose network cards are all in the map? -EINVAL
 * with a sentence that begins with @what.
 */
int nmstate_check(const char *what, const char *yaml, const struct nmstate_nic *nics, size_t n_nics,
		  struct fault *err);
/*
 * The same state as a policy (nmpolicy): what was called by a name of the map is the interface with the MAC address. Where a state does
 * not say it, addresses are not asked for by DHCP. -EINVAL as nmstate_check(), -EMSGSIZE or -ENOMEM from @out.
 */
int nmstate_policy(const char *yaml, const struct nmstate_nic *nics, size_t n_nics, struct buf *out,
		   struct fault *err);
