#include "api_fixture.h"
#include "api_random.h"

static const struct host_registration agent = { .host_id = API_HOST,
						.agent_version = "r.example.com/a:2" };

static struct host *edit(struct api *f, struct host *h)
{
	state_begin(f->svc.state);
	assert_int_equal(state_edit_host(f->svc.state, h), 0);
	return h;
}

static struct infra_env *pool(struct api *f)
{
	return state_infra_env(f->svc.state, API_POOL);
}

static int register_host(struct api *f, struct host **ret, bool *ret_is_new, struct fault *err)
{
	state_begin(f->svc.state);
	int r = host_register(&f->svc, pool(f), &agent, ret, ret_is_new, err);
	if (r < 0)
		state_abort(f->svc.state);
	else
		api_commit(f);
	return r;
}

static void remove_host(struct api *f, struct host *h)
{
	state_begin(f->svc.state);
	assert_int_equal(state_remove_host(f->svc.state, h), 0);
	api_commit(f);
}

/* What an installation leaves in a host. */
static void fill(struct api *f, struct host *h)
{
	edit(f, h);
	h->stage = STAGE_WRITING_IMAGE;
	h->stage_started_at = h->stage_updated_at = h->logs_started_at = h->logs_collected_at = 1;
	h->stage_timed_out = true;
	h->bootstrap = true;
	h->media_disconnected = 2;
	str_set(&h->stage_text, "Writing image to disk");
	str_set(&h->progress_info, "5%");
	str_set(&h->logs_info, "collecting");
	str_set(&h->images_status, "{}");
	str_set(&h->ntp_sources, "[]");
	str_set(&h->connectivity, "{}");
	str_set(&h->tang_connectivity, "{}");
	str_set(&h->domain_name_resolutions, "{}");
	str_set(&h->target_ignition, "{}");
	str_set(&h->install_id, "aaaa1111-2222-4333-8444-555566667777");
	str_set(&h->machine_config_pool_name, "infra");
	api_commit(f);
}

/* --- registering --- */

static void test_register_new(void **state)
{
	struct api *f = *state;
	struct host *h;
	bool is_new;

	assert_int_equal(register_host(f, &h, &is_new, NULL), 0);
	assert_true(is_new);
	assert_true(h->created_at == f->now_us && h->registered_at == f->now_us &&
		    h->checked_in_at == f->now_us && h->status_updated_at == f->now_us);
	assert_string_equal(h->user_name, "admin");
	assert_null(h->machine_config_pool_name);
	/* a host that says nothing more is missed in time */
	assert_non_null(state_host_slot(h));
	assert_int_equal(register_host(f, &h, &is_new, NULL), 0);
	assert_false(is_new);
}

/* Again: what was found is forgotten, what the user set stays (assisted-v2 §7.2). */
static void test_register_again(void **state)
{
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);
	bool is_new;

	fill(f, h);
	edit(f, h);
	str_set(&h->requested_hostname, "n1");
	str_set(&h->installer_args, "[\"-n\"]");
	str_set(&h->node_labels, "{}");
	h->kind = HOST_KIND_HOST;
	api_commit(f);
	api_advance(f, 1000000);
	assert_int_equal(register_host(f, &h, &is_new, NULL), 0);
	assert_int_equal(h->status, HOST_DISCOVERING);
	assert_int_equal(h->kind, HOST_KIND_DAY2);
	assert_null(h->inventory);
	assert_null(h->inventory_hostname);
	assert_null(h->stage_text);
	assert_null(h->progress_info);
	assert_null(h->images_status);
	assert_null(h->ntp_sources);
	assert_null(h->logs_info);
	assert_int_equal(h->stage, STAGE_NONE);
	assert_true(!h->stage_started_at && !h->stage_updated_at && !h->logs_started_at &&
		    !h->logs_collected_at);
	assert_false(h->bootstrap);
	assert_int_equal(h->media_disconnected, 0);
	assert_true(h->registered_at == f->now_us && h->created_at == FIX_NOW_US);
	assert_string_equal(h->discovery_agent_version, "r.example.com/a:2");
	assert_string_equal(h->requested_hostname, "n1");
	assert_string_equal(h->installer_args, "[\"-n\"]");
	assert_string_equal(h->node_labels, "{}");
	assert_string_equal(h->cluster_id, API_CLUSTER);
}

