#include "unit.h"
#include "service/state.h"
#include "service/store.h"

static const uint8_t key[SEAL_KEY_LEN] = { 7 };

/* The real store behind a layer that can be told to fail. */
struct fake {
	struct store store;
	struct store_ops ops;
	struct store *real;
	int fail_put_in, fail_commit; /* the n-th put from now on fails; every commit */
	unsigned n_puts, n_commits;
};

struct fixture {
	char path[64];
	int fd;
	struct fake fake;
	struct state *state;
	unsigned n_dirty;
};

static struct fake *fake_of(struct store *s)
{
	return (struct fake *)s;
}

static int fake_begin(struct store *s, struct fault *err)
{
	return fake_of(s)->real->ops->begin(fake_of(s)->real, err);
}

static int fake_commit(struct store *s, struct fault *err)
{
	fake_of(s)->n_commits++;
	return fake_of(s)->fail_commit ? fault_set(err, -EIO, "as told")
				       : fake_of(s)->real->ops->commit(fake_of(s)->real, err);
}

static void fake_rollback(struct store *s)
{
	fake_of(s)->real->ops->rollback(fake_of(s)->real);
}

static int fake_put(struct store *s, enum model_kind k, const void *obj, struct fault *err)
{
	struct fake *f = fake_of(s);

	f->n_puts++;
	if (f->fail_put_in && --f->fail_put_in == 0)
		return fault_set(err, -ENOSPC, "as told");
	return f->real->ops->put(f->real, k, obj, err);
}

static int fake_remove(struct store *s, enum model_kind k, const void *obj, struct fault *err)
{
	return fake_of(s)->real->ops->remove(fake_of(s)->real, k, obj, err);
}

static int fake_checkin(struct store *s, const struct host *h, struct fault *err)
{
	return fake_of(s)->real->ops->checkin(fake_of(s)->real, h, err);
}

static int fake_load(struct store *s, enum model_kind k, store_row_fn fn, void *ctx,
		     struct fault *err)
{
	return fake_of(s)->real->ops->load(fake_of(s)->real, k, fn, ctx, err);
}

static int fake_revoke(struct store *s, const char *jti, struct fault *err)
{
	return fake_of(s)->real->ops->revoke(fake_of(s)->real, jti, err);
}

static int fake_revoked(struct store *s, int (*fn)(void *, const char *), void *ctx,
			struct fault *err)
{
	return fake_of(s)->real->ops->revoked(fake_of(s)->real, fn, ctx, err);
}

static void on_dirty(void *ctx)
{
	((struct fixture *)ctx)->n_dirty++;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->fd = unit_tmp_open(f->path);
	f->fake.ops = (struct store_ops){ .begin = fake_begin,
					  .commit = fake_commit,
					  .rollback = fake_rollback,
					  .put = fake_put,
					  .remove = fake_remove,
					  .checkin = fake_checkin,
					  .load = fake_load,
					  .revoke = fake_revoke,
					  .revoked = fake_revoked };
	f->fake.store.ops = &f->fake.ops;
	*state = f;
	if (store_open("sqlite", f->fd, key, &f->fake.real, NULL) < 0 ||
	    state_new(&f->fake.store, &f->state, NULL) < 0)
		return -1;
	state_on_dirty(f->state, on_dirty, f);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	state_free(f->state);
	store_close(f->fake.real);
	unit_tmp_close(f->fd, f->path);
	free(f);
	return 0;
}

static void reload(struct fixture *f)
{
	state_free(f->state);
	assert_int_equal(state_new(&f->fake.store, &f->state, NULL), 0);
	state_on_dirty(f->state, on_dirty, f);
}

static struct infra_env *add_infra_env(struct fixture *f, const char *id)
{
	struct infra_env *ie;

	assert_int_equal(state_add_infra_env(f->state, id, &ie), 0);
	assert_int_equal(str_set(&ie->name, id), 0);
	return ie;
}

static struct host *add_host(struct fixture *f, const char *ie, const char *id)
{
	struct host *h;

