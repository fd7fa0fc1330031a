#include "api_fixture.h"

#include "service/v2_common.h"

/* A request whose path was matched: only what the functions of v2_common.h look at. */
static void make_request(struct request *r, struct api *f, const char *infra_env_id,
			 const char *host_id, const char *cluster_id)
{
	*r = (struct request){ .service = &f->svc,
			       .param_name = { "infra_env_id}", "host_id}", "cluster_id}" } };
	buf_init(&r->out, 1 << 20);
	str_copy(r->param[0], sizeof(r->param[0]), infra_env_id);
	str_copy(r->param[1], sizeof(r->param[1]), host_id);
	str_copy(r->param[2], sizeof(r->param[2]), cluster_id);
}

static void test_find(void **state)
{
	struct api *f = *state;
	struct fault err = FAULT_INIT;
	struct request r;
	struct infra_env *ie;
	struct cluster *c;
	struct host *h, *added = api_add_host(f, API_POOL, API_HOST, false, HOST_KNOWN_UNBOUND);

	make_request(&r, f, API_POOL, API_HOST, API_CLUSTER);
	assert_int_equal(v2_find_infra_env(&r, &ie, &err), 0);
	assert_string_equal(ie->id, API_POOL);
	assert_int_equal(v2_find_cluster(&r, &c, &err), 0);
	assert_string_equal(c->id, API_CLUSTER);
	assert_int_equal(v2_find_host(&r, &h, &err), 0);
	assert_ptr_equal(h, added);
}

static void test_find_nothing(void **state)
{
	struct api *f = *state;
	struct fault err = FAULT_INIT;
	struct request r;
	struct infra_env *ie;
	struct cluster *c;
	struct host *h;

	api_add_host(f, API_POOL, API_HOST, false, HOST_KNOWN_UNBOUND);
	/* a host is found under its own infra-env only */
	make_request(&r, f, API_EARLY, API_HOST, API_NOBODY);
	assert_int_equal(v2_find_host(&r, &h, &err), -ENOENT);
	assert_string_equal(fault_text(&err), "failed to get host " API_HOST
					      " in infra_env " API_EARLY ": record not found");
	assert_int_equal(v2_find_cluster(&r, &c, &err), -ENOENT);
	assert_string_equal(fault_text(&err), "record not found");
	make_request(&r, f, API_NOBODY, API_HOST, "");
	assert_int_equal(v2_find_infra_env(&r, &ie, &err), -ENOENT);
	assert_string_equal(fault_text(&err), "record not found");
	/* without an id in the path nothing is found either */
	assert_int_equal(v2_find_cluster(&r, &c, &err), -ENOENT);
}

/* A caller with a scope sees the cluster of its infra-env, and the clusters that have a host of it. */
static void test_sees_cluster(void **state)
{
	struct api *f = *state;
	const struct cluster *c = state_cluster(f->svc.state, API_CLUSTER);
	struct request r;

	make_request(&r, f, "", "", "");
	assert_true(v2_sees_cluster(&r, c)); /* a user */
	strcpy(r.caller.infra_env_id, API_EARLY);
	assert_true(v2_sees_cluster(&r, c));
	strcpy(r.caller.infra_env_id, API_NOBODY);
	assert_false(v2_sees_cluster(&r, c));
	strcpy(r.caller.infra_env_id, API_POOL);
	assert_false(v2_sees_cluster(&r, c));
	api_add_host(f, API_POOL, API_OTHER, false, HOST_KNOWN_UNBOUND);
	api_add_host(f, API_EARLY, API_HOST, true, HOST_KNOWN);
	assert_false(v2_sees_cluster(&r, c));
	api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);
	assert_true(v2_sees_cluster(&r, c));
	/* wherever in the list its host stands */
	state_begin(f->svc.state);
	assert_int_equal(
		state_remove_host(f->svc.state, state_host(f->svc.state, API_EARLY, API_HOST)), 0);
	api_commit(f);
	assert_true(v2_sees_cluster(&r, c));
}

static void test_answer_host(void **state)
{
	struct api *f = *state;
	const struct host *h = api_add_host(f, API_POOL, API_HOST, false, HOST_KNOWN_UNBOUND);
	struct request r;

	make_request(&r, f, API_POOL, API_HOST, "");
	assert_int_equal(answer_host(&r, 202, h), 0);
	assert_int_equal(r.status, 202);
	assert_string_equal(r.content_type, "application/json");
	AUTO(json_decrefp) json_t *v = json_loadb(r.out.data, r.out.len, 0, NULL);
	assert_string_equal(json_str(v, "id"), API_HOST);
	assert_string_equal(json_str(v, "inventory"), h->inventory);
	buf_done(&r.out);
}

/* An answer that does not fit is an error, not half an answer. */
static void test_answer_too_long(void **state)
{
	struct api *f = *state;
	const struct host *h = api_add_host(f, API_POOL, API_HOST, false, HOST_KNOWN_UNBOUND);
	struct request r;

	make_request(&r, f, API_POOL, API_HOST, "");
	buf_init(&r.out, 100);
	assert_true(answer_host(&r, 200, h) < 0);
	buf_done(&r.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		API_TEST(test_find),
		API_TEST(test_find_nothing),
		API_TEST(test_sees_cluster),
		API_TEST(test_answer_host),
		API_TEST(test_answer_too_long),
	};
	return cmocka_run_group_tests_name("v2_common", tests, NULL, NULL);
}
