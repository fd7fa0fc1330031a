#pragma once
/*
 * Which disks of an inventory can be installed on, and which one is taken (assisted-v2 §5.8, §6.3, §6.4).
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "service/rules.h"

/*
 * Fills installation_eligibility of every disk: the service's own reasons are taken out and put in anew, the agent's stay.
 * @inventory: a clean one (shape_inventory). @min_gb: decimal.
 */
int disk_rules_eligibility(const struct rule_ctx *ctx, json_t *inventory, uint64_t min_gb,
			   struct fault *err);
bool disk_is_eligible(const json_t *disk);
/* The best disk to install on, borrowed; NULL = none is eligible. */
json_t *disk_rules_choose(json_t *inventory);
/* Does a name from a user or an earlier choice mean this disk: id, by_path or /dev/NAME? */
bool disk_is_named(const json_t *disk, const char *name);
/* Ids of the disks whose boot sector must go before an installation, as csv ("" = none); NULL = no memory. */
char *disk_rules_to_format(json_t *inventory, const char *skip_csv);
/* "21.474 GB"; decimal units, three digits behind the point at most, cut. */
#define SIZE_TEXT_LEN 32
void disk_size_text(uint64_t bytes, char ret[SIZE_TEXT_LEN]);
