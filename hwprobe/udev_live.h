#pragma once
/*
 * The same record as libudev gives it, for the running machine. The database is read directly (udev_db.h), because libudev needs
 * some 46 system calls and 90 us for each device where one file has to be read; 68 disks would cost more than all the rest. libudev
 * is asked where the database says that it has a version which is not known here, and a test compares the two.
 */
#include <stddef.h>

/*
 * The properties, links and state of a block device as lines of a record ("E:KEY=value", "S:link", "I:1"); malloc()ed.
 * 0; -ENOENT = there is no such device; -ENOMEM.
 */
int udev_live_record(unsigned major, unsigned minor, char **ret, size_t *ret_len);
