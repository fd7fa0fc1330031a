#pragma once
/*
 * The source of files: the running machine or a recorded tree. Paths are relative to its top: "sys/block/sda/size".
 * In a recorded tree no link may lead outside: such a read fails with -EXDEV and the path is kept in root.escaped.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "common/fault.h"
#include "hwprobe/arena.h"

enum {
	ROOT_PATH_MAX = 1024,
	ROOT_ATTR_MAX = 4096,     /* one page: what sysfs hands out */
	ROOT_FILE_MAX = 64 << 20, /* cpuinfo of thousands of CPUs */
	ROOT_TABLE_MAX = 1 << 20, /* SMBIOS */
	ROOT_LIST_MAX = 1 << 20,  /* names in one folder */
	ROOT_DEPTH_MAX = 64,
};

/* A folder that paths start with often. */
struct root_base {
	int fd;
	size_t len; /* 0 = none */
	char path[ROOT_PATH_MAX];
};

struct root {
	int fd; /* the top folder */
	bool is_live;
	bool has_openat2;
	int record_fd;    /* where reads are recorded (record.h); -1 = nowhere */
	int record_error; /* first failure to record, -errno */
	char record_dir[ROOT_PATH_MAX],
		record_real[ROOT_PATH_MAX]; /* the last folder, and without links (record.c) */
	char escaped[ROOT_PATH_MAX];        /* the first path that left the tree; "" = none */
	struct root_base base;              /* root_enter() */
};

/* @sysroot: NULL = the running machine. Checks every link of a recorded tree: -EXDEV with the path in @err. */
int root_open(struct root *r, const char *sysroot, struct fault *err);
void root_done(struct root *r);

/*
 * Until root_leave() what is below @dir is opened from there: the way to a device leads through links of sysfs, which the kernel
 * walks as slowly as it reads a file. Not nested. Of a recorded tree it changes nothing.
 */
void root_enter(struct root *r, const char *dir);
void root_leave(struct root *r);

/* A descriptor for reading, or -errno. In a recorded tree plain files and folders only (-ENOTSUP). */
int root_fd(struct root *r, const char *path, int flags);
/* The whole file in @a with a NUL behind it. -EMSGSIZE when longer than @max. */
int root_read(struct root *r, struct arena *a, const char *path, size_t max, char **ret_data,
	      size_t *ret_len);
/* One read(2) of an attribute into @data (NUL added); the number of bytes or -errno (-EMSGSIZE: does not fit). */
ssize_t root_attr(struct root *r, const char *path, char *data, size_t size);
/* The text of a link; its length or -errno (-EINVAL: not a link). */
ssize_t root_link(struct root *r, const char *path, char *target, size_t size);
bool root_exists(struct root *r, const char *path);
bool root_is_dir(struct root *r, const char *path);

struct root_names {
	char **v;
	size_t n;
};
/* Names in a folder without "." and "..", in natural order (sda2 before sda10). */
int root_list(struct root *r, struct arena *a, const char *path, struct root_names *ret);
