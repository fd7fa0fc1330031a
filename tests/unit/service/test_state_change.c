#include "unit.h"

#include "common/str.h"
#include "service/state.h"
#include "service/store.h"

#define N_IDS 3 /* objects of a kind that the random requests know */

struct fixture {
	char path[64];
	int fd;
	struct store *store;
	const struct store_ops *good;
	struct store_ops failing; /* the same, but for commit or put */
	struct state *state;
	unsigned n_dirty, n_puts, n_trims;
	uint64_t kept;
};

static struct fixture *running; /* the store's functions get no context of ours */

static int fail_commit(struct store *s, struct fault *err)
{
	return fault_set(err, -EIO, "as told");
}

static int fail_put(struct store *s, enum model_kind kind, const void *obj, struct fault *err)
{
	return fault_set(err, -ENOSPC, "as told");
}

static int count_put(struct store *s, enum model_kind kind, const void *obj, struct fault *err)
{
	running->n_puts++;
	return running->good->put(s, kind, obj, err);
}

static int no_put(struct store *s, enum model_kind kind, const void *obj, struct fault *err)
{
	return 0;
}

static int note_trim(struct store *s, uint64_t keep, struct fault *err)
{
	running->n_trims++;
	running->kept = keep;
	return 0;
}

static void on_dirty(void *ctx)
{
	((struct fixture *)ctx)->n_dirty++;
}

static int setup(void **state)
{
	static const uint8_t key[SEAL_KEY_LEN] = { 7 };
	struct fixture *f = calloc(1, sizeof(*f));

	*state = running = f;
	f->fd = unit_tmp_open(f->path);
	if (store_open("sqlite", f->fd, key, &f->store, NULL) < 0 ||
	    state_new(f->store, &f->state, NULL) < 0)
		return -1;
	f->good = f->store->ops;
	f->failing = *f->good;
	state_on_dirty(f->state, on_dirty, f);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	state_free(f->state);
	store_close(f->store);
	unit_tmp_close(f->fd, f->path);
	free(f);
	return 0;
}

/* --- comparing --- */

static struct state *stored(struct fixture *f)
{
	struct state *s;

	assert_int_equal(state_new(f->store, &s, NULL), 0);
	return s;
}

static void same(enum model_kind kind, const void *a, const void *b)
{
	assert_non_null(a);
	assert_non_null(b);
	assert_true(model_equal(kind, a, b));
}

static void expect_same(struct state *a, struct state *b)
{
#define SAME(kind, type)                                                            \
	for (size_t i = 0; state_##type##_at(a, i) || state_##type##_at(b, i); i++) \
		same(kind, state_##type##_at(a, i), state_##type##_at(b, i));
	SAME(MODEL_INFRA_ENV, infra_env)
	SAME(MODEL_CLUSTER, cluster)
	SAME(MODEL_HOST, host)
	SAME(MODEL_USER, user)
	SAME(MODEL_OS_IMAGE, os_image)
}

/* A copy of what is in memory, made by the store: everything before the current request was committed. */
static void expect_stored(struct fixture *f)
{
	struct state *s = stored(f);

	expect_same(f->state, s);
	state_free(s);
}

static bool in_list(struct host *const *v, size_t n, const struct host *h)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i] == h)
			return true;
	}
	return false;
}

/* Lists and tables say the same as the objects themselves. */
static void expect_consistent(struct state *s)
{
	struct infra_env *ie;
	struct cluster *c;
	struct host *h;
	size_t n, n_hosts = 0, n_listed = 0, n_bound = 0, n_in_clusters = 0;

	for (size_t i = 0; (h = state_host_at(s, i)); i++, n_hosts++) {
		assert_ptr_equal(state_host(s, h->infra_env_id, h->id), h);
		n_bound += h->cluster_id[0] && state_cluster(s, h->cluster_id);
		struct host *const *v = state_hosts_of_infra_env(s, h->infra_env_id, &n);
		if (state_infra_env(s, h->infra_env_id))
			assert_true(in_list(v, n, h));
		v = state_hosts_of_cluster(s, h->cluster_id, &n);
		if (state_cluster(s, h->cluster_id))
			assert_true(in_list(v, n, h));
	}
	for (size_t i = 0; (ie = state_infra_env_at(s, i)); i++) {
		assert_ptr_equal(state_infra_env(s, ie->id), ie);
		(void)state_hosts_of_infra_env(s, ie->id, &n);
		n_listed += n;
		if (ie->image_token_key)
			assert_ptr_equal(state_infra_env_by_handle(s, ie->image_token_key), ie);
	}
	for (size_t i = 0; (c = state_cluster_at(s, i)); i++) {
		assert_ptr_equal(state_cluster(s, c->id), c);
		(void)state_hosts_of_cluster(s, c->id, &n);
		n_in_clusters += n;
	}
	assert_int_equal(n_listed, n_hosts);
	assert_int_equal(n_in_clusters, n_bound);
}