	assert_int_equal(state_add_host(f->state, ie, id, &h), 0);
	return h;
}

static void test_add_commit_reload(void **state)
{
	struct fixture *f = *state;

	state_begin(f->state);
	add_infra_env(f, "i1");
	add_host(f, "i1", "h1");
	add_host(f, "i1", "h2");
	assert_true(state_is_dirty(f->state));
	assert_int_equal(f->n_dirty, 1);
	assert_int_equal(state_commit(f->state, NULL), 0);
	assert_false(state_is_dirty(f->state));
	reload(f);
	assert_string_equal(state_infra_env(f->state, "i1")->name, "i1");
	size_t n;
	struct host *const *hosts = state_hosts_of_infra_env(f->state, "i1", &n);
	assert_int_equal(n, 2);
	assert_string_equal(hosts[0]->id, "h1");
	assert_string_equal(hosts[1]->id, "h2");
	assert_non_null(state_host(f->state, "i1", "h1"));
	assert_null(state_host(f->state, "i2", "h1"));
}

static void test_twice(void **state)
{
	struct fixture *f = *state;
	struct infra_env *ie;

	state_begin(f->state);
	add_infra_env(f, "i1");
	assert_int_equal(state_add_infra_env(f->state, "i1", &ie), -EEXIST);
	assert_int_equal(state_add_infra_env(f->state,
					     "an id that is much longer than any identifier may be",
					     &ie),
			 -EINVAL);
	assert_int_equal(state_commit(f->state, NULL), 0);
}

/* A failed request leaves nothing, and the request before it in the same turn keeps everything. */
static void test_abort_takes_back_its_own_only(void **state)
{
	struct fixture *f = *state;

	state_begin(f->state);
	struct infra_env *ie = add_infra_env(f, "i1");
	struct host *h = add_host(f, "i1", "h1");
	state_begin(f->state);
	assert_int_equal(state_edit_infra_env(f->state, ie), 0);
	assert_int_equal(str_set(&ie->name, "changed"), 0);
	assert_true(state_is_changed(f->state, ie));
	add_infra_env(f, "i2");
	add_host(f, "i1", "h2");
	assert_int_equal(state_remove_host(f->state, h), 0);
	assert_null(state_host(f->state, "i1", "h1"));
	struct api_event e = { .name = strdup("x") };
	assert_int_equal(state_event(f->state, &e), 0);
	state_abort(f->state);

	assert_string_equal(ie->name, "i1");
	assert_null(state_infra_env(f->state, "i2"));
	assert_ptr_equal(state_host(f->state, "i1", "h1"), h);
	size_t n;
	(void)state_hosts_of_infra_env(f->state, "i1", &n);
	assert_int_equal(n, 1);
	assert_int_equal(state_commit(f->state, NULL), 0);
	reload(f);
	assert_string_equal(state_infra_env(f->state, "i1")->name, "i1");
	assert_null(state_infra_env(f->state, "i2"));
	assert_non_null(state_host(f->state, "i1", "h1"));
}

/* Two requests edit the same object in one turn; the second fails: the first one's change stays. */
static void test_edits_of_one_turn(void **state)
{
	struct fixture *f = *state;

	state_begin(f->state);
	struct infra_env *ie = add_infra_env(f, "i1");
	assert_int_equal(state_commit(f->state, NULL), 0);
	state_begin(f->state);
	assert_int_equal(state_edit_infra_env(f->state, ie), 0);
	assert_int_equal(str_set(&ie->name, "one"), 0);
	state_begin(f->state);
	assert_int_equal(state_edit_infra_env(f->state, ie), 0);
	assert_int_equal(str_set(&ie->name, "two"), 0);
	state_abort(f->state);
	assert_string_equal(ie->name, "one");
	assert_int_equal(state_commit(f->state, NULL), 0);
	reload(f);
	assert_string_equal(state_infra_env(f->state, "i1")->name, "one");
}