/* Every state and where a registration leads from it; NULL: refused with the code. */
static void test_register_from_every_state(void **state)
{
	static const struct {
		int code;
		enum host_status to;
	} rows[HOST_STATUS_COUNT] = {
		[HOST_DISCOVERING] = { 0, HOST_DISCOVERING },
		[HOST_KNOWN] = { 0, HOST_DISCOVERING },
		[HOST_DISCONNECTED] = { 0, HOST_DISCOVERING },
		[HOST_INSUFFICIENT] = { 0, HOST_DISCOVERING },
		[HOST_DISABLED] = { -EINVAL },
		[HOST_PREPARING_FOR_INSTALLATION] = { 0, HOST_KNOWN },
		[HOST_PREPARING_FAILED] = { -EINVAL },
		[HOST_PREPARING_SUCCESSFUL] = { 0, HOST_KNOWN },
		[HOST_PENDING_FOR_INPUT] = { 0, HOST_DISCOVERING },
		[HOST_INSTALLING] = { 0, HOST_ERROR },
		[HOST_INSTALLING_IN_PROGRESS] = { 0, HOST_ERROR },
		[HOST_INSTALLING_PENDING_USER_ACTION] = { -EINVAL },
		[HOST_RESETTING] = { -EINVAL },
		[HOST_RESETTING_PENDING_USER_ACTION] = { 0, HOST_DISCOVERING },
		[HOST_INSTALLED] = { -EBUSY },
		[HOST_ERROR] = { 0, HOST_ERROR },
		[HOST_CANCELLED] = { -EINVAL },
		[HOST_ADDED_TO_EXISTING_CLUSTER] = { 0, HOST_INSTALLING_PENDING_USER_ACTION },
		[HOST_BINDING] = { 0, HOST_DISCOVERING },
		[HOST_DISCOVERING_UNBOUND] = { 0, HOST_DISCOVERING_UNBOUND },
		[HOST_KNOWN_UNBOUND] = { 0, HOST_DISCOVERING_UNBOUND },
		[HOST_INSUFFICIENT_UNBOUND] = { 0, HOST_DISCOVERING_UNBOUND },
		[HOST_DISCONNECTED_UNBOUND] = { 0, HOST_DISCOVERING_UNBOUND },
		[HOST_DISABLED_UNBOUND] = { -EINVAL },
		[HOST_UNBINDING] = { 0, HOST_DISCOVERING_UNBOUND },
		[HOST_UNBINDING_PENDING_USER_ACTION] = { 0, HOST_DISCOVERING_UNBOUND },
		[HOST_RECLAIMING] = { -EINVAL },
		[HOST_RECLAIMING_REBOOTING] = { 0, HOST_DISCOVERING_UNBOUND },
	};
	struct api *f = *state;

	for (int s = 0; s < HOST_STATUS_COUNT; s++) {
		bool is_bound = s < HOST_DISCOVERING_UNBOUND;
		struct host *h = api_add_host(f, API_POOL, API_HOST, is_bound, (enum host_status)s);
		struct fault err = FAULT_INIT;
		bool is_new;
		int code = register_host(f, &h, &is_new, &err);
		if (code != rows[s].code)
			fail_msg("%s: %d %s", host_status_name((enum host_status)s), code,
				 fault_text(&err));
		assert_int_equal(h->status, code ? s : (int)rows[s].to);
		/* a host that keeps its state keeps what was found in it */
		if (h->status == HOST_ERROR || h->status == HOST_KNOWN)
			assert_non_null(h->inventory);
		remove_host(f, h);
	}
}

static void test_register_wrong_boot(void **state)
{
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_INSTALLING_IN_PROGRESS);
	bool is_new;

	edit(f, h)->stage = STAGE_REBOOTING;
	api_commit(f);
	assert_int_equal(register_host(f, &h, &is_new, NULL), 0);
	assert_int_equal(h->status, HOST_INSTALLING_PENDING_USER_ACTION);
	/* a person is told what to do, and which disk it is */
	assert_non_null(strstr(h->status_info, "put the disk first in the boot order"));
	assert_non_null(strstr(h->status_info, "(vda, /dev/disk/by-id/d1)"));
	assert_string_equal(api_events(f, "host_status_updated").severity, "warning");
	assert_non_null(h->inventory);
}

