#pragma once
/* Where values came from and what was tried, kept only when HWP_EXPLAIN asks for it. */
#include "hwprobe/probe.h"

/* An attribute was looked for; @err: positive errno, 0 = read. */
void explain_read(struct survey *s, const char *path, int err);
/* A source was asked for the value at @dst (in the inventory); @is_used: it had one. */
void explain_try(struct survey *s, const void *dst, const char *source, bool is_used);
