#include "rules_fixture.h"
#include "service/connection.h"

#define MIN_US (60 * 1000000ll)

struct refresh_case {
	const char *what;
	bool bound;
	enum host_status from;
	void (*prepare)(struct fixture *f);
	const char *path, *json; /* of the inventory; path "" = none */
	enum host_status to;
	const char *info; /* part of it; NULL = untouched */
};

static void silent(struct fixture *f)
{
	f->host.checked_in_at = FIX_NOW_US - 3 * MIN_US - 1;
}

static void nearly_silent(struct fixture *f)
{
	f->host.checked_in_at = FIX_NOW_US - 3 * MIN_US;
}

static void media_lost(struct fixture *f)
{
	f->host.media_disconnected = 2;
}

static void ready(struct fixture *f)
{
	fix_api_vip(f, true);
}

static void vip_failed(struct fixture *f)
{
	str_set(&f->host.api_vip_connectivity,
		"{\"download_error\":\"refused\",\"url\":\"http://x\"}");
}

static void waits_since(struct fixture *f, int64_t us)
{
	f->host.status_updated_at = FIX_NOW_US - us;
}

static void waits_20(struct fixture *f)
{
	waits_since(f, 20 * MIN_US);
}

static void waits_19(struct fixture *f)
{
	waits_since(f, 20 * MIN_US - 1);
}

static void stage(struct fixture *f, enum stage s, int64_t started_us, int64_t updated_us)
{
	f->host.stage = s;
	f->host.stage_started_at = FIX_NOW_US - started_us;
	f->host.stage_updated_at = FIX_NOW_US - updated_us;
}

static void writing_slowly(struct fixture *f)
{
	stage(f, STAGE_WRITING_IMAGE, 90 * MIN_US, 29 * MIN_US);
}

static void writing_stuck(struct fixture *f)
{
	stage(f, STAGE_WRITING_IMAGE, 90 * MIN_US, 30 * MIN_US);
}

static void starting_stuck(struct fixture *f)
{
	stage(f, STAGE_STARTING_INSTALLATION, 30 * MIN_US, MIN_US);
}

static void rebooting(struct fixture *f)
{
	silent(f);
	stage(f, STAGE_REBOOTING, 39 * MIN_US, 39 * MIN_US);
}

static void rebooting_stuck(struct fixture *f)
{
	silent(f);
	stage(f, STAGE_REBOOTING, 40 * MIN_US, 40 * MIN_US);
}

static void done_and_silent(struct fixture *f)
{
	silent(f);
	stage(f, STAGE_DONE, 90 * MIN_US, 90 * MIN_US);
}

