/* When the last inventory still holds, and when the machine must be looked at again. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "agent/inventory_cache.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"

struct rig {
	struct event_base *base;
	struct hwp_ctx *ctx;
	struct inventory_cache c;
	char dir[64], mounts[80], swaps[80];
};

#define MOUNTS "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
#define SWAPS "Filename Type Size Used Priority\n/dev/sda2 partition 1000 0 -2\n"

static void put(const char *path, const char *text)
{
	assert_int_equal(file_replace_at(AT_FDCWD, path, text, strlen(text), 0600, NULL), 0);
}

static void open_rig(struct rig *r)
{
	/* Nothing that a test machine may refuse: an inventory with errors is another case. */
	const struct hwp_options options = { .size = sizeof(options), .flags = HWP_NO_DEVICE_READ };

	r->base = event_base_new();
	assert_int_equal(hwp_open(&r->ctx, &options), 0);
	inventory_cache_init(&r->c, r->base, r->ctx);
	r->c.mounts = r->mounts;
	r->c.swaps = r->swaps;
	assert_non_null(r->c.monitor);
}

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	str_copy(r->dir, sizeof(r->dir), "/tmp/inventory_cache.XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	snprintf(r->mounts, sizeof(r->mounts), "%s/mountinfo", r->dir);
	snprintf(r->swaps, sizeof(r->swaps), "%s/swaps", r->dir);
	put(r->mounts, MOUNTS);
	put(r->swaps, SWAPS);
	open_rig(r);
	/* Other tests make loop devices meanwhile, of which this one would hear: TPMs are rarely plugged in. */
	hwp_monitor_close(r->c.monitor);
	assert_int_equal(hwp_monitor_open(r->ctx, HWP_TPM, &r->c.monitor), 0);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	inventory_cache_done(&r->c);
	hwp_close(r->ctx);
	event_base_free(r->base);
	int status = dir_remove_at(AT_FDCWD, r->dir, NULL);
	free(r);
	return status;
}

static void take(struct rig *r, int want)
{
	assert_int_equal(inventory_cache_probe(&r->c, r->ctx), want);
	assert_non_null(r->c.text);
	assert_non_null(r->c.last);
}

static void test_nothing_is_fresh_before_the_first(void **state)
{
	struct rig *r = *state;

	assert_false(inventory_cache_is_fresh(&r->c, time_mono_ms()));
	take(r, 1);
	assert_true(inventory_cache_is_fresh(&r->c, time_mono_ms()));
	assert_true(inventory_cache_is_fresh(&r->c, time_mono_ms()));
}

static void test_age(void **state)
{
	struct rig *r = *state;

	take(r, 1);
	int64_t max_ms = hwp_errors(r->c.last, NULL) ? INVENTORY_BAD_AGE_MAX_MS
						     : INVENTORY_AGE_MAX_MS;
	assert_true(inventory_cache_is_fresh(&r->c, r->c.taken_ms + max_ms - 1));
	assert_false(inventory_cache_is_fresh(&r->c, r->c.taken_ms + max_ms));
}

/* The clock of the CPU differs from look to look on many machines; the text does not. */
static void test_equal_keeps_the_text(void **state)
{
	struct rig *r = *state;

	take(r, 1);
	const char *text = r->c.text;
	AUTO(freep) char *copy = str_dup(text);
	r->c.taken_ms = 0;
	for (int i = 0; i < 3; i++)
		take(r, 0);
	assert_ptr_equal(r->c.text, text);
	assert_string_equal(r->c.text, copy);
	assert_true(r->c.taken_ms > 0); /* it is as good as new */
}

/* News do not put off the look at what announces nothing. */
static void test_news_do_not_keep_it_young(void **state)
{
	struct rig *r = *state;

	take(r, 1);
	int64_t first_ms = r->c.taken_ms -= INVENTORY_BAD_AGE_MAX_MS / 2;
	r->c.changed |= HWP_TPM;
	take(r, 0);
	assert_int_equal(r->c.taken_ms, first_ms);
	r->c.taken_ms -= INVENTORY_AGE_MAX_MS;
	take(r, 0);
	assert_true(r->c.taken_ms > first_ms);
}

/* The limit's text is as good as any: made when the limit comes, kept while it stays. */
static void test_limit(void **state)
{
	struct rig *r = *state;

	take(r, 1);
	size_t len = strlen(r->c.text);
	inventory_cache_limit(&r->c, 0);
	assert_true(inventory_cache_is_fresh(&r->c, time_mono_ms()));
	inventory_cache_limit(&r->c, 200);
	assert_false(inventory_cache_is_fresh(&r->c, time_mono_ms()));
	take(r, 1);
	assert_in_range(strlen(r->c.text), 2, 200);
	take(r, 0);
	inventory_cache_limit(&r->c, 200);
	assert_true(inventory_cache_is_fresh(&r->c, time_mono_ms()));
	inventory_cache_limit(&r->c, 0);
	take(r, 1);
	assert_in_range(strlen(r->c.text), len - 32, len + 32); /* but for the CPU's clock */
}

static void test_announced_change(void **state)
{
	struct rig *r = *state;

	take(r, 1);
	r->c.changed |= HWP_DISKS;
	assert_false(inventory_cache_is_fresh(&r->c, time_mono_ms()));
	assert_false(
		inventory_cache_is_fresh(&r->c, time_mono_ms())); /* asking does not settle it */
	take(r, 0);
	assert_true(inventory_cache_is_fresh(&r->c, time_mono_ms()));
}

