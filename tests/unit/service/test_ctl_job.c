#include "rules_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include "service/ctl_verb.h"

struct watch {
	struct event_base *base;
	unsigned progress, calls;
	char last[256];
	int code;
	struct fault why;
};

static void on_progress(void *ctx, const char *json, size_t len)
{
	struct watch *w = ctx;
	w->progress++;
	snprintf(w->last, sizeof(w->last), "%.*s", (int)len, json);
}

static void on_done(void *ctx, int code, const struct fault *why)
{
	struct watch *w = ctx;
	w->calls++;
	w->code = code;
	w->why = *why;
	event_base_loopbreak(w->base);
}

static int work_well(const struct ctl_job *job, struct progress *p, struct fault *err)
{
	progress_step(p, "counting", 1000, 2);
	progress_add(p, 2);
	progress_end(p);
	return 0;
}

static int work_badly(const struct ctl_job *job, struct progress *p, struct fault *err)
{
	return fault_set(err, -ENOSPC, "there is \"no\" room");
}

static int work_crashes(const struct ctl_job *job, struct progress *p, struct fault *err)
{
	raise(SIGKILL);
	return 0;
}

static int work_leaves(const struct ctl_job *job, struct progress *p, struct fault *err)
{
	_exit(0);
}

static int work_for_ever(const struct ctl_job *job, struct progress *p, struct fault *err)
{
	for (;;)
		pause();
	return 0;
}

/* Of all descriptors only those named are left: the answer is their number. */
static int work_counts_descriptors(const struct ctl_job *job, struct progress *p, struct fault *err)
{
	unsigned open_ones = 0;
	for (int fd = 3; fd < 1024; fd++)
		open_ones += fcntl(fd, F_GETFD) >= 0;
	bool kept = fcntl(job->keep_fds[0], F_GETFD) >= 0 && fcntl(job->tmp_fd, F_GETFD) >= 0;
	/* the kept ones and the channel to the service */
	return kept && open_ones == 3 ? 0
				      : fault_set(err, -EIO, "%u descriptors are open", open_ones);
}

static struct watch run(struct ctl_job *job)
{
	struct watch w = { .base = event_base_new() };
	struct ctl_child *child = NULL;
	const struct timeval limit = { 20, 0 };

	assert_int_equal(ctl_child_start(w.base, job, on_progress, on_done, &w, &child, NULL), 0);
	event_base_loopexit(w.base, &limit);
	event_base_dispatch(w.base);
	ctl_child_free(child);
	event_base_free(w.base);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left */
	return w;
}

static void test_results(void **state)
{
	static const struct {
		int (*work)(const struct ctl_job *, struct progress *, struct fault *);
		int code;
		const char *text;
	} rows[] = {
		{ work_well, 0, NULL },
		{ work_badly, -ENOSPC, "there is \"no\" room" },
		{ work_crashes, -EIO, "signal 9" },
		{ work_leaves, -EIO, "without a result" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ctl_job job = { .work = rows[i].work, .keep_fds = { -1, -1 }, .tmp_fd = -1 };
		struct watch w = run(&job);
		assert_int_equal(w.calls, 1);
		assert_int_equal(w.code, rows[i].code);
		if (rows[i].text)
			assert_non_null(strstr(w.why.text, rows[i].text));
		else
			assert_non_null(strstr(w.last, "\"percent\":100"));
	}
}

static void test_descriptors(void **state)
{
	int a = open("/dev/null", O_RDONLY | O_CLOEXEC),
	    b = open("/dev/null", O_RDONLY | O_CLOEXEC), other = open("/dev/null", O_RDONLY);
	struct ctl_job job = { .work = work_counts_descriptors,
			       .keep_fds = { b, -1 },
			       .tmp_fd = a };
	struct watch w = run(&job);
	if (w.code)
		fail_msg("%s", w.why.text);
	close(a);
	close(b);
	close(other);
}

static void test_killed(void **state)
{
	struct watch w = { .base = event_base_new() };
	struct ctl_job job = { .work = work_for_ever, .keep_fds = { -1, -1 }, .tmp_fd = -1 };
	struct ctl_child *child = NULL;
	assert_int_equal(ctl_child_start(w.base, &job, on_progress, on_done, &w, &child, NULL), 0);
	ctl_child_free(child);
	assert_int_equal(w.calls, 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	event_base_free(w.base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_killed),
	};
	return FIX_RUN(tests, 0);
}
