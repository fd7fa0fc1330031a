#pragma once
/*
 * Inside of the SQLite store: shared by the store_sqlite*.c files only.
 */
#include <sqlite3.h>
#include "common/buf.h"
#include "service/store.h"

struct sqlite_store {
	struct store store; /* first */
	sqlite3 *db;
	uint8_t key[SEAL_KEY_LEN];
	sqlite3_stmt *put[MODEL_KIND_COUNT], *remove[MODEL_KIND_COUNT];
	sqlite3_stmt *checkin, *revoke;
};

/* The fault of the last failed call: "store: cannot @what: …". */
int sqlite_fault(struct sqlite_store *s, const char *what, struct fault *err);
int sqlite_prepare(struct sqlite_store *s, const char *sql, sqlite3_stmt **ret, struct fault *err);
/* One step of a statement without rows, then reset. */
int sqlite_run(struct sqlite_store *s, sqlite3_stmt *stmt, const char *what, struct fault *err);
int sqlite_read_row(struct sqlite_store *s, sqlite3_stmt *stmt, enum model_kind kind, void *obj,
		    struct fault *err);
/* Every row of @stmt to @fn. */
int sqlite_rows(struct sqlite_store *s, sqlite3_stmt *stmt, enum model_kind kind, store_row_fn fn,
		void *ctx, struct fault *err);
int sqlite_column_list(const struct model_class *c, bool marks, bool with_auto, struct buf *sql);
int sqlite_events(struct store *store, const struct event_filter *f, store_row_fn fn, void *ctx,
		  struct event_counts *ret, struct fault *err);
/* store_sqlite.c */
int sqlite_exec(struct sqlite_store *s, const char *sql, const char *what, struct fault *err);
int sqlite_prepare_all(struct sqlite_store *s, struct fault *err);
void sqlite_rollback(struct store *store);
void sqlite_close(struct store *store);
/* store_sqlite_open.c */
int sqlite_open(int dirfd, const char *where, const uint8_t key[SEAL_KEY_LEN], struct store **ret,
		struct fault *err);
/* store_sqlite_backup.c */
int sqlite_backup(struct store *store, int dirfd, const char *name, struct fault *err);
