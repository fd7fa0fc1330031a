#pragma once
/*
 * The beginning of all disks of a pass, read by one worker in one go: handing each read over and back would cost more than the
 * reads themselves. The limits are those of device_read.h: a device that hangs costs its own time limit, and the others are read.
 */
#include "hwprobe/probe.h"

enum {
	HEAD_SECTOR_BYTES = 512,
	HEAD_DESCRIPTOR_AT =
		32768, /* ISO 9660 (ECMA-119 8.1): sector 16 of 2048 bytes, a type and "CD001" */
	HEAD_DESCRIPTOR_BYTES = 6,
};

/* Results are numbers of bytes (0 behind the end) or -errno; -ETIMEDOUT = the device hangs. */
struct device_head {
	const char *path;      /* "dev/sda" */
	bool wants_descriptor; /* read that, too, when LBA 0 could be read */
	ssize_t sector_result, descriptor_result;
	unsigned char sector[HEAD_SECTOR_BYTES];
	unsigned char descriptor[HEAD_DESCRIPTOR_BYTES];
};

/*
 * Fills the results of all @n. In a recorded tree from the files of those names. A device that hangs since an earlier look of the
 * context is not read again, and fails at once.
 */
void device_read_heads(struct survey *s, struct device_head *heads, size_t n);
/* When the context ends. */
void device_heads_forget(struct hwp_ctx *ctx);
