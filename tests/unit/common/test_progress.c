#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fd.h"
#include "common/json_map.h"
#include "common/progress.h"
#include "common/str.h"

struct seen {
	unsigned calls, percent;
	char what[32];
	uint64_t done, total;
	bool went_back, stop;
	int64_t shortest_ms, last_ms;
};

static void note(void *ctx, unsigned percent, const char *what, uint64_t done, uint64_t total)
{
	struct seen *s = ctx;
	int64_t now = time_mono_ms();
	if (s->calls > 0 && strcmp(what, s->what) == 0)
		s->shortest_ms = MIN_OF(s->shortest_ms, now - s->last_ms);
	s->last_ms = now;
	s->went_back |= percent < s->percent;
	s->calls++;
	s->percent = percent;
	s->done = done;
	s->total = total;
	str_copy(s->what, sizeof(s->what), what);
}

static void pause_ms(unsigned ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000L }, NULL);
}

static void test_weighted_steps(void **state)
{
	struct seen s = { .shortest_ms = INT64_MAX };
	struct progress p;
	progress_init(&p, note, &s);
	progress_step(&p, "prepare", 100, 10);
	assert_int_equal(s.percent, 0);
	pause_ms(110);
	progress_add(&p, 5);
	assert_int_equal(s.percent, 5);
	progress_step(&p, "write", 800, 1000);
	assert_int_equal(s.percent, 10);
	assert_string_equal(s.what, "write");
	pause_ms(110);
	progress_add(&p, 500);
	assert_int_equal(s.percent, 50);
	assert_int_equal(s.done, 500);
	assert_int_equal(s.total, 1000);
	progress_step(&p, "verify", 100, 7);
	assert_int_equal(s.percent, 90);
	progress_end(&p);
	assert_int_equal(s.percent, 100);
	assert_false(s.went_back);
}

static void test_rate_limit(void **state)
{
	struct seen s = { .shortest_ms = INT64_MAX };
	struct progress p;
	progress_init(&p, note, &s);
	progress_step(&p, "write", 1000, 1000);
	int64_t end = time_mono_ms() + 450;
	for (unsigned i = 0; time_mono_ms() < end; i++) {
		progress_add(&p, 1);
		pause_ms(1);
	}
	assert_true(s.calls >= 3 && s.calls <= 6);
	assert_true(s.shortest_ms >= 100);
	/* time alone is no reason: the percentage must have changed */
	unsigned calls = s.calls;
	progress_init(&p, note, &s);
	progress_step(&p, "write", 1000, 1000000);
	calls = s.calls;
	pause_ms(110);
	progress_add(&p, 1);
	assert_int_equal(s.calls, calls);
}

static void test_too_much_never_goes_over(void **state)
{
	struct seen s = { .shortest_ms = INT64_MAX };
	struct progress p;
	progress_init(&p, note, &s);
	progress_step(&p, "a", 600, 10);
	pause_ms(110);
	progress_add(&p, 1000);
	assert_int_equal(s.percent, 60);
	progress_step(&p, "b", 600, 0); /* weights above 1000 and a step without units */
	progress_step(&p, "c", 600, UINT64_MAX);
	assert_int_equal(s.percent, 100);
	progress_add(&p, UINT64_MAX);
	progress_add(&p, UINT64_MAX);
	progress_end(&p);
	assert_int_equal(s.percent, 100);
	assert_false(s.went_back);
}

static void test_huge_totals(void **state)
{
	struct seen s = { .shortest_ms = INT64_MAX };
	struct progress p;
	progress_init(&p, note, &s);
	progress_step(&p, "write", 1000, UINT64_MAX);
	pause_ms(110);
	progress_add(&p, UINT64_MAX / 4);
	assert_int_equal(s.percent, 24);
}

static bool is_stopped(void *ctx)
{
	return ((struct seen *)ctx)->stop;
}

static void test_null_and_cancel(void **state)
{
	struct seen s = { 0 };
	struct progress p;
	progress_step(NULL, "x", 1, 1);
	progress_add(NULL, 1);
	progress_end(NULL);
	assert_false(progress_cancelled(NULL));
	progress_init(&p, NULL, &s);
	progress_step(&p, "x", 1, 1);
	assert_false(progress_cancelled(&p));
	p.cancelled = is_stopped;
	assert_false(progress_cancelled(&p));
	s.stop = true;
	assert_true(progress_cancelled(&p));
}

static void test_json_sink(void **state)
{
	int fds[2];
	char text[256] = "";
	assert_int_equal(pipe(fds), 0);
	progress_sink_json((void *)(intptr_t)fds[1], 35, "write \"image\"", 7, 20);
	close(fds[1]);
	assert_true(fd_read(fds[0], text, sizeof(text) - 1) > 0);
	close(fds[0]);
	assert_string_equal(
		text,
		"{\"percent\":35,\"step\":\"write \\\"image\\\"\",\"done\":7,\"total\":20}\n");
	progress_sink_json((void *)(intptr_t)-1, 1, "nobody reads", 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_weighted_steps),           cmocka_unit_test(test_rate_limit),
		cmocka_unit_test(test_too_much_never_goes_over), cmocka_unit_test(test_huge_totals),
		cmocka_unit_test(test_null_and_cancel),          cmocka_unit_test(test_json_sink),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
