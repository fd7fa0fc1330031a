#include "service/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "service/state_entry.h"
#include "service/store.h"

struct entry *entry_of(const void *object)
{
	return (struct entry *)((char *)(uintptr_t)object - offsetof(struct entry, object));
}

int array_reserve(void *array, size_t *size, size_t n, size_t elem_size)
{
	void **v = array;

	if (n < *size)
		return 0;
	size_t bigger = *size ? *size * 2 : 8;
	void *grown = reallocarray(*v, bigger, elem_size);
	if (!grown)
		return -ENOMEM;
	*v = grown;
	*size = bigger;
	return 0;
}

void entry_free(struct entry *e)
{
	if (!e)
		return;
	model_done(e->kind, e->object);
	free(e->hosts.v);
	free(e);
}

struct entry *entry_find(struct state *s, enum model_kind kind, const char *key)
{
	return table_get(&s->kinds[kind].by_key, key);
}

/* --- lists --- */

static int list_add(struct host_list *l, struct host *h)
{
	int r = array_reserve(&l->v, &l->size, l->n, sizeof(*l->v));
	if (r < 0)
		return r;

	/* New hosts come last; one that comes back goes to its old place. */
	size_t i = l->n;
	while (i > 0 && entry_of(l->v[i - 1])->seq > entry_of(h)->seq)
		i--;
	memmove(l->v + i + 1, l->v + i, (l->n - i) * sizeof(*l->v));
	l->v[i] = h;
	l->n++;
	return 0;
}

static void list_remove(struct host_list *l, const struct host *h)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i] == h) {
			memmove(l->v + i, l->v + i + 1, (l->n - i - 1) * sizeof(*l->v));
			l->n--;
			return;
		}
	}
}

static struct host_list *list_of(struct state *s, enum model_kind kind, const char *id)
{
	struct entry *e = id[0] ? entry_find(s, kind, id) : NULL;

	return e ? &e->hosts : NULL;
}

int host_relink(struct state *s, struct host *h, const char *from_cluster, const char *to_cluster)
{
	struct host_list *from = list_of(s, MODEL_CLUSTER, from_cluster),
			 *to = list_of(s, MODEL_CLUSTER, to_cluster);

	if (from == to)
		return 0;
	if (to && list_add(to, h) < 0)
		return -ENOMEM;
	if (from)
		list_remove(from, h);
	return 0;
}

static void handle_unlink(struct state *s, struct entry *e)
{
	if (e->handle[0])
		table_remove(&s->by_handle, e->handle);
	e->handle[0] = '\0';
}

int handle_relink(struct state *s, struct infra_env *ie)
{
	struct entry *e = entry_of(ie);
	const char *now = ie->image_token_key ? ie->image_token_key : "";

	if (!strcmp(e->handle, now))
		return 0;
	handle_unlink(s, e);
	if (!now[0])
		return 0;
	if (!str_copy(e->handle, sizeof(e->handle), now)) {
		e->handle[0] = '\0';
		return -EINVAL;
	}
	int r = table_add(&s->by_handle, e->handle, ie);
	if (r < 0)
		e->handle[0] = '\0';
	return r;
}

static int link_host(struct state *s, struct host *h)
{
	struct host_list *pool = list_of(s, MODEL_INFRA_ENV, h->infra_env_id),
			 *cluster = list_of(s, MODEL_CLUSTER, h->cluster_id);

	if (pool && list_add(pool, h) < 0)
		return -ENOMEM;
	if (cluster && list_add(cluster, h) < 0) {
		if (pool)
			list_remove(pool, h);
		return -ENOMEM;
	}
	return 0;
}

static void unlink_host(struct state *s, const struct host *h)
{
	struct host_list *pool = list_of(s, MODEL_INFRA_ENV, h->infra_env_id),
			 *cluster = list_of(s, MODEL_CLUSTER, h->cluster_id);

	if (pool)
		list_remove(pool, h);
	if (cluster)
		list_remove(cluster, h);
}

int entry_link(struct state *s, struct entry *e)
{
	struct all *all = &s->kinds[e->kind];

	int r = array_reserve(&all->v, &all->size, all->n, sizeof(*all->v));
	if (r == 0)
		r = table_add(&all->by_key, e->key, e);
	if (r < 0)
		return r;
	if (e->kind == MODEL_HOST)
		r = link_host(s, (struct host *)e->object);
	if (e->kind == MODEL_INFRA_ENV)
		r = handle_relink(s, (struct infra_env *)e->object);
	if (r < 0) {
		table_remove(&all->by_key, e->key);
		return r;
	}

	size_t i = all->n;
	while (i > 0 && all->v[i - 1]->seq > e->seq)
		i--;
	memmove(all->v + i + 1, all->v + i, (all->n - i) * sizeof(*all->v));
	all->v[i] = e;
	all->n++;
	e->is_in_state = true;
	return 0;
}

