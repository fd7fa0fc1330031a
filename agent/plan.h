#pragma once
/*
 * What an installation will do to a disk before the first chunk is written, or why it will not.
 * Pure: graph and identity in, list of actions or a refusal out. Printed by `slipway-agent disk
 * plan`, logged before it is carried out.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "agent/disk.h"
#include "agent/graph.h"
#include "agent/member.h"
#include "common/buf.h"
#include "common/fault.h"

enum plan_action_kind {
	PLAN_DM_REMOVE,  /* device-mapper device: DM_DEV_REMOVE */
	PLAN_MD_STOP,    /* STOP_ARRAY */
	PLAN_LOOP_CLEAR, /* LOOP_CLR_FD */
	PLAN_WIPE,       /* signatures and the first MiB of a partition or of the disk */
	PLAN_ZERO_ENDS,  /* first and last MiB of the disk */
	PLAN_ACTION_COUNT
};

struct plan_action {
	enum plan_action_kind kind;
	dev_t devno;
	char name[DISK_NAME_MAX];
	char reason[160];
	uint64_t start_bytes, size_bytes; /* PLAN_WIPE: where on the disk */
};

struct plan {
	struct plan_action *actions; /* owned; in the order they are carried out */
	size_t n;
};

struct plan_input {
	const struct disk_id *disk;
	const struct graph *graph;
	const struct members *members; /* NULL = not looked for */
	/*
	 * Whole disks that the user gives up as well: the step's disks_to_format and disks_named,
	 * unless skip_installation_disk_cleanup is set. What stands on them and on the installation
	 * disk alone may be taken apart. With the installation disk itself among them (a person has
	 * named it) that holds for what cannot be seen from here, too: members that are not in this
	 * machine, and file systems of other machines.
	 */
	const dev_t *given_up;
	size_t given_up_n;
	uint64_t image_size;  /* bytes; 0 = unknown (disk plan) */
	uint32_t sector_size; /* of the image; 0 = unknown */
	bool allow_loop;
};

/*
 * 0 and *ret; or a refusal: -EROFS, -ENOSPC, -EMEDIUMTYPE (sector size, kind of device), -EBUSY
 * (mounted, swap, held together with another disk, whether the kernel has put it together or not),
 * -EPERM (boot medium, shared file system). The sentence names the blocker.
 */
int plan_make(const struct plan_input *in, struct plan *ret, struct fault *err);
void plan_done(struct plan *p);

/* Did the user give up the whole disk @disk? */
bool plan_is_given_up(const struct plan_input *in, dev_t disk);
/* plan_members.c: a part of plan_make(). */
int plan_check_members(const struct plan_input *in, struct fault *err);
/* plan_shared.c: file systems that other machines may be using. A part of plan_make(). */
int plan_check_shared(const struct plan_input *in, const struct graph_node *n, struct fault *err);

const char *plan_action_name(enum plan_action_kind k);
/* One line per action. */
int plan_text(const struct plan *p, struct buf *out);

/* teardown.c: carries out PLAN_DM_REMOVE, PLAN_MD_STOP and PLAN_LOOP_CLEAR, in order. */
int plan_teardown(const struct plan *p, struct fault *err);
