/* logs-gather: the whole upload to a service that takes it, and what becomes of the step when it does not. */
#include "agent/logs.h"
#include "tests/unit/agent/step_rig.h"

#define CLUSTER "fc56491c-2703-4b95-b0cf-3418d90aff5b"
#define ARG                                                           \
	"{\"cluster_id\":\"" CLUSTER "\",\"infra_env_id\":\"" FAKE_IE \
	"\",\"host_id\":\"" FAKE_HOST "\",\"bootstrap\":false,\"installer_gather\":true}"
#define LOGS_PATH "/clusters/" CLUSTER "/logs"

/* What a service does with the requests, and what it got. */
struct service {
	struct http_server *server;
	int progress, upload; /* statuses */
	char order[256];      /* what came: "requested collecting upload completed " */
	char *archive;        /* of the upload; owned */
	size_t archive_len;
	char query[512], type[256], secret[64];
	const char *problem; /* with the multipart body */
};

/* One part, named "upfile", with a file name, and nothing behind it (RFC 7578, RFC 2046 §5.1). */
static const char *take_multipart(struct service *s, const char *body, size_t len)
{
	char open[128], close[128];
	const char *boundary = strstr(s->type, "boundary=");

	if (!str_starts(s->type, "multipart/form-data; ") || !boundary)
		return "no multipart/form-data";
	boundary += strlen("boundary=");
	size_t open_len = (size_t)snprintf(open, sizeof(open), "--%s\r\n", boundary);
	size_t close_len = (size_t)snprintf(close, sizeof(close), "\r\n--%s--\r\n", boundary);
	const char *head_end = memmem(body, len, "\r\n\r\n", 4);
	if (len < open_len + close_len || memcmp(body, open, open_len) != 0)
		return "does not begin with the boundary";
	if (!head_end || memcmp(body + len - close_len, close, close_len) != 0)
		return "does not end with the boundary";
	AUTO(freep) char *head = strndup(body, (size_t)(head_end - body));
	if (!strstr(head, "Content-Disposition: form-data; name=\"upfile\"; filename=\""))
		return "the part is not named upfile";
	s->archive_len = len - close_len - (size_t)(head_end + 4 - body);
	s->archive = malloc(s->archive_len + 1);
	memcpy(s->archive, head_end + 4, s->archive_len);
	return memmem(s->archive, s->archive_len, boundary, strlen(boundary))
		       ? "the boundary is in the part"
		       : NULL;
}

static void note(struct service *s, const char *what)
{
	size_t len = strlen(s->order);
	snprintf(s->order + len, sizeof(s->order) - len, "%s ", what);
}

static int on_progress(struct service *s, const char *body, size_t len)
{
	AUTO(json_decrefp) json_t *obj = json_parse(body, len, 4096, false, NULL);
	const char *logs_state = json_str(obj, "logs_state");

	note(s, logs_state ? logs_state : "nonsense");
	return s->progress;
}

static int on_upload(struct service *s, struct http_request *req, const char *body, size_t len)
{
	const char *type = http_request_header(req, "Content-Type");

	note(s, "upload");
	str_copy(s->type, sizeof(s->type), type ? type : "");
	str_copy(s->query, sizeof(s->query), strchr(http_request_target(req), '?'));
	str_copy(s->secret, sizeof(s->secret), http_request_header(req, "X-Secret-Key"));
	free(TAKE(s->archive));
	s->problem = take_multipart(s, body, len);
	return s->upload;
}

static void on_request(void *ctx, struct http_request *req)
{
	struct service *s = ctx;
	size_t len;
	const char *body = http_request_body(req, &len);
	const char *path = http_request_path(req), *method = http_request_method(req);
	int status = 404;

	if (str_eq(method, "PUT") && str_ends(path, "/hosts/" FAKE_HOST "/logs-progress"))
		status = on_progress(s, body, len);
	else if (str_eq(method, "POST") && str_ends(path, LOGS_PATH))
		status = on_upload(s, req, body, len);
	http_reply(req, status, "application/json", status < 300 ? "" : "{\"message\":\"no room\"}",
		   status < 300 ? 0 : 21);
}

static int setup(void **state)
{
	const struct http_limits limits = { .max_body = LOGS_ARCHIVE_MAX + 4096 };
	int status = rig_setup(state);
	struct net_rig *r = *state;
	struct agent_config config = { 0 };
	struct service *s = calloc(1, sizeof(*s));
	char address[64];

	*s = (struct service){ .progress = 204, .upload = 204 };
	assert_int_equal(http_server_new(r->f->base, &limits, on_request, s, &s->server, NULL), 0);
	assert_int_equal(http_server_listen(s->server, "127.0.0.1:0", NULL, NULL, address, NULL),
			 0);
	secret_set(&config.token, FAKE_TOKEN);
	rig_start(r, &config, FAKE_HOST, FAKE_IE);
	free(r->net.config.url);
	r->net.config.url = str_printf("http://%s", address);
	r->ctx = s;
	return status;
}

static int teardown(void **state)
{
	struct net_rig *r = *state;
	struct service *s = (struct service *)r->ctx;
	int status = rig_teardown(state); /* its loop is the server's, too */

	free(s->archive);
	free(s);
	return status;
}