/* When the store fails, everything of the turn is taken back, in memory too. */
static void test_failed_commit(void **state)
{
	struct fixture *f = *state;

	for (int how = 0; how < 2; how++) {
		state_begin(f->state);
		struct infra_env *ie = state_infra_env(f->state, "i1");
		if (!ie) {
			ie = add_infra_env(f, "i1");
			assert_int_equal(state_commit(f->state, NULL), 0);
		}
		state_begin(f->state);
		assert_int_equal(state_edit_infra_env(f->state, ie), 0);
		assert_int_equal(str_set(&ie->name, "new"), 0);
		add_host(f, "i1", "h1");
		f->fake.fail_put_in = how ? 0 : 2;
		f->fake.fail_commit = how;
		assert_true(state_commit(f->state, NULL) < 0);
		f->fake.fail_put_in = f->fake.fail_commit = 0;
		assert_string_equal(ie->name, "i1");
		assert_null(state_host(f->state, "i1", "h1"));
		assert_false(state_is_dirty(f->state));
		reload(f);
		assert_string_equal(state_infra_env(f->state, "i1")->name, "i1");
		assert_null(state_host(f->state, "i1", "h1"));
	}
}

static void test_unchanged_edit_is_not_written(void **state)
{
	struct fixture *f = *state;

	state_begin(f->state);
	struct infra_env *ie = add_infra_env(f, "i1");
	assert_int_equal(state_commit(f->state, NULL), 0);
	f->fake.n_puts = 0;
	state_begin(f->state);
	assert_int_equal(state_edit_infra_env(f->state, ie), 0);
	assert_false(state_is_changed(f->state, ie));
	assert_int_equal(str_set(&ie->name, "i1"), 0);
	assert_false(state_is_changed(f->state, ie));
	assert_int_equal(state_commit(f->state, NULL), 0);
	assert_int_equal(f->fake.n_puts, 0);
}

static void test_clusters_and_peers(void **state)
{
	struct fixture *f = *state;
	struct cluster *c1, *c2;
	size_t n;

	state_begin(f->state);
	add_infra_env(f, "i1");
	assert_int_equal(state_add_cluster(f->state, "c1", &c1), 0);
	assert_int_equal(state_add_cluster(f->state, "c2", &c2), 0);
	struct host *h[4];
	for (int i = 0; i < 4; i++) {
		h[i] = add_host(f, "i1", (char[]){ 'h', (char)('0' + i), 0 });
		assert_int_equal(state_host_set_cluster(f->state, h[i], "c1"), 0);
	}
	const struct host *const *peers = state_peers(f->state, h[1], &n);
	assert_int_equal(n, 3);
	assert_ptr_equal(peers[0], h[0]);
	assert_ptr_equal(peers[1], h[2]);
	assert_ptr_equal(peers[2], h[3]);
	assert_int_equal(state_commit(f->state, NULL), 0);

	state_begin(f->state);
	assert_int_equal(state_host_set_cluster(f->state, h[2], "c2"), 0);
	assert_int_equal(state_host_set_cluster(f->state, h[0], ""), 0);
	(void)state_hosts_of_cluster(f->state, "c1", &n);
	assert_int_equal(n, 2);
	state_abort(f->state);
	struct host *const *hosts = state_hosts_of_cluster(f->state, "c1", &n);
	assert_int_equal(n, 4);
	for (int i = 0; i < 4; i++)
		assert_ptr_equal(hosts[i], h[i]);
	(void)state_hosts_of_cluster(f->state, "c2", &n);
	assert_int_equal(n, 0);
	(void)state_hosts_of_cluster(f->state, "none", &n);
	assert_int_equal(n, 0);
	(void)state_peers(f->state, h[0], &n);
	assert_int_equal(n, 3);
}

