/* The folder of logs: what is taken, what is given, what is tidied away, and what there is room for. */
#include "logs_fixture.h"

static void put(struct api *f, const char *text)
{
	struct fault err = FAULT_INIT;
	struct host_logs_file *file;
	struct host *h = logs_host(f);

	if (host_logs_begin(f->svc.logs, h, &file, &err) < 0 ||
	    host_logs_write(file, text, strlen(text), &err) < 0)
		fail_msg("%s", fault_text(&err));
	state_begin(f->svc.state);
	assert_int_equal(state_edit_host(f->svc.state, h), 0);
	assert_int_equal(host_logs_finish(file, h, &err), 0);
	h->logs_collected_at = f->now_us;
	api_commit(f);
}

static void assert_logs(struct api *f, const char *text)
{
	char name[HOST_LOGS_NAME_LEN];
	AUTO(freep) char *data = NULL;
	uint64_t size;
	size_t len;

	assert_int_equal(host_logs_find(f->svc.logs, logs_host(f), name, &size, NULL), 0);
	assert_int_equal(size, strlen(text));
	assert_string_equal(name, API_POOL "." API_HOST ".tar.gz");
	assert_int_equal(file_read_at(host_logs_dirfd(f->svc.logs), name, 4096, &data, &len, NULL),
			 0);
	assert_string_equal(data, text);
}

static void test_newer_ones_replace(void **state)
{
	struct api *f = *state;
	char name[HOST_LOGS_NAME_LEN];
	struct fault err = FAULT_INIT;
	uint64_t size;

	assert_int_equal(host_logs_find(f->svc.logs, logs_host(f), name, &size, &err), -ENOENT);
	assert_non_null(strstr(err.text, API_HOST));
	put(f, "first");
	assert_logs(f, "first");
	put(f, "the second, which is longer");
	assert_logs(f, "the second, which is longer");
	assert_int_equal(logs_count(f), 1);
}

/* Until it is finished it is nobody's, and taken back it leaves nothing. */
static void test_abandoned(void **state)
{
	struct api *f = *state;
	struct host_logs_file *file;

	put(f, "older");
	assert_int_equal(host_logs_begin(f->svc.logs, logs_host(f), &file, NULL), 0);
	assert_int_equal(host_logs_write(file, "half", 4, NULL), 0);
	assert_logs(f, "older");
	assert_int_equal(logs_count(f), 2);
	host_logs_tidy(f->svc.logs);
	assert_int_equal(logs_count(f), 2); /* it is still on its way */
	host_logs_abandon(file);
	host_logs_abandon(NULL);
	assert_int_equal(logs_count(f), 1);
	assert_logs(f, "older");
}

/* A new start: uploads that were on their way are gone, and so is what no host owns. */
static void test_start(void **state)
{
	static const char *const strangers[] = {
		"tmp-0123456789abcdef",
		API_POOL "." API_NOBODY ".tar.gz",
		API_POOL "." API_HOST ".tar",
		"x",
	};
	struct api *f = *state;

	put(f, "kept");
	host_logs_free(f->svc.logs);
	for (size_t i = 0; i < ARRAY_SIZE(strangers); i++) {
		char path[160];
		snprintf(path, sizeof(path), "logs/%s", strangers[i]);
		assert_int_equal(file_create_at(f->fd, path, "z", 1, 0600, NULL), 0);
	}
	assert_int_equal(host_logs_new(&f->svc, &f->svc.logs, NULL), 0);
	assert_int_equal(logs_count(f), 1);
	assert_logs(f, "kept");
}

static void test_host_goes(void **state)
{
	struct api *f = *state;

	put(f, "old");
	api_call(f, "DELETE", API_HOST_PATH, NULL);
	api_expect(f, 204);
	host_logs_tidy(f->svc.logs);
	assert_int_equal(logs_count(f), 0);
}

static void test_limits(void **state)
{
	struct api *f = *state;
	struct fault err = FAULT_INIT;
	struct host_logs_file *file;

	f->config.logs_max_size = 10;
	assert_int_equal(host_logs_begin(f->svc.logs, logs_host(f), &file, NULL), 0);
	assert_int_equal(host_logs_write(file, "0123456789", 10, NULL), 0);
	assert_int_equal(host_logs_write(file, "a", 1, &err), -E2BIG);
	assert_non_null(strstr(err.text, "logs_max_size"));
	host_logs_abandon(file);

	/* the quota counts what is on its way, but not what will be replaced */
	f->config.logs_quota = 15;
	put(f, "0123456789");
	assert_int_equal(host_logs_begin(f->svc.logs, logs_host(f), &file, NULL), 0);
	assert_int_equal(host_logs_write(file, "01234567", 8, NULL), 0);
	struct host_logs_file *other;
	struct host *h = api_add_host(f, API_POOL, API_OTHER, true, HOST_INSTALLING_IN_PROGRESS);
	assert_int_equal(host_logs_begin(f->svc.logs, h, &other, &err), -EAGAIN);
	assert_non_null(strstr(err.text, "logs_quota"));
	host_logs_abandon(file);
	assert_int_equal(host_logs_begin(f->svc.logs, h, &other, NULL), 0);
	assert_int_equal(host_logs_write(other, "01234", 5, NULL), 0);
	assert_int_equal(host_logs_write(other, "5", 1, &err), -EAGAIN);
	host_logs_abandon(other);

	/* the store's share of the disk */
	f->config.logs_reserve = UINT64_MAX;
	assert_int_equal(host_logs_begin(f->svc.logs, h, &other, &err), -EAGAIN);
	assert_non_null(strstr(err.text, "logs_reserve"));
	assert_logs(f, "0123456789");
}

/* So many at once, of one infra-env and of all. */
static void test_places(void **state)
{
	struct api *f = *state;
	struct host_logs_file *files[HOST_LOGS_UPLOADS_MAX + 1];
	struct fault err = FAULT_INIT;
	struct host *pool = logs_host(f), *early;
	size_t n = 0;

	early = api_add_host(f, API_EARLY, API_OTHER, true, HOST_INSTALLING_IN_PROGRESS);
	for (; n < HOST_LOGS_UPLOADS_SHARE; n++)
		assert_int_equal(host_logs_begin(f->svc.logs, pool, &files[n], NULL), 0);
	assert_int_equal(host_logs_begin(f->svc.logs, pool, &files[n], &err), -EAGAIN);
	for (; n < HOST_LOGS_UPLOADS_MAX; n++)
		assert_int_equal(host_logs_begin(f->svc.logs, early, &files[n], NULL), 0);
	assert_int_equal(host_logs_begin(f->svc.logs, early, &files[n], &err), -EAGAIN);
	assert_non_null(strstr(err.text, "32 hosts are sending"));
	host_logs_abandon(files[0]);
	assert_int_equal(host_logs_begin(f->svc.logs, pool, &files[0], NULL), 0);
	while (n)
		host_logs_abandon(files[--n]);
	assert_int_equal(logs_count(f), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOGS_TEST(test_newer_ones_replace),
		LOGS_TEST(test_abandoned),
		LOGS_TEST(test_start),
		LOGS_TEST(test_host_goes),
		LOGS_TEST(test_limits),
		LOGS_TEST(test_places),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