/* --- requests that do anything --- */

struct random {
	uint64_t x;
};

static unsigned pick(struct random *r, unsigned n)
{
	r->x ^= r->x << 13; /* Marsaglia, Xorshift RNGs (2003) */
	r->x ^= r->x >> 7;
	r->x ^= r->x << 17;
	return (unsigned)(r->x >> 33) % n;
}

static void change_infra_env(struct state *s, struct random *r)
{
	char id[16], text[32];
	struct infra_env *ie;
	size_t n;

	snprintf(id, sizeof(id), "ie%u", pick(r, N_IDS));
	snprintf(text, sizeof(text), "handle-%u", pick(r, 1000000));
	ie = state_infra_env(s, id);
	(void)state_hosts_of_infra_env(s, id, &n);
	if (!ie) {
		assert_int_equal(state_add_infra_env(s, id, &ie), 0);
	} else if (!n && pick(r, 3) == 0) {
		assert_int_equal(state_remove_infra_env(s, ie), 0);
	} else if (pick(r, 4) == 0) {
		assert_int_equal(state_infra_env_set_handle(s, ie, text), 0);
	} else {
		assert_int_equal(state_edit_infra_env(s, ie), 0);
		str_set(&ie->name, pick(r, 3) ? text : NULL);
		ie->updated_at = pick(r, 100);
	}
}

static void change_cluster(struct state *s, struct random *r)
{
	char id[16];
	struct cluster *c;
	size_t n;

	snprintf(id, sizeof(id), "c%u", pick(r, N_IDS));
	c = state_cluster(s, id);
	if (!c) {
		assert_int_equal(state_add_cluster(s, id, &c), 0);
		return;
	}
	(void)state_hosts_of_cluster(s, id, &n);
	if (!n && pick(r, 3) == 0) {
		assert_int_equal(state_remove_cluster(s, c), 0);
		return;
	}
	assert_int_equal(state_edit_cluster(s, c), 0);
	secret_set(&c->pull_secret, pick(r, 2) ? "one" : "two");
}

static void change_host(struct state *s, struct random *r)
{
	char ie[16], id[16], cluster[16];
	struct host *h;

	snprintf(ie, sizeof(ie), "ie%u", pick(r, N_IDS));
	snprintf(id, sizeof(id), "h%u", pick(r, N_IDS));
	snprintf(cluster, sizeof(cluster), "c%u", pick(r, N_IDS));
	if (!state_infra_env(s, ie))
		return;
	h = state_host(s, ie, id);
	if (!h) {
		assert_int_equal(state_add_host(s, ie, id, &h), 0);
		h->status = HOST_KNOWN;
	} else if (pick(r, 4) == 0) {
		assert_int_equal(state_remove_host(s, h), 0);
	} else if (pick(r, 2)) {
		bool exists = state_cluster(s, cluster) != NULL;
		assert_int_equal(state_host_set_cluster(s, h, exists ? cluster : ""), 0);
	} else {
		assert_int_equal(state_edit_host(s, h), 0);
		h->status = pick(r, 2) ? HOST_KNOWN : HOST_ERROR;
		str_set(&h->status_info, pick(r, 2) ? "a" : "b");
	}
}

static void change_anything(struct state *s, struct random *r)
{
	static void (*const changes[])(struct state * s,
				       struct random * r) = { change_infra_env, change_cluster,
							      change_host, change_host };
	unsigned n = 1 + pick(r, 6);

	for (unsigned i = 0; i < n; i++)
		changes[pick(r, ARRAY_SIZE(changes))](s, r);
}

/* The objects of @s as they are now. They live in a state of their own, on the same store, that is never committed. */
static void expect_taken_back(struct fixture *f, struct random *r)
{
	struct state *before = stored(f);

	/* two requests of a turn: the first one stays, the second is taken back */
	state_begin(f->state);
	change_anything(f->state, r);
	struct random again = *r;
	state_begin(f->state);
	change_anything(f->state, &again);
	state_abort(f->state);
	expect_consistent(f->state);

	/* the turn cannot be written: everything is taken back */
	f->failing = *f->good;
	if (pick(r, 2))
		f->failing.commit = fail_commit;
	else
		f->failing.put = fail_put;
	f->store->ops = &f->failing;
	bool was_dirty = state_is_dirty(f->state);
	int code = state_commit(f->state, NULL);
	f->store->ops = f->good;
	expect_consistent(f->state);
	/* without a row to put only the commit can fail */
	if (was_dirty && (code < 0 || f->failing.commit == fail_commit)) {
		assert_true(code < 0);
		expect_same(f->state, before);
	}
	assert_false(state_is_dirty(f->state));
	state_free(before);
}