static void test_remove_and_add_again(void **state)
{
	struct fixture *f = *state;

	state_begin(f->state);
	add_infra_env(f, "i1");
	struct host *h = add_host(f, "i1", "h1");
	assert_int_equal(str_set(&h->user_name, "old"), 0);
	assert_int_equal(state_commit(f->state, NULL), 0);
	state_begin(f->state);
	assert_int_equal(state_remove_host(f->state, h), 0);
	h = add_host(f, "i1", "h1");
	assert_int_equal(str_set(&h->user_name, "new"), 0);
	assert_int_equal(state_commit(f->state, NULL), 0);
	reload(f);
	assert_string_equal(state_host(f->state, "i1", "h1")->user_name, "new");
	/* hosts before their infra-env, edited before */
	state_begin(f->state);
	struct infra_env *ie = state_infra_env(f->state, "i1");
	assert_int_equal(state_edit_infra_env(f->state, ie), 0);
	ie->updated_at = 7;
	assert_int_equal(state_remove_host(f->state, state_host(f->state, "i1", "h1")), 0);
	assert_int_equal(state_remove_infra_env(f->state, ie), 0);
	assert_int_equal(state_commit(f->state, NULL), 0);
	reload(f);
	assert_null(state_infra_env_at(f->state, 0));
}

static void test_handles(void **state)
{
	struct fixture *f = *state;

	state_begin(f->state);
	struct infra_env *ie = add_infra_env(f, "i1");
	assert_int_equal(state_infra_env_set_handle(f->state, ie, "first"), 0);
	assert_int_equal(state_commit(f->state, NULL), 0);
	assert_ptr_equal(state_infra_env_by_handle(f->state, "first"), ie);
	state_begin(f->state);
	assert_int_equal(state_infra_env_set_handle(f->state, ie, "second"), 0);
	assert_null(state_infra_env_by_handle(f->state, "first"));
	state_abort(f->state);
	assert_ptr_equal(state_infra_env_by_handle(f->state, "first"), ie);
	assert_null(state_infra_env_by_handle(f->state, "second"));
	reload(f);
	assert_non_null(state_infra_env_by_handle(f->state, "first"));
	assert_null(state_infra_env_by_handle(f->state, NULL));
}

static void test_checkins(void **state)
{
	struct fixture *f = *state;

	state_begin(f->state);
	add_infra_env(f, "i1");
	struct host *h = add_host(f, "i1", "h1");
	struct host *gone = add_host(f, "i1", "h2");
	assert_int_equal(state_commit(f->state, NULL), 0);
	f->fake.n_commits = 0;
	for (int i = 1; i <= 100; i++)
		state_host_checkin(f->state, h, i, 1000 + i);
	state_host_checkin(f->state, gone, 5, 0);
	assert_false(state_is_dirty(f->state));
	state_begin(f->state);
	assert_int_equal(state_remove_host(f->state, gone), 0);
	assert_int_equal(state_commit(f->state, NULL), 0);
	assert_int_equal(state_flush_checkins(f->state, NULL), 0);
	assert_int_equal(f->fake.n_commits, 2);
	assert_int_equal(state_flush_checkins(f->state, NULL), 0);
	assert_int_equal(f->fake.n_commits, 2);
	reload(f);
	assert_int_equal(state_host(f->state, "i1", "h1")->checked_in_at, 100);
	assert_int_equal(state_host(f->state, "i1", "h1")->timestamp, 1100);
}

static void test_revoked_tokens(void **state)
{
	struct fixture *f = *state;

	state_begin(f->state);
	assert_int_equal(state_token_revoke(f->state, "one"), 0);
	assert_true(state_token_is_revoked(f->state, "one"));
	state_abort(f->state);
	assert_false(state_token_is_revoked(f->state, "one"));
	state_begin(f->state);
	assert_int_equal(state_token_revoke(f->state, "two"), 0);
	assert_int_equal(state_token_revoke(f->state, "two"), 0);
	assert_int_equal(state_commit(f->state, NULL), 0);
	reload(f);
	assert_true(state_token_is_revoked(f->state, "two"));
	assert_false(state_token_is_revoked(f->state, NULL));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_add_commit_reload),
		T(test_twice),
		T(test_abort_takes_back_its_own_only),
		T(test_edits_of_one_turn),
		T(test_failed_commit),
		T(test_unchanged_edit_is_not_written),
		T(test_clusters_and_peers),
		T(test_remove_and_add_again),
		T(test_handles),
		T(test_checkins),
		T(test_revoked_tokens),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
