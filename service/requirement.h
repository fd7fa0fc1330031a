#pragma once
/*
 * The least hardware a host needs for its role (assisted-v2 §7.4; the defaults of the original's requirement table).
 */
#include <jansson.h>
#include <stdint.h>
#include "service/model.h"
#include "service/rules.h"

struct requirement {
	unsigned cpu_cores;
	uint64_t memory_mib;
	uint64_t disk_gb; /* decimal */
};

/* What every host must have before anybody asks for its role: a pool host may become the smallest of all. */
const struct requirement *requirement_minimum(const struct rule_ctx *ctx);
/* For the role the host has or will get. */
const struct requirement *requirement_for(const struct rule_ctx *ctx, const struct host *h);
/* The role the host has or will get: a day-2 host without a choice becomes a worker. */
enum host_role requirement_role(const struct rule_ctx *ctx, const struct host *h);
/* Bytes of memory that pass for @mib: firmware keeps some for itself, and MemTotal shows a little less again. */
uint64_t requirement_memory_bytes(uint64_t mib, const char *method);
