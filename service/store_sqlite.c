/*
 * SQLite in write-ahead mode with synchronous=FULL: a commit that has returned survives a power cut. Statements are made from the field
 * lists of model_field.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/cleanup.h"
#include "service/store.h"
#include "service/store_sqlite.h"

int sqlite_fault(struct sqlite_store *s, const char *what, struct fault *err)
{
	int code = sqlite3_extended_errcode(s->db);
	int primary = code & 0xff;
	int r = primary == SQLITE_FULL ? -ENOSPC : primary == SQLITE_NOMEM ? -ENOMEM : -EIO;

	return fault_set(err, r, "store: cannot %s: %s", what, sqlite3_errmsg(s->db));
}

int sqlite_exec(struct sqlite_store *s, const char *sql, const char *what, struct fault *err)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0
								       : sqlite_fault(s, what, err);
}

int sqlite_prepare(struct sqlite_store *s, const char *sql, sqlite3_stmt **ret, struct fault *err)
{
	return sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL) == SQLITE_OK
		       ? 0
		       : sqlite_fault(s, "prepare a statement", err);
}

int sqlite_run(struct sqlite_store *s, sqlite3_stmt *stmt, const char *what, struct fault *err)
{
	int rc = sqlite3_step(stmt);
	int r = rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : sqlite_fault(s, what, err);

	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	return r;
}

static bool is_sealed(const struct model_field *f)
{
	return f->type == MODEL_SECRET || f->flags & MODEL_ENCRYPT;
}

/* --- one field into a statement --- */

static int bind_sealed(struct sqlite_store *s, sqlite3_stmt *stmt, int i,
		       const struct model_class *c, const struct model_field *f, const char *key,
		       const char *text, struct fault *err)
{
	char place[160];
	void *sealed;
	size_t len;

	if (!text) {
		sqlite3_bind_null(stmt, i);
		return 0;
	}
	snprintf(place, sizeof(place), "%s.%s/%s", c->table, f->column, key);
	int r = seal_close(s->key, place, text, strlen(text), &sealed, &len, err);
	if (r < 0)
		return r;
	sqlite3_bind_blob64(stmt, i, sealed, len, free);
	return 0;
}

static int bind_field(struct sqlite_store *s, sqlite3_stmt *stmt, int i,
		      const struct model_class *c, const struct model_field *f, const char *key,
		      const void *obj, struct fault *err)
{
	const char *p = (const char *)obj + f->offset;

	switch (f->type) {
	case MODEL_CHARS:
		sqlite3_bind_text(stmt, i, p, -1, SQLITE_STATIC);
		return 0;
	case MODEL_STR:
		if (is_sealed(f))
			return bind_sealed(s, stmt, i, c, f, key, *(char *const *)p, err);
		sqlite3_bind_text(stmt, i, *(char *const *)p, -1, SQLITE_STATIC);
		return 0;
	case MODEL_SECRET: {
		const struct secret *secret = (const void *)p;
		return bind_sealed(s, stmt, i, c, f, key,
				   secret_is_set(secret) ? secret_reveal(secret) : NULL, err);
	}
	case MODEL_I64:
	case MODEL_U64:
		sqlite3_bind_int64(stmt, i, *(const int64_t *)p);
		return 0;
	case MODEL_INT:
		sqlite3_bind_int(stmt, i, *(const int *)p);
		return 0;
	case MODEL_BOOL:
		sqlite3_bind_int(stmt, i, *(const bool *)p);
		return 0;
	case MODEL_ENUM:
		sqlite3_bind_text(stmt, i, f->names->name(*(const int *)p), -1, SQLITE_STATIC);
		return 0;
	}
	return -EINVAL;
}

/* --- one column into a field --- */

static int read_sealed(struct sqlite_store *s, sqlite3_stmt *stmt, int i,
		       const struct model_class *c, const struct model_field *f, const char *key,
		       char **ret, struct fault *err)
{
	char place[160];
	size_t len;

	*ret = NULL;
	if (sqlite3_column_type(stmt, i) == SQLITE_NULL)
		return 0;
	snprintf(place, sizeof(place), "%s.%s/%s", c->table, f->column, key);
	return seal_open(s->key, place, sqlite3_column_blob(stmt, i),
			 (size_t)sqlite3_column_bytes(stmt, i), ret, &len, err);
}

