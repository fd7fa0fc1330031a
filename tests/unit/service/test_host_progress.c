#include "api_fixture.h"

static struct host *edit(struct api *f, struct host *h)
{
	state_begin(f->svc.state);
	assert_int_equal(state_edit_host(f->svc.state, h), 0);
	return h;
}

struct sent {
	const char *stage, *info, *install_id;
	bool ours, installed;
};

static int tell(struct api *f, struct host *h, const struct sent *s, struct fault *err)
{
	const struct host_report report = {
		.stage = s->stage,
		.info = s->info ? s->info : "",
		.install_id = s->install_id,
		.is_slipway_agent = s->ours,
		.is_installed_system = s->installed,
	};

	edit(f, h);
	int r = host_progress(&f->svc, h, &report, err);
	if (r < 0)
		state_abort(f->svc.state);
	else
		api_commit(f);
	return r;
}

/* A host of the state and the stage, as an installation leaves it. */
static struct host *host_at(struct api *f, enum host_status status, enum stage stage)
{
	struct host *h = state_host(f->svc.state, API_POOL, API_HOST);

	if (!h)
		h = api_add_host(f, API_POOL, API_HOST, true, status);
	edit(f, h);
	h->status = status;
	h->stage = stage;
	h->role = ROLE_WORKER;
	h->stage_started_at = h->stage_updated_at = stage ? f->now_us - 1000 : 0;
	str_set(&h->stage_text, stage ? stage_name(stage) : NULL);
	str_set(&h->progress_info, stage ? "before" : NULL);
	str_set(&h->install_id, "aaaa1111-2222-4333-8444-555566667777");
	api_commit(f);
	return h;
}

/* What a foreign agent may send: the order, the states, and the end at Rebooting (assisted-v2 §4.4). */
static void test_foreign(void **state)
{
	static const struct {
		enum host_status status;
		enum stage stage;
		const char *report;
		int code;
		enum host_status to; /* or, refused: the same */
		enum stage stored;
	} rows[] = {
		{ HOST_INSTALLING, STAGE_NONE, "Starting installation", 0,
		  HOST_INSTALLING_IN_PROGRESS, STAGE_STARTING_INSTALLATION },
		{ HOST_INSTALLING, STAGE_NONE, "Writing image to disk", 0,
		  HOST_INSTALLING_IN_PROGRESS, STAGE_WRITING_IMAGE },
		{ HOST_INSTALLING_IN_PROGRESS, STAGE_INSTALLING, "Installing", 0,
		  HOST_INSTALLING_IN_PROGRESS, STAGE_INSTALLING },
		{ HOST_INSTALLING_IN_PROGRESS, STAGE_INSTALLING, "Starting installation", -EBUSY,
		  HOST_INSTALLING_IN_PROGRESS, STAGE_INSTALLING },
		{ HOST_INSTALLING_PENDING_USER_ACTION, STAGE_REBOOTING, "Configuring", 0,
		  HOST_INSTALLING_IN_PROGRESS, STAGE_CONFIGURING },
		{ HOST_INSTALLING_IN_PROGRESS, STAGE_WAITING_FOR_CONTROL_PLANE, "Rebooting", 0,
		  HOST_ADDED_TO_EXISTING_CLUSTER, STAGE_DONE },
		{ HOST_INSTALLING_IN_PROGRESS, STAGE_CONFIGURING, "Done", 0,
		  HOST_ADDED_TO_EXISTING_CLUSTER, STAGE_DONE },
		/* one of another role's stages is taken first, not after one of the worker's */
		{ HOST_INSTALLING, STAGE_NONE, "Waiting for bootkube", 0,
		  HOST_INSTALLING_IN_PROGRESS, STAGE_WAITING_FOR_BOOTKUBE },
		{ HOST_INSTALLING_IN_PROGRESS, STAGE_WAITING_FOR_BOOTKUBE, "Starting installation",
		  0, HOST_INSTALLING_IN_PROGRESS, STAGE_STARTING_INSTALLATION },
		{ HOST_INSTALLING_IN_PROGRESS, STAGE_INSTALLING, "Waiting for bootkube", -EBUSY,
		  HOST_INSTALLING_IN_PROGRESS, STAGE_INSTALLING },
		/* a failure leaves the stage that failed */
		{ HOST_INSTALLING_IN_PROGRESS, STAGE_WRITING_IMAGE, "Failed", 0, HOST_ERROR,
		  STAGE_WRITING_IMAGE },
		{ HOST_INSTALLING, STAGE_NONE, "Failed", 0, HOST_ERROR, STAGE_NONE },
		{ HOST_INSTALLING_PENDING_USER_ACTION, STAGE_REBOOTING, "Failed", 0, HOST_ERROR,
		  STAGE_REBOOTING },
		{ HOST_KNOWN, STAGE_NONE, "Failed", -EBUSY, HOST_KNOWN, STAGE_NONE },
		{ HOST_ERROR, STAGE_INSTALLING, "Rebooting", -EBUSY, HOST_ERROR, STAGE_INSTALLING },
		{ HOST_ADDED_TO_EXISTING_CLUSTER, STAGE_DONE, "Joined", -EBUSY,
		  HOST_ADDED_TO_EXISTING_CLUSTER, STAGE_DONE },
		{ HOST_INSTALLING_IN_PROGRESS, STAGE_INSTALLING, "No such stage", -EBADMSG,
		  HOST_INSTALLING_IN_PROGRESS, STAGE_INSTALLING },
	};
	struct api *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host *h = host_at(f, rows[i].status, rows[i].stage);
		const struct sent s = { .stage = rows[i].report, .info = "info" };
		struct fault err = FAULT_INIT;
		unsigned events = api_events(f, "host_install_progress_updated").n;
		int code = tell(f, h, &s, &err);
		if (code != rows[i].code)
			fail_msg("%s in %s: %d %s", rows[i].report,
				 host_status_name(rows[i].status), code, fault_text(&err));
		assert_int_equal(h->status, rows[i].to);
		assert_int_equal(h->stage, rows[i].stored);
		assert_int_equal(api_events(f, "host_install_progress_updated").n,
				 events + (code == 0));
	}
}

