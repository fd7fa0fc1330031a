#include "store_rig.h"
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static int count_row(void *ctx, void *obj)
{
	++*(int *)ctx;
	model_done(MODEL_CLUSTER, obj);
	return 0;
}

static void put_clusters(struct store_rig *f, int first, int last)
{
	for (int i = first; i < last; i++) {
		struct cluster c = { 0 };
		snprintf(c.id, sizeof(c.id), "%d", i);
		assert_int_equal(
			str_set(&c.name, "a name that takes some room in a page of the file"), 0);
		assert_int_equal(f->store->ops->put(f->store, MODEL_CLUSTER, &c, NULL), 0);
		cluster_done(&c);
	}
}

/* Opens the backup as the store of another folder: its clusters. */
static int clusters_in(struct store_rig *f, const char *name)
{
	char path[64];
	int fd = unit_tmp_open(path), n = 0;
	struct store *s = NULL;
	struct fault err = FAULT_INIT;

	assert_int_equal(renameat(f->fd, name, fd, "slipway.db"), 0);
	if (store_open("sqlite", fd, store_rig_key, &s, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(s->ops->load(s, MODEL_CLUSTER, count_row, &n, NULL), 0);
	store_close(s);
	unit_tmp_close(fd, path);
	return n;
}

/* Complete in one private file, while the store goes on. */
static void test_copy(void **state)
{
	struct store_rig *f = *state;
	struct stat st;
	mode_t old;

	assert_int_equal(f->store->ops->begin(f->store, NULL), 0);
	put_clusters(f, 0, 300);
	assert_int_equal(f->store->ops->commit(f->store, NULL), 0);
	old = umask(0);
	assert_int_equal(f->store->ops->backup(f->store, f->fd, "copy", NULL), 0);
	umask(old);
	assert_int_equal(fstatat(f->fd, "copy", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(faccessat(f->fd, "copy-wal", F_OK, 0), -1);
	assert_int_equal(f->store->ops->begin(f->store, NULL), 0);
	put_clusters(f, 300, 310);
	assert_int_equal(f->store->ops->commit(f->store, NULL), 0);
	assert_int_equal(clusters_in(f, "copy"), 300);
	assert_int_equal(f->store->ops->backup(f->store, f->fd, "copy", NULL), 0);
	assert_int_equal(clusters_in(f, "copy"), 310);
}

/* Secrets stay sealed in it: without the key of this service they do not open. */
static void test_secrets(void **state)
{
	struct store_rig *f = *state;
	struct infra_env ie = { .id = "i" };
	AUTO(freep) char *data = NULL;
	size_t len;

	assert_int_equal(secret_set(&ie.pull_secret, "geheimes-pull-secret"), 0);
	assert_int_equal(f->store->ops->begin(f->store, NULL), 0);
	assert_int_equal(f->store->ops->put(f->store, MODEL_INFRA_ENV, &ie, NULL), 0);
	assert_int_equal(f->store->ops->commit(f->store, NULL), 0);
	infra_env_done(&ie);
	assert_int_equal(f->store->ops->backup(f->store, f->fd, "copy", NULL), 0);
	assert_int_equal(file_read_at(f->fd, "copy", 16u << 20, &data, &len, NULL), 0);
	assert_null(memmem(data, len, "geheimes", 8));
}

static void test_refused(void **state)
{
	static const struct {
		const char *name;
	} cases[] = { { "none/copy" }, { "folder" } };
	struct store_rig *f = *state;

	assert_int_equal(mkdirat(f->fd, "folder", 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault err = FAULT_INIT;
		assert_int_equal(f->store->ops->backup(f->store, f->fd, cases[i].name, &err), -EIO);
		assert_non_null(strstr(err.text, "backup"));
	}
	struct fault err = FAULT_INIT;
	assert_int_equal(f->store->ops->backup(f->store, -1, "copy", &err), -EIO);
	assert_true(*err.text);
}

/* No room: a sentence, and the store is as good as before. */
static void test_no_room(void **state)
{
	struct store_rig *f = *state;
	struct rlimit before, few = { .rlim_cur = 8192 };
	struct fault err = FAULT_INIT;

	assert_int_equal(f->store->ops->begin(f->store, NULL), 0);
	put_clusters(f, 0, 500);
	assert_int_equal(f->store->ops->commit(f->store, NULL), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	few.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &few), 0);
	int r = f->store->ops->backup(f->store, f->fd, "copy", &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_true(r < 0);
	assert_non_null(strstr(err.text, "backup"));
	assert_int_equal(unlinkat(f->fd, "copy", 0), 0);
	assert_int_equal(f->store->ops->backup(f->store, f->fd, "copy", NULL), 0);
	assert_int_equal(clusters_in(f, "copy"), 500);
}

#define T(name) cmocka_unit_test_setup_teardown(name, store_rig_begin, store_rig_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_copy),
		T(test_secrets),
		T(test_refused),
		T(test_no_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
