#include "agent/wipe.h"

#include <blkid.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "agent/chunk_pool.h"
#include "common/cleanup.h"

#define SIGNATURES_MAX 64 /* per range; one hides the next, so it is a loop */

static void probep(blkid_probe *pr)
{
	blkid_free_probe(*pr);
}

static int wipe_range(struct disk *d, const struct plan_action *a, struct fault *err)
{
	AUTO(probep) blkid_probe pr = blkid_new_probe();

	if (!pr)
		return fault_oom(err);
	if (blkid_probe_set_device(pr, d->fd, (blkid_loff_t)a->start_bytes,
				   (blkid_loff_t)a->size_bytes) != 0)
		return fault_set(err, -EIO, "cannot probe %s", a->name);
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_MAGIC | BLKID_SUBLKS_TYPE |
						      BLKID_SUBLKS_USAGE | BLKID_SUBLKS_BADCSUM);
	blkid_probe_enable_partitions(pr, 1);
	blkid_probe_set_partitions_flags(pr, BLKID_PARTS_MAGIC | BLKID_PARTS_FORCE_GPT);
	for (int i = 0; i < SIGNATURES_MAX && blkid_do_probe(pr) == 0; i++)
		if (blkid_do_wipe(pr, 0) != 0)
			return fault_set(err, -EIO, "cannot wipe a signature of %s: %s", a->name,
					 strerror(errno));
	return 0;
}

static int zero_at(struct disk *d, uint64_t offset, uint64_t len, const char *what,
		   struct fault *err)
{
	AUTO(freep) void *zeros = chunk_alloc(WIPE_END_BYTES);

	if (!zeros)
		return fault_oom(err);
	int r = d->ops->write(d, zeros, MIN_OF(len, (uint64_t)WIPE_END_BYTES), offset);
	if (r < 0)
		return fault_set(err, r, "cannot zero %s of %s (%s): %s", what, d->id.name,
				 d->id.serial, strerror(-r));
	return 0;
}

static int flush(struct disk *d, struct fault *err)
{
	int r = d->ops->flush(d);

	return r < 0 ? fault_set(err, r, "flush: %s on %s (%s)", strerror(-r), d->id.name,
				 d->id.serial)
		     : 0;
}

int wipe_signatures(struct disk *d, const struct plan *p, struct fault *err)
{
	/* First of all: a disk whose partitions are half gone must not begin to boot. */
	int r = zero_at(d, 0, d->id.sector_size, "the first sector", err);

	if (r == 0)
		r = flush(d, err);
	for (size_t i = 0; r == 0 && i < p->n; i++) {
		const struct plan_action *a = &p->actions[i];

		if (a->kind != PLAN_WIPE || !a->size_bytes)
			continue;
		r = wipe_range(d, a, err);
		if (r == 0)
			r = flush(d, err); /* libblkid writes through the page cache */
		if (r == 0)
			r = zero_at(d, a->start_bytes, a->size_bytes, a->name, err);
	}
	return r < 0 ? r : flush(d, err);
}

int wipe_ends(struct disk *d, struct fault *err)
{
	uint64_t len = MIN_OF(d->id.size_bytes, (uint64_t)WIPE_END_BYTES);
	int r = zero_at(d, 0, len, "the start", err);

	if (r == 0)
		r = zero_at(d, d->id.size_bytes - len, len, "the end", err);
	return r < 0 ? r : flush(d, err);
}