/* --- binding --- */

static void test_bind(void **state)
{
	struct api *f = *state;
	struct fault err = FAULT_INIT;
	struct host *h = api_add_host(f, API_POOL, API_HOST, false, HOST_KNOWN_UNBOUND);

	fill(f, h);
	edit(f, h);
	assert_int_equal(host_bind(&f->svc, h, API_CLUSTER, &err), 0);
	api_commit(f);
	api_check_stored(f);
	assert_int_equal(h->status, HOST_BINDING);
	assert_null(h->inventory);
	assert_null(h->inventory_hostname);
	assert_null(h->stage_text);
	assert_null(h->progress_info);
	assert_false(h->bootstrap);
	assert_int_equal(h->stage, STAGE_NONE);
	size_t n;
	assert_ptr_equal(state_hosts_of_cluster(f->svc.state, API_CLUSTER, &n)[0], h);
	/* once is enough */
	edit(f, h);
	assert_int_equal(host_bind(&f->svc, h, API_CLUSTER, &err), -EBUSY);
}

static void test_unbind(void **state)
{
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);
	size_t n;

	fill(f, h);
	edit(f, h);
	assert_int_equal(host_check_unbind(&f->svc, h, NULL), 0);
	assert_int_equal(host_unbind(&f->svc, h, NULL), 0);
	api_commit(f);
	api_check_stored(f);
	assert_int_equal(h->status, HOST_UNBINDING);
	assert_int_equal(h->kind, HOST_KIND_HOST);
	assert_int_equal(h->role, ROLE_AUTO_ASSIGN);
	assert_string_equal(h->cluster_id, "");
	assert_null(h->connectivity);
	assert_null(h->api_vip_connectivity);
	assert_null(h->tang_connectivity);
	assert_null(h->domain_name_resolutions);
	assert_null(h->target_ignition);
	assert_null(h->install_id);
	assert_null(h->machine_config_pool_name);
	assert_null(h->stage_text);
	assert_null(h->logs_info);
	assert_true(!h->logs_collected_at && !h->stage_started_at);
	(void)state_hosts_of_cluster(f->svc.state, API_CLUSTER, &n);
	assert_int_equal(n, 0);
}

/* A cluster that goes unbinds its hosts in any state; only those with no way out are refused. */
static void test_unbind_from_every_state(void **state)
{
	struct api *f = *state;

	for (int s = 0; s < HOST_DISCOVERING_UNBOUND; s++) {
		struct host *h = api_add_host(f, API_POOL, API_HOST, true, (enum host_status)s);
		bool runs = host_may_move(HT_UNBIND, h->status, HOST_UNBINDING),
		     waits = host_may_move(HT_UNBIND, h->status,
					   HOST_UNBINDING_PENDING_USER_ACTION);
		struct fault err = FAULT_INIT;
		edit(f, h);
		int code = host_unbind(&f->svc, h, &err);
		assert_int_equal(code, runs || waits ? 0 : -EPROTO);
		if (code == 0)
			assert_int_equal(h->status, runs ? HOST_UNBINDING
							 : HOST_UNBINDING_PENDING_USER_ACTION);
		else
			assert_string_equal(h->cluster_id, API_CLUSTER);
		api_commit(f);
		remove_host(f, h);
	}
}

/* --- install, reset --- */

static void test_install_starts_afresh(void **state)
{
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);

	fill(f, h);
	edit(f, h)->media_disconnected = 0;
	str_set(&h->tang_connectivity, NULL);
	AUTO(freep) char *first = strdup(h->install_id);
	assert_int_equal(host_install(&f->svc, h, NULL), 0);
	api_commit(f);
	api_check_stored(f);
	assert_int_equal(h->status, HOST_INSTALLING);
	assert_string_not_equal(h->install_id, first);
	assert_string_equal(h->machine_config_pool_name, "infra");
	assert_null(h->stage_text);
	assert_null(h->progress_info);
	assert_null(h->logs_info);
	assert_false(h->stage_timed_out);
	assert_true(!h->stage_started_at && !h->logs_started_at && !h->logs_collected_at);
	/* the pointer to the cluster's configuration, of the chosen pool */
	assert_non_null(strstr(h->target_ignition, "/config/infra"));
	assert_non_null(strstr(h->target_ignition, "\"3.2.0\""));
}

