/*
 * Changes: noted before they are made, taken back when a request fails, written by one transaction at the end of the loop's turn.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "service/state.h"
#include "service/state_entry.h"
#include "service/store.h"

void state_on_dirty(struct state *s, void (*fn)(void *ctx), void *ctx)
{
	s->on_dirty = fn;
	s->on_dirty_ctx = ctx;
}

bool state_is_dirty(const struct state *s)
{
	return s->n_changes || s->n_events || s->n_revoked_new;
}

static void note_dirty(struct state *s)
{
	if (!state_is_dirty(s) && s->on_dirty)
		s->on_dirty(s->on_dirty_ctx);
}

static int note_change(struct state *s, enum change_type type, struct entry *e, void *before)
{
	if (array_reserve(&s->changes, &s->changes_size, s->n_changes, sizeof(*s->changes)) < 0)
		return -ENOMEM;
	note_dirty(s);
	s->changes[s->n_changes++] = (struct change){ type, e, before };
	e->changed_in = s->request;
	return 0;
}

void state_begin(struct state *s)
{
	s->request++;
	s->mark = s->n_changes;
	s->events_mark = s->n_events;
	s->revoked_mark = s->n_revoked_new;
}

/* --- taking back --- */

static void before_free(struct change *c)
{
	if (!c->before)
		return;
	model_done(c->e->kind, c->before);
	free(c->before);
	c->before = NULL;
}

static void undo_edit(struct state *s, struct change *c)
{
	struct entry *e = c->e;
	size_t size = model_class(e->kind)->size;
	char cluster_id[UUID_LEN + 1] = "";

	if (e->kind == MODEL_HOST)
		memcpy(cluster_id, ((struct host *)e->object)->cluster_id, sizeof(cluster_id));
	model_done(e->kind, e->object);
	memcpy(e->object, c->before, size);
	free(c->before);
	c->before = NULL;

	/* The lists had room before, so this cannot fail for lack of memory. */
	if (e->kind == MODEL_HOST && e->is_in_state)
		(void)host_relink(s, (struct host *)e->object, cluster_id,
				  ((struct host *)e->object)->cluster_id);
	if (e->kind == MODEL_INFRA_ENV && e->is_in_state)
		(void)handle_relink(s, (struct infra_env *)e->object);
}

static void checkin_forget(struct state *s, const struct entry *e)
{
	size_t kept = 0;

	if (!e->is_checkin_pending)
		return;
	for (size_t i = 0; i < s->n_checkins; i++) {
		if (s->checkins[i] != e)
			s->checkins[kept++] = s->checkins[i];
	}
	s->n_checkins = kept;
}

static void undo_to(struct state *s, size_t mark, size_t events_mark, size_t revoked_mark)
{
	while (s->n_changes > mark) {
		struct change *c = &s->changes[--s->n_changes];
		if (c->type == CHANGE_EDIT) {
			undo_edit(s, c);
		} else if (c->type == CHANGE_ADD) {
			entry_unlink(s, c->e);
			checkin_forget(s, c->e);
			entry_free(c->e);
		} else if (entry_link(s, c->e) < 0) {
			log_error("no memory to take back a removal");
		}
	}
	while (s->n_events > events_mark)
		api_event_done(&s->events[--s->n_events]);
	while (s->n_revoked_new > revoked_mark)
		free(table_remove(&s->revoked, s->revoked_new[--s->n_revoked_new]));
	s->request++; /* later edits need copies of their own */
}

void state_abort(struct state *s)
{
	undo_to(s, s->mark, s->events_mark, s->revoked_mark);
}

/* --- noting changes --- */

static int edit(struct state *s, void *object)
{
	struct entry *e = entry_of(object);

	if (e->changed_in == s->request)
		return 0;
	void *before = malloc(model_class(e->kind)->size);
	if (!before)
		return -ENOMEM;
	int r = model_copy(e->kind, object, before);
	if (r == 0) {
		r = note_change(s, CHANGE_EDIT, e, before);
		if (r < 0)
			model_done(e->kind, before);
	}
	if (r < 0)
		free(before);
	return r;
}

bool state_is_changed(struct state *s, const void *object)
{
	const struct entry *e = entry_of(object);

	for (size_t i = s->n_changes; i > s->mark; i--) {
		const struct change *c = &s->changes[i - 1];
		if (c->e == e)
			return c->type != CHANGE_EDIT ||
			       !model_equal(e->kind, c->before, e->object);
	}
	return false;
}

