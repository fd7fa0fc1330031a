#pragma once
/* The inventory as jansson values. */
#include <jansson.h>
#include "hwprobe/inventory.h"

/* New reference; NULL = no memory. Assisted: Go's omitempty; full: {"value","source"} for every value. */
json_t *inventory_json(const struct hwp_inventory *inv, bool is_full);
/* Compact text, malloc()ed; NULL = no memory. */
char *inventory_json_text(const json_t *v);
/* Cuts @inv (assisted) until its text has at most @max_bytes bytes. New text; NULL = no memory. */
char *inventory_cut(json_t *inv, size_t max_bytes);
