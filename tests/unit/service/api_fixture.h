#pragma once
/*
 * The service without sockets: the real request pipeline of service/server.c, with a real store in a temporary folder, on top of an HTTP
 * server that is made of strings.
 *
 * After every call the objects in memory must be those in the store. A refused call must have changed none.
 */
#include "api_http.h"

#define API_POOL FIX_IE_ID                               /* an infra-env without a cluster */
#define API_EARLY "0b1e2222-2222-4333-8444-555566667777" /* one that belongs to the cluster */
#define API_CLUSTER FIX_CLUSTER_ID
#define API_HOST FIX_HOST_ID
#define API_OTHER "5f0c2222-2222-4333-8444-555566667777"  /* another host */
#define API_NOBODY "99990000-2222-4333-8444-555566667777" /* no object has this id */
#define API_HANDLE "handle-of-the-pool-000"

#define API_HOSTS "/v2/infra-envs/" API_POOL "/hosts"
#define API_HOST_PATH API_HOSTS "/" API_HOST

/* --- what is in the store --- */

static struct state *api_load(struct api *f)
{
	struct fault err = FAULT_INIT;
	struct state *s;

	if (state_new(f->store, &s, &err) < 0)
		fail_msg("%s", fault_text(&err));
	return s;
}

static inline bool api_same(enum model_kind kind, const void *a, const void *b)
{
	return (!a && !b) || (a && b && model_equal(kind, a, b));
}

