#pragma once
/*
 * Inside of the state: one entry in front of every object. Shared by state.c and state_change.c only.
 */
#include <stdbool.h>
#include <stddef.h>
#include "service/model_field.h"
#include "service/state.h"
#include "service/table.h"

/* Hosts of an infra-env or of a cluster. */
struct host_list {
	struct host **v;
	size_t n, size;
};

struct entry {
	enum model_kind kind;
	char key[MODEL_KEY_MAX];
	uint64_t seq;        /* order of creation */
	uint64_t changed_in; /* number of the request that last noted a change */
	bool is_in_state;    /* false while removed and not yet committed */
	bool is_written;     /* during a commit: done already */
	bool is_checkin_pending;
	struct host_list hosts; /* of infra-envs and clusters */
	char handle[32];        /* of infra-envs: image_token_key as it stands in by_handle */
	void *slot;             /* state_host_slot() */
	_Alignas(16) unsigned char object[];
};

struct all {
	struct table by_key;
	struct entry **v; /* in the order of creation */
	size_t n, size;
};

enum change_type { CHANGE_EDIT, CHANGE_ADD, CHANGE_REMOVE };
struct change {
	enum change_type type;
	struct entry *e;
	void *before; /* CHANGE_EDIT: a copy, owned */
};

struct state {
	struct store *store; /* borrowed */
	struct all kinds[MODEL_KIND_COUNT];
	struct table by_handle; /* infra-envs by image_token_key */
	uint64_t next_seq;
	uint64_t request; /* number of the running request */

	struct change *changes; /* since the last commit */
	size_t n_changes, changes_size, mark;
	struct api_event *events;
	size_t n_events, events_size, events_mark;
	char **revoked_new; /* jti of tokens revoked since the last commit */
	size_t n_revoked_new, revoked_new_size, revoked_mark;

	struct table revoked; /* jti -> itself; owns the texts */
	struct entry **checkins;
	size_t n_checkins, checkins_size;
	const struct host **peers; /* scratch of state_peers() */
	size_t peers_size;
	uint64_t events_written; /* since the last trim */

	void (*on_dirty)(void *ctx);
	void *on_dirty_ctx;
};

#define EVENTS_MAX 2000000      /* events that are kept */
#define EVENTS_TRIM_EVERY 10000 /* events written between two trims */

struct entry *entry_of(const void *object);
/* Makes room for one more element of @elem_size bytes. 0 or -ENOMEM. */
int array_reserve(void *array, size_t *size, size_t n, size_t elem_size);
void entry_free(struct entry *e);
struct entry *entry_find(struct state *s, enum model_kind kind, const char *key);
/* Puts an entry into (takes it out of) tables and lists; in keeps the order of creation. 0 or -ENOMEM. */
int entry_link(struct state *s, struct entry *e);
void entry_unlink(struct state *s, struct entry *e);
/* Moves a host between the lists of two clusters ("" = none). 0 or -ENOMEM. */
int host_relink(struct state *s, struct host *h, const char *from_cluster, const char *to_cluster);
/* Makes by_handle agree with image_token_key. */
int handle_relink(struct state *s, struct infra_env *ie);
