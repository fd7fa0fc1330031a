#include "fake_slipwayd.h"

/* @replies to one request with @args (taken) and @fd; ctl_request()'s result. */
static int ask(struct fake *f, const struct fake_reply *replies, json_t *args, int fd, json_t **ret,
	       struct fault *err)
{
	fake_begin(f, replies);
	capture_begin(&f->text);
	int r = ctl_request(&f->ctl, "verb", args, fd, ret, err);
	capture_end(&f->text);
	fake_end(f);
	return r;
}

static void test_result(void **state)
{
	static const struct fake_reply replies[] = { { CTL_PROGRESS,
						       "{\"percent\":10,\"step\":\"a\"}", 0 },
						     { 77, "{\"of\":\"a later version\"}", 0 },
						     { CTL_RESULT, "{\"ok\":true,\"n\":5}", 0 },
						     { 0, NULL, 0 } };
	struct fake *f = *state;
	AUTO(json_decrefp) json_t *v = NULL;
	AUTO(closep) int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_int_equal(ask(f, replies, json_pack("{s:s}", "key", "value"), fd, &v, NULL), 0);
	assert_int_equal(json_i64(v, "n"), 5);
	fake_asked(f, "verb", "{\"key\":\"value\"}");
	assert_string_equal(f->fd_kind, "other");
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC); /* still the caller's */
	/* without arguments there is an empty object, and nothing is passed along */
	AUTO(json_decrefp) json_t *w = NULL;
	assert_int_equal(ask(f, replies, NULL, -1, &w, NULL), 0);
	fake_asked(f, "verb", "{}");
	assert_string_equal(f->fd_kind, "none");
}

/* A log gets a line for every ten per cent and every step, not for every frame. */
static void test_progress(void **state)
{
	static const struct fake_reply replies[] = {
		{ CTL_PROGRESS, "{\"percent\":0,\"step\":\"copying\"}", 0 },
		{ CTL_PROGRESS, "{\"percent\":9,\"step\":\"copying\"}", 0 },
		{ CTL_PROGRESS, "{\"percent\":10,\"step\":\"copying\"}", 0 },
		{ CTL_PROGRESS, "{\"percent\":55,\"step\":\"copying\"}", 0 },
		{ CTL_PROGRESS, "{\"percent\":55,\"step\":\"checking\"}", 0 },
		{ CTL_PROGRESS, "{}", 0 },
		{ CTL_PROGRESS, "{\"percent\":\"x\",\"step\":7}", 0 },
		{ CTL_RESULT, "{\"ok\":true}", 0 },
		{ 0, NULL, 0 }
	};
	struct fake *f = *state;
	AUTO(json_decrefp) json_t *v = NULL;

	assert_int_equal(ask(f, replies, NULL, -1, &v, NULL), 0);
	assert_string_equal(f->text.err,
			    "copying: 0 %\ncopying: 10 %\ncopying: 50 %\nchecking: 50 %\n: 0 %\n");
	assert_string_equal(f->text.out, "");
}

static void test_refusals(void **state)
{
	static const struct {
		struct fake_reply replies[3];
		int want;
		const char *says;
	} cases[] = {
		{ { { CTL_RESULT, "{\"ok\":false,\"error\":\"there is none\"}", 0 } },
		  -EIO,
		  "there is none" },
		{ { { CTL_RESULT, "{\"ok\":false}", 0 } }, -EIO, "gave no reason" },
		{ { { CTL_RESULT, "{}", 0 } }, -EIO, "gave no reason" },
		{ { { CTL_RESULT, "{\"ok\":1,\"error\":5}", 0 } }, -EIO, "gave no reason" },
		{ { { CTL_RESULT, "{\"ok\":true", 0 } }, -EPROTO, "" },
		{ { { CTL_RESULT, "\xff\xfe", 0 } }, -EPROTO, "" },
		{ { { CTL_PROGRESS, "{\"percent\":1}", 0 } }, -ECONNRESET, "ended the connection" },
		{ { { 0, NULL, 0 } }, -ECONNRESET, "ended the connection" },
		{ { { CTL_PROGRESS, "[", 0 }, { CTL_RESULT, "{\"ok\":true}", 0 } }, -EPROTO, "" },
	};
	struct fake *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault err = FAULT_INIT;
		json_t *v = NULL;
		int r = ask(f, cases[i].replies, NULL, -1, &v, &err);
		if (r != cases[i].want || !strstr(err.text, cases[i].says) || !*err.text || v)
			fail_msg("case %zu: %d %s", i, r, err.text);
	}
}

