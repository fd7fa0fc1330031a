/*
 * What this agent sends, against what the original sent ($SLIPWAY_CORPUS/agent/NN-*.json): one test per recording. The recorded answers are replayed to the
 * network process's code, in order; for every recorded request there must be one of ours with the same method, path, headers and shape.
 * Not recorded, and added here: the OS image in the install step, and the instruction to gather logs.
 */
#include <dirent.h>
#include "tests/unit/agent/net_rig.h"

#define RECORDINGS_MAX 64
#define SCENARIO_S 90

struct recording {
	char *name;
	json_t *all, *request, *response;
	bool is_matched;
	const struct fake_seen *ours; /* the request of ours that matches */
};

struct corpus {
	struct recording v[RECORDINGS_MAX];
	size_t n;
	struct net_rig *rig;
	struct http_server *plain; /* the cluster's web server */
	char plain_address[64];
	size_t writing; /* recorded percents that were fed */
	bool is_gathering;
};

/* --- recordings ------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct recording *)a)->name, ((const struct recording *)b)->name);
}

static int load(struct corpus *c, const char *dir)
{
	AUTO(closedirp) DIR *d = opendir(dir);
	for (struct dirent *e; d && (e = readdir(d)) && c->n < RECORDINGS_MAX;) {
		char path[700];
		if (!str_ends(e->d_name, ".json"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		json_t *all = json_load_file(path, 0, NULL);
		if (!all)
			return -1;
		c->v[c->n++] = (struct recording){ .name = str_dup(e->d_name),
						   .all = all,
						   .request = json_child(all, "request"),
						   .response = json_child(all, "response") };
	}
	qsort(c->v, c->n, sizeof(*c->v), by_name);
	return c->n ? 0 : -1;
}

static void unload(struct corpus *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].name);
		json_decref(c->v[i].all);
	}
}

/* The path without its query; in a buffer of the caller. */
static const char *path_of(const json_t *request, char *buf, size_t size)
{
	str_copy(buf, size, json_str(request, "path"));
	buf[strcspn(buf, "?")] = '\0';
	return buf;
}

/* What tells requests to one path apart: the step's type or the stage. */
static const char *kind_of(const json_t *body)
{
	const char *kind = json_str(body, "step_type");
	return kind ? kind : json_str(body, "current_stage");
}

static bool is_poll(const struct recording *r)
{
	return str_eq(json_str(r->request, "method"), "GET") &&
	       strstr(json_str(r->request, "path"), "/instructions");
}

static bool is_same_request(const struct recording *r, const struct fake_seen *s)
{
	char path[512];
	const json_t *body = json_child(r->request, "json");
	if (!str_eq(s->method, json_str(r->request, "method")) ||
	    !str_eq(s->path, path_of(r->request, path, sizeof(path))) ||
	    !str_eq(kind_of(body), kind_of(s->body)))
		return false;
	/* of several percents each stands for itself */
	return !str_ends(json_str(body, "progress_info"), "%") ||
	       str_eq(json_str(body, "progress_info"), json_str(s->body, "progress_info"));
}

static bool are_all_before_matched(const struct corpus *c, size_t k)
{
	for (size_t i = 0; i < k; i++)
		if (!c->v[i].is_matched)
			return false;
	return true;
}

/* --- replay -------------------------------------------------------------------------------------------- */

static void replace(char **text, const char *what, const char *by)
{
	char *at = strstr(*text, what);
	if (!at)
		return;
	char *changed = str_printf("%.*s%s%s", (int)(at - *text), *text, by, at + strlen(what));
	free(*text);
	*text = changed;
}

/* Recorded instructions, a poll a second, the cluster where this test has it, an OS image in the install step. */
static char *adapt(const struct corpus *c, const char *recorded)
{
	char *text = str_dup(recorded);
	replace(&text, "\"next_instruction_seconds\":60", "\"next_instruction_seconds\":1");
	const char *url = strstr(text, "http://127.0.0.1:");
	if (url) {
		char old[64], now[96];
		str_copy(old, MIN_OF(sizeof(old), strcspn(url + 7, "/") + 8), url);
		snprintf(now, sizeof(now), "http://%s", c->plain_address);
		replace(&text, old, now);
	}
	replace(&text, "\\\"notify_num_reboots\\\"",
		"\\\"installer_args\\\":\\\"[\\\\\\\"--image-url\\\\\\\",\\\\\\\"http://x/os-images/ab/image.raw.zst\\\\\\\"]\\\",\\\"notify_num_reboots\\\"");
	return text;
}

