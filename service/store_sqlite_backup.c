/*
 * Copies the running store with SQLite's online backup: readers and writers go on, the copy is one moment's content.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "service/store_sqlite.h"

static int copy_pages(struct sqlite_store *s, sqlite3 *to, struct fault *err)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", s->db, "main");
	if (!b)
		return fault_set(err, -EIO, "store: cannot begin the backup: %s",
				 sqlite3_errmsg(to));
	int r = sqlite3_backup_step(b, -1);
	int end = sqlite3_backup_finish(b);
	if (r == SQLITE_DONE && end == SQLITE_OK)
		return 0;
	return fault_set(err, r == SQLITE_FULL ? -ENOSPC : -EIO,
			 "store: cannot write the backup: %s",
			 sqlite3_errstr(r == SQLITE_DONE ? end : r));
}

int sqlite_backup(struct store *store, int dirfd, const char *name, struct fault *err)
{
	struct sqlite_store *s = (struct sqlite_store *)store;
	sqlite3 *to = NULL;
	char path[512];

	/* by the open folder, whatever it is called today */
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dirfd, name);
	mode_t before = umask(0077);
	int r = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	umask(before);
	if (r != SQLITE_OK)
		r = fault_set(err, -EIO, "store: cannot create the backup: %s",
			      to ? sqlite3_errmsg(to) : "out of memory");
	else
		r = copy_pages(s, to, err);
	sqlite3_close(to);
	return r;
}
