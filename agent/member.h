#pragma once
/*
 * Members of something larger: superblocks that say that a disk or partition is one leg of a RAID
 * array, a volume group, a pool or a file system on several devices, whether the kernel has put it
 * together or not. libblkid finds them; here it is read how many belong together and who the others
 * are. Nothing is ever written, and all bytes are a stranger's.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "agent/disk.h"
#include "agent/graph.h"
#include "common/fault.h"

#define MEMBER_ID_MAX 72
#define MEMBER_NAME_MAX 128
#define MEMBERS_MAX 8192       /* on one machine */
#define MEMBER_PEERS_MAX 1024  /* physical volumes of one volume group */
#define MEMBER_INSIDE_MAX 1024 /* volumes of one volume group that begin on one device */
#define MEMBER_DEPTH_MAX 4     /* a volume group in an array in … */

enum member_kind {
	MEMBER_MD,
	MEMBER_FIRMWARE, /* IMSM, DDF and the RAID formats of other firmware */
	MEMBER_LVM,
	MEMBER_BTRFS,
	MEMBER_ZFS,
	MEMBER_BCACHE,
	MEMBER_OTHER,
	MEMBER_KIND_COUNT
};
const char *member_kind_name(enum member_kind k);

/* Bytes of a device. */
struct member_range {
	int fd; /* borrowed */
	uint64_t start_bytes, size_bytes;
};
/* All of it or -EIO; nothing outside the range is read. */
int member_read(const struct member_range *r, void *data, size_t len, uint64_t offset);

/* Where something else lies in a member. */
struct member_inside {
	uint64_t start_bytes, size_bytes; /* within the range */
	char name[MEMBER_NAME_MAX];
};

struct member {
	enum member_kind kind;
	char set[MEMBER_ID_MAX];    /* what all members share; "" = unknown */
	char self[MEMBER_ID_MAX];   /* this one; "" = unknown */
	char name[MEMBER_NAME_MAX]; /* of the whole, for people; "" = none */
	/* devices that make up the whole, by its own word; 0 = it does not tell */
	unsigned devices;
	bool is_shared;               /* other machines use it at the same time */
	char (*peers)[MEMBER_ID_MAX]; /* owned: self of all members, where it is known */
	size_t peers_n;
	struct member_inside *inside; /* owned */
	size_t inside_n;
	dev_t disk; /* the whole disk it was found on */
	char where[DISK_NAME_MAX];
};
void member_done(struct member *m);

/* A file system (or the like) on the target, also inside of what is not put together. */
struct member_content {
	char where[MEMBER_NAME_MAX + DISK_NAME_MAX];
	char fstype[32];
};

struct members {
	struct member *v;
	size_t n;
	struct member_content *contents; /* of the target only */
	size_t contents_n;
};
void members_done(struct members *m);

/*
 * What is on the disk @g describes (through @fd, a read-only descriptor of the whole disk) and on
 * what stands on it, and, if some of it is a member, what is on all other disks of the machine.
 * @rootfd: "/" or a made-up tree with sys/ and dev/ (regular files as disks). Disks that cannot be
 * read are taken as absent. @all: of members_scan_all(), for who asks about many disks; NULL = the
 * others are looked at now.
 * -EOVERFLOW above the limits: what cannot be described cannot be judged.
 */
int members_scan(int rootfd, const struct graph *g, int fd, bool with_loops,
		 const struct members *all, struct members *ret, struct fault *err);
/* The members on all disks of the machine. */
int members_scan_all(int rootfd, bool with_loops, struct members *ret, struct fault *err);
/* member_probe.c: everything in one range, with what lies inside of it; @is_target: contents too. */
int members_probe(struct members *m, const struct member_range *r, const char *where, dev_t disk,
		  bool is_target, struct fault *err);
/* The same in all partitions of a table at the start of the range, contents too. */
int members_probe_table(struct members *m, const struct member_range *r, const char *where,
			dev_t disk, struct fault *err);
/* A copy of @one, without what lies inside of it. */
int members_add(struct members *m, const struct member *one, struct fault *err);

/* --- decoders: one per format --------------------------------------------------------------- */
/*
 * @magic: where libblkid has seen the magic, from the start of the range. 1 = *ret is a member,
 * 0 = it stands alone, -EIO or -EBADMSG: unreadable. @ret comes zeroed; the caller frees it always.
 */
typedef int member_decode(const struct member_range *r, uint64_t magic, struct member *ret);
/* member_raid.c */
member_decode member_md, member_imsm, member_ddf, member_bcache;
/* member_fs.c */
member_decode member_btrfs, member_zfs;
/* member_lvm.c */
member_decode member_lvm;
