#pragma once
/*
 * What stands on a disk: partitions, what the kernel has stacked on them, and where any of it is
 * mounted, in every mount namespace. From sysfs and /proc below a root descriptor (tests give a
 * made-up tree); names are only ever compared whole.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "agent/disk.h"
#include "common/fault.h"

enum graph_kind {
	GRAPH_DISK,
	GRAPH_PARTITION,
	GRAPH_CRYPT, /* dm, by the prefix of dm/uuid */
	GRAPH_LVM,
	GRAPH_MULTIPATH,
	GRAPH_DM, /* any other device-mapper target */
	GRAPH_MD,
	GRAPH_BCACHE,
	GRAPH_LOOP,
	GRAPH_OTHER, /* drbd, zvol, …: not ours to take apart */
	GRAPH_KIND_COUNT
};
const char *graph_kind_name(enum graph_kind k);
struct graph_node;
/* "LVM volume root of the volume group data", or the kind alone. */
const char *graph_node_title(const struct graph_node *n);

#define GRAPH_NODES_MAX 1024
#define GRAPH_LOWERS_MAX 64
#define GRAPH_USES_MAX 16

struct graph_use {       /* a mount or swap space */
	char where[128]; /* mount point, "swap" */
	pid_t pid;       /* a process that sees it; 0 = unknown */
	bool is_ours;    /* in our own mount namespace */
};

struct graph_node {
	dev_t devno;
	dev_t disk; /* of a partition: the disk it is on; else devno itself */
	char name[DISK_NAME_MAX];
	char title[160]; /* what people call a device-mapper device; "" = as its kind */
	enum graph_kind kind;
	bool is_target; /* the disk itself or one of its partitions */
	/* the target, or stands on it; otherwise another leg of something that does */
	bool is_above;
	uint64_t start_bytes, size_bytes; /* a partition's place on its disk */
	char fstype[32];                  /* libblkid TYPE, "" = nothing known */
	char label[64];
	uint8_t part_type[16], part_guid[16]; /* from the GPT; zero = none */
	uint16_t lowers[GRAPH_LOWERS_MAX];    /* indices of the nodes this one stands on */
	size_t lowers_n;
	struct graph_use uses[GRAPH_USES_MAX];
	size_t uses_n;
	unsigned depth; /* 0 = disk; larger = torn down earlier */
};

struct graph {
	struct graph_node *nodes; /* nodes[0] is the target */
	size_t n;
};

/*
 * Reads the graph of the whole disk @target. @rootfd: "/" or a made-up tree with sys/ and proc/.
 * -EOVERFLOW above the limits: what cannot be described cannot be judged.
 */
int graph_read(int rootfd, dev_t target, struct graph *ret, struct fault *err);
void graph_done(struct graph *g);
/*
 * Adds what is on the disk itself (file systems, GPT), reading through @fd, a read-only descriptor
 * of the whole disk, and what is on the devices that stand on it (their nodes below @rootfd).
 */
int graph_probe(struct graph *g, int rootfd, int fd, uint32_t sector_size, struct fault *err);

/*
 * graph_mounts.c: does @path name node @n? By device number; where the tree has no device nodes, by
 * its whole kernel name.
 */
bool graph_node_is(const struct graph_node *n, int rootfd, const char *path);
/* graph_mounts.c: adds mounts of all namespaces and swap spaces to the nodes. */
int graph_add_mounts(struct graph *g, int rootfd, struct fault *err);