static int add(struct state *s, enum model_kind kind, const void *key_source, void **ret)
{
	const struct model_class *c = model_class(kind);
	struct entry *e = calloc(1, sizeof(*e) + c->size);

	if (!e)
		return -ENOMEM;
	e->kind = kind;
	e->seq = ++s->next_seq;
	for (const struct model_field *f = c->fields; f->column; f++) {
		if (f->flags & MODEL_KEY)
			memcpy(e->object + f->offset, (const char *)key_source + f->offset,
			       f->size);
	}
	model_key(kind, e->object, e->key);
	int r = entry_link(s, e);
	if (r == 0) {
		r = note_change(s, CHANGE_ADD, e, NULL);
		if (r < 0)
			entry_unlink(s, e);
	}
	if (r < 0) {
		entry_free(e);
		return r;
	}
	*ret = e->object;
	return 0;
}

static int drop(struct state *s, void *object)
{
	struct entry *e = entry_of(object);

	int r = note_change(s, CHANGE_REMOVE, e, NULL);
	if (r == 0)
		entry_unlink(s, e);
	return r;
}

#define CHANGES(type)                                            \
	int state_edit_##type(struct state *s, struct type *o)   \
	{                                                        \
		return edit(s, o);                               \
	}                                                        \
	int state_remove_##type(struct state *s, struct type *o) \
	{                                                        \
		return drop(s, o);                               \
	}
CHANGES(infra_env)
CHANGES(cluster)
CHANGES(host)
CHANGES(os_image)
CHANGES(user)

#define ADD(type, kind, member)                                                   \
	int state_add_##type(struct state *s, const char *key, struct type **ret) \
	{                                                                         \
		struct type source = { 0 };                                       \
		void *object;                                                     \
		if (!str_copy(source.member, sizeof(source.member), key))         \
			return -EINVAL;                                           \
		int r = add(s, kind, &source, &object);                           \
		if (r == 0)                                                       \
			*ret = object;                                            \
		return r;                                                         \
	}
ADD(infra_env, MODEL_INFRA_ENV, id)
ADD(cluster, MODEL_CLUSTER, id)
ADD(os_image, MODEL_OS_IMAGE, id)
ADD(user, MODEL_USER, name)

int state_add_host(struct state *s, const char *infra_env_id, const char *host_id,
		   struct host **ret)
{
	struct host source = { 0 };
	void *object;

	if (!str_copy(source.infra_env_id, sizeof(source.infra_env_id), infra_env_id) ||
	    !str_copy(source.id, sizeof(source.id), host_id))
		return -EINVAL;
	int r = add(s, MODEL_HOST, &source, &object);
	if (r == 0)
		*ret = object;
	return r;
}

int state_host_set_cluster(struct state *s, struct host *h, const char *cluster_id)
{
	char old[UUID_LEN + 1], new[UUID_LEN + 1];

	if (!str_copy(new, sizeof(new), cluster_id))
		return -EINVAL;
	int r = edit(s, h);
	if (r < 0)
		return r;
	memcpy(old, h->cluster_id, sizeof(old));
	r = host_relink(s, h, old, new);
	if (r == 0)
		memcpy(h->cluster_id, new, sizeof(new));
	return r;
}

int state_infra_env_set_handle(struct state *s, struct infra_env *i, const char *handle)
{
	int r = edit(s, i);

	if (r == 0)
		r = str_set(&i->image_token_key, handle);
	return r < 0 ? r : handle_relink(s, i);
}

int state_event(struct state *s, struct api_event *e)
{
	if (array_reserve(&s->events, &s->events_size, s->n_events, sizeof(*s->events)) < 0) {
		api_event_done(e);
		return -ENOMEM;
	}
	note_dirty(s);
	s->events[s->n_events++] = *e;
	memset(e, 0, sizeof(*e));
	return 0;
}

int state_token_revoke(struct state *s, const char *jti)
{
	if (state_token_is_revoked(s, jti))
		return 0;
	if (array_reserve(&s->revoked_new, &s->revoked_new_size, s->n_revoked_new,
			  sizeof(*s->revoked_new)) < 0)
		return -ENOMEM;
	char *copy = strdup(jti);
	if (!copy)
		return -ENOMEM;
	int r = table_add(&s->revoked, copy, copy);
	if (r < 0) {
		free(copy);
		return r;
	}
	note_dirty(s);
	s->revoked_new[s->n_revoked_new++] = copy;
	return 0;
}

