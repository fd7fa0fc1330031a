#include "store_rig.h"

static void put_event(struct store_rig *f, const char *name, const char *severity, const char *host,
		      const char *message)
{
	struct api_event e = { .event_time = 5, .infra_env_id = "ie", .cluster_id = "cl" };

	strcpy(e.host_id, host);
	assert_int_equal(str_set(&e.name, name), 0);
	assert_int_equal(str_set(&e.severity, severity), 0);
	assert_int_equal(str_set(&e.category, "user"), 0);
	assert_int_equal(str_set(&e.message, message), 0);
	assert_int_equal(f->store->ops->put(f->store, MODEL_EVENT, &e, NULL), 0);
	api_event_done(&e);
}

static int join_names(void *ctx, void *obj)
{
	struct api_event *e = obj;

	strcat(strcat(ctx, e->name), " ");
	api_event_done(e);
	return 0;
}

static void test_events(void **state)
{
	static const char *const hosts[] = { "h1", "h2" }, *const bad[] = { "error", "warning" };
	static const struct {
		struct event_filter filter;
		const char *names;
		unsigned total;
	} cases[] = {
		{ { .limit = -1 }, "a b c d ", 4 },
		{ { .limit = -1, .descending = true }, "d c b a ", 4 },
		{ { .limit = 2, .offset = 1 }, "b c ", 4 },
		{ { .limit = 0 }, "", 4 },
		{ { .limit = -1, .host_ids = hosts, .n_host_ids = 1 }, "b ", 1 },
		{ { .limit = -1, .host_ids = hosts, .n_host_ids = 2 }, "b c d ", 3 },
		{ { .limit = -1, .severities = bad, .n_severities = 2 }, "b c ", 2 },
		{ { .limit = -1, .message = "100% hot" }, "c ", 1 },
		{ { .limit = -1, .message = "_" }, "", 0 },
		{ { .limit = -1, .cluster_level = true }, "a ", 1 },
		{ { .limit = -1, .cluster_id = "cl", .infra_env_id = "ie" }, "a b c d ", 4 },
		{ { .limit = -1, .scope_infra_env_id = "other" }, "", 0 },
	};
	struct store_rig *f = *state;

	assert_int_equal(f->store->ops->begin(f->store, NULL), 0);
	put_event(f, "a", "info", "", "one");
	put_event(f, "b", "error", "h1", "two");
	put_event(f, "c", "warning", "h2", "disk 100% HOT");
	put_event(f, "d", "info", "h2", "four");
	assert_int_equal(f->store->ops->commit(f->store, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char names[64] = "";
		struct event_counts counts;
		assert_int_equal(f->store->ops->events(f->store, &cases[i].filter, join_names,
						       names, &counts, NULL),
				 0);
		assert_string_equal(names, cases[i].names);
		assert_int_equal(counts.total, cases[i].total);
	}
}

static void test_events_trim(void **state)
{
	struct event_filter all = { .limit = -1 };
	struct store_rig *f = *state;
	char names[64] = "";

	assert_int_equal(f->store->ops->begin(f->store, NULL), 0);
	for (char c = 'a'; c < 'h'; c++)
		put_event(f, (char[]){ c, 0 }, "info", "", "x");
	assert_int_equal(f->store->ops->events_trim(f->store, 3, NULL), 0);
	assert_int_equal(f->store->ops->commit(f->store, NULL), 0);
	assert_int_equal(f->store->ops->events(f->store, &all, join_names, names, NULL, NULL), 0);
	assert_string_equal(names, "e f g ");
}

/* Values are values: nothing in them is read as SQL or as a pattern. */
static void test_hostile_values(void **state)
{
	static const char *const odd[] = { "' OR '1'='1", "%", "_",    "x'; DROP TABLE event; --",
					   "\"",          "?", "NULL", "" };
	struct store_rig *f = *state;

	assert_int_equal(f->store->ops->begin(f->store, NULL), 0);
	put_event(f, "a", "info", "h1", "plain");
	assert_int_equal(f->store->ops->commit(f->store, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		const struct event_filter filters[] = {
			{ .limit = -1, .cluster_id = odd[i] },
			{ .limit = -1, .infra_env_id = odd[i] },
			{ .limit = -1, .scope_infra_env_id = odd[i] },
			{ .limit = -1, .host_ids = &odd[i], .n_host_ids = 1 },
			{ .limit = -1, .severities = &odd[i], .n_severities = 1 },
			{ .limit = -1, .categories = &odd[i], .n_categories = 1 },
			{ .limit = -1, .message = *odd[i] ? odd[i] : "z" },
		};
		for (size_t k = 0; k < ARRAY_SIZE(filters); k++) {
			char names[64] = "";
			struct event_counts counts;
			struct fault err = FAULT_INIT;
			int r = f->store->ops->events(f->store, &filters[k], join_names, names,
						      &counts, &err);
			if (r || *names || counts.total)
				fail_msg("%s as filter %zu: %d %s, \"%s\"", odd[i], k, r, err.text,
					 names);
		}
	}
	/* still there */
	char names[64] = "";
	assert_int_equal(f->store->ops->events(f->store, &(struct event_filter){ .limit = -1 },
					       join_names, names, NULL, NULL),
			 0);
	assert_string_equal(names, "a ");
}

/* The counts: by severity whatever severities are wanted, the total of those; limit and offset do not matter. */
static void test_counts(void **state)
{
	static const char *const errors[] = { "error", "critical" };
	static const struct {
		struct event_filter filter;
		uint64_t severity[SEVERITY_COUNT], total;
	} cases[] = {
		{ { .limit = -1 }, { 3, 1, 2, 0 }, 6 },
		{ { .limit = 1, .offset = 5 }, { 3, 1, 2, 0 }, 6 },
		{ { .limit = 0 }, { 3, 1, 2, 0 }, 6 },
		{ { .limit = -1, .severities = errors, .n_severities = 2 }, { 3, 1, 2, 0 }, 2 },
		{ { .limit = -1, .cluster_level = true }, { 2, 0, 0, 0 }, 2 },
		{ { .limit = -1, .cluster_level = true, .severities = errors, .n_severities = 1 },
		  { 2, 0, 0, 0 },
		  0 },
		{ { .limit = -1, .message = "MIXED" }, { 0, 0, 1, 0 }, 1 },
	};
	struct store_rig *f = *state;

	assert_int_equal(f->store->ops->begin(f->store, NULL), 0);
	put_event(f, "a", "info", "", "x");
	put_event(f, "b", "info", "", "x");
	put_event(f, "c", "info", "h1", "x");
	put_event(f, "d", "warning", "h1", "x");
	put_event(f, "e", "error", "h1", "a mixed Case");
	put_event(f, "f", "error", "h2", "x");
	assert_int_equal(f->store->ops->commit(f->store, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char names[64] = "";
		struct event_counts counts;
		assert_int_equal(f->store->ops->events(f->store, &cases[i].filter, join_names,
						       names, &counts, NULL),
				 0);
		assert_memory_equal(counts.severity, cases[i].severity, sizeof(counts.severity));
		assert_int_equal(counts.total, cases[i].total);
	}
}

/* At the limit of values, and one above it. */
static void test_too_many_values(void **state)
{
	struct store_rig *f = *state;
	const char *hosts[513];
	char names[64] = "";
	struct event_counts counts;
	struct fault err = FAULT_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++)
		hosts[i] = i == 511 ? "h1" : "nobody";
	assert_int_equal(f->store->ops->begin(f->store, NULL), 0);
	put_event(f, "a", "info", "h1", "x");
	assert_int_equal(f->store->ops->commit(f->store, NULL), 0);
	struct event_filter filter = { .limit = -1, .host_ids = hosts, .n_host_ids = 512 };
	assert_int_equal(f->store->ops->events(f->store, &filter, join_names, names, &counts, &err),
			 0);
	assert_string_equal(names, "a ");
	filter.n_host_ids = 513;
	assert_int_equal(f->store->ops->events(f->store, &filter, join_names, names, &counts, &err),
			 -E2BIG);
	assert_non_null(strstr(err.text, "too long"));
	assert_int_equal(f->store->ops->events(f->store, &filter, join_names, names, NULL, NULL),
			 -E2BIG);
}

static int stop_at_second(void *ctx, void *obj)
{
	api_event_done(obj);
	return ++*(int *)ctx == 2 ? -ECANCELED : 0;
}

/* Who has seen enough gets no more, and the store goes on. */
static void test_stop(void **state)
{
	struct store_rig *f = *state;
	int n = 0;

	assert_int_equal(f->store->ops->begin(f->store, NULL), 0);
	for (char c = 'a'; c < 'f'; c++)
		put_event(f, (char[]){ c, 0 }, "info", "", "x");
	assert_int_equal(f->store->ops->events(f->store, &(struct event_filter){ .limit = -1 },
					       stop_at_second, &n, NULL, NULL),
			 -ECANCELED);
	assert_int_equal(n, 2);
	assert_int_equal(f->store->ops->commit(f->store, NULL), 0);
}

/* Nothing to trim, everything, more than there is; numbers go on afterwards. */
static void test_trim_edges(void **state)
{
	struct event_filter all = { .limit = -1 };
	struct store_rig *f = *state;
	char names[64] = "";

	assert_int_equal(f->store->ops->events_trim(f->store, 3, NULL), 0);
	assert_int_equal(f->store->ops->begin(f->store, NULL), 0);
	put_event(f, "a", "info", "", "x");
	put_event(f, "b", "info", "", "x");
	assert_int_equal(f->store->ops->events_trim(f->store, UINT32_MAX, NULL), 0);
	assert_int_equal(f->store->ops->events_trim(f->store, 2, NULL), 0);
	assert_int_equal(f->store->ops->events(f->store, &all, join_names, names, NULL, NULL), 0);
	assert_string_equal(names, "a b ");
	assert_int_equal(f->store->ops->events_trim(f->store, 0, NULL), 0);
	put_event(f, "c", "info", "", "x");
	assert_int_equal(f->store->ops->commit(f->store, NULL), 0);
	*names = '\0';
	assert_int_equal(f->store->ops->events(f->store, &all, join_names, names, NULL, NULL), 0);
	assert_string_equal(names, "c ");
}

#define T(name) cmocka_unit_test_setup_teardown(name, store_rig_begin, store_rig_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_events),     T(test_events_trim),     T(test_hostile_values),
		T(test_counts),     T(test_too_many_values), T(test_stop),
		T(test_trim_edges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