static void test_install_without_ignition(void **state)
{
	struct api *f = *state;
	struct fault err = FAULT_INIT;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);

	/* a row that no request could have made */
	str_set(&edit(f, h)->ignition_config_overrides, "x");
	api_commit(f);
	edit(f, h);
	assert_int_equal(host_install(&f->svc, h, &err), -EPROTO);
	state_abort(f->svc.state);
	assert_int_equal(h->status, HOST_KNOWN);
	assert_null(h->install_id);
}

static void test_reset(void **state)
{
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_ERROR);

	edit(f, h);
	assert_int_equal(host_reset(&f->svc, h, NULL), 0);
	api_commit(f);
	assert_int_equal(h->status, HOST_RESETTING_PENDING_USER_ACTION);
	assert_int_equal(api_events(f, "host_installation_reset").n, 1);
	/* already there: said again, not refused */
	edit(f, h);
	assert_int_equal(host_reset(&f->svc, h, NULL), 0);
	api_commit(f);
}

/* --- other hosts --- */

static void test_api_vip_of(void **state)
{
	struct host h = { 0 };

	assert_false(host_has_api_vip(&h));
	str_set(&h.api_vip_connectivity, "{\"url\":\"http://x\"}");
	assert_false(host_has_api_vip(&h));
	str_set(&h.api_vip_connectivity, "{\"is_success\":true,\"url\":\"http://x\"}");
	assert_true(host_has_api_vip(&h));
	host_done(&h);
}

/* A host that begins anew has no name until its inventory comes: it holds nobody back by the old one. */
static void test_registering_frees_the_name(void **state)
{
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_INSUFFICIENT),
		    *twin = api_add_host(f, API_POOL, API_OTHER, true, HOST_INSUFFICIENT);
	bool is_new;

	assert_int_equal(register_host(f, &h, &is_new, NULL), 0);
	assert_int_equal(h->status, HOST_DISCOVERING);
	assert_int_equal(twin->status, HOST_KNOWN);
	api_check_stored(f);
}

/* Two of a name are looked at; where there are three, none of them turns when one comes or goes. */
static void test_namesakes(void **state)
{
	static const char *const ids[] = { "5f0c0001-2222-4333-8444-555566667777",
					   "5f0c0002-2222-4333-8444-555566667777",
					   "5f0c0003-2222-4333-8444-555566667777" };
	struct api *f = *state;
	struct host *h[ARRAY_SIZE(ids)];

	for (size_t n = 0; n < ARRAY_SIZE(ids); n++) {
		h[n] = api_add_host(f, API_POOL, ids[n], true, HOST_KNOWN);
		for (size_t i = 0; i <= n; i++)
			edit(f, h[i])->status = HOST_KNOWN;
		api_commit(f);
		state_begin(f->svc.state);
		assert_int_equal(host_refresh_namesakes(&f->svc, API_CLUSTER, "w1", NULL), 0);
		api_commit(f);
		for (size_t i = 0; i <= n; i++)
			assert_int_equal(h[i]->status, n == 1 ? HOST_INSUFFICIENT : HOST_KNOWN);
	}
	/* another name, another cluster, none: nothing happens */
	state_begin(f->svc.state);
	assert_int_equal(host_refresh_namesakes(&f->svc, API_CLUSTER, "w2", NULL), 0);
	assert_int_equal(host_refresh_namesakes(&f->svc, API_NOBODY, "w1", NULL), 0);
	assert_int_equal(host_refresh_namesakes(&f->svc, "", "w1", NULL), 0);
	assert_false(state_is_dirty(f->svc.state));
}