/* Whatever requests do: what was committed is in the store, what was aborted or failed never was. */
static void test_random_requests(void **state)
{
	struct fixture *f = *state;
	struct random r = { 0x9e3779b97f4a7c15 };

	for (int turn = 0; turn < 300; turn++) {
		expect_taken_back(f, &r);
		unsigned requests = 1 + pick(&r, 3);
		for (unsigned i = 0; i < requests; i++) {
			state_begin(f->state);
			change_anything(f->state, &r);
			if (pick(&r, 3) == 0)
				state_abort(f->state);
			expect_consistent(f->state);
		}
		assert_int_equal(state_commit(f->state, NULL), 0);
		expect_consistent(f->state);
		expect_stored(f);
	}
}

/* --- one thing at a time --- */

static struct host *add_host(struct state *s, const char *ie, const char *id)
{
	struct host *h;

	assert_int_equal(state_add_host(s, ie, id, &h), 0);
	return h;
}

static void test_is_changed(void **state)
{
	struct fixture *f = *state;
	struct cluster *c;

	state_begin(f->state);
	assert_int_equal(state_add_cluster(f->state, "c1", &c), 0);
	assert_true(state_is_changed(f->state, c)); /* new is changed */
	state_begin(f->state);
	assert_false(state_is_changed(f->state, c)); /* not by this request */
	assert_int_equal(state_edit_cluster(f->state, c), 0);
	assert_false(state_is_changed(f->state, c)); /* announced only */
	str_set(&c->name, "a");
	assert_true(state_is_changed(f->state, c));
	str_set(&c->name, NULL);
	assert_false(state_is_changed(f->state, c)); /* and back again */
	str_set(&c->name, "a");
	state_abort(f->state);
	assert_false(state_is_changed(f->state, c));
	assert_null(c->name);
}

/* Only what differs from the store is written; the timer of the commit is set once a turn. */
static void test_writes(void **state)
{
	struct fixture *f = *state;
	struct cluster *c;
	struct api_event e = { .event_time = 1 };

	f->failing.put = count_put;
	f->store->ops = &f->failing;
	state_begin(f->state);
	assert_int_equal(state_add_cluster(f->state, "c1", &c), 0);
	assert_int_equal(state_edit_cluster(f->state, c), 0);
	state_begin(f->state);
	assert_int_equal(state_edit_cluster(f->state, c), 0);
	str_set(&c->name, "a");
	assert_int_equal(f->n_dirty, 1);
	assert_int_equal(state_commit(f->state, NULL), 0);
	assert_int_equal(f->n_puts, 1); /* however many changes */
	/* there and back by two requests of a turn: nothing to write */
	state_begin(f->state);
	assert_int_equal(state_edit_cluster(f->state, c), 0);
	str_set(&c->name, "b");
	state_begin(f->state);
	assert_int_equal(state_edit_cluster(f->state, c), 0);
	str_set(&c->name, "a");
	assert_int_equal(f->n_dirty, 2);
	assert_int_equal(state_commit(f->state, NULL), 0);
	assert_int_equal(f->n_puts, 1);
	str_set(&e.name, "x");
	state_begin(f->state);
	assert_int_equal(state_event(f->state, &e), 0);
	assert_null(e.name); /* taken */
	assert_int_equal(state_commit(f->state, NULL), 0);
	assert_int_equal(f->n_puts, 2);
	/* nothing waits: the store is not asked */
	f->failing.begin = NULL;
	assert_int_equal(state_commit(f->state, NULL), 0);
	f->store->ops = f->good;
}

/* A host that was visited and then removed in the same turn is not written any more. */
static void test_checkin_of_a_removed_host(void **state)
{
	struct fixture *f = *state;
	struct infra_env *ie;

	state_begin(f->state);
	assert_int_equal(state_add_infra_env(f->state, "ie", &ie), 0);
	struct host *gone = add_host(f->state, "ie", "gone"),
		    *stays = add_host(f->state, "ie", "h");
	assert_int_equal(state_commit(f->state, NULL), 0);
	state_host_checkin(f->state, gone, 7, 8);
	state_host_checkin(f->state, stays, 9, 10);
	state_begin(f->state);
	struct host *new = add_host(f->state, "ie", "new");
	state_host_checkin(f->state, new, 11, 12);
	state_abort(f->state); /* frees the new one, whose visit was noted */
	state_begin(f->state);
	assert_int_equal(state_remove_host(f->state, gone), 0);
	assert_int_equal(state_commit(f->state, NULL), 0);
	assert_int_equal(state_flush_checkins(f->state, NULL), 0);
	expect_stored(f);
	assert_int_equal(state_host(f->state, "ie", "h")->checked_in_at, 9);
	/* a time that the host did not tell leaves the last one */
	state_host_checkin(f->state, stays, 13, 0);
	assert_int_equal(stays->timestamp, 10);
	assert_false(state_is_dirty(f->state));
}