/* --- committing --- */

static int write_entry(struct state *s, const struct change *c, struct fault *err)
{
	struct entry *e = c->e;

	if (e->is_written)
		return 0;
	e->is_written = true;
	/* The first change of a turn holds what the store has. */
	if (c->type == CHANGE_EDIT && e->is_in_state && model_equal(e->kind, c->before, e->object))
		return 0;
	return e->is_in_state ? s->store->ops->put(s->store, e->kind, e->object, err)
			      : s->store->ops->remove(s->store, e->kind, e->object, err);
}

static int write_all(struct state *s, struct fault *err)
{
	int r = 0;

	for (size_t i = 0; i < s->n_changes && r == 0; i++)
		r = write_entry(s, &s->changes[i], err);
	for (size_t i = 0; i < s->n_events && r == 0; i++)
		r = s->store->ops->put(s->store, MODEL_EVENT, &s->events[i], err);
	for (size_t i = 0; i < s->n_revoked_new && r == 0; i++)
		r = s->store->ops->revoke(s->store, s->revoked_new[i], err);

	s->events_written += s->n_events;
	if (r == 0 && s->events_written >= EVENTS_TRIM_EVERY) {
		s->events_written = 0;
		r = s->store->ops->events_trim(s->store, EVENTS_MAX, err);
	}
	return r;
}

/* After a commit: copies and removed objects are not needed any more. */
static void forget_changes(struct state *s)
{
	size_t n_dead = 0;

	for (size_t i = 0; i < s->n_changes; i++) {
		before_free(&s->changes[i]);
		struct entry *e = s->changes[i].e;
		if (!e->is_in_state && !e->is_written) {
			e->is_written = true; /* an entry may stand in the list several times */
			s->changes[n_dead++].e = e;
		}
	}
	for (size_t i = 0; i < n_dead; i++) {
		checkin_forget(s, s->changes[i].e);
		entry_free(s->changes[i].e);
	}
	s->n_changes = s->n_events = s->n_revoked_new = 0;
	s->mark = s->events_mark = s->revoked_mark = 0;
	s->request++;
}

int state_commit(struct state *s, struct fault *err)
{
	if (!state_is_dirty(s))
		return 0;

	int r = s->store->ops->begin(s->store, err);
	if (r == 0)
		r = write_all(s, err);
	if (r == 0)
		r = s->store->ops->commit(s->store, err);
	for (size_t i = 0; i < s->n_changes; i++)
		s->changes[i].e->is_written = false;
	if (r < 0) {
		s->store->ops->rollback(s->store);
		undo_to(s, 0, 0, 0);
		s->mark = s->events_mark = s->revoked_mark = 0;
		return r;
	}
	for (size_t i = 0; i < s->n_events; i++)
		api_event_done(&s->events[i]);
	forget_changes(s);
	return 0;
}

/* --- check-in times --- */

void state_host_checkin(struct state *s, struct host *h, int64_t now_us, int64_t timestamp_s)
{
	struct entry *e = entry_of(h);

	h->checked_in_at = now_us;
	if (timestamp_s)
		h->timestamp = timestamp_s;
	if (e->is_checkin_pending)
		return;
	if (array_reserve(&s->checkins, &s->checkins_size, s->n_checkins, sizeof(*s->checkins)) < 0)
		return; /* the next poll tries again */
	s->checkins[s->n_checkins++] = e;
	e->is_checkin_pending = true;
}

int state_flush_checkins(struct state *s, struct fault *err)
{
	if (!s->n_checkins)
		return 0;

	int r = s->store->ops->begin(s->store, err);
	for (size_t i = 0; i < s->n_checkins && r == 0; i++)
		r = s->store->ops->checkin(s->store, (const struct host *)s->checkins[i]->object,
					   err);
	if (r == 0)
		r = s->store->ops->commit(s->store, err);
	if (r < 0) {
		s->store->ops->rollback(s->store);
		return r;
	}
	for (size_t i = 0; i < s->n_checkins; i++)
		s->checkins[i]->is_checkin_pending = false;
	s->n_checkins = 0;
	return 0;
}