/* Before the loop goes. */
static void stop_service(struct net_rig *r)
{
	http_server_free(((struct service *)r->ctx)->server);
}

static void fill(struct net_rig *r, size_t len)
{
	r->logs = malloc(len);
	r->logs_len = len;
	for (size_t i = 0; i < len; i++) /* every byte value, line ends, dashes */
		r->logs[i] = (char)(i * 7 + i / 251);
}

static void test_upload(void **state)
{
	static const size_t sizes[] = { 1, 1000, 100000, LOGS_ARCHIVE_MAX };
	struct net_rig *r = *state;
	struct service *s = (struct service *)r->ctx;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		s->order[0] = '\0';
		free(TAKE(r->logs));
		fill(r, sizes[i]);
		AUTO(caught_done) struct caught c = run_step(r, &step_logs, ARG);
		if (c.exit_code || s->problem)
			fail_msg("%zu bytes: %d %s; %s", sizes[i], c.exit_code, c.error,
				 s->problem ? s->problem : "");
		assert_string_equal(s->order, "requested collecting upload completed ");
		assert_int_equal(s->archive_len, sizes[i]);
		assert_memory_equal(s->archive, r->logs, sizes[i]);
	}
	assert_string_equal(s->query,
			    "?logs_type=host&host_id=" FAKE_HOST "&infra_env_id=" FAKE_IE);
	assert_string_equal(s->secret, FAKE_TOKEN);
	stop_service(r);
}

/* Only the upload counts; a service that refuses it says why. */
static void test_refused(void **state)
{
	static const struct {
		int progress, upload, exit_code;
		const char *order, *words;
	} rows[] = {
		{ 204, 404, STEP_EXIT_FAILED, "requested collecting upload ", "HTTP 404: no room" },
		{ 204, 413, STEP_EXIT_FAILED, "requested collecting upload ", "HTTP 413: no room" },
		{ 204, 507, STEP_EXIT_FAILED, "requested collecting upload ", "HTTP 507: no room" },
		{ 204, 500, STEP_EXIT_FAILED, "requested collecting upload ", "HTTP 500: no room" },
		{ 500, 204, STEP_EXIT_OK, "requested collecting upload completed ", NULL },
		{ 404, 201, STEP_EXIT_OK, "requested collecting upload completed ", NULL },
		{ 404, 401, STEP_EXIT_FAILED, "requested collecting upload ", "HTTP 401" },
	};
	struct net_rig *r = *state;
	struct service *s = (struct service *)r->ctx;

	fill(r, 5000);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		s->progress = rows[i].progress;
		s->upload = rows[i].upload;
		s->order[0] = '\0';
		AUTO(caught_done) struct caught c = run_step(r, &step_logs, ARG);
		if (c.exit_code != rows[i].exit_code || strcmp(s->order, rows[i].order) != 0 ||
		    (rows[i].words && (!c.error || !strstr(c.error, rows[i].words))))
			fail_msg("row %zu: %d, \"%s\", after %s", i, c.exit_code,
				 c.error ? c.error : "", s->order);
	}
	stop_service(r);
}

/* The root process has nothing to send, or more than is taken: nothing is uploaded. */
static void test_no_archive(void **state)
{
	struct net_rig *r = *state;
	struct service *s = (struct service *)r->ctx;

	for (int i = 0; i < 3; i++) {
		free(TAKE(r->logs));
		r->logs_len = 0;
		if (i == 1)
			fill(r, LOGS_ARCHIVE_MAX + 1);
		if (i == 2)
			r->logs = calloc(1, 1); /* an empty one */
		s->order[0] = '\0';
		AUTO(caught_done) struct caught c = run_step(r, &step_logs, ARG);
		assert_int_equal(c.exit_code, STEP_EXIT_FAILED);
		assert_non_null(c.error);
		assert_string_equal(s->order, "requested ");
	}
	stop_service(r);
}

/* The service goes away in the middle: the step ends. */
static void test_service_is_gone(void **state)
{
	struct net_rig *r = *state;

	fill(r, 5000);
	stop_service(r);
	AUTO(caught_done) struct caught c = run_step(r, &step_logs, ARG);
	assert_int_equal(c.exit_code, STEP_EXIT_FAILED);
	assert_non_null(strstr(c.error, "127.0.0.1"));
}

static void test_refusals(void **state)
{
	static const char *const args[] = {
		"{}",
		"{\"cluster_id\":7}",
		"{\"cluster_id\":\"\"}",
		"{\"cluster_id\":\"..\"}",
		"{\"cluster_id\":\"fc56491c-2703-4b95-b0cf-3418d90aff5b/../x\"}",
		"{\"cluster_id\":\"fc56491c-2703-4b95-b0cf-3418d90aff5g\"}",
	};
	struct net_rig *r = *state;
	struct service *s = (struct service *)r->ctx;

	for (size_t i = 0; i < ARRAY_SIZE(args); i++)
		expect_refusal(r, &step_logs, args[i], "cluster_id");
	assert_string_equal(s->order, "");
	stop_service(r);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_upload),          CASE(test_refused),  CASE(test_no_archive),
		CASE(test_service_is_gone), CASE(test_refusals),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
