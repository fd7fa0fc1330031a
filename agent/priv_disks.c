/* The disks that a user gives up besides the installation disk: which devices they are now. */
#include <errno.h>
#include "agent/priv.h"
#include "common/cleanup.h"
#include "common/log.h"

static int resolve(const struct priv *p, const char *name, dev_t *ret, struct fault *err)
{
	const struct known_disk *k = priv_find_disk(p, name);
	struct disk_id now;
	int r = disk_id_read(k ? k->path : name, &now, err);

	if (r == 0 && k)
		r = disk_id_check(&k->identity, &now, err);
	/* Loop devices are in no inventory. */
	else if (r == 0 && !(p->allow_loop && str_starts(now.name, "loop")))
		r = fault_set(err, -ENODEV, "it is not in this host's inventory");
	if (r == 0)
		*ret = now.devno;
	return r;
}

/* @without: not that one; 0 = all. */
static size_t names_take(const struct priv *p, const struct json_strs *names, dev_t without,
			 dev_t *ret, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < names->n && n < max; i++) {
		struct fault err = FAULT_INIT;

		if (resolve(p, names->v[i], &ret[n], &err) == 0)
			n += !without || ret[n] != without;
		else /* on the safe side: what stands on it keeps the installation from starting */
			log_warning("disks_to_format: %s is left out: %s", names->v[i],
				    fault_text(&err));
	}
	return n;
}

size_t priv_given_up(struct priv *p, dev_t *ret, size_t max)
{
	const struct job *j = &p->job;
	struct fault err = FAULT_INIT;
	dev_t target;

	if (!j->disks_to_format.n && !j->disks_named.n)
		return 0;
	if (!p->disks_n)
		(void)priv_probe(p, NULL);
	if (resolve(p, j->device, &target, &err) < 0) {
		log_warning("disks_to_format: left out, the installation disk %s is unknown: %s",
			    j->device, fault_text(&err));
		return 0;
	}
	/*
	 * A service lists each bootable disk without being asked. That the installation disk is among
	 * them says nothing about what else hangs on it: only a person can give that up.
	 */
	size_t n = names_take(p, &j->disks_to_format, target, ret, max);
	return n + names_take(p, &j->disks_named, 0, ret + n, max - n);
}
