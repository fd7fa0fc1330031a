#pragma once
/*
 * All objects in memory, written through to the store. Nothing that was changed is answered before it is durable:
 *
 *   request begins -> state_begin(): marks where the request starts
 *   handler        -> looks objects up, takes each one it changes by state_edit_*() or state_add_*(), changes it in place
 *   handler failed -> state_abort(): every change since the mark is taken back
 *   end of the loop's turn -> state_commit(): one transaction for all requests of the turn; when it fails everything is taken back
 *
 * Pointers to objects stay good until the object is removed. Lists are in the order of creation.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/fault.h"
#include "service/model.h"

struct state;
struct store;

struct user {
	char name[65]; /* key */
	char *password_hash;
	int64_t role;        /* enum user_role */
	int64_t token_epoch; /* Bearer tokens with iat (s) before this are revoked */
	int64_t created_at;
};
void user_done(struct user *u);

/* Loads everything from @store (borrowed). */
int state_new(struct store *store, struct state **ret, struct fault *err);
void state_free(struct state *s);

/* --- looking up; NULL = not there --- */
struct infra_env *state_infra_env(struct state *s, const char *id);
struct infra_env *state_infra_env_by_handle(struct state *s, const char *image_token_key);
struct cluster *state_cluster(struct state *s, const char *id);
struct host *state_host(struct state *s, const char *infra_env_id, const char *host_id);
struct os_image *state_os_image(struct state *s, const char *id);
struct user *state_user(struct state *s, const char *name);

/* --- walking: @i counts from 0; NULL = the end. Do not add or remove while walking. --- */
struct infra_env *state_infra_env_at(struct state *s, size_t i);
struct cluster *state_cluster_at(struct state *s, size_t i);
struct os_image *state_os_image_at(struct state *s, size_t i);
struct user *state_user_at(struct state *s, size_t i);
struct host *state_host_at(struct state *s, size_t i);
/* Hosts of an infra-env, of a cluster: an array of @*ret_n, valid until hosts are added, removed, bound or unbound. */
struct host *const *state_hosts_of_infra_env(struct state *s, const char *infra_env_id,
					     size_t *ret_n);
struct host *const *state_hosts_of_cluster(struct state *s, const char *cluster_id, size_t *ret_n);
/* The other hosts of @h's cluster (none when unbound), for struct rule_ctx. */
const struct host *const *state_peers(struct state *s, struct host *h, size_t *ret_n);

/* --- changing --- */
void state_begin(struct state *s);
void state_abort(struct state *s);
bool state_is_dirty(const struct state *s); /* is something waiting for state_commit()? */
int state_commit(struct state *s, struct fault *err);
/* Called (once) when the first change since the last commit is made: arranges that state_commit() runs at the end of the turn. */
void state_on_dirty(struct state *s, void (*fn)(void *ctx), void *ctx);

/* Announce that the object will be changed in place. Identity (ids) must not change. 0 or -ENOMEM. */
int state_edit_infra_env(struct state *s, struct infra_env *i);
int state_edit_cluster(struct state *s, struct cluster *c);
int state_edit_host(struct state *s, struct host *h);
int state_edit_os_image(struct state *s, struct os_image *o);
int state_edit_user(struct state *s, struct user *u);
/* Did the running request change anything in @object, which it announced? */
bool state_is_changed(struct state *s, const void *object);
/* Adds a zeroed object whose ids the caller filled in @key_*; -EEXIST when there is one. *ret is borrowed. */
int state_add_infra_env(struct state *s, const char *id, struct infra_env **ret);
int state_add_cluster(struct state *s, const char *id, struct cluster **ret);
int state_add_host(struct state *s, const char *infra_env_id, const char *host_id,
		   struct host **ret);
int state_add_os_image(struct state *s, const char *id, struct os_image **ret);
int state_add_user(struct state *s, const char *name, struct user **ret);
int state_remove_infra_env(struct state *s, struct infra_env *i);
int state_remove_cluster(struct state *s, struct cluster *c);
int state_remove_host(struct state *s, struct host *h);
int state_remove_os_image(struct state *s, struct os_image *o);
int state_remove_user(struct state *s, struct user *u);
/* Binds to "" or a cluster: keeps state_hosts_of_cluster() right. Announces the edit itself. */
int state_host_set_cluster(struct state *s, struct host *h, const char *cluster_id);

/* A new download handle (copied); announces the edit itself. */
int state_infra_env_set_handle(struct state *s, struct infra_env *i, const char *handle);

/* Takes the strings of @e. Written with the next commit; dropped when the request is aborted. */
int state_event(struct state *s, struct api_event *e);
/* Check-in: memory first, written in batches by state_flush_checkins(). Not a change in the sense of state_is_dirty(). */
void state_host_checkin(struct state *s, struct host *h, int64_t now_us, int64_t timestamp_s);
int state_flush_checkins(struct state *s, struct fault *err);

/* Revoked tokens. */
bool state_token_is_revoked(struct state *s, const char *jti);
int state_token_revoke(struct state *s, const char *jti);

/* One number per host that is not stored, for the timers; NULL-safe. */
void *state_host_slot(struct host *h);
void state_host_set_slot(struct host *h, void *slot);
struct store *state_store(struct state *s);