static void test_sentences(void **state)
{
	struct api *f = *state;
	struct fault err = FAULT_INIT;
	struct host *h = host_at(f, HOST_INSTALLING_IN_PROGRESS, STAGE_INSTALLING);

	assert_int_equal(tell(f, h, &(struct sent){ .stage = "Starting installation" }, &err),
			 -EBUSY);
	assert_string_equal(fault_text(&err), "Can't assign lower stage \"Starting installation\" "
					      "after host has been in stage \"Installing\"");
	assert_int_equal(tell(f, h, &(struct sent){ .stage = "Waiting for bootkube" }, &err),
			 -EBUSY);
	assert_string_equal(
		fault_text(&err),
		"Stages Waiting for bootkube isn't available for host role worker bootstrap false");
	assert_int_equal(tell(f, h, &(struct sent){ .stage = "Failed", .info = "no disk" }, &err),
			 0);
	assert_string_equal(h->status_info, "Failed - no disk");
	/* the same once more: the host has failed already */
	assert_int_equal(tell(f, h, &(struct sent){ .stage = "Failed", .info = "no disk" }, &err),
			 -EBUSY);
	assert_string_equal(fault_text(&err),
			    "Can't set progress <Failed> to host in status <error>");
}

/* The same report again is no report, whatever the state (assisted-v2 §4.4). */
static void test_repeated(void **state)
{
	struct api *f = *state;
	struct fault err = FAULT_INIT;
	struct host *h = host_at(f, HOST_INSTALLING_IN_PROGRESS, STAGE_INSTALLING);
	int64_t updated = h->stage_updated_at, started = h->stage_started_at;

	assert_int_equal(
		tell(f, h, &(struct sent){ .stage = "Installing", .info = "before" }, &err), 0);
	assert_true(h->stage_updated_at == updated);
	assert_int_equal(api_events(f, NULL).n, 0);
	/* more of the same stage: only the beginning stays */
	assert_int_equal(tell(f, h, &(struct sent){ .stage = "Installing", .info = "more" }, &err),
			 0);
	assert_true(h->stage_updated_at == f->now_us);
	assert_true(h->stage_started_at == started);
	assert_string_equal(h->progress_info, "more");
	assert_int_equal(tell(f, h, &(struct sent){ .stage = "Writing image to disk" }, &err), 0);
	assert_true(h->stage_started_at == f->now_us);
	assert_null(h->progress_info);

	host_at(f, HOST_ADDED_TO_EXISTING_CLUSTER, STAGE_DONE);
	assert_int_equal(tell(f, h, &(struct sent){ .stage = "Done", .info = "before" }, &err), 0);
	host_at(f, HOST_KNOWN, STAGE_NONE);
	assert_int_equal(tell(f, h, &(struct sent){ .stage = "" }, &err), 0);
	assert_int_equal(h->status, HOST_KNOWN);
}

static void test_unbound(void **state)
{
	struct api *f = *state;
	struct fault err = FAULT_INIT;
	struct host *h = api_add_host(f, API_POOL, API_HOST, false, HOST_KNOWN_UNBOUND);

	assert_int_equal(tell(f, h, &(struct sent){ .stage = "Installing" }, &err), -EINVAL);
	assert_non_null(strstr(fault_text(&err), "is not bound to any cluster"));
}