/* Each row: what the files say then, and whether the old inventory still holds. */
static void test_silent_sources(void **state)
{
	static const struct {
		const char *what, *mounts, *swaps;
		bool is_fresh;
	} rows[] = {
		{ "the same", MOUNTS, SWAPS, true },
		{ "another mount", MOUNTS "22 21 8:17 / /mnt rw - ext4 /dev/sdb1 rw\n", SWAPS,
		  false },
		{ "no mount", "", SWAPS, false },
		{ "more of it used", MOUNTS,
		  "Filename Type Size Used Priority\n/dev/sda2 partition 1000 512 -2\n", true },
		{ "another swap area", MOUNTS, SWAPS "/dev/sdb partition 1000 0 -3\n", false },
		{ "no swap area", MOUNTS, "Filename Type Size Used Priority\n", false },
		{ "no such file", MOUNTS, NULL, false },
	};
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		put(r->mounts, MOUNTS);
		put(r->swaps, SWAPS);
		(void)inventory_cache_probe(&r->c, r->ctx);
		put(r->mounts, rows[i].mounts);
		if (rows[i].swaps)
			put(r->swaps, rows[i].swaps);
		else
			unlink(r->swaps);
		if (inventory_cache_is_fresh(&r->c, time_mono_ms()) != rows[i].is_fresh)
			fail_msg("%s: %s", rows[i].what, rows[i].is_fresh ? "not fresh" : "fresh");
		/* Nobody says what it was: everything is looked at. */
		int64_t before_ms = --r->c.taken_ms;
		(void)inventory_cache_probe(&r->c, r->ctx);
		assert_int_equal(r->c.taken_ms == before_ms, rows[i].is_fresh);
		assert_true(inventory_cache_is_fresh(&r->c, time_mono_ms()));
	}
}

/* What cannot be read may have changed. */
static void test_unreadable_source(void **state)
{
	struct rig *r = *state;

	r->c.mounts = r->dir;
	take(r, 1);
	assert_false(inventory_cache_is_fresh(&r->c, time_mono_ms()));
}

/* A recorded machine has no monitor: each question means a probe. */
static void test_without_monitor(void **state)
{
	const struct hwp_options options = { .size = sizeof(options),
					     .sysroot = "tests/data/roots/arm-devicetree/root" };
	struct inventory_cache c = { 0 };
	struct hwp_ctx *ctx;
	struct event_base *base = event_base_new();

	assert_int_equal(hwp_open(&ctx, &options), 0);
	inventory_cache_init(&c, base, ctx);
	assert_null(c.monitor);
	assert_int_equal(inventory_cache_probe(&c, ctx), 1);
	assert_false(inventory_cache_is_fresh(&c, time_mono_ms()));
	assert_int_equal(inventory_cache_probe(&c, ctx), 0);
	inventory_cache_done(&c);
	assert_null(c.text);
	hwp_close(ctx);
	event_base_free(base);
}

/* --- a real event: in a process of its own, whose network namespace nobody shares ---------------- */

static int bring_up_loopback(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	AUTO(closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return ioctl(fd, SIOCSIFFLAGS, &ifr);
}

/* Loop devices of other tests and IPv6 addresses that settle are news, too, but they end. */
static bool becomes_fresh(struct rig *r)
{
	for (int i = 0; i < 200; i++) {
		if (inventory_cache_is_fresh(&r->c, time_mono_ms()))
			return true;
		usleep(50000);
		if (inventory_cache_probe(&r->c, r->ctx) < 0)
			return false;
	}
	return false;
}

/* The test's number of the first thing that is not as it should be; 0 = all is well, 100 = not possible here. */
static int see_loopback(struct rig *r)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 && unshare(CLONE_NEWNET) < 0)
		return 100;
	open_rig(r);
	if (inventory_cache_probe(&r->c, r->ctx) != 1)
		return 1;
	if (strstr(r->c.text, "127.0.0.1"))
		return 2;
	if (!becomes_fresh(r))
		return 3;
	if (bring_up_loopback() < 0)
		return 100;
	if (inventory_cache_is_fresh(&r->c, time_mono_ms()))
		return 4;
	int64_t before_ms = --r->c.taken_ms;
	if (inventory_cache_probe(&r->c, r->ctx) != 1)
		return 5;
	if (!strstr(r->c.text, "127.0.0.1/8"))
		return 6;
	if (r->c.taken_ms != before_ms)
		return 8; /* everything was looked at for it */
	return becomes_fresh(r) ? 0 : 7;
}

static void test_a_link_comes_up(void **state)
{
	struct rig *r = *state, own = *r;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		own.c = (struct inventory_cache){ 0 };
		_exit(see_loopback(&own));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 100) {
		print_message("no network namespace can be made here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_nothing_is_fresh_before_the_first),
		CASE(test_age),
		CASE(test_equal_keeps_the_text),
		CASE(test_limit),
		CASE(test_news_do_not_keep_it_young),
		CASE(test_announced_change),
		CASE(test_silent_sources),
		CASE(test_unreadable_source),
		CASE(test_without_monitor),
		CASE(test_a_link_comes_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