/* A frame above the limit is not waited for. */
static void test_too_long(void **state)
{
	struct fake *f = *state;
	AUTO(freep) char *big = malloc(CTL_MAX + 2);
	struct fault err = FAULT_INIT;
	json_t *v = NULL;

	memset(big, ' ', CTL_MAX + 1);
	memcpy(big, "{\"ok\":true}", 11);
	const struct fake_reply above[] = { { CTL_RESULT, big, CTL_MAX + 1 }, { 0, NULL, 0 } };
	fake_begin(f, above);
	int r = ctl_request(&f->ctl, "verb", NULL, -1, &v, &err);
	assert_int_equal(r, -EPROTO);
	assert_non_null(strstr(err.text, "cannot read the answer"));
	assert_null(v);
	assert_int_equal(waitpid(f->pid, NULL, 0), f->pid);
	/* at the limit it is taken */
	const struct fake_reply at[] = { { CTL_RESULT, big, CTL_MAX }, { 0, NULL, 0 } };
	assert_int_equal(ask(f, at, NULL, -1, &v, NULL), 0);
	json_decref(v);
}

/* Nobody there: what to look at is in the sentence. */
static void test_nobody(void **state)
{
	struct fake *f = *state;
	struct fault err = FAULT_INIT;
	json_t *v = NULL;
	char path[160];

	assert_int_equal(ctl_request(&f->ctl, "verb", json_object(), -1, &v, &err), -ENOENT);
	assert_non_null(strstr(err.text, "is it running?"));
	assert_non_null(strstr(err.text, f->dir));
	/* left by one that was killed */
	close(fake_listen(f));
	assert_int_equal(ctl_request(&f->ctl, "verb", json_object(), -1, &v, &err), -ECONNREFUSED);
	assert_non_null(strstr(err.text, "is it running?"));
	/* something else under that name */
	fake_path(f, CTL_SOCKET_NAME, path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(file_create_at(AT_FDCWD, path, "", 0, 0600, NULL), 0);
	assert_int_equal(ctl_request(&f->ctl, "verb", NULL, -1, &v, &err), -ECONNREFUSED);
	f->ctl.state_dir = path;
	assert_int_equal(ctl_request(&f->ctl, "verb", NULL, -1, &v, &err), -ENOTDIR);
	f->ctl.state_dir = "/none/at/all";
	assert_int_equal(ctl_request(&f->ctl, "verb", NULL, -1, &v, &err), -ENOENT);
	assert_non_null(strstr(err.text, "cannot open the state folder /none/at/all"));
	assert_null(v);
}

/* A state folder whose path is longer than a socket address. */
static void test_long_path(void **state)
{
	static const struct fake_reply replies[] = { { CTL_RESULT, "{\"ok\":true}", 0 },
						     { 0, NULL, 0 } };
	struct fake *f = *state;
	char path[400], sub[200];
	AUTO(json_decrefp) json_t *v = NULL;

	memset(sub, 'd', sizeof(sub));
	sub[199] = '\0';
	snprintf(path, sizeof(path), "%s/%s", f->dir, sub);
	assert_int_equal(mkdir(path, 0700), 0);
	fake_begin(f, replies);
	char from[160], to[500];
	fake_path(f, CTL_SOCKET_NAME, from);
	snprintf(to, sizeof(to), "%s/" CTL_SOCKET_NAME, path);
	assert_int_equal(rename(from, to), 0);
	f->ctl.state_dir = path;
	assert_int_equal(ctl_request(&f->ctl, "verb", NULL, -1, &v, NULL), 0);
	f->ctl.state_dir = f->dir;
	fake_end(f);
}

static void test_simple(void **state)
{
	struct fake *f = *state;
	static const struct fake_reply good[] = {
		{ CTL_RESULT, "{\"ok\":true,\"b\":1,\"a\":2}", 0 }, { 0, NULL, 0 }
	};
	static const struct fake_reply bad[] = { { CTL_RESULT, "{\"error\":\"no\"}", 0 },
						 { 0, NULL, 0 } };
	static const struct {
		const struct fake_reply *replies;
		bool json;
		int status;
		const char *out, *err;
	} cases[] = {
		{ good, false, EXIT_DONE, "", "" },
		{ good, true, EXIT_DONE, "{\n  \"a\": 2,\n  \"b\": 1,\n  \"ok\": true\n}\n", "" },
		{ bad, false, EXIT_FAILED, "", "slipwayctl: no\n" },
		{ bad, true, EXIT_FAILED, "", "slipwayctl: no\n" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		f->ctl.json = cases[i].json;
		fake_begin(f, cases[i].replies);
		capture_begin(&f->text);
		int status = ctl_simple(&f->ctl, "verb", NULL, -1);
		capture_end(&f->text);
		fake_end(f);
		assert_int_equal(status, cases[i].status);
		assert_string_equal(f->text.out, cases[i].out);
		assert_string_equal(f->text.err, cases[i].err);
	}
	struct ctl ctl = { 0 };
	assert_int_equal(ctl_set_json(&ctl, "", NULL), 0);
	assert_true(ctl.json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAKE_TEST(test_result),   FAKE_TEST(test_progress), FAKE_TEST(test_refusals),
		FAKE_TEST(test_too_long), FAKE_TEST(test_nobody),   FAKE_TEST(test_long_path),
		FAKE_TEST(test_simple),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