static void test_failed_flush_is_tried_again(void **state)
{
	struct fixture *f = *state;
	struct infra_env *ie;

	state_begin(f->state);
	assert_int_equal(state_add_infra_env(f->state, "ie", &ie), 0);
	struct host *h = add_host(f->state, "ie", "h");
	assert_int_equal(state_commit(f->state, NULL), 0);
	state_host_checkin(f->state, h, 7, 8);
	f->failing.commit = fail_commit;
	f->store->ops = &f->failing;
	assert_int_equal(state_flush_checkins(f->state, NULL), -EIO);
	f->store->ops = f->good;
	assert_int_equal(state_flush_checkins(f->state, NULL), 0);
	expect_stored(f);
}

static void test_revoked_tokens(void **state)
{
	struct fixture *f = *state;

	state_begin(f->state);
	assert_int_equal(state_token_revoke(f->state, "a"), 0);
	state_begin(f->state);
	assert_int_equal(state_token_revoke(f->state, "b"), 0);
	assert_int_equal(state_token_revoke(f->state, "a"), 0); /* twice is once */
	assert_true(state_token_is_revoked(f->state, "b"));
	state_abort(f->state);
	assert_false(state_token_is_revoked(f->state, "b"));
	assert_true(state_token_is_revoked(f->state, "a"));
	f->failing.commit = fail_commit;
	f->store->ops = &f->failing;
	assert_int_equal(state_commit(f->state, NULL), -EIO);
	f->store->ops = f->good;
	assert_false(state_token_is_revoked(f->state, "a"));
	state_begin(f->state);
	assert_int_equal(state_token_revoke(f->state, "a"), 0);
	assert_int_equal(state_commit(f->state, NULL), 0);
	struct state *s = stored(f);
	assert_true(state_token_is_revoked(s, "a"));
	assert_false(state_token_is_revoked(s, "b"));
	state_free(s);
}

static void add_events(struct fixture *f, unsigned n)
{
	state_begin(f->state);
	for (unsigned i = 0; i < n; i++) {
		struct api_event e = { .event_time = i };
		assert_int_equal(state_event(f->state, &e), 0);
	}
	assert_int_equal(state_commit(f->state, NULL), 0);
}

/* Old events go, but the store is not asked for that at every one: after ten thousand. */
static void test_events_are_trimmed(void **state)
{
	struct fixture *f = *state;

	f->failing.put = no_put;
	f->failing.events_trim = note_trim;
	f->store->ops = &f->failing;
	add_events(f, 9999);
	assert_int_equal(f->n_trims, 0);
	add_events(f, 1);
	assert_int_equal(f->n_trims, 1);
	assert_int_equal(f->kept, 2000000);
	add_events(f, 9999);
	assert_int_equal(f->n_trims, 1);
	add_events(f, 20000);
	assert_int_equal(f->n_trims, 2);
	f->store->ops = f->good;
}

/* Ids that do not fit are refused, not cut: two hosts must not become one. */
static void test_long_ids(void **state)
{
	static const char long_id[] = "0123456789012345678901234567890123456"; /* 37 */
	struct fixture *f = *state;
	struct infra_env *ie;
	struct cluster *c;
	struct host *h;
	struct user *u;
	char name[66];

	memset(name, 'n', 65);
	name[65] = '\0';
	state_begin(f->state);
	assert_int_equal(state_add_infra_env(f->state, long_id, &ie), -EINVAL);
	assert_int_equal(state_add_cluster(f->state, long_id, &c), -EINVAL);
	assert_int_equal(state_add_host(f->state, long_id, "h", &h), -EINVAL);
	assert_int_equal(state_add_host(f->state, "ie", long_id, &h), -EINVAL);
	assert_int_equal(state_add_user(f->state, name, &u), -EINVAL);
	assert_false(state_is_dirty(f->state));
	name[64] = '\0';
	assert_int_equal(state_add_user(f->state, name, &u), 0);
	assert_int_equal(state_add_user(f->state, name, &u), -EEXIST);
	assert_int_equal(state_add_infra_env(f->state, long_id + 1, &ie), 0);
	h = add_host(f->state, ie->id, "h");
	assert_int_equal(state_host_set_cluster(f->state, h, long_id), -EINVAL);
	assert_string_equal(h->cluster_id, "");
	state_abort(f->state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_random_requests, setup, teardown),
		cmocka_unit_test_setup_teardown(test_is_changed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_checkin_of_a_removed_host, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failed_flush_is_tried_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_revoked_tokens, setup, teardown),
		cmocka_unit_test_setup_teardown(test_events_are_trimmed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_ids, setup, teardown),
	};
	return cmocka_run_group_tests_name("state_change", tests, NULL, NULL);
}