static char *index_bytes(size_t *ret_len)
{
	struct slx_entry e = { .length = 9 };
	struct slx x = { .image_size = 1u << 20,
			 .chunk_size = 1u << 20,
			 .sector_size = 512,
			 .count = 1,
			 .codec = 1,
			 .hash = 1,
			 .payload_size = 9,
			 .entries = &e };
	void *data = NULL;
	assert_int_equal(slx_format(&x, &data, ret_len, NULL), 0);
	return data;
}

static int not_recorded(struct fake *f, const struct fake_seen *s, char **ret_body)
{
	struct corpus *c = f->ctx;

	if (fake_is(s, "GET", "/image.slx")) {
		*ret_body = index_bytes(&f->body_len);
		return 200;
	}
	if (fake_is(s, "GET", "/config/worker")) {
		for (size_t i = 0; i < c->n; i++) {
			const char *ignition =
				json_str(json_child(c->v[i].request, "output_json"), "ignition");
			if (ignition)
				*ret_body = str_dup(ignition);
		}
		return 200;
	}
	if (fake_is(s, "GET", "/instructions") && c->is_gathering) {
		*ret_body = str_dup(
			"{\"instructions\":[{\"step_type\":\"logs-gather\",\"step_id\":\"l\",\"args\":"
			"[\"{\\\"cluster_id\\\":\\\"fc56491c-2703-4b95-b0cf-3418d90aff5b\\\"}\"]}],\"next_instruction_seconds\":1}");
		return 200;
	}
	return 0;
}

static int replay(struct fake *f, const struct fake_seen *s, char **ret_body)
{
	struct corpus *c = f->ctx;

	for (size_t i = 0; i < c->n; i++) {
		struct recording *r = &c->v[i];
		/* Instructions wait until everything before them has been said. */
		if (r->is_matched || !is_same_request(r, s) ||
		    (is_poll(r) && !are_all_before_matched(c, i)))
			continue;
		r->is_matched = true;
		r->ours = s;
		*ret_body = adapt(c, json_str(r->response, "body"));
		return (int)json_i64(r->response, "status");
	}
	return not_recorded(f, s, ret_body);
}

static void on_cluster_request(void *ctx, struct http_request *req)
{
	struct net_rig *rig = ctx;
	fake_request(rig->f, req);
}

/* --- the scenario ---------------------------------------------------------------------------------------- */

static bool is_all_matched(struct fake *f)
{
	struct corpus *c = f->ctx;
	return are_all_before_matched(c, c->n);
}

static bool is_installing(struct fake *f)
{
	return ((struct net_rig *)f->rig)->installs > 0;
}

static bool is_stage_reported(struct fake *f)
{
	return fake_count(f, "PUT", "/progress") >= f->counter;
}

static void feed(struct net_rig *r, enum install_phase phase, unsigned percent)
{
	r->f->counter = (unsigned)fake_count(r->f, "PUT", "/progress") + 1;
	rig_report(r, phase, percent, 0, NULL);
	fake_wait(r->f, 10, is_stage_reported);
}

static void play(struct corpus *c, const char *host, const char *infra_env)
{
	struct net_rig *r = c->rig;
	struct agent_config config = { .agent_version =
					       str_dup(json_str(json_child(c->v[0].request, "json"),
								"discovery_agent_version")),
				       .ntp_sources = str_dup("127.0.0.1:9"),
				       .insecure = true };

	rig_start(r, &config, host, infra_env);
	net_begin(&r->net, false);
	fake_wait(r->f, SCENARIO_S, is_installing);
	feed(r, INSTALL_PREPARE, 0);
	for (size_t i = 0; i < c->n; i++) {
		const char *info = json_str(json_child(c->v[i].request, "json"), "progress_info");
		if (str_ends(info, "%"))
			feed(r, INSTALL_WRITE, (unsigned)atoi(info));
	}
	c->is_gathering = true;
	feed(r, INSTALL_BOOT, 100);
	rig_report(r, INSTALL_DONE, 100, 0, NULL);
	/* What is missing in the end is for the tests to name. */
	struct timeval turn = { .tv_usec = 100000 };
	for (int i = 0; i < 150 && !is_all_matched(r->f); i++) {
		event_base_loopexit(r->f->base, &turn);
		event_base_dispatch(r->f->base);
	}
}

/* --- shapes -------------------------------------------------------------------------------------------------- */

static const char *recorded_header(const struct recording *r, const char *name)
{
	json_t *pair;
	size_t i;
	json_array_foreach(json_child(r->request, "headers"), i, pair)
		if (!strcasecmp(json_string_value(json_array_get(pair, 0)), name))
			return json_string_value(json_array_get(pair, 1));
	return NULL;
}

