#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/pki.h"
#include "service/ctl_verbs.h"
#include "service/store.h"

static int copy_out(int state_dirfd, const char *name, int out, struct fault *err)
{
	AUTO(closep) int in = openat(state_dirfd, name, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return fault_set(err, -errno, "cannot read the backup: %s", strerror(errno));
	int r = fd_copy(in, out, UINT64_MAX, err);
	return r < 0 ? r : fd_sync(out, "the backup", err);
}

/*
 * The store is copied to a file of our own first: the caller's descriptor may be on a file system where SQLite cannot lock, or in a folder
 * that this process may not write to.
 */
static int run(struct ctl_call *c, json_t **ret, struct fault *err)
{
	struct store *store = state_store(c->service->state);
	char name[40];
	uint64_t n;

	if (!store->ops->backup)
		return fault_set(err, -ENOTSUP, "the store %s has its own tools for backups",
				 store->ops->name);
	random_bytes(&n, sizeof(n));
	snprintf(name, sizeof(name), "tmp-backup-%016llx", (unsigned long long)n);
	int r = store->ops->backup(store, c->service->state_dirfd, name, err);
	if (r == 0)
		r = copy_out(c->service->state_dirfd, name, c->fd, err);
	(void)unlinkat(c->service->state_dirfd, name, 0);
	return r;
}

const struct ctl_verb ctl_backup = { .name = "backup", .needs_fd = true, .run = run };
