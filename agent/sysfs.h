#pragma once
/* Attributes of devices: files of one line in a folder of sysfs, or of a made-up tree. */
#include <stdint.h>
#include <sys/types.h>

/* The number in the file, decimal; 0 = it is absent or no number. */
uint64_t sysfs_number_at(int dirfd, const char *path);
/* "MAJOR:MINOR", as the attribute "dev" has it. 0; -EINVAL: it is something else; what reading it said. */
int sysfs_devno_at(int dirfd, const char *path, dev_t *ret);
/* The same of a text. -EINVAL. */
int sysfs_devno_parse(const char *text, dev_t *ret);
