#include "ctl_rig.h"

/* Each verb has a name of its own, and those that work on a file say so. */
static void test_table(void **state)
{
	static const char *const with_fd[] = { "backup", "base-image-add", "os-image-add" };
	size_t n = 0, n_fd = 0;

	for (; ctl_verbs[n]; n++) {
		const struct ctl_verb *v = ctl_verbs[n];
		assert_non_null(v->run);
		for (size_t i = 0; i < n; i++)
			assert_string_not_equal(v->name, ctl_verbs[i]->name);
		bool wants = false;
		for (size_t i = 0; i < ARRAY_SIZE(with_fd); i++)
			wants = wants || !strcmp(v->name, with_fd[i]);
		assert_int_equal(v->needs_fd, wants);
		n_fd += v->needs_fd;
	}
	assert_int_equal(n_fd, ARRAY_SIZE(with_fd));
	assert_true(n > 10);
}

static void test_args(void **state)
{
	static const struct {
		const char *args, *want; /* NULL = none */
	} cases[] = {
		{ "{\"a\":\"x\"}", "x" }, { "{\"a\":\"\"}", NULL },    { "{\"a\":null}", NULL },
		{ "{\"a\":5}", NULL },    { "{\"a\":[\"x\"]}", NULL }, { "{\"A\":\"x\"}", NULL },
		{ "{}", NULL },           { "[\"a\"]", NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(json_decrefp) json_t *v = json_loads(cases[i].args, 0, NULL);
		struct ctl_call c = { .args = v, .fd = -1 };
		struct fault err = FAULT_INIT;
		const char *have = ctl_arg(&c, "a");
		if (!str_eq(have, cases[i].want))
			fail_msg("%s: %s", cases[i].args, have ? have : "(none)");
		assert_true(str_eq(ctl_arg_needed(&c, "a", &err), cases[i].want));
		assert_string_equal(err.text, cases[i].want ? "" : "the request names no a");
	}
	/* no arguments at all */
	struct ctl_call c = { .fd = -1 };
	assert_null(ctl_arg(&c, "a"));
}

/* A job gets a new private folder, which its cleanup removes with whatever is in it. */
static void test_job_begin(void **state)
{
	struct ctl_rig *g = *state;
	static const char *const folders[] = { "base-images", "os-images" };

	for (int kind = 0; kind < IMAGES_KIND_COUNT; kind++) {
		struct ctl_call c = { .service = &g->svc, .fd = 77 };
		struct stat st;
		assert_int_equal(ctl_job_begin(&c, (enum images_kind)kind, NULL), CTL_LATER);
		assert_true(c.has_job);
		assert_int_equal(c.job.kind, kind);
		assert_int_equal(c.job.keep_fds[0], 77);
		assert_int_equal(c.job.keep_fds[1], -1);
		assert_int_equal(strncmp(c.job.tmp, "tmp-", 4), 0);
		assert_int_equal(fstat(c.job.tmp_fd, &st), 0);
		assert_true(S_ISDIR(st.st_mode));
		assert_int_equal(st.st_mode & 07777, 0700);
		assert_int_equal(ctl_rig_entries(g, folders[kind]), 1);
		ctl_rig_put(c.job.tmp_fd, "half-made", "x", 1);
		close(c.job.tmp_fd);
		c.job.cleanup(&c);
		assert_int_equal(ctl_rig_entries(g, folders[kind]), 0);
	}
}

/* Where no folder can be made there is a sentence and no job. */
static void test_job_without_room(void **state)
{
	struct ctl_rig *g = *state;
	struct ctl_call c = { .service = &g->svc, .fd = -1 };
	struct fault err = FAULT_INIT;

	/* the folder is gone: nothing can be made in it any more */
	assert_int_equal(unlinkat(g->fd, "os-images", AT_REMOVEDIR), 0);
	assert_int_equal(ctl_job_begin(&c, IMAGES_OS, &err), -ENOENT);
	assert_non_null(strstr(err.text, "cannot make a folder"));
	assert_false(c.has_job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_args),
		CTL_TEST(test_job_begin),
		CTL_TEST(test_job_without_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
