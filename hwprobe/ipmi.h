#pragma once
/* Questions to the BMC through the kernel's IPMI device (/dev/ipmi0), or answered from ipmi.txt of a recorded tree. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/buf.h"

enum {
	IPMI_DATA_MAX = 256,
	IPMI_COMMAND_TIMEOUT_MS = 1000,
	IPMI_TRANSCRIPT_MAX = 1 << 20,
};

enum ipmi_netfn { IPMI_APP = 0x06, IPMI_TRANSPORT = 0x0c };

/*
 * One question and its answer by other means than the kernel's device. *ret_len bytes behind the completion code go to @ret
 * (IPMI_DATA_MAX). The completion code, or -errno.
 */
typedef int ipmi_exchange_fn(uint8_t netfn, uint8_t cmd, const uint8_t *data, size_t len,
			     uint8_t *ret, size_t *ret_len);

struct ipmi {
	int fd;             /* of the device; -1 = none */
	const char *record; /* text of ipmi.txt, borrowed; NULL = a device */
	ipmi_exchange_fn *exchange;
	struct buf *transcript; /* in the words of ipmi.txt; NULL = not kept */
	long next_id;
	int64_t end_ms; /* of all questions together, CLOCK_MONOTONIC */
};

/* Where the kernel's device may be, below the root: "dev/ipmi0", …; ends with NULL. */
extern const char *const ipmi_nodes[];

/* Opens the device, or uses @exchange instead (may be NULL). 0 or -errno. */
int ipmi_open(struct ipmi *i, ipmi_exchange_fn *exchange, unsigned timeout_ms);
void ipmi_open_record(struct ipmi *i, const char *text);
/* Is there any answer in the text? */
bool ipmi_is_record(const char *text);
void ipmi_done(struct ipmi *i);

/* ipmi_exchange_fn of whatever was opened. -ETIMEDOUT: no answer in time. */
int ipmi_ask(struct ipmi *i, uint8_t netfn, uint8_t cmd, const uint8_t *data, size_t len,
	     uint8_t *ret, size_t *ret_len);
