#pragma once
/* Questions to the BMC through the kernel's IPMI device (/dev/ipmi0), or answered from ipmi.txt of a recorded tree. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hwprobe/probe.h"

enum { IPMI_DATA_MAX = 256, IPMI_COMMAND_TIMEOUT_MS = 1000 };

enum ipmi_netfn { IPMI_APP = 0x06, IPMI_TRANSPORT = 0x0c };

struct ipmi {
	struct survey *s;
	int fd;       /* live; -1 = replay */
	char *record; /* text of ipmi.txt */
	long next_id;
	int64_t end_ms; /* of all questions together, CLOCK_MONOTONIC */
};

/* 0; -ENOENT = no device, no record. */
int ipmi_open(struct ipmi *i, struct survey *s);
void ipmi_done(struct ipmi *i);

/*
 * Sends a command and waits for its answer. *ret_len bytes behind the completion code go to @ret (IPMI_DATA_MAX).
 * Returns the completion code (0 = good), or -errno (-ETIMEDOUT: no answer in time).
 */
int ipmi_ask(struct ipmi *i, uint8_t netfn, uint8_t cmd, const uint8_t *data, size_t len,
	     uint8_t *ret, size_t *ret_len);
