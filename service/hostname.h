#pragma once
/*
 * Names of hosts (assisted-v2 §3.3).
 */
#include <stdbool.h>
#include "service/model.h"

/* ^[a-z0-9][a-z0-9-]{0,62}(?:[.][a-z0-9-]{1,63})*$ and at most 63 characters. */
bool hostname_is_valid(const char *name);
/* localhost and its relatives: what a machine is called that nobody gave a name. */
bool hostname_is_forbidden(const char *name);
/* Is @h called @name? Costs no parsing: asked for every other host of a cluster. */
bool hostname_is_of(const struct host *h, const char *name);
