#include "agent/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"

static const char *const action_names[PLAN_ACTION_COUNT] = {
	[PLAN_DM_REMOVE] = "remove",         [PLAN_MD_STOP] = "stop",
	[PLAN_LOOP_CLEAR] = "detach",        [PLAN_WIPE] = "wipe",
	[PLAN_ZERO_ENDS] = "zero both ends",
};

const char *plan_action_name(enum plan_action_kind k)
{
	return action_names[k];
}

/* Where the live system keeps its medium (dracut, live-boot, the original agent). */
static const char *const boot_mounts[] = {
	"/run/media/iso", "/run/initramfs/live", "/run/initramfs/isoscan",
	"/cdrom",         "/run/live/medium",    "/",
	"/boot",          "/boot/efi",           "/sysroot",
};

/* Devices that are no place for a system. */
static const char *const no_disks[] = { "ram", "zram", "sr", "fd", "nbd", "mtdblock", "loop" };

static bool is_one_of(const char *const *list, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i], s))
			return true;
	return false;
}

/* "sr0" is of family "sr": letters, then digits only. */
static bool is_family(const char *name, const char *family)
{
	size_t len = strlen(family);

	return str_starts(name, family) && name[len] &&
	       strspn(name + len, "0123456789") == strlen(name + len);
}

static int check_device(const struct plan_input *in, struct fault *err)
{
	const struct disk_id *d = in->disk;
	const struct graph_node *target = &in->graph->nodes[0];

	for (size_t i = 0; i < ARRAY_SIZE(no_disks); i++)
		if (is_family(d->name, no_disks[i]) &&
		    !(in->allow_loop && str_eq(no_disks[i], "loop")))
			return fault_set(err, -EMEDIUMTYPE,
					 "%s is no disk a system can be installed on", d->name);
	if (d->is_hidden)
		return fault_set(err, -EMEDIUMTYPE,
				 "%s is one path of a multipath disk; install to the disk itself",
				 d->name);
	if (target->kind != GRAPH_DISK && target->kind != GRAPH_MULTIPATH &&
	    target->kind != GRAPH_MD && target->kind != GRAPH_LOOP)
		return fault_set(err, -EMEDIUMTYPE, "%s is a %s, not a disk", d->name,
				 graph_kind_name(target->kind));
	if (d->is_read_only)
		return fault_set(err, -EROFS, "%s is read-only", d->name);
	return 0;
}

static int check_image(const struct plan_input *in, struct fault *err)
{
	const struct disk_id *d = in->disk;

	if (in->sector_size && in->sector_size != d->sector_size)
		return fault_set(
			err, -EMEDIUMTYPE,
			"the image is made for sectors of %u bytes, %s has %u: it would not boot",
			in->sector_size, d->name, d->sector_size);
	if (in->image_size > d->size_bytes)
		return fault_set(err, -ENOSPC, "%s is too small: %llu bytes, the image needs %llu",
				 d->name, (unsigned long long)d->size_bytes,
				 (unsigned long long)in->image_size);
	return 0;
}

static int check_uses(const struct graph_node *n, struct fault *err)
{
	for (size_t i = 0; i < n->uses_n; i++) {
		const struct graph_use *u = &n->uses[i];

		if (str_eq(u->where, "swap"))
			return fault_set(err, -EBUSY, "%s is in use as swap space", n->name);
		if (u->is_ours && is_one_of(boot_mounts, ARRAY_SIZE(boot_mounts), u->where))
			return fault_set(err, -EPERM, "%s holds the running system (%s)", n->name,
					 u->where);
		if (u->is_ours)
			return fault_set(err, -EBUSY, "%s is mounted on %s", n->name, u->where);
		return fault_set(err, -EBUSY,
				 "%s is mounted on %s in the mount namespace of process %d",
				 n->name, u->where, (int)u->pid);
	}
	return 0;
}

bool plan_is_given_up(const struct plan_input *in, dev_t disk)
{
	for (size_t i = 0; i < in->given_up_n; i++)
		if (in->given_up[i] == disk)
			return true;
	return false;
}

static int check_medium(const struct graph_node *n, struct fault *err)
{
	if (n->is_target && n->kind != GRAPH_PARTITION && str_eq(n->fstype, "iso9660"))
		return fault_set(err, -EPERM, "%s is a boot medium (ISO 9660 \"%s\")", n->name,
				 n->label);
	return 0;
}

