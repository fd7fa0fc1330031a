#pragma once
/* One dump of the running kernel. */
#include "hwprobe/netdump.h"

struct netdump_request {
	const char *file;
	int type;
	unsigned char family;
	size_t header_len;
	bool is_main_table;      /* ask for table main only */
	const char *family_name; /* of generic netlink: @type is its command */
};

enum { NETDUMP_DETAIL_MAX = 128 };

struct netdump_result {
	bool has_changed;                /* what is dumped changed meanwhile (NLM_F_DUMP_INTR) */
	char detail[NETDUMP_DETAIL_MAX]; /* what the kernel says of its error; "" = nothing */
};

/*
 * Asks once more when something changed meanwhile, up to NETDUMP_TRIES times; the last answer is taken as it is, and
 * @ret->has_changed says so. 0, or -errno: of the kernel, -ETIMEDOUT, -EMSGSIZE (more than NETDUMP_MAX, or a message that is cut), -ENOMEM.
 */
int netdump_ask(struct survey *s, const struct netdump_request *q, struct netdump *d,
		struct netdump_result *ret);

/*
 * Looks through one datagram of a dump. 1 = it ends here, 0 = more follows, -errno of the kernel, which may have explained it (extended
 * acknowledgement) in @ret.
 */
int netdump_scan(const char *data, size_t len, struct netdump_result *ret);