static const struct refresh_case cases[] = {
	{ "pool, no inventory", false, HOST_DISCOVERING_UNBOUND, NULL, "", NULL,
	  HOST_DISCOVERING_UNBOUND, "inventory" },
	{ "pool, enough", false, HOST_DISCOVERING_UNBOUND, NULL, "hostname", "\"w1\"",
	  HOST_KNOWN_UNBOUND, "can be bound" },
	{ "pool, a smaller disk is enough", false, HOST_DISCOVERING_UNBOUND, NULL,
	  "disks.0.size_bytes", "50000000000", HOST_KNOWN_UNBOUND, "" },
	{ "pool, no route is needed yet", false, HOST_DISCOVERING_UNBOUND, NULL, "routes", "[]",
	  HOST_KNOWN_UNBOUND, "" },
	{ "pool, too small", false, HOST_KNOWN_UNBOUND, NULL, "cpu.count", "1",
	  HOST_INSUFFICIENT_UNBOUND, "any role needs 2" },
	{ "pool, bad name", false, HOST_KNOWN_UNBOUND, NULL, "hostname", "\"localhost\"",
	  HOST_INSUFFICIENT_UNBOUND, "localhost" },
	{ "pool, silent", false, HOST_KNOWN_UNBOUND, silent, "hostname", "\"w1\"",
	  HOST_DISCONNECTED_UNBOUND, "stopped talking" },
	{ "pool, at the limit", false, HOST_KNOWN_UNBOUND, nearly_silent, "hostname", "\"w1\"",
	  HOST_KNOWN_UNBOUND, "" },
	{ "pool, medium lost", false, HOST_KNOWN_UNBOUND, media_lost, "hostname", "\"w1\"",
	  HOST_DISCONNECTED_UNBOUND, "medium" },
	{ "pool, back again", false, HOST_DISCONNECTED_UNBOUND, NULL, "hostname", "\"w1\"",
	  HOST_KNOWN_UNBOUND, "" },
	{ "bound, no inventory", true, HOST_DISCOVERING, NULL, "", NULL, HOST_DISCOVERING,
	  "inventory" },
	{ "bound, back without inventory", true, HOST_DISCONNECTED, NULL, "", NULL,
	  HOST_DISCOVERING, "inventory" },
	{ "bound, waits for the download", true, HOST_DISCOVERING, NULL, "hostname", "\"w1\"",
	  HOST_INSUFFICIENT, "Waiting for the host to try" },
	{ "bound, download failed", true, HOST_KNOWN, vip_failed, "hostname", "\"w1\"",
	  HOST_INSUFFICIENT, "refused" },
	{ "bound, all well", true, HOST_INSUFFICIENT, ready, "hostname", "\"w1\"", HOST_KNOWN,
	  "can be installed" },
	{ "bound, small disk", true, HOST_INSUFFICIENT, ready, "disks.0.size_bytes", "50000000000",
	  HOST_INSUFFICIENT, "The hardware is not enough: " },
	{ "bound, no route", true, HOST_KNOWN, ready, "routes", "[]", HOST_INSUFFICIENT,
	  "default route" },
	{ "bound, silent", true, HOST_KNOWN, silent, "hostname", "\"w1\"", HOST_DISCONNECTED, "" },
	{ "installing, just asked", true, HOST_INSTALLING, waits_19, "hostname", "\"w1\"",
	  HOST_INSTALLING, NULL },
	{ "installing, never began", true, HOST_INSTALLING, waits_20, "hostname", "\"w1\"",
	  HOST_ERROR, "never reported" },
	{ "installing, silent", true, HOST_INSTALLING, silent, "hostname", "\"w1\"", HOST_ERROR,
	  "middle" },
	{ "starting too long", true, HOST_INSTALLING_IN_PROGRESS, starting_stuck, "hostname",
	  "\"w1\"", HOST_ERROR, "Starting installation" },
	{ "writing slowly", true, HOST_INSTALLING_IN_PROGRESS, writing_slowly, "hostname", "\"w1\"",
	  HOST_INSTALLING_IN_PROGRESS, NULL },
	{ "writing stands still", true, HOST_INSTALLING_IN_PROGRESS, writing_stuck, "hostname",
	  "\"w1\"", HOST_ERROR, "Writing image to disk" },
	{ "rebooting", true, HOST_INSTALLING_IN_PROGRESS, rebooting, "hostname", "\"w1\"",
	  HOST_INSTALLING_IN_PROGRESS, NULL },
	{ "did not come back", true, HOST_INSTALLING_IN_PROGRESS, rebooting_stuck, "hostname",
	  "\"w1\"", HOST_INSTALLING_PENDING_USER_ACTION, "boot order" },
	{ "joined and silent", true, HOST_ADDED_TO_EXISTING_CLUSTER, done_and_silent, "hostname",
	  "\"w1\"", HOST_ADDED_TO_EXISTING_CLUSTER, NULL },
	{ "error stays", true, HOST_ERROR, silent, "hostname", "\"w1\"", HOST_ERROR, NULL },
	{ "binding stays", false, HOST_BINDING, silent, "hostname", "\"w1\"", HOST_BINDING, NULL },
};

static void run_case(const struct refresh_case *c)
{
	struct fixture f;
	struct fault err = FAULT_INIT;
	bool changed = false;
	print_message("%s\n", c->what);
	fix_init(&f, c->bound);
	f.host.status = c->from;
	f.host.status_updated_at = FIX_NOW_US - 1000;
	if (*c->path) {
		AUTO(freep) char *text = fix_changed(c->path, c->json);
		fix_post(&f, text);
	}
	if (c->prepare)
		c->prepare(&f);
	int64_t before = f.host.status_updated_at;
	if (host_refresh(&f.ctx, &f.host, &changed, &err) != 0)
		fail_msg("%s", fault_text(&err));
	assert_string_equal(host_status_name(f.host.status), host_status_name(c->to));
	assert_int_equal(changed, c->from != c->to);
	assert_int_equal(f.host.status_updated_at == before, c->from == c->to);
	if (!c->info)
		assert_null(f.host.status_info);
	else if (!strstr(f.host.status_info, c->info))
		fail_msg("\"%s\" does not say \"%s\"", f.host.status_info, c->info);

	/* a second look changes nothing */
	assert_int_equal(host_refresh(&f.ctx, &f.host, &changed, &err), 0);
	assert_false(changed);
	fix_done(&f);
}

static void test_table(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		run_case(&cases[i]);
}

/* What a host says of itself stays readable when it begins a new life. */
static void test_validations_are_kept(void **state)
{
	struct fixture f;
	bool changed;
	fix_init(&f, true);
	str_set(&f.host.validations_info, "{\"old\":[]}");
	assert_int_equal(host_refresh(&f.ctx, &f.host, &changed, NULL), 0);
	assert_string_equal(f.host.validations_info, "{\"old\":[]}");
	fix_post(&f, fix_inventory);
	assert_int_equal(host_refresh(&f.ctx, &f.host, &changed, NULL), 0);
	assert_non_null(strstr(f.host.validations_info, "has-inventory"));
	fix_done(&f);
}

