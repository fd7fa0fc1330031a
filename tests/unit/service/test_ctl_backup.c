#include "ctl_rig.h"
#include <signal.h>

static int open_in(struct ctl_rig *g, const char *name, int flags)
{
	int fd = openat(g->fd, name, flags | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

/* The file holds a store of its own, with everything that was committed. */
static void test_copy(void **state)
{
	static const uint8_t key[SEAL_KEY_LEN] = { 7 };
	struct ctl_rig *g = *state;
	AUTO(closep) int fd = open_in(g, "copy", O_RDWR | O_CREAT | O_EXCL);
	char path[64];
	struct store *store;
	struct state *s;
	unsigned before = ctl_rig_entries(g, ".");

	assert_int_equal(ctl_rig_run(g, &ctl_backup, "{}", fd, NULL, NULL), 0);
	assert_int_equal(ctl_rig_entries(g, "."), before); /* no copy of ours is left */
	int dir = unit_tmp_open(path);
	assert_int_equal(renameat(g->fd, "copy", dir, "slipway.db"), 0);
	assert_int_equal(store_open("sqlite", dir, key, &store, NULL), 0);
	assert_int_equal(state_new(store, &s, NULL), 0);
	assert_non_null(state_infra_env(s, RIG_POOL));
	assert_non_null(state_user(s, "admin"));
	state_free(s);
	store_close(store);
	unit_tmp_close(dir, path);
}

/* Descriptors that are no file to write into: a sentence, nothing is left, and the next backup works. */
static void test_other_descriptors(void **state)
{
	struct ctl_rig *g = *state;
	int pair[2];
	unsigned before = ctl_rig_entries(g, ".") + 1; /* read-only */

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	close(pair[1]);
	signal(SIGPIPE, SIG_IGN);
	ctl_rig_put(g->fd, "read-only", "precious", 8);
	const int fds[] = {
		open_in(g, "read-only", O_RDONLY),
		open_in(g, "read-only", O_PATH),
		open_in(g, ".", O_RDONLY | O_DIRECTORY),
		open("/dev/full", O_WRONLY | O_CLOEXEC),
		pair[0],
	};
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		struct fault err = FAULT_INIT;
		int r = ctl_rig_run(g, &ctl_backup, "{}", fds[i], NULL, &err);
		if (r >= 0 || !*err.text)
			fail_msg("descriptor %zu: %d %s", i, r, err.text);
		close(fds[i]);
		assert_int_equal(ctl_rig_entries(g, "."), before);
	}
	AUTO(freep) char *data = NULL;
	size_t len;
	assert_int_equal(file_read_at(g->fd, "read-only", 100, &data, &len, NULL), 0);
	assert_string_equal(data, "precious");
	AUTO(closep) int fd = open_in(g, "copy", O_RDWR | O_CREAT | O_EXCL);
	assert_int_equal(ctl_rig_run(g, &ctl_backup, "{}", fd, NULL, NULL), 0);
}

static const struct store_ops without_backup = { .name = "other" };

/* Another back end says whose tools do it. */
static void test_not_supported(void **state)
{
	struct ctl_rig *g = *state;
	const struct store_ops *real = g->store->ops;
	struct fault err = FAULT_INIT;
	json_t *v = NULL;
	struct ctl_call c = { .service = &g->svc, .fd = -1 };

	g->store->ops = &without_backup;
	int r = ctl_backup.run(&c, &v, &err);
	g->store->ops = real;
	assert_int_equal(r, -ENOTSUP);
	assert_non_null(strstr(err.text, "the store other has its own tools"));
	assert_true(ctl_backup.needs_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CTL_TEST(test_copy),
		CTL_TEST(test_other_descriptors),
		CTL_TEST(test_not_supported),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