static void check_headers(const struct recording *r)
{
	const char *version = recorded_header(r, "discovery_agent_version"),
		   *secret = recorded_header(r, "X-Secret-Key");

	if (version)
		assert_string_equal(r->ours->version, version);
	if (secret)
		assert_string_equal(r->ours->secret, secret);
	if (recorded_header(r, "X-Request-Id"))
		assert_true(uuid_is_valid(r->ours->request_id));
}

/* Same types, and the same keys in objects; elements of lists are compared with the first recorded one. */
static void check_shape(const json_t *theirs, const json_t *ours, const char *where)
{
	const char *key;
	json_t *value;

	if (json_is_null(theirs) || json_is_null(ours))
		return; /* Go's nil slice and an empty list mean the same (assisted-v2 §1.2) */
	if (json_typeof(theirs) != json_typeof(ours))
		fail_msg("%s: another type", where);
	json_object_foreach((json_t *)theirs, key, value) {
		char path[256];
		snprintf(path, sizeof(path), "%s.%s", where, key);
		if (!json_child(ours, key) && !json_object_get(ours, key))
			fail_msg("%s is missing", path);
		check_shape(value, json_object_get(ours, key), path);
	}
	json_object_foreach((json_t *)ours, key, value)
		if (!json_object_get(theirs, key))
			fail_msg("%s.%s is not in the recording", where, key);
	for (size_t i = 0; json_array_size(theirs) && i < json_array_size(ours); i++)
		check_shape(json_array_get(theirs, 0), json_array_get(ours, i), where);
}

static void check_body(const struct recording *r)
{
	AUTO(json_decrefp) json_t *theirs = json_copy(json_child(r->request, "json"));
	AUTO(json_decrefp) json_t *ours = json_copy(r->ours->body);

	if (!theirs) {
		assert_null(ours);
		return;
	}
	/* The words of tools, which this agent does not run. */
	json_object_del(theirs, "error");
	json_object_del(ours, "error");
	check_shape(theirs, ours, "body");
	const json_t *output = json_child(r->request, "output_json");
	if (!output)
		return;
	AUTO(json_decrefp) json_t *our_output = json_loads(json_str(ours, "output"), 0, NULL);
	assert_non_null(our_output);
	/* Lists of different things are compared element by element only where their elements are alike. */
	if (str_eq(kind_of(theirs), "inventory"))
		assert_true(
			json_equal(output, our_output)); /* passed on as the root process gave it */
	else
		check_shape(output, our_output, "output");
}

static void test_recording(void **state)
{
	const struct recording *r = *state;

	if (!r->ours)
		fail_msg("this agent has sent no such request");
	check_headers(r);
	check_body(r);
}

int main(void)
{
	const char *folder = getenv("SLIPWAY_CORPUS");
	struct corpus c = { 0 };
	struct CMUnitTest tests[RECORDINGS_MAX];
	char dir[400], infra_env[UUID_LEN + 1] = "";
	struct fault err = FAULT_INIT;

	if (!folder) {
		puts("1..0 # the corpus was not given (SLIPWAY_CORPUS)");
		return 0;
	}
	snprintf(dir, sizeof(dir), "%s/agent", folder);
	if (load(&c, dir) < 0) {
		fprintf(stderr, "%s: no recordings there\n", dir);
		return 1;
	}
	const char *host = json_str(json_child(c.v[0].request, "json"), "host_id");
	const char *path = strstr(json_str(c.v[0].request, "path"), "/infra-envs/");
	str_copy(infra_env, sizeof(infra_env), path ? path + strlen("/infra-envs/") : "");
	if (rig_setup((void **)&c.rig) < 0 ||
	    http_server_new(c.rig->f->base, NULL, on_cluster_request, c.rig, &c.plain, &err) < 0 ||
	    http_server_listen(c.plain, "127.0.0.1:0", NULL, NULL, c.plain_address, &err) < 0)
		return 1;
	for (size_t i = 0; i < c.n; i++)
		if (!c.rig->inventory &&
		    str_eq(kind_of(json_child(c.v[i].request, "json")), "inventory"))
			c.rig->inventory =
				str_dup(json_str(json_child(c.v[i].request, "json"), "output"));
	c.rig->f->ctx = &c;
	c.rig->f->answer = replay;
	play(&c, host, infra_env);
	for (size_t i = 0; i < c.n; i++)
		tests[i] = (struct CMUnitTest){ .name = c.v[i].name,
						.test_func = test_recording,
						.initial_state = &c.v[i] };
	int failed = _cmocka_run_group_tests("agent corpus", tests, c.n, NULL, NULL);
	http_server_free(c.plain);
	rig_teardown((void **)&c.rig);
	unload(&c);
	return failed;
}
