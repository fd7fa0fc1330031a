#include "service/requirement.h"

#include "common/str.h"

#define MIB (1024ull * 1024)
#define MEMORY_SLACK_MIB 100    /* firmware and crash kernel reservations */
#define MEMINFO_SLACK_PERCENT 2 /* MemTotal is after the kernel's own share */

static const struct requirement minimum_pool = { .cpu_cores = 2,
						 .memory_mib = 8192,
						 .disk_gb = 50 };

static const struct requirement by_role[ROLE_COUNT] = {
	[ROLE_AUTO_ASSIGN] = { .cpu_cores = 2, .memory_mib = 8192, .disk_gb = 50 },
	[ROLE_MASTER] = { .cpu_cores = 4, .memory_mib = 16384, .disk_gb = 100 },
	[ROLE_ARBITER] = { .cpu_cores = 2, .memory_mib = 8192, .disk_gb = 50 },
	[ROLE_WORKER] = { .cpu_cores = 2, .memory_mib = 8192, .disk_gb = 100 },
	[ROLE_BOOTSTRAP] = { .cpu_cores = 4, .memory_mib = 16384, .disk_gb = 100 },
};

const struct requirement *requirement_minimum(const struct rule_ctx *ctx)
{
	return ctx->cluster ? &by_role[ROLE_WORKER] : &minimum_pool;
}

enum host_role requirement_role(const struct rule_ctx *ctx, const struct host *h)
{
	if (h->role != ROLE_AUTO_ASSIGN || !ctx->cluster)
		return h->role;
	return h->suggested_role == ROLE_AUTO_ASSIGN ? ROLE_WORKER : h->suggested_role;
}

const struct requirement *requirement_for(const struct rule_ctx *ctx, const struct host *h)
{
	return &by_role[requirement_role(ctx, h)];
}

uint64_t requirement_memory_bytes(uint64_t mib, const char *method)
{
	uint64_t bytes = (mib - MEMORY_SLACK_MIB) * MIB;

	if (method && str_eq(method, "meminfo"))
		bytes -= mib * MIB / 100 * MEMINFO_SLACK_PERCENT;
	return bytes;
}