static void api_compare(struct state *a, struct state *b, const char *what)
{
#define API_COMPARE(kind, type)                                                        \
	for (size_t i = 0; state_##type##_at(a, i) || state_##type##_at(b, i); i++) {  \
		if (!api_same(kind, state_##type##_at(a, i), state_##type##_at(b, i))) \
			fail_msg(#type " %zu: %s", i, what);                           \
	}
	API_COMPARE(MODEL_INFRA_ENV, infra_env)
	API_COMPARE(MODEL_CLUSTER, cluster)
	API_COMPARE(MODEL_HOST, host)
	API_COMPARE(MODEL_OS_IMAGE, os_image)
	API_COMPARE(MODEL_USER, user)
}

static void api_check_stored(struct api *f)
{
	assert_int_equal(state_flush_checkins(f->svc.state, NULL), 0);
	struct state *stored = api_load(f);

	api_compare(f->svc.state, stored, "memory and store differ");
	state_free(stored);
}

struct api_events {
	const char *name;
	unsigned n;
	char message[API_TEXT_MAX], severity[16];
};

static inline int api_count_event(void *ctx, void *obj)
{
	struct api_events *c = ctx;
	struct api_event *e = obj;

	if (!c->name || str_eq(e->name, c->name)) {
		c->n++;
		str_copy(c->message, sizeof(c->message), e->message);
		str_copy(c->severity, sizeof(c->severity), e->severity);
	}
	api_event_done(e);
	return 0;
}

/* Events of that name (NULL = any) in the store; the last one's message and severity. */
static inline struct api_events api_events(struct api *f, const char *name)
{
	struct api_events c = { .name = name };
	const struct event_filter all = { .limit = -1 };

	assert_int_equal(f->store->ops->events(f->store, &all, api_count_event, &c, NULL, NULL), 0);
	return c;
}

/* --- calling --- */

static void api_forget_answer(struct api *f)
{
	if (f->source.free)
		f->source.free(f->source.ctx);
	f->source = (struct http_source){ 0 };
	free(f->text);
	json_decref(f->json);
	state_free(f->before);
	f->text = NULL;
	f->json = NULL;
	f->before = NULL;
	f->n_answers = 0;
	f->headers_out[0] = f->etag[0] = '\0';
}

/* Operations whose answers, and therefore errors, are octet streams (assisted-v2 §1). */
static inline bool api_is_octet(const char *method, const char *path)
{
	static const char *const ends[] = { "/downloads/files", "/downloads/minimal-initrd",
					    "/downloads/ignition", "/downloads/credentials",
					    "/manifests/files" };

	if (!str_starts(path, ROUTE_BASE))
		return true; /* images */
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		if (str_ends(path, ends[i]))
			return !strcmp(method, "GET");
	}
	return str_ends(path, "/logs") && !strcmp(method, "GET");
}

/* @path: below the API when it begins with /v2, with its query; @body NULL = none. Returns the status. */
static inline int api_call(struct api *f, const char *method, const char *path, const char *body)
{
	struct http_request *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	api_forget_answer(f);
	f->before = api_load(f);
	f->n_events_before = api_events(f, NULL).n;
	r->method = method;
	r->body = body;
	snprintf(r->path, sizeof(r->path), "%s%s", str_starts(path, "/v2") ? ROUTE_BASE : "", path);
	char *query = strchr(r->path, '?');
	if (query)
		*query++ = '\0';
	r->query = query ? query : "";
	f->is_octet = api_is_octet(method, r->path);

	api_handler(api_handler_ctx, r);
	server_flush(f->svc.server);
	assert_int_equal(f->n_answers, 1);
	for (struct api_value *v; (v = r->values);) {
		r->values = v->next;
		free(v);
	}
	free(r);
	api_check_stored(f);
	return f->status;
}

/* The last call was answered with @status. */
static inline void api_expect(struct api *f, int status)
{
	if (f->status != status)
		fail_msg("status %d instead of %d: %s", f->status, status, f->text);
}

/* A member of the last answer: "progress.current_stage", "0.id". Borrowed; NULL = not there. */
static inline json_t *api_at(struct api *f, const char *path)
{
	json_t *at = f->json;
	char part[64];

	while (at && *path) {
		size_t n = strcspn(path, ".");
		snprintf(part, sizeof(part), "%.*s", (int)n, path);
		at = json_is_array(at) ? json_array_get(at, (size_t)atoi(part))
				       : json_object_get(at, part);
		path += n + (path[n] == '.');
	}
	return at;
}

static inline const char *api_str(struct api *f, const char *path)
{
	return json_string_value(api_at(f, path));
}

static inline void api_is(struct api *f, const char *path, const char *text)
{
	const char *have = api_str(f, path);

	if (!str_eq(have, text))
		fail_msg("%s is %s instead of %s in %s", path, have ? have : "(absent)",
			 text ? text : "(absent)", f->text);
}

static inline void api_check_sentence(struct api *f, const char *key, const char *text)
{
	const char *have = json_str(f->json, key);
	/* a path or a method that is not known is nobody's operation */
	bool is_octet = f->is_octet && f->status != 405 && !strstr(f->text, "was not found");

	if (!have || !strstr(have, text))
		fail_msg("\"%s\" is not in %s", text, f->text);
	assert_string_equal(f->type, is_octet ? "application/octet-stream" : "application/json");
	api_compare(f->before, f->svc.state, "changed by a call that was refused");
}

/* Refused by a handler: the shape "error" of the reference (assisted-v2 §1.1), and nothing changed, not even the events but @n_events. */
static inline void api_refused_noting(struct api *f, int status, const char *text,
				      unsigned n_events)
{
	char code[8];

	api_expect(f, status);
	snprintf(code, sizeof(code), "%d", status);
	assert_int_equal(json_object_size(f->json), 5);
	api_is(f, "code", code);
	api_is(f, "href", "");
	api_is(f, "kind", "Error");
	assert_int_equal(json_i64(f->json, "id"), status);
	api_check_sentence(f, "reason", text);
	assert_int_equal(api_events(f, NULL).n, f->n_events_before + n_events);
}

static inline void api_refused(struct api *f, int status, const char *text)
{
	api_refused_noting(f, status, text, 0);
}

/* Refused before any handler: {"code":400,"message":…}. */
static inline void api_invalid(struct api *f, int status, const char *text)
{
	api_expect(f, status);
	assert_int_equal(json_object_size(f->json), 2);
	assert_int_equal(json_i64(f->json, "code"), status);
	api_check_sentence(f, "message", text);
	assert_int_equal(api_events(f, NULL).n, f->n_events_before);
}

static inline bool api_has_header(const struct api *f, const char *line)
{
	AUTO(freep) char *want = str_printf("%s\n", line);

	return want && strstr(f->headers_out, want);
}

/* --- who calls --- */

static inline void api_as_user(struct api *f)
{
	f->authorization = f->user_token;
	f->secret_key = NULL;
}

static inline void api_as_nobody(struct api *f)
{
	f->authorization = f->secret_key = NULL;
}

/* The agent of an infra-env; @host_id NULL = its medium's token. The token is the caller's: AUTO(freep). */
static inline char *api_as_agent(struct api *f, const char *infra_env_id, const char *host_id)
{
	const struct infra_env *ie = state_infra_env(f->svc.state, infra_env_id);
	char *token;

	assert_non_null(ie);
	assert_int_equal(auth_agent_token(f->svc.auth, ie, host_id, f->now_us, 0, &token, NULL), 0);
	f->authorization = NULL;
	f->secret_key = token;
	return token;
}

/* Time goes by; the clock was not set. */
static inline void api_advance(struct api *f, int64_t us)
{
	f->now_us += us;
	f->svc.clock = (struct clock_watch){ 0 };
}

/* --- objects --- */

static struct infra_env *api_add_infra_env(struct api *f, const char *id, const char *name,
					   const char *cluster_id, const char *handle)
{
	struct infra_env *ie;

	assert_int_equal(state_add_infra_env(f->svc.state, id, &ie), 0);
	strcpy(ie->cluster_id, cluster_id);
	str_set(&ie->name, name);
	str_set(&ie->openshift_version, "4.18");
	str_set(&ie->cpu_architecture, "x86_64");
	str_set(&ie->image_type, "full-iso");
	str_set(&ie->user_name, "admin");
	secret_set(&ie->pull_secret, "{\"auths\":{\"r\":{}}}");
	ie->created_at = ie->updated_at = f->now_us;
	assert_int_equal(state_infra_env_set_handle(f->svc.state, ie, handle), 0);
	return ie;
}

static struct cluster *api_add_cluster(struct api *f, const char *id)
{
	struct cluster *c;

	assert_int_equal(state_add_cluster(f->svc.state, id, &c), 0);
	str_set(&c->name, "prod");
	str_set(&c->base_dns_domain, "example.com");
	str_set(&c->api_vip_dns_name, "api.prod.example.com");
	strcpy(c->openshift_cluster_id, "9c111111-2222-4333-8444-555566667777");
	c->created_at = c->updated_at = f->now_us;
	return c;
}

/*
 * A host with an inventory that is enough, heard of just now, in any state. When it belongs to the cluster it has fetched a
 * configuration that shows managed networking, so that a refresh finds it known.
 */
static inline struct host *api_add_host(struct api *f, const char *infra_env_id, const char *id,
					bool is_bound, enum host_status status)
{
	struct fault err = FAULT_INIT;
	struct host *h;

	state_begin(f->svc.state);
	assert_int_equal(state_add_host(f->svc.state, infra_env_id, id, &h), 0);
	if (is_bound)
		assert_int_equal(state_host_set_cluster(f->svc.state, h, API_CLUSTER), 0);
	h->kind = is_bound ? HOST_KIND_DAY2 : HOST_KIND_HOST;
	h->status = status;
	h->suggested_role = is_bound ? ROLE_WORKER : ROLE_AUTO_ASSIGN;
	h->checked_in_at = h->registered_at = h->created_at = h->updated_at = f->now_us;
	h->status_updated_at = f->now_us;
	h->timestamp = f->now_us / 1000000;
	str_set(&h->status_info, "as the test set it");
	str_set(&h->discovery_agent_version, f->svc.rules.agent_image);
	if (is_bound)
		str_set(&h->api_vip_connectivity,
			"{\"ignition\":\"{\\\"storage\\\":{\\\"files\\\":[{\\\"path\\\":"
			"\\\"/etc/kubernetes/manifests/keepalived.yaml\\\"}]}}\",\"is_success\":true}");
	struct rule_ctx ctx = life_ctx_alone(&f->svc, h);
	if (inventory_apply(&ctx, h, fix_inventory, strlen(fix_inventory), &err) < 0)
		fail_msg("%s", fault_text(&err));
	rule_parsed_done(&f->svc.parsed);
	assert_int_equal(host_note_inventory(h), 0);
	if (state_commit(f->svc.state, &err) < 0)
		fail_msg("%s", fault_text(&err));
	return h;
}

/* Puts a change that a test made in place into the store. @edit: what state_edit_*() of the object returned before. */
static inline void api_commit(struct api *f)
{
	struct fault err = FAULT_INIT;

	if (state_commit(f->svc.state, &err) < 0)
		fail_msg("%s", fault_text(&err));
}

/* --- life --- */

static void api_make_identity(struct api *f)
{
	AUTO(freep) char *token = NULL;
	struct user *u;

	state_begin(f->svc.state);
	assert_int_equal(state_add_user(f->svc.state, "admin", &u), 0);
	u->role = USER_ADMIN;
	api_add_cluster(f, API_CLUSTER);
	api_add_infra_env(f, API_POOL, "pool1", "", API_HANDLE);
	api_add_infra_env(f, API_EARLY, "early", API_CLUSTER, "handle-of-early-000000");
	api_commit(f);
	if (service_config_auth(&f->config) == AUTH_MODE_NONE)
		return;
	assert_int_equal(auth_user_token(f->svc.auth, "admin", f->now_us, 0, &token, NULL), 0);
	f->user_token = str_printf("Bearer %s", token);
	api_as_user(f);
}

static void api_open(struct api *f, const char *auth)
{
	static const uint8_t key[SEAL_KEY_LEN] = { 7 };
	struct service *svc = &f->svc;
	struct fault err = FAULT_INIT;

	f->fd = unit_tmp_open(f->path);
	f->now_us = FIX_NOW_US;
	api_running = f;
	assert_int_equal(service_config_init(&f->config), 0);
	str_set(&f->config.auth, auth);
	str_set(&f->config.default_version, "4.18");
	svc->config = &f->config;
	svc->base = event_base_new();
	svc->state_dirfd = f->fd;
	svc->started_us = svc->silence_from_us = f->now_us;
	rule_config_init(&svc->rules);
	svc->rules.agent_image = "registry.example.com/agent:1";
	svc->rules.installer_image = "registry.example.com/installer:1";
	svc->rules.controller_image = "registry.example.com/controller:1";
	svc->service_url = strdup("https://s.example.com:9543");
	svc->image_url = strdup("https://s.example.com:9543");
	svc->payload_url = strdup("http://s.example.com:8090");
	svc->ca_pem = strdup("-----BEGIN CERTIFICATE-----\nQ0E=\n-----END CERTIFICATE-----\n");
	if (pki_key_new(&f->key_pem, &err) < 0 ||
	    store_open("sqlite", f->fd, key, &f->store, &err) < 0 ||
	    state_new(f->store, &svc->state, &err) < 0 ||
	    auth_new(service_config_auth(&f->config), f->key_pem, svc->state, &svc->auth, &err) <
		    0 ||
	    images_new(svc, &svc->images, &err) < 0 || server_new(svc, &svc->server, &err) < 0)
		fail_msg("%s", fault_text(&err));
	api_make_identity(f);
}

static inline int api_setup(void **state)
{
	struct api *f = calloc(1, sizeof(*f));

	*state = f;
	api_open(f, "local");
	return 0;
}

static inline int api_setup_open(void **state)
{
	struct api *f = calloc(1, sizeof(*f));

	*state = f;
	api_open(f, "none");
	return 0;
}

static inline int api_teardown(void **state)
{
	struct api *f = *state;
	struct service *svc = &f->svc;

	api_forget_answer(f);
	server_free(svc->server);
	images_free(svc->images);
	life_stop(svc);
	auth_free(svc->auth);
	state_free(svc->state);
	store_close(f->store);
	event_base_free(svc->base);
	service_config_done(&f->config);
	free(svc->service_url);
	free(svc->image_url);
	free(svc->payload_url);
	free(svc->ca_pem);
	free(f->key_pem);
	free(f->user_token);
	unit_tmp_close(f->fd, f->path);
	free(f);
	return 0;
}

#define API_TEST(fn) cmocka_unit_test_setup_teardown(fn, api_setup, api_teardown)
#define API_TEST_OPEN(fn) cmocka_unit_test_setup_teardown(fn, api_setup_open, api_teardown)