static int check_stack(const struct plan_input *in, const struct graph_node *n, struct fault *err)
{
	const struct graph *g = in->graph;

	if (n->is_target || !n->is_above)
		return 0;
	for (size_t i = 0; i < n->lowers_n; i++) {
		const struct graph_node *lower = &g->nodes[n->lowers[i]];

		if (!lower->is_above && !plan_is_given_up(in, lower->disk))
			return fault_set(
				err, -EBUSY,
				"%s (%s) also stands on %s, which is not part of the installation disk",
				n->name, graph_node_title(n), lower->name);
	}
	if (n->kind == GRAPH_MULTIPATH)
		return fault_set(err, -EBUSY,
				 "%s is a path of the multipath disk %s; install to that",
				 g->nodes[0].name, n->name);
	if (n->kind == GRAPH_BCACHE || n->kind == GRAPH_OTHER || n->kind == GRAPH_DISK)
		return fault_set(
			err, -EBUSY,
			"%s (%s) stands on the disk; it may hold data that are not on the disk yet",
			n->name, graph_node_title(n));
	return 0;
}

static int check_all(const struct plan_input *in, struct fault *err)
{
	int r = check_device(in, err);

	for (size_t i = 0; r == 0 && i < in->graph->n; i++) {
		const struct graph_node *n = &in->graph->nodes[i];

		if (!n->is_above)
			continue;
		r = check_uses(n, err);
		if (r == 0)
			r = check_medium(n, err);
		if (r == 0)
			r = plan_check_shared(in, n, err);
		if (r == 0)
			r = check_stack(in, n, err);
	}
	if (r == 0 && in->members)
		r = plan_check_members(in, err);
	return r < 0 ? r : check_image(in, err);
}

static const struct {
	enum graph_kind kind;
	enum plan_action_kind action;
} teardown[] = {
	{ GRAPH_CRYPT, PLAN_DM_REMOVE }, { GRAPH_LVM, PLAN_DM_REMOVE },
	{ GRAPH_DM, PLAN_DM_REMOVE },    { GRAPH_MD, PLAN_MD_STOP },
	{ GRAPH_LOOP, PLAN_LOOP_CLEAR },
};

static void action_add(struct plan *p, enum plan_action_kind kind, const struct graph_node *n,
		       const char *reason)
{
	struct plan_action *a = &p->actions[p->n++];

	*a = (struct plan_action){
		.kind = kind,
		.devno = n->devno,
		.start_bytes = n->start_bytes,
		.size_bytes = n->size_bytes,
	};
	(void)str_copy(a->name, sizeof(a->name), n->name);
	(void)str_copy(a->reason, sizeof(a->reason), reason);
}

static void teardown_add(struct plan *p, const struct graph *g, const struct graph_node *n)
{
	char reason[160];

	for (size_t i = 0; i < ARRAY_SIZE(teardown); i++) {
		if (teardown[i].kind != n->kind)
			continue;
		snprintf(reason, sizeof(reason), "%.90s on %.60s", graph_node_title(n),
			 g->nodes[n->lowers[0]].name);
		action_add(p, teardown[i].action, n, reason);
		return;
	}
}

static void wipe_add(struct plan *p, const struct graph_node *n)
{
	char reason[160];

	snprintf(reason, sizeof(reason), "%s, %s%s%s", graph_kind_name(n->kind),
		 *n->fstype ? n->fstype : "nothing recognised", *n->label ? " " : "", n->label);
	action_add(p, PLAN_WIPE, n, reason);
}

static unsigned depth_max(const struct graph *g)
{
	unsigned depth = 0;

	for (size_t i = 0; i < g->n; i++)
		depth = MAX_OF(depth, g->nodes[i].depth);
	return depth;
}

/*
 * Deepest first; partitions before the disk, or a signature inside reappears while the table is
 * gone.
 */
static void actions_fill(struct plan *p, const struct graph *g)
{
	for (unsigned depth = depth_max(g) + 1; depth-- > 0;)
		for (size_t i = 0; i < g->n; i++)
			if (g->nodes[i].depth == depth && g->nodes[i].is_above &&
			    !g->nodes[i].is_target)
				teardown_add(p, g, &g->nodes[i]);
	for (size_t i = 1; i < g->n; i++)
		if (g->nodes[i].is_target)
			wipe_add(p, &g->nodes[i]);
	wipe_add(p, &g->nodes[0]);
	action_add(p, PLAN_ZERO_ENDS, &g->nodes[0],
		   "no partition table until the new system is complete");
}

int plan_make(const struct plan_input *in, struct plan *ret, struct fault *err)
{
	int r = check_all(in, err);

	if (r < 0)
		return r;
	struct plan p = { .actions = calloc(in->graph->n + 2, sizeof(*p.actions)) };
	if (!p.actions)
		return fault_oom(err);
	actions_fill(&p, in->graph);
	*ret = p;
	return 0;
}

void plan_done(struct plan *p)
{
	free(p->actions);
	*p = (struct plan){ 0 };
}

int plan_text(const struct plan *p, struct buf *out)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->n; i++)
		r = buf_printf(out, "%zu. %s %s: %s\n", i + 1, plan_action_name(p->actions[i].kind),
			       p->actions[i].name, p->actions[i].reason);
	return r;
}
