/*
 * Opening the SQLite store. A new one is made beside its place and moved there when it is complete, so that an empty file is never a
 * store whose making was interrupted: it is one that was lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "service/schema.h"
#include "service/store_sqlite.h"

#define DB_NAME "slipway.db"
#define DB_NEW DB_NAME ".new"
#define BUSY_TIMEOUT_MS 5000

static int schema_version(struct sqlite_store *s, int *ret, struct fault *err)
{
	sqlite3_stmt *stmt;

	int r = sqlite_prepare(s, "PRAGMA user_version", &stmt, err);
	if (r < 0)
		return r;
	if (sqlite3_step(stmt) == SQLITE_ROW)
		*ret = sqlite3_column_int(stmt, 0);
	else
		r = sqlite_fault(s, "read the schema version", err);
	sqlite3_finalize(stmt);
	return r;
}

/* Each step and its number are one transaction. */
static int schema_apply(struct sqlite_store *s, const struct schema_step *step, struct fault *err)
{
	char mark[64];

	int r = sqlite_exec(s, "BEGIN IMMEDIATE", "begin a transaction", err);
	if (r == 0)
		r = sqlite_exec(s, step->sql, step->name, err);
	snprintf(mark, sizeof(mark), "PRAGMA user_version=%d", step->number);
	if (r == 0)
		r = sqlite_exec(s, mark, "note the schema version", err);
	if (r == 0)
		r = sqlite_exec(s, "COMMIT", "commit", err);
	if (r < 0)
		sqlite_rollback(&s->store);
	return r;
}

static int schema_update(struct sqlite_store *s, struct fault *err)
{
	int have = 0, newest = 0;

	int r = schema_version(s, &have, err);
	if (r < 0)
		return r;
	for (const struct schema_step *step = schema_steps; step->sql; step++) {
		newest = step->number;
		if (step->number <= have)
			continue;
		r = schema_apply(s, step, err);
		if (r < 0)
			return r;
	}
	if (have > newest)
		return fault_set(
			err, -EPROTO,
			"the store was written by a newer slipwayd (schema %d, this one knows %d)",
			have, newest);
	return 0;
}

/* SQLite takes paths only: the one of the open folder. */
static int db_path(int dirfd, const char *name, char ret[PATH_MAX], struct fault *err)
{
	char link[64];
	size_t room = PATH_MAX - strlen(name) - 2;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", dirfd);
	ssize_t n = readlink(link, ret, room);
	if (n < 0)
		return fault_set(err, -errno, "cannot name the state folder: %s", strerror(errno));
	if (n >= (ssize_t)room)
		return fault_set(err, -ENAMETOOLONG, "the path of the state folder is too long");
	ret[n] = '/';
	memcpy(ret + n + 1, name, strlen(name) + 1);
	return 0;
}

/* The database of that name with its schema up to date. @flags: SQLITE_OPEN_CREATE or 0. */
static int db_open(struct sqlite_store *s, int dirfd, const char *name, int flags,
		   struct fault *err)
{
	char path[PATH_MAX];

	int r = db_path(dirfd, name, path, err);
	if (r < 0)
		return r;
	mode_t old = umask(077);
	int rc = sqlite3_open_v2(
		path, &s->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX | flags, NULL);
	r = rc == SQLITE_OK ? 0 : sqlite_fault(s, "open the database", err);
	if (r == 0) {
		sqlite3_busy_timeout(s->db, BUSY_TIMEOUT_MS);
		r = sqlite_exec(
			s,
			"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;",
			"set up the database", err);
	}
	if (r == 0)
		r = schema_update(s, err);
	umask(old);
	return r;
}

static int remove_old(int dirfd, const char *name, struct fault *err)
{
	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return fault_set(err, -errno, "cannot remove the old %s: %s", name,
				 strerror(errno));
	return 0;
}

/* What SQLite has left beside an earlier attempt, or beside a database that was removed: its log would be played into the new one. */
static int remove_leftovers(int dirfd, struct fault *err)
{
	static const char *const names[] = { DB_NEW, DB_NEW "-wal", DB_NEW "-shm", DB_NAME "-wal",
					     DB_NAME "-shm" };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names) && r == 0; i++)
		r = remove_old(dirfd, names[i], err);
	return r;
}

/* Closing writes everything into the one file, and syncs it. */
static int db_create(int dirfd, struct fault *err)
{
	int r = remove_leftovers(dirfd, err);
	if (r < 0)
		return r;
	struct sqlite_store s = { 0 };
	r = db_open(&s, dirfd, DB_NEW, SQLITE_OPEN_CREATE, err);
	if (sqlite3_close(s.db) != SQLITE_OK && r == 0)
		r = fault_set(err, -EIO, "store: cannot finish the new database");
	if (r < 0)
		return r;
	if (renameat(dirfd, DB_NEW, dirfd, DB_NAME) < 0 || fsync(dirfd) < 0)
		return fault_set(err, -errno, "cannot put the new " DB_NAME " into place: %s",
				 strerror(errno));
	return 0;
}

/* Makes the database when there is none. */
static int db_provide(int dirfd, struct fault *err)
{
	struct stat st;

	if (fstatat(dirfd, DB_NAME, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? db_create(dirfd, err)
				       : fault_set(err, -errno, "cannot see " DB_NAME ": %s",
						   strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fault_set(err, -EINVAL, DB_NAME " is not a regular file");
	if (st.st_size == 0)
		return fault_set(
			err, -EBADMSG,
			DB_NAME
			" is empty, everything in it is lost: put it back from a backup, or remove it to begin without any objects");
	return 0;
}

int sqlite_open(int dirfd, const char *where, const uint8_t key[SEAL_KEY_LEN], struct store **ret,
		struct fault *err)
{
	int r = db_provide(dirfd, err);
	if (r < 0)
		return r;
	struct sqlite_store *s = calloc(1, sizeof(*s));
	if (!s)
		return fault_oom(err);
	s->store.ops = &store_sqlite;
	memcpy(s->key, key, SEAL_KEY_LEN);
	r = db_open(s, dirfd, DB_NAME, 0, err);
	if (r == 0)
		r = sqlite_prepare_all(s, err);
	if (r < 0) {
		sqlite_close(&s->store);
		return r;
	}
	*ret = &s->store;
	return 0;
}
