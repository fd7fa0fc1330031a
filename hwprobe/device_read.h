#pragma once
/*
 * Reads of device nodes that may hang (a path that is gone, a dying disk): done by a worker thread, with a time limit. A worker
 * that does not come back is left behind with its own memory; the next read gets a new one.
 */
#include "hwprobe/probe.h"

enum {
	DEVICE_HEAD_BYTES = 68 << 10, /* what is recorded: btrfs has its superblock at 64 KiB */
	DEVICE_TAIL_BYTES = 64 << 10, /* md 0.90, firmware RAID, backup GPT */
	DEVICE_READ_MAX = DEVICE_HEAD_BYTES,
	DEVICE_WORKERS_MAX = 16,
};

struct device_reader;

/* Opens the node @path and reads @len bytes from @offset; the number of bytes or -errno. Runs in the worker. */
typedef ssize_t device_read_fn(const char *path, uint64_t offset, void *data, size_t len);

/*
 * @len bytes (at most DEVICE_READ_MAX) at @offset of the node @path ("dev/sda"). In a recorded tree the file of that name.
 * Returns the number of bytes (0 behind the end), -ETIMEDOUT, or another -errno.
 */
ssize_t device_read(struct survey *s, const char *path, uint64_t offset, void *data, size_t len);
/*
 * Something else than a read, done by the worker with the same limits: @fn with the node's path. Only of the running machine
 * (-EINVAL); nothing is recorded.
 */
ssize_t device_ask(struct survey *s, device_read_fn *fn, const char *path, uint64_t offset,
		   void *data, size_t len);
/* The last @len bytes of a node of @size bytes; they are recorded in a file of their own ("dev/sda.tail"). As device_read(). */
ssize_t device_read_tail(struct survey *s, const char *path, uint64_t size, void *data, size_t len);
/* That @path could not be read: a replay fails with the same (positive) error. device_read() does it by itself. */
void device_record_errno(struct survey *s, const char *path, int err);
/* Opens a node for reading so that it waits for nothing; a descriptor or -errno. In a worker only: drivers may hang all the same. */
int device_node_open(const char *path);
/* Runs @run(@arg) in a detached thread of the pass that takes no signals: they are the program's. -ETIMEDOUT = too many hang already. */
int device_worker_start(struct survey *s, void *(*run)(void *), void *arg);
/* Ends the worker of the pass. */
void device_reader_close(struct survey *s);