/* The first download of the cluster's configuration frees those who wait for it, and only the first. */
static void test_peers_wait_for_api_vip(void **state)
{
	struct api *f = *state;
	struct host *first = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN),
		    *waiting = api_add_host(f, API_POOL, API_OTHER, true, HOST_INSUFFICIENT),
		    *unbound = api_add_host(f, API_EARLY, API_OTHER, false, HOST_KNOWN_UNBOUND);

	str_set(&edit(f, waiting)->api_vip_connectivity, NULL);
	str_set(&waiting->requested_hostname, "w2");
	api_commit(f);
	state_begin(f->svc.state);
	assert_int_equal(host_refresh_peers(&f->svc, first, "w1", true, NULL), 0);
	assert_null(waiting->validations_info);
	assert_int_equal(host_refresh_peers(&f->svc, first, "w1", false, NULL), 0);
	assert_non_null(waiting->validations_info);
	state_abort(f->svc.state);
	assert_int_equal(host_refresh_peers(&f->svc, unbound, "old", false, NULL), 0);
	assert_false(state_is_dirty(f->svc.state));
	/* another one had it before: nobody has waited for this one */
	struct host *second = api_add_host(f, API_EARLY, API_HOST, true, HOST_KNOWN);
	state_begin(f->svc.state);
	assert_int_equal(host_refresh_peers(&f->svc, second, "w1", false, NULL), 0);
	assert_null(waiting->validations_info);
}

/* --- whatever happens --- */

/* Every state changes on the event that changes it: looking at every host once more finds nothing to do. */
static void expect_settled(struct api *f, const char *after)
{
	struct host *h;

	for (size_t i = 0; (h = state_host_at(f->svc.state, i)); i++) {
		struct rule_ctx ctx = life_ctx(&f->svc, h);
		struct host copy;
		bool changed;
		assert_int_equal(host_copy(h, &copy), 0);
		assert_int_equal(host_refresh(&ctx, &copy, &changed, NULL), 0);
		if (changed)
			fail_msg("after %s host %s is %s and should be %s: %s", after, h->id,
				 host_status_name(h->status), host_status_name(copy.status),
				 copy.status_info);
		host_done(&copy);
	}
}

/* Whatever time alone will change has a timer. */
static void expect_timers(struct api *f, const char *after)
{
	struct host *h;

	for (size_t i = 0; (h = state_host_at(f->svc.state, i)); i++) {
		struct rule_ctx ctx = life_ctx_alone(&f->svc, h);
		if (host_next_refresh_us(&ctx, h) && !state_host_slot(h))
			fail_msg("after %s host %s is %s and will never be missed", after, h->id,
				 host_status_name(h->status));
	}
}

/* State, kind and cluster of every host fit together. */
static void expect_sane(struct api *f, const char *after)
{
	struct host *h;

	for (size_t i = 0; (h = state_host_at(f->svc.state, i)); i++) {
		bool is_pool = h->status >= HOST_DISCOVERING_UNBOUND,
		     is_bound = h->cluster_id[0] != '\0',
		     installs = h->status == HOST_INSTALLING ||
				h->status == HOST_INSTALLING_IN_PROGRESS;
		if (is_pool == is_bound || (is_pool && h->kind != HOST_KIND_HOST) ||
		    (installs && (!h->install_id || !h->target_ignition)))
			fail_msg("after %s host %s is %s in the cluster \"%s\"", after, h->id,
				 host_status_name(h->status), h->cluster_id);
	}
}

static void test_whatever_happens(void **state)
{
	static const uint64_t seeds[] = { 7, 77 };
	struct api *f = *state;

	for (size_t s = 0; s < ARRAY_SIZE(seeds); s++) {
		random_start(f, seeds[s]);
		for (int i = 0; i < 250; i++) {
			const char *what = do_anything(f);
			expect_settled(f, what);
			expect_timers(f, what);
			expect_sane(f, what);
			api_advance(f, pick(100) * 1000);
		}
		random_end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		API_TEST(test_register_new),
		API_TEST(test_register_again),
		API_TEST(test_register_from_every_state),
		API_TEST(test_register_wrong_boot),
		API_TEST(test_bind),
		API_TEST(test_unbind),
		API_TEST(test_unbind_from_every_state),
		API_TEST(test_install_starts_afresh),
		API_TEST(test_install_without_ignition),
		API_TEST(test_reset),
		cmocka_unit_test(test_api_vip_of),
		API_TEST(test_registering_frees_the_name),
		API_TEST(test_namesakes),
		API_TEST(test_peers_wait_for_api_vip),
		API_TEST(test_whatever_happens),
	};
	return cmocka_run_group_tests_name("host_life", tests, NULL, NULL);
}