/* Our agent's host is joined when the installed system has said so, and not before. */
static void test_joined_means_joined(void **state)
{
	static const struct sent way[] = {
		{ .stage = "Rebooting", .ours = true },
		{ .stage = "Configuring", .ours = true, .installed = true },
		{ .stage = "Joined", .ours = true, .installed = true },
	};
	struct api *f = *state;
	struct fault err = FAULT_INIT;
	struct host *h = host_at(f, HOST_INSTALLING_IN_PROGRESS, STAGE_WAITING_FOR_CONTROL_PLANE);

	for (size_t i = 0; i < ARRAY_SIZE(way); i++) {
		assert_int_equal(tell(f, h, &way[i], &err), 0);
		assert_int_equal(h->status, HOST_INSTALLING_IN_PROGRESS);
		assert_string_equal(h->stage_text, way[i].stage);
	}
	assert_int_equal(tell(f, h,
			      &(struct sent){ .stage = "Done", .ours = true, .installed = true },
			      &err),
			 0);
	assert_int_equal(h->status, HOST_ADDED_TO_EXISTING_CLUSTER);
	assert_string_equal(h->status_info, "The host has joined its cluster");
}

static void test_nobody_skips_the_cluster(void **state)
{
	static const struct {
		enum stage from;
		struct sent report;
		const char *refused; /* NULL = taken */
	} rows[] = {
		/* the discovery system cannot speak for the installed one */
		{ STAGE_REBOOTING,
		  { .stage = "Configuring", .ours = true },
		  "stage Configuring is reported by the installed system" },
		{ STAGE_JOINED,
		  { .stage = "Done", .ours = true },
		  "stage Done is reported by the installed system" },
		{ STAGE_WRITING_IMAGE, { .stage = "Rebooting", .ours = true }, NULL },
		{ STAGE_REBOOTING,
		  { .stage = "Done", .ours = true, .installed = true },
		  "stage Done follows Joined, but the host is in stage \"Rebooting\"" },
		{ STAGE_CONFIGURING,
		  { .stage = "Done", .ours = true, .installed = true },
		  "stage Done follows Joined" },
		{ STAGE_REBOOTING, { .stage = "Joined", .ours = true, .installed = true }, NULL },
		/* a system that an earlier installation left on another disk */
		{ STAGE_REBOOTING,
		  { .stage = "Configuring",
		    .install_id = "bbbb1111-2222-4333-8444-555566667777",
		    .ours = true,
		    .installed = true },
		  "that an earlier installation left" },
		{ STAGE_REBOOTING,
		  { .stage = "Configuring",
		    .install_id = "aaaa1111-2222-4333-8444-555566667777",
		    .ours = true,
		    .installed = true },
		  NULL },
		{ STAGE_REBOOTING,
		  { .stage = "Failed",
		    .install_id = "bbbb1111-2222-4333-8444-555566667777",
		    .ours = true,
		    .installed = true },
		  "that an earlier installation left" },
	};
	struct api *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host *h = host_at(f, HOST_INSTALLING_IN_PROGRESS, rows[i].from);
		struct fault err = FAULT_INIT;
		int code = tell(f, h, &rows[i].report, &err);
		assert_int_equal(code, rows[i].refused ? -EBUSY : 0);
		if (rows[i].refused) {
			assert_non_null(strstr(fault_text(&err), rows[i].refused));
			assert_int_equal(h->stage, rows[i].from);
		}
	}
}

/* Without credentials nobody can tell the two systems apart: only the order is held. */
static void test_open_service(void **state)
{
	struct api *f = *state;
	struct fault err = FAULT_INIT;
	struct host *h = host_at(f, HOST_INSTALLING_IN_PROGRESS, STAGE_REBOOTING);

	assert_int_equal(tell(f, h, &(struct sent){ .stage = "Done", .ours = true }, &err), -EBUSY);
	assert_int_equal(tell(f, h, &(struct sent){ .stage = "Joined", .ours = true }, &err), 0);
	assert_int_equal(tell(f, h, &(struct sent){ .stage = "Done", .ours = true }, &err), 0);
	assert_int_equal(h->status, HOST_ADDED_TO_EXISTING_CLUSTER);
}

/* A stage that took too long and goes on after all. */
static void test_goes_on(void **state)
{
	struct api *f = *state;
	struct fault err = FAULT_INIT;
	struct host *h = host_at(f, HOST_INSTALLING_PENDING_USER_ACTION, STAGE_REBOOTING);

	edit(f, h)->stage_timed_out = true;
	api_commit(f);
	assert_int_equal(
		tell(f, h,
		     &(struct sent){ .stage = "Configuring", .ours = true, .installed = true },
		     &err),
		0);
	assert_int_equal(h->status, HOST_INSTALLING_IN_PROGRESS);
	assert_false(h->stage_timed_out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		API_TEST(test_foreign),
		API_TEST(test_sentences),
		API_TEST(test_repeated),
		API_TEST(test_unbound),
		API_TEST(test_joined_means_joined),
		API_TEST(test_nobody_skips_the_cluster),
		API_TEST_OPEN(test_open_service),
		API_TEST(test_goes_on),
	};
	return cmocka_run_group_tests_name("host_progress", tests, NULL, NULL);
}
