/* What the clocks say: recorded, absent, damaged; and of this machine. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <time.h>
#include "tests/unit/hwprobe/tree.h"

#define RTC "sys/class/rtc/"

static void test_recorded(void **state)
{
	static const struct {
		const char *text;
		bool is_synced;
	} cases[] = {
		{ "realtime 1790000000 status 8193 maxerror 1500\n", true },
		{ "realtime 1790000000 status 64 maxerror 1500\n", false }, /* STA_UNSYNC */
	};
	for (size_t i = 0; i < 2; i++) {
		struct tree t;
		tree_init(&t);
		tree_files(&t, "clock.txt", cases[i].text, RTC "rtc0/hctosys", "0\n",
			   RTC "rtc0/since_epoch", "5\n", RTC "rtc1/hctosys", "1\n",
			   RTC "rtc1/since_epoch", "1789999990\n", RTC "rtc1/name",
			   "rtc_cmos 00:01\n", NULL);
		struct hwp_inventory *inv = tree_probe_all(&t, HWP_CLOCK);
		const struct hwp_clock *c = hwp_get_clock(inv);
		assert_int_equal(c->realtime_s.v, 1790000000);
		assert_int_equal(c->synced.v, cases[i].is_synced);
		assert_string_equal(c->synced.source, "adjtimex");
		assert_int_equal(c->max_error_us.v, 1500);
		assert_int_equal(c->rtc_s.v, 1789999990);
		assert_string_equal(c->rtc_s.source, RTC "rtc1/since_epoch");
		assert_string_equal(c->rtc_name.s, "rtc_cmos 00:01");
		char *text = hwp_to_text(inv, 0);
		assert_non_null(strstr(text, "2026-09-21 14:13:20 UTC"));
		assert_non_null(strstr(text, cases[i].is_synced
						     ? " synchronised, battery clock -10 s"
						     : "not synchronised"));
		free(text);
		text = hwp_to_json(inv, HWP_JSON_ASSISTED,
				   0); /* the agent's requests have the time */
		assert_null(strstr(text, "1790000000"));
		free(text);
		hwp_unref(inv);
		tree_done(&t);
	}
}

static void test_absent_and_damaged(void **state)
{
	struct tree t;
	struct hwp_inventory *inv = NULL;
	const struct hwp_error *errors;
	tree_init(&t);
	inv = tree_probe_all(&t, HWP_CLOCK);
	assert_null(hwp_get_clock(inv)->realtime_s.source); /* never this machine's instead */
	assert_null(hwp_get_clock(inv)->rtc_s.source);
	hwp_unref(inv);
	inv = tree_probe(&t, HWP_CPU);
	assert_null(hwp_get_clock(inv));
	hwp_unref(inv);
	tree_files(&t, "clock.txt", "yesterday\n", RTC "rtc0/since_epoch", "soon\n", NULL);
	assert_int_equal(
		tree_try(&t, (struct hwp_options){ .parts = HWP_CLOCK, .flags = HWP_MORE }, &inv),
		0);
	assert_null(hwp_get_clock(inv)->realtime_s.source);
	assert_int_equal(hwp_errors(inv, &errors), 2);
	assert_string_equal(errors[0].part, "clock");
	assert_string_equal(errors[0].source, "clock.txt");
	hwp_unref(inv);
	tree_done(&t);
}

static void test_this_machine(void **state)
{
	struct hwp_ctx *ctx = NULL;
	struct hwp_inventory *inv = NULL;
	struct hwp_options opt = { .size = sizeof(opt), .parts = HWP_CLOCK, .flags = HWP_MORE };
	int64_t before = time(NULL);
	assert_int_equal(hwp_open(&ctx, &opt), 0);
	assert_int_equal(hwp_probe(ctx, 0, &inv), 0);
	assert_in_range(hwp_get_clock(inv)->realtime_s.v, before, time(NULL));
	assert_non_null(hwp_get_clock(inv)->synced.source);
	hwp_unref(inv);
	hwp_close(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_absent_and_damaged),
		cmocka_unit_test(test_this_machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