/* Index of @e in the array, which is sorted by seq. */
static size_t position(const struct all *all, const struct entry *e)
{
	size_t low = 0, high = all->n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		if (all->v[mid]->seq < e->seq)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void entry_unlink(struct state *s, struct entry *e)
{
	struct all *all = &s->kinds[e->kind];
	size_t i = position(all, e);

	if (e->kind == MODEL_HOST)
		unlink_host(s, (struct host *)e->object);
	handle_unlink(s, e);
	table_remove(&all->by_key, e->key);
	memmove(all->v + i, all->v + i + 1, (all->n - i - 1) * sizeof(*all->v));
	all->n--;
	e->is_in_state = false;
}

/* --- loading --- */

struct load {
	struct state *s;
	enum model_kind kind;
};

static int load_row(void *ctx, void *obj)
{
	struct load *l = ctx;
	size_t size = model_class(l->kind)->size;
	struct entry *e = calloc(1, sizeof(*e) + size);

	if (!e) {
		model_done(l->kind, obj);
		return -ENOMEM;
	}
	e->kind = l->kind;
	e->seq = ++l->s->next_seq;
	memcpy(e->object, obj, size);
	model_key(l->kind, e->object, e->key);
	int r = entry_link(l->s, e);
	if (r < 0)
		entry_free(e);
	return r;
}

static int load_revoked(void *ctx, const char *jti)
{
	struct state *s = ctx;
	char *copy = strdup(jti ? jti : "");

	if (!copy)
		return -ENOMEM;
	int r = table_add(&s->revoked, copy, copy);
	if (r < 0)
		free(copy);
	return r == -EEXIST ? 0 : r;
}

int state_new(struct store *store, struct state **ret, struct fault *err)
{
	static const enum model_kind order[] = { MODEL_USER, MODEL_OS_IMAGE, MODEL_CLUSTER,
						 MODEL_INFRA_ENV, MODEL_HOST };
	struct state *s = calloc(1, sizeof(*s));

	if (!s)
		return fault_oom(err);
	s->store = store;
	int r = 0;
	for (size_t i = 0; i < ARRAY_SIZE(order) && r == 0; i++) {
		struct load l = { s, order[i] };
		r = store->ops->load(store, order[i], load_row, &l, err);
	}
	if (r == 0)
		r = store->ops->revoked(store, load_revoked, s, err);
	if (r < 0) {
		state_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void state_free(struct state *s)
{
	if (!s)
		return;
	state_begin(s);
	s->mark = s->events_mark = s->revoked_mark = 0;
	state_abort(s);
	for (int k = 0; k < MODEL_KIND_COUNT; k++) {
		struct all *all = &s->kinds[k];
		for (size_t i = 0; i < all->n; i++)
			entry_free(all->v[i]);
		free(all->v);
		table_done(&all->by_key);
	}
	for (size_t i = 0; i < s->revoked.size; i++)
		free(s->revoked.slots[i].value);
	table_done(&s->revoked);
	table_done(&s->by_handle);
	free(s->changes);
	free(s->events);
	free(s->revoked_new);
	free(s->checkins);
	free(s->peers);
	free(s);
}

/* --- looking up and walking --- */

static void *object_find(struct state *s, enum model_kind kind, const char *key)
{
	struct entry *e = key ? entry_find(s, kind, key) : NULL;

	return e ? e->object : NULL;
}

static void *object_at(struct state *s, enum model_kind kind, size_t i)
{
	return i < s->kinds[kind].n ? s->kinds[kind].v[i]->object : NULL;
}

#define LOOKUPS(type, kind)                                        \
	struct type *state_##type(struct state *s, const char *id) \
	{                                                          \
		return object_find(s, kind, id);                   \
	}                                                          \
	struct type *state_##type##_at(struct state *s, size_t i)  \
	{                                                          \
		return object_at(s, kind, i);                      \
	}
LOOKUPS(infra_env, MODEL_INFRA_ENV)
LOOKUPS(cluster, MODEL_CLUSTER)
LOOKUPS(os_image, MODEL_OS_IMAGE)
LOOKUPS(user, MODEL_USER)

struct infra_env *state_infra_env_by_handle(struct state *s, const char *image_token_key)
{
	return image_token_key ? table_get(&s->by_handle, image_token_key) : NULL;
}

struct host *state_host(struct state *s, const char *infra_env_id, const char *host_id)
{
	char key[MODEL_KEY_MAX];

	if (snprintf(key, sizeof(key), "%s/%s", infra_env_id, host_id) >= (int)sizeof(key))
		return NULL;
	return object_find(s, MODEL_HOST, key);
}

struct host *state_host_at(struct state *s, size_t i)
{
	return object_at(s, MODEL_HOST, i);
}

static struct host *const *hosts_of(struct state *s, enum model_kind kind, const char *id,
				    size_t *ret_n)
{
	const struct host_list *l = list_of(s, kind, id);

	*ret_n = l ? l->n : 0;
	return l ? l->v : NULL;
}

struct host *const *state_hosts_of_infra_env(struct state *s, const char *infra_env_id,
					     size_t *ret_n)
{
	return hosts_of(s, MODEL_INFRA_ENV, infra_env_id, ret_n);
}

struct host *const *state_hosts_of_cluster(struct state *s, const char *cluster_id, size_t *ret_n)
{
	return hosts_of(s, MODEL_CLUSTER, cluster_id, ret_n);
}

const struct host *const *state_peers(struct state *s, struct host *h, size_t *ret_n)
{
	size_t n = 0;
	struct host *const *all = hosts_of(s, MODEL_CLUSTER, h->cluster_id, &n);

	*ret_n = 0;
	if (n < 2)
		return NULL;
	if (s->peers_size < n) {
		const struct host **grown = reallocarray(s->peers, n, sizeof(*grown));
		if (!grown)
			return NULL;
		s->peers = grown;
		s->peers_size = n;
	}
	for (size_t i = 0; i < n; i++) {
		if (all[i] != h)
			s->peers[(*ret_n)++] = all[i];
	}
	return s->peers;
}

void *state_host_slot(struct host *h)
{
	return h ? entry_of(h)->slot : NULL;
}

void state_host_set_slot(struct host *h, void *slot)
{
	if (h)
		entry_of(h)->slot = slot;
}

struct store *state_store(struct state *s)
{
	return s->store;
}

bool state_token_is_revoked(struct state *s, const char *jti)
{
	return jti && table_get(&s->revoked, jti);
}
