/*
 * Listing events: the filter becomes a WHERE clause with bound values.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "service/store_sqlite.h"

#define SQL_MAX (64 * 1024)
#define BIND_MAX 512 /* values of one query */

struct query {
	struct buf sql;
	const char *bind[BIND_MAX];
	size_t n_bind;
	const char *word; /* "WHERE" before the first condition, "AND" later */
	int r;            /* sticky error */
};

static void add(struct query *q, const char *text)
{
	if (q->r == 0)
		q->r = buf_append_str(&q->sql, text);
}

static void add_value(struct query *q, const char *value)
{
	if (q->n_bind == BIND_MAX)
		q->r = -E2BIG;
	else
		q->bind[q->n_bind++] = value;
}

static void condition(struct query *q, const char *text, const char *value)
{
	add(q, q->word);
	add(q, text);
	if (value)
		add_value(q, value);
	q->word = " AND ";
}

static void condition_in(struct query *q, const char *column, const char *const *values, size_t n)
{
	if (!n)
		return;
	add(q, q->word);
	add(q, column);
	add(q, " IN (");
	for (size_t i = 0; i < n; i++) {
		add(q, i ? ",?" : "?");
		add_value(q, values[i]);
	}
	add(q, ")");
	q->word = " AND ";
}

static void add_filter(struct query *q, const struct event_filter *f, bool with_severities)
{
	q->word = " WHERE ";
	if (f->cluster_id)
		condition(q, "cluster_id=?", f->cluster_id);
	if (f->infra_env_id)
		condition(q, "infra_env_id=?", f->infra_env_id);
	if (f->scope_infra_env_id)
		condition(q, "infra_env_id=?", f->scope_infra_env_id);
	condition_in(q, "host_id", f->host_ids, f->n_host_ids);
	condition_in(q, "category", f->categories, f->n_categories);
	if (with_severities)
		condition_in(q, "severity", f->severities, f->n_severities);
	if (f->cluster_level)
		condition(q, "host_id=''", NULL);
	if (f->message)
		condition(q, "instr(lower(message), lower(?))>0", f->message);
}

static int query_prepare(struct sqlite_store *s, struct query *q, sqlite3_stmt **ret,
			 struct fault *err)
{
	if (q->r < 0)
		return fault_set(err, q->r, "the event filter is too long");
	int r = sqlite_prepare(s, q->sql.data, ret, err);
	for (size_t i = 0; r == 0 && i < q->n_bind; i++)
		sqlite3_bind_text(*ret, (int)i + 1, q->bind[i], -1, SQLITE_STATIC);
	return r;
}

static void count_row(sqlite3_stmt *stmt, const struct event_filter *f, struct event_counts *ret)
{
	const char *severity = (const char *)sqlite3_column_text(stmt, 0);
	uint64_t n = (uint64_t)sqlite3_column_int64(stmt, 1);
	bool wanted = f->n_severities == 0;

	for (size_t i = 0; severity && i < f->n_severities; i++)
		wanted = wanted || !strcmp(f->severities[i], severity);
	if (wanted)
		ret->total += n;
	for (int i = 0; severity && i < SEVERITY_COUNT; i++) {
		if (!strcmp(event_severity_names[i], severity))
			ret->severity[i] += n;
	}
}

static int events_count(struct sqlite_store *s, const struct event_filter *f,
			struct event_counts *ret, struct fault *err)
{
	AUTO(freep) struct query *q = calloc(1, sizeof(*q));
	if (!q)
		return fault_oom(err);
	buf_init(&q->sql, SQL_MAX);
	add(q, "SELECT severity, count(*) FROM event");
	add_filter(q, f, false);
	add(q, " GROUP BY severity");

	sqlite3_stmt *stmt = NULL;
	int r = query_prepare(s, q, &stmt, err), rc = SQLITE_DONE;
	while (r == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
		count_row(stmt, f, ret);
	if (r == 0 && rc != SQLITE_DONE)
		r = sqlite_fault(s, "count events", err);
	sqlite3_finalize(stmt);
	buf_done(&q->sql);
	return r;
}

static int events_rows(struct sqlite_store *s, const struct event_filter *f, store_row_fn fn,
		       void *ctx, struct fault *err)
{
	AUTO(freep) struct query *q = calloc(1, sizeof(*q));
	if (!q)
		return fault_oom(err);
	buf_init(&q->sql, SQL_MAX);
	add(q, "SELECT ");
	if (q->r == 0)
		q->r = sqlite_column_list(model_class(MODEL_EVENT), false, true, &q->sql);
	add(q, " FROM event");
	add_filter(q, f, true);
	if (q->r == 0)
		q->r = buf_printf(&q->sql, " ORDER BY id %s LIMIT %lld OFFSET %lld",
				  f->descending ? "DESC" : "ASC", (long long)f->limit,
				  (long long)f->offset);

	sqlite3_stmt *stmt = NULL;
	int r = query_prepare(s, q, &stmt, err);
	if (r == 0)
		r = sqlite_rows(s, stmt, MODEL_EVENT, fn, ctx, err);
	sqlite3_finalize(stmt);
	buf_done(&q->sql);
	return r;
}

int sqlite_events(struct store *store, const struct event_filter *f, store_row_fn fn, void *ctx,
		  struct event_counts *ret, struct fault *err)
{
	struct sqlite_store *s = (struct sqlite_store *)store;

	if (ret) {
		*ret = (struct event_counts){ 0 };
		int r = events_count(s, f, ret, err);
		if (r < 0)
			return r;
	}
	return events_rows(s, f, fn, ctx, err);
}
