#include "store_rig.h"
#include <sqlite3.h>
#include <sys/stat.h>

static void write_file(const struct store_rig *f, const char *name, const void *data, size_t len)
{
	int fd = openat(f->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	close(fd);
}

static bool is_there(const struct store_rig *f, const char *name)
{
	struct stat st;

	return fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int count_row(void *ctx, void *obj)
{
	++*(int *)ctx;
	model_done(MODEL_CLUSTER, obj);
	return 0;
}

static int clusters(const struct store_rig *f)
{
	int n = 0;

	assert_int_equal(f->store->ops->load(f->store, MODEL_CLUSTER, count_row, &n, NULL), 0);
	return n;
}

static void put_cluster(const struct store_rig *f, const char *id)
{
	struct cluster c = { 0 };

	strcpy(c.id, id);
	assert_int_equal(f->store->ops->begin(f->store, NULL), 0);
	assert_int_equal(f->store->ops->put(f->store, MODEL_CLUSTER, &c, NULL), 0);
	assert_int_equal(f->store->ops->commit(f->store, NULL), 0);
}

/* The file is private whatever the umask, complete at once, and found again with what was committed. */
static void test_first_start(void **state)
{
	struct store_rig *f = *state;
	struct stat st;
	mode_t old = umask(0);

	assert_int_equal(store_rig_reopen(f, NULL), 0);
	umask(old);
	assert_int_equal(fstatat(f->fd, "slipway.db", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(st.st_size > 0);
	assert_false(is_there(f, "slipway.db.new"));
	put_cluster(f, "c");
	assert_int_equal(store_rig_reopen(f, NULL), 0);
	assert_int_equal(clusters(f), 1);
}

/* An emptied file is a loss and no first start: refused with the remedy, and not touched. */
static void test_emptied(void **state)
{
	struct store_rig *f = *state;
	struct fault err = FAULT_INIT;
	struct stat st;

	assert_int_equal(store_rig_reopen(f, NULL), 0);
	put_cluster(f, "c");
	store_close(f->store);
	f->store = NULL;
	write_file(f, "slipway.db", "", 0);
	assert_int_equal(store_rig_reopen(f, &err), -EBADMSG);
	assert_null(f->store);
	assert_non_null(strstr(err.text, "slipway.db is empty"));
	assert_non_null(strstr(err.text, "from a backup, or remove it"));
	assert_int_equal(fstatat(f->fd, "slipway.db", &st, 0), 0);
	assert_int_equal(st.st_size, 0);
	/* the remedy works */
	assert_int_equal(unlinkat(f->fd, "slipway.db", 0), 0);
	assert_int_equal(store_rig_reopen(f, NULL), 0);
	assert_int_equal(clusters(f), 0);
}

/* A first start that was killed at any moment leaves nothing that the next one trips over. */
static void test_interrupted_first_start(void **state)
{
	static const char *const left[] = { "slipway.db.new", "slipway.db.new-wal",
					    "slipway.db.new-shm" };
	struct store_rig *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(left); i++)
		write_file(f, left[i], "half a store", i * 5);
	assert_int_equal(store_rig_reopen(f, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(left); i++)
		assert_false(is_there(f, left[i]));
	put_cluster(f, "c");
	assert_int_equal(clusters(f), 1);
}

/* The log of a database that was removed is not played into the new one. */
static void test_log_of_a_lost_store(void **state)
{
	struct store_rig *f = *state;
	AUTO(freep) char *log = NULL;
	size_t len;

	assert_int_equal(store_rig_reopen(f, NULL), 0);
	put_cluster(f, "old");
	assert_int_equal(file_read_at(f->fd, "slipway.db-wal", 1 << 20, &log, &len, NULL), 0);
	assert_true(len > 0);
	store_close(f->store);
	f->store = NULL;
	assert_int_equal(unlinkat(f->fd, "slipway.db", 0), 0);
	write_file(f, "slipway.db-wal", log, len);
	assert_int_equal(store_rig_reopen(f, NULL), 0);
	assert_int_equal(clusters(f), 0);
}

/* A store whose last writer was killed is complete with its log. */
static void test_log_after_a_kill(void **state)
{
	struct store_rig *f = *state;
	AUTO(freep) char *log = NULL, *db = NULL;
	size_t log_len, db_len;

	assert_int_equal(store_rig_reopen(f, NULL), 0);
	put_cluster(f, "c1");
	put_cluster(f, "c2");
	assert_int_equal(file_read_at(f->fd, "slipway.db", 1 << 22, &db, &db_len, NULL), 0);
	assert_int_equal(file_read_at(f->fd, "slipway.db-wal", 1 << 22, &log, &log_len, NULL), 0);
	store_close(f->store);
	f->store = NULL;
	write_file(f, "slipway.db", db, db_len);
	write_file(f, "slipway.db-wal", log, log_len);
	assert_int_equal(store_rig_reopen(f, NULL), 0);
	assert_int_equal(clusters(f), 2);
}

static void test_refused(void **state)
{
	static const char noise[8192] = "this is something else, and long enough for a page";
	struct store_rig *f = *state;
	struct fault err = FAULT_INIT;

	write_file(f, "slipway.db", noise, sizeof(noise));
	assert_int_equal(store_rig_reopen(f, &err), -EIO);
	assert_non_null(strstr(err.text, "not a database"));
	assert_int_equal(unlinkat(f->fd, "slipway.db", 0), 0);

	/* a link may lead out of the folder: neither followed nor replaced */
	write_file(f, "elsewhere", "", 0);
	assert_int_equal(symlinkat("elsewhere", f->fd, "slipway.db"), 0);
	assert_int_equal(store_rig_reopen(f, &err), -EINVAL);
	assert_non_null(strstr(err.text, "not a regular file"));
	assert_int_equal(unlinkat(f->fd, "slipway.db", 0), 0);
	assert_int_equal(symlinkat("nowhere", f->fd, "slipway.db"), 0);
	assert_int_equal(store_rig_reopen(f, &err), -EINVAL);
	assert_false(is_there(f, "nowhere"));
	assert_int_equal(unlinkat(f->fd, "slipway.db", 0), 0);

	assert_int_equal(mkdirat(f->fd, "slipway.db", 0700), 0);
	assert_int_equal(store_rig_reopen(f, &err), -EINVAL);
	assert_null(f->store);
}

#define T(name) cmocka_unit_test_setup_teardown(name, store_rig_folder, store_rig_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_first_start),
		T(test_emptied),
		T(test_interrupted_first_start),
		T(test_log_of_a_lost_store),
		T(test_log_after_a_kill),
		T(test_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
