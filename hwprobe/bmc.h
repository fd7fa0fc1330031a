#pragma once
/*
 * The BMC: what is asked of it (bmc_talk.c), the thread that waits for its answers (bmc_worker.c), what is kept of them for the next
 * probes (bmc.c). A BMC takes milliseconds to seconds for each answer, and its addresses hardly ever change.
 */
#include "hwprobe/ipmi.h"

struct survey;

/* What a BMC says of itself; has_… = it did. */
struct bmc_info {
	bool has_v4, has_v6, has_mac, has_netmask, has_gateway;
	uint8_t v4[4], v6[16], mac[6], netmask[4], gateway[4];
	uint8_t channel; /* of the address; 0 = none */
	uint8_t source; /* of the address, IPMI 2.0 table 23-4 parameter 4: 1 static, 2 DHCP, …; 0 = unspecified */
	uint16_t vlan_id; /* 0 = no VLAN */
};

/* Asks for the first address of each family. @has_more: also for what only the full format shows. 0; -errno = no answer. */
int bmc_ask(struct ipmi *i, bool has_more, struct bmc_info *ret);

/* --- bmc_worker.c ------------------------------------------------------------------------------------------------- */

struct bmc_worker;

struct bmc_answer {
	int rc; /* of opening the device or of bmc_ask() */
	struct bmc_info info;
	char *transcript; /* malloc()ed, in the words of ipmi.txt; NULL = nothing was said */
};

/* Starts a thread that asks; it takes as long as it takes. */
int bmc_worker_start(struct bmc_worker **ret, ipmi_exchange_fn *exchange, unsigned timeout_ms,
		     bool has_more);
/* Waits for its end until @end_ms (CLOCK_MONOTONIC). 0, -ETIMEDOUT: it still asks. */
int bmc_worker_wait(struct bmc_worker *w, int64_t end_ms, struct bmc_answer *ret);
/* Leaves it alone: it ends and frees itself. */
void bmc_worker_leave(struct bmc_worker *w);

/* --- bmc.c -------------------------------------------------------------------------------------------------------- */

/* What is kept in the context between probes. */
struct bmc_cache {
	int64_t until_ms; /* CLOCK_MONOTONIC; 0 = never asked */
	bool has_info;
	int rc; /* how the last talk ended */
	struct bmc_info info;
	struct bmc_worker *worker;  /* NULL = nobody asks */
	ipmi_exchange_fn *exchange; /* instead of the kernel's device; NULL = that */
};

/* Before the other probes: lets the worker start, so that it asks while they read. */
void bmc_begin(struct survey *s);
/* Nothing is known any more: the next probe asks. */
void bmc_forget(struct bmc_cache *c);
void bmc_close(struct bmc_cache *c);