static int read_text(struct sqlite_store *s, sqlite3_stmt *stmt, int i, const struct model_class *c,
		     const struct model_field *f, const char *key, void *p, struct fault *err)
{
	if (is_sealed(f)) {
		char *text;
		int r = read_sealed(s, stmt, i, c, f, key, &text, err);
		if (r < 0 || !text)
			return r;
		if (f->type == MODEL_STR) {
			*(char **)p = text;
			return 0;
		}
		r = secret_set(p, text);
		secret_wipe(text, strlen(text));
		free(text);
		return r;
	}
	const char *text = (const char *)sqlite3_column_text(stmt, i);
	return text ? str_set(p, text) : 0;
}

static int read_field(struct sqlite_store *s, sqlite3_stmt *stmt, int i,
		      const struct model_class *c, const struct model_field *f, const char *key,
		      void *obj, struct fault *err)
{
	char *p = (char *)obj + f->offset;
	const char *text;

	switch (f->type) {
	case MODEL_CHARS:
		text = (const char *)sqlite3_column_text(stmt, i);
		if (!str_copy(p, f->size, text ? text : ""))
			return fault_set(err, -EPROTO, "store: %s.%s is too long", c->table,
					 f->column);
		return 0;
	case MODEL_STR:
	case MODEL_SECRET:
		return read_text(s, stmt, i, c, f, key, p, err);
	case MODEL_I64:
	case MODEL_U64:
		*(int64_t *)p = sqlite3_column_int64(stmt, i);
		return 0;
	case MODEL_INT:
		*(int *)p = sqlite3_column_int(stmt, i);
		return 0;
	case MODEL_BOOL:
		*(bool *)p = sqlite3_column_int(stmt, i) != 0;
		return 0;
	case MODEL_ENUM:
		text = (const char *)sqlite3_column_text(stmt, i);
		if (!text || f->names->parse(text, (int *)p) < 0)
			return fault_set(
				err, -EPROTO,
				"store: %s.%s holds \"%s\", which this version does not know",
				c->table, f->column, text ? text : "");
		return 0;
	}
	return -EINVAL;
}

/* Fills zeroed @obj from the current row; key columns stand first in every field list. */
int sqlite_read_row(struct sqlite_store *s, sqlite3_stmt *stmt, enum model_kind kind, void *obj,
		    struct fault *err)
{
	const struct model_class *c = model_class(kind);
	char key[MODEL_KEY_MAX] = "";
	int i = 0;

