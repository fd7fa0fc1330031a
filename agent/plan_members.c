/*
 * Legs of arrays, volume groups, pools and file systems on several devices: destroying one that has
 * others outside of what the user gives up is refused, whether the kernel has put them together or
 * not (a discovery system does not).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "agent/plan.h"
#include "common/cleanup.h"
#include "common/str.h"

struct view {
	const struct plan_input *in;
	const struct members *m;
	dev_t target;
};

static bool is_same_set(const struct member *a, const struct member *b)
{
	return a->kind == b->kind && *a->set && str_eq(a->set, b->set);
}

/* The same leg seen twice: another path to the disk, or a copy of it. */
static bool is_same_member(const struct member *a, const struct member *b)
{
	if (*a->self && *b->self)
		return str_eq(a->self, b->self);
	return str_eq(a->where, b->where);
}

static bool may_go(const struct view *v, const struct member *m)
{
	return m->disk == v->target || plan_is_given_up(v->in, m->disk);
}

static bool is_copy_of_ours(const struct view *v, const struct member *m)
{
	for (size_t i = 0; *m->self && i < v->m->n; i++)
		if (v->m->v[i].disk == v->target && is_same_set(&v->m->v[i], m) &&
		    is_same_member(&v->m->v[i], m))
			return true;
	return false;
}

/* A leg of the same whole that must stay. */
static const struct member *stranger_find(const struct view *v, const struct member *ours)
{
	for (size_t i = 0; i < v->m->n; i++) {
		const struct member *m = &v->m->v[i];

		if (is_same_set(m, ours) && !may_go(v, m) && !is_copy_of_ours(v, m))
			return m;
	}
	return NULL;
}

/* How many legs of @ours are among what may go, each counted once. */
static unsigned count(const struct view *v, const struct member *ours)
{
	unsigned n = 0;

	for (size_t i = 0; i < v->m->n; i++) {
		const struct member *m = &v->m->v[i];
		bool is_new = is_same_set(m, ours) && may_go(v, m);

		for (size_t k = 0; is_new && k < i; k++)
			is_new = !(is_same_set(&v->m->v[k], m) && may_go(v, &v->m->v[k]) &&
				   is_same_member(&v->m->v[k], m));
		n += is_new;
	}
	return n;
}

/* "software RAID \"host:0\"" */
static const char *what(const struct member *m, char *text, size_t size)
{
	if (*m->name)
		snprintf(text, size, "%s \"%s\"", member_kind_name(m->kind), m->name);
	else
		snprintf(text, size, "%s", member_kind_name(m->kind));
	return text;
}

static int check_member(const struct view *v, const struct member *m, struct fault *err)
{
	const struct member *other = stranger_find(v, m);
	const char *disk = v->in->disk->name;
	bool is_given_up = plan_is_given_up(v->in, v->target);
	char text[MEMBER_NAME_MAX + 64];

	what(m, text, sizeof(text));
	if (other)
		return fault_set(
			err, -EBUSY,
			"%s is a member of the %s, as is %s, which is not part of the "
			"installation; only when its disk is named to be formatted, too, is "
			"it destroyed (disks_to_format)",
			m->where, text, other->where);
	if (is_given_up)
		return 0;
	if (m->is_shared)
		return fault_set(err, -EPERM,
				 "%s is a member of the %s, which other machines may be using; "
				 "only when %s is named to be formatted is it destroyed "
				 "(disks_to_format)",
				 m->where, text, disk);
	if (!m->devices)
		return fault_set(
			err, -EBUSY,
			"%s is a member of a %s whose other members cannot be told; only "
			"when %s is named to be formatted is it destroyed (disks_to_format)",
			m->where, text, disk);
	unsigned here = count(v, m);
	if (here < m->devices)
		return fault_set(err, -EBUSY,
				 "%s is a member of the %s of %u devices, of which %u are not in "
				 "this machine; only when %s is named to be formatted is it "
				 "destroyed (disks_to_format)",
				 m->where, text, m->devices, m->devices - here, disk);
	return 0;
}

int plan_check_members(const struct plan_input *in, struct fault *err)
{
	const struct view v = { in, in->members, in->graph->nodes[0].devno };
	int r = 0;

	for (size_t i = 0; r == 0 && i < v.m->n; i++)
		if (v.m->v[i].disk == v.target)
			r = check_member(&v, &v.m->v[i], err);
	return r;
}
