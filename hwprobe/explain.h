#pragma once
/* What was looked at and tried, in the order in which it was; kept only when HWP_EXPLAIN asks for it. */
#include "hwprobe/probe.h"

/* hwp_explain() reads them: those of one value, or of one probe. */
struct explain_event {
	const char *path;   /* of a value ("disks[0].serial"), or of a file */
	const char *source; /* NULL = a file was looked for */
	const char *part;   /* name of the probe */
	int err;
	bool is_used;
};

/* An attribute was looked for; @err: positive errno, 0 = read. */
void explain_read(struct survey *s, const char *path, int err);
/* A source was asked for the value, or gave the reason, at @dst (in the inventory); @is_used: it had one. */
void explain_try(struct survey *s, const void *dst, const char *source, bool is_used);