	for (const struct model_field *f = c->fields; f->column; f++, i++) {
		if (is_sealed(f) && !key[0])
			model_key(kind, obj, key);
		int r = read_field(s, stmt, i, c, f, key, obj, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- statements from field lists --- */

/* "a,b,c" (or "?,?,?") of the columns that are written or read. */
int sqlite_column_list(const struct model_class *c, bool marks, bool with_auto, struct buf *sql)
{
	const char *comma = "";
	int r = 0;

	for (const struct model_field *f = c->fields; f->column && r == 0; f++) {
		if (f->flags & MODEL_AUTO && !with_auto)
			continue;
		r = buf_printf(sql, "%s%s", comma, marks ? "?" : f->column);
		comma = ",";
	}
	return r;
}

static int append_upsert(const struct model_class *c, struct buf *sql)
{
	const char *comma = "";
	int r = buf_append_str(sql, " ON CONFLICT (");

	for (const struct model_field *f = c->fields; f->column && r == 0; f++) {
		if (f->flags & MODEL_KEY) {
			r = buf_printf(sql, "%s%s", comma, f->column);
			comma = ",";
		}
	}
	if (r == 0)
		r = buf_append_str(sql, ") DO UPDATE SET ");
	comma = "";
	for (const struct model_field *f = c->fields; f->column && r == 0; f++) {
		if (!(f->flags & MODEL_KEY)) {
			r = buf_printf(sql, "%s%s=excluded.%s", comma, f->column, f->column);
			comma = ",";
		}
	}
	return r;
}

static int prepare_put(struct sqlite_store *s, enum model_kind kind, struct fault *err)
{
	const struct model_class *c = model_class(kind);
	AUTO(buf_done) struct buf sql;

	buf_init(&sql, 64 * 1024);
	int r = buf_printf(&sql, "INSERT INTO %s (", c->table);
	if (r == 0)
		r = sqlite_column_list(c, false, false, &sql);
	if (r == 0)
		r = buf_append_str(&sql, ") VALUES (");
	if (r == 0)
		r = sqlite_column_list(c, true, false, &sql);
	if (r == 0)
		r = buf_append_str(&sql, ")");
	if (r == 0 && kind != MODEL_EVENT)
		r = append_upsert(c, &sql);
	return r < 0 ? r : sqlite_prepare(s, sql.data, &s->put[kind], err);
}

static int prepare_remove(struct sqlite_store *s, enum model_kind kind, struct fault *err)
{
	const struct model_class *c = model_class(kind);
	AUTO(buf_done) struct buf sql;
	const char *word = "WHERE";

	buf_init(&sql, 4096);
	int r = buf_printf(&sql, "DELETE FROM %s ", c->table);
	for (const struct model_field *f = c->fields; f->column && r == 0; f++) {
		if (f->flags & MODEL_KEY) {
			r = buf_printf(&sql, "%s %s=? ", word, f->column);
			word = "AND";
		}
	}
	return r < 0 ? r : sqlite_prepare(s, sql.data, &s->remove[kind], err);
}

int sqlite_prepare_all(struct sqlite_store *s, struct fault *err)
{
	int r = 0;

	for (int k = 0; k < MODEL_KIND_COUNT && r == 0; k++) {
		r = prepare_put(s, (enum model_kind)k, err);
		if (r == 0 && k != MODEL_EVENT)
			r = prepare_remove(s, (enum model_kind)k, err);
	}
	if (r == 0)
		r = sqlite_prepare(
			s,
			"UPDATE host SET checked_in_at=?, timestamp=? WHERE infra_env_id=? AND id=?",
			&s->checkin, err);
	if (r == 0)
		r = sqlite_prepare(s, "INSERT OR IGNORE INTO revoked_token (jti) VALUES (?)",
				   &s->revoke, err);
	return r;
}

/* --- the operations --- */

static int op_put(struct store *store, enum model_kind kind, const void *obj, struct fault *err)
{
	struct sqlite_store *s = (struct sqlite_store *)store;
	const struct model_class *c = model_class(kind);
	sqlite3_stmt *stmt = s->put[kind];
	char key[MODEL_KEY_MAX];
	int i = 0;

	model_key(kind, obj, key);
	for (const struct model_field *f = c->fields; f->column; f++) {
		if (f->flags & MODEL_AUTO)
			continue;
		int r = bind_field(s, stmt, ++i, c, f, key, obj, err);
		if (r < 0) {
			sqlite3_clear_bindings(stmt);
			return r;
		}
	}
	return sqlite_run(s, stmt, "write an object", err);
}

static int op_remove(struct store *store, enum model_kind kind, const void *obj, struct fault *err)
{
	struct sqlite_store *s = (struct sqlite_store *)store;
	sqlite3_stmt *stmt = s->remove[kind];
	int i = 0;

	for (const struct model_field *f = model_class(kind)->fields; f->column; f++) {
		if (f->flags & MODEL_KEY)
			sqlite3_bind_text(stmt, ++i, (const char *)obj + f->offset, -1,
					  SQLITE_STATIC);
	}
	return sqlite_run(s, stmt, "remove an object", err);
}

static int op_checkin(struct store *store, const struct host *h, struct fault *err)
{
	struct sqlite_store *s = (struct sqlite_store *)store;

	sqlite3_bind_int64(s->checkin, 1, h->checked_in_at);
	sqlite3_bind_int64(s->checkin, 2, h->timestamp);
	sqlite3_bind_text(s->checkin, 3, h->infra_env_id, -1, SQLITE_STATIC);
	sqlite3_bind_text(s->checkin, 4, h->id, -1, SQLITE_STATIC);
	return sqlite_run(s, s->checkin, "write a check-in time", err);
}

static int op_begin(struct store *store, struct fault *err)
{
	return sqlite_exec((struct sqlite_store *)store, "BEGIN IMMEDIATE", "begin a transaction",
			   err);
}

static int op_commit(struct store *store, struct fault *err)
{
	return sqlite_exec((struct sqlite_store *)store, "COMMIT", "commit", err);
}

void sqlite_rollback(struct store *store)
{
	struct sqlite_store *s = (struct sqlite_store *)store;

	if (!sqlite3_get_autocommit(s->db))
		(void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

int sqlite_rows(struct sqlite_store *s, sqlite3_stmt *stmt, enum model_kind kind, store_row_fn fn,
		void *ctx, struct fault *err)
{
	AUTO(freep) void *obj = calloc(1, model_class(kind)->size);
	if (!obj)
		return fault_oom(err);

	int rc;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		int r = sqlite_read_row(s, stmt, kind, obj, err);
		if (r < 0) {
			model_done(kind, obj);
			return r;
		}
		r = fn(ctx, obj);
		memset(obj, 0, model_class(kind)->size);
		if (r < 0)
			return r;
	}
	return rc == SQLITE_DONE ? 0 : sqlite_fault(s, "read objects", err);
}

static int op_load(struct store *store, enum model_kind kind, store_row_fn fn, void *ctx,
		   struct fault *err)
{
	struct sqlite_store *s = (struct sqlite_store *)store;
	const struct model_class *c = model_class(kind);
	AUTO(buf_done) struct buf sql;
	sqlite3_stmt *stmt;

	buf_init(&sql, 16 * 1024);
	int r = buf_append_str(&sql, "SELECT ");
	if (r == 0)
		r = sqlite_column_list(c, false, true, &sql);
	if (r == 0)
		r = buf_printf(&sql, " FROM %s ORDER BY rowid", c->table);
	if (r == 0)
		r = sqlite_prepare(s, sql.data, &stmt, err);
	if (r < 0)
		return r;
	r = sqlite_rows(s, stmt, kind, fn, ctx, err);
	sqlite3_finalize(stmt);
	return r;
}

static int op_revoke(struct store *store, const char *jti, struct fault *err)
{
	struct sqlite_store *s = (struct sqlite_store *)store;

	sqlite3_bind_text(s->revoke, 1, jti, -1, SQLITE_STATIC);
	return sqlite_run(s, s->revoke, "revoke a token", err);
}

static int op_revoked(struct store *store, int (*fn)(void *ctx, const char *jti), void *ctx,
		      struct fault *err)
{
	struct sqlite_store *s = (struct sqlite_store *)store;
	sqlite3_stmt *stmt;

	int r = sqlite_prepare(s, "SELECT jti FROM revoked_token", &stmt, err);
	if (r < 0)
		return r;
	while (r == 0 && sqlite3_step(stmt) == SQLITE_ROW)
		r = fn(ctx, (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	return r;
}

static int op_events_trim(struct store *store, uint64_t keep, struct fault *err)
{
	char sql[160];

	snprintf(sql, sizeof(sql),
		 "DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - %llu",
		 (unsigned long long)keep);
	return sqlite_exec((struct sqlite_store *)store, sql, "remove old events", err);
}

void sqlite_close(struct store *store)
{
	struct sqlite_store *s = (struct sqlite_store *)store;

	for (int k = 0; k < MODEL_KIND_COUNT; k++) {
		sqlite3_finalize(s->put[k]);
		sqlite3_finalize(s->remove[k]);
	}
	sqlite3_finalize(s->checkin);
	sqlite3_finalize(s->revoke);
	sqlite3_close(s->db);
	secret_wipe(s->key, sizeof(s->key));
	free(s);
}

const struct store_ops store_sqlite = {
	.name = "sqlite",
	.open = sqlite_open,
	.close = sqlite_close,
	.begin = op_begin,
	.commit = op_commit,
	.rollback = sqlite_rollback,
	.put = op_put,
	.remove = op_remove,
	.checkin = op_checkin,
	.load = op_load,
	.events = sqlite_events,
	.revoke = op_revoke,
	.revoked = op_revoked,
	.backup = sqlite_backup,
	.events_trim = op_events_trim,
};
