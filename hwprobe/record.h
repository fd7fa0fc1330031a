#pragma once
/*
 * Recording: whatever a pass reads from the running machine is written into a folder at the same place, links as links.
 * So a replay of the folder reads the same bytes, and the folder holds nothing that was not looked at.
 * All take the live root whose record_fd is the folder; without one they do nothing. Failures are kept in root.record_error.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "hwprobe/root.h"

void record_file(struct root *r, const char *path, const void *data, size_t len);
void record_link(struct root *r, const char *path);
/* A name that was found: a link, a folder, or a file whose content was not looked at (empty). */
void record_entry(struct root *r, const char *path);
/* Bytes of a device node. */
void record_device(struct root *r, const char *path, uint64_t offset, const void *data, size_t len);
/* One more line of a text file that is no file of the machine ("cpuid.txt"). */
void record_line(struct root *r, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