static const struct {
	enum host_status status;
	void (*prepare)(struct fixture *f);
	int64_t want_us; /* after now; -1 = never */
} timers[] = {
	{ HOST_KNOWN, NULL, 3 * MIN_US - 1000000 + 1 },
	{ HOST_DISCONNECTED, silent, -1 },
	{ HOST_ERROR, NULL, -1 },
	{ HOST_BINDING, NULL, -1 },
	{ HOST_INSTALLING, waits_19, 1 },
	{ HOST_INSTALLING_IN_PROGRESS, writing_slowly, MIN_US },
	{ HOST_INSTALLING_IN_PROGRESS, rebooting, MIN_US },
	{ HOST_ADDED_TO_EXISTING_CLUSTER, done_and_silent, -1 },
};

static void test_next_refresh(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(timers); i++) {
		struct fixture f;
		fix_init(&f, true);
		f.host.status = timers[i].status;
		f.host.status_updated_at = FIX_NOW_US;
		if (timers[i].prepare)
			timers[i].prepare(&f);
		int64_t want = timers[i].want_us < 0 ? 0 : FIX_NOW_US + timers[i].want_us;
		assert_int_equal(host_next_refresh_us(&f.ctx, &f.host), want);
		fix_done(&f);
	}
}

/* The moment that was announced is the moment at which the state moves. */
static void test_timer_and_rule_agree(void **state)
{
	struct fixture f;
	bool changed;
	fix_init(&f, false);
	fix_post(&f, fix_inventory);
	f.host.status = HOST_KNOWN_UNBOUND;
	f.ctx.now_us = host_next_refresh_us(&f.ctx, &f.host) - 1;
	assert_int_equal(host_refresh(&f.ctx, &f.host, &changed, NULL), 0);
	assert_false(changed);
	f.ctx.now_us++;
	assert_int_equal(host_refresh(&f.ctx, &f.host, &changed, NULL), 0);
	assert_int_equal(f.host.status, HOST_DISCONNECTED_UNBOUND);
	fix_done(&f);
}

/* Nothing is counted from before the start of the service, or from before its clock was set. */
static void test_silence_from(void **state)
{
	struct fixture f;
	fix_init(&f, true);
	int64_t limit = (int64_t)f.config.max_disconnection_ms * 1000 + 1;
	int64_t stage = (int64_t)f.config.stage_timeout_ms[STAGE_INSTALLING] * 1000;
	const struct {
		int64_t checked_in_at, silence_from, want;
	} moments[] = {
		{ FIX_NOW_US - 5, 0, FIX_NOW_US - 5 },
		{ FIX_NOW_US - 5, FIX_NOW_US - 9, FIX_NOW_US - 5 },
		{ FIX_NOW_US - 9, FIX_NOW_US - 5, FIX_NOW_US - 5 },
		{ FIX_NOW_US + 3600000000, FIX_NOW_US - 5, FIX_NOW_US - 5 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
		f.host.checked_in_at = f.host.stage_started_at = moments[i].checked_in_at;
		f.ctx.silence_from_us = moments[i].silence_from;
		f.host.status = HOST_DISCOVERING;
		assert_int_equal(host_next_refresh_us(&f.ctx, &f.host), moments[i].want + limit);
		f.host.status = HOST_INSTALLING_IN_PROGRESS;
		f.host.stage = STAGE_INSTALLING;
		f.config.max_disconnection_ms = (uint64_t)stage; /* so that the stage is first */
		assert_int_equal(host_next_refresh_us(&f.ctx, &f.host), moments[i].want + stage);
		f.config.max_disconnection_ms = (uint64_t)(limit - 1) / 1000;
		f.host.stage = STAGE_NONE;
	}
	fix_done(&f);
}

static void test_clock_watch(void **state)
{
	static const struct {
		int64_t wall_us, mono_ms;
		bool jumped;
	} steps[] = {
		{ FIX_NOW_US, 1000, false }, /* the first look knows nothing */
		{ FIX_NOW_US + 1000000, 2000, false },
		{ FIX_NOW_US + 2900000, 3000, false }, /* slewed */
		{ FIX_NOW_US - 3600000000, 4000, true },
		{ FIX_NOW_US - 3599000000, 5000, false },
		{ FIX_NOW_US + 86400000000, 6000, true },
		{ FIX_NOW_US + 86400000000 + 60000000, 66000, false },
	};
	struct clock_watch w = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		assert_int_equal(clock_watch_jumped(&w, steps[i].wall_us, steps[i].mono_ms),
				 steps[i].jumped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),        cmocka_unit_test(test_validations_are_kept),
		cmocka_unit_test(test_next_refresh), cmocka_unit_test(test_timer_and_rule_agree),
		cmocka_unit_test(test_silence_from), cmocka_unit_test(test_clock_watch),
	};
	return FIX_RUN(tests, 0);
}
