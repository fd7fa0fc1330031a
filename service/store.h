#pragma once
/*
 * Where the objects survive: a struct of functions per back end. All calls block. Writes happen between begin and commit only; after a failed
 * write or commit the caller calls rollback.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/fault.h"
#include "service/model.h"
#include "service/model_field.h"
#include "service/seal.h"

struct store;

/* Which events to list (assisted-v2 §3.4); NULL or 0 = any. Lists are comma-separated and were checked by the caller. */
struct event_filter {
	const char *cluster_id, *infra_env_id;
	const char *const *host_ids;
	size_t n_host_ids;
	const char *const *severities;
	size_t n_severities;
	const char *const *categories;
	size_t n_categories;
	const char *message;            /* substring, any case */
	const char *scope_infra_env_id; /* only what belongs to this infra-env */
	bool cluster_level;             /* only events without a host */
	bool descending;
	int64_t limit, offset; /* limit < 0 = all */
};

enum event_severity {
	SEVERITY_INFO,
	SEVERITY_WARNING,
	SEVERITY_ERROR,
	SEVERITY_CRITICAL,
	SEVERITY_COUNT
};
extern const char *const event_severity_names[SEVERITY_COUNT];

struct event_counts {
	uint64_t severity[SEVERITY_COUNT]; /* ignoring the filter's severities, limit and offset */
	uint64_t total;                    /* ignoring limit and offset */
};

/* Gets one object; takes what it owns (even when it fails). 0 to go on, negative to stop. */
typedef int (*store_row_fn)(void *ctx, void *obj);

struct store_ops {
	const char *name;
	/* Opens or makes the store, and brings its schema up to date. A schema newer than this program is refused (-EPROTO). */
	int (*open)(int dirfd, const char *where, const uint8_t key[SEAL_KEY_LEN],
		    struct store **ret, struct fault *err);
	void (*close)(struct store *s);
	int (*begin)(struct store *s, struct fault *err);
	int (*commit)(struct store *s, struct fault *err); /* durable when it returns 0 */
	void (*rollback)(struct store *s);
	/* Inserts or replaces the whole row. Events are only ever inserted. */
	int (*put)(struct store *s, enum model_kind kind, const void *obj, struct fault *err);
	int (*remove)(struct store *s, enum model_kind kind, const void *obj, struct fault *err);
	/* Only the check-in columns of a host. */
	int (*checkin)(struct store *s, const struct host *h, struct fault *err);
	/* Every object of a kind, in the order of creation; @fn is called with a filled struct. */
	int (*load)(struct store *s, enum model_kind kind, store_row_fn fn, void *ctx,
		    struct fault *err);
	/* @ret may be NULL. */
	int (*events)(struct store *s, const struct event_filter *f, store_row_fn fn, void *ctx,
		      struct event_counts *ret, struct fault *err);
	/* Names of revoked tokens (jti). */
	int (*revoke)(struct store *s, const char *jti, struct fault *err);
	int (*revoked)(struct store *s, int (*fn)(void *ctx, const char *jti), void *ctx,
		       struct fault *err);
	/* Writes a consistent copy of everything to the new file @name in @dirfd. NULL = the back end has its own tools for that. */
	int (*backup)(struct store *s, int dirfd, const char *name, struct fault *err);
	/* Deletes the oldest events beyond @keep; inside a transaction. */
	int (*events_trim)(struct store *s, uint64_t keep, struct fault *err);
};

struct store {
	const struct store_ops *ops;
};

extern const struct store_ops store_sqlite;

/* 0, or -ENOTSUP: there is no such store in this program. */
int store_check(const char *where, struct fault *err);
/* "sqlite" (DIR/slipway.db) or a URL whose scheme names the back end. -ENOTSUP when this program has none for it. */
int store_open(const char *where, int dirfd, const uint8_t key[SEAL_KEY_LEN], struct store **ret,
	       struct fault *err);
void store_close(struct store *s);
