/* Logs of hosts by the API: who may send them, in which form, and who gets them. */
#include "logs_fixture.h"

#define LOGS "/v2/clusters/" API_CLUSTER "/logs"
#define OF_HOST "&host_id=" API_HOST "&infra_env_id=" API_POOL
#define UPLOAD LOGS "?logs_type=host" OF_HOST
#define FORM(name, data)                                      \
	"--b\r\nContent-Disposition: form-data; name=\"" name \
	"\"; filename=\"l.tar.gz\"\r\n\r\n" data "\r\n--b--\r\n"
#define TYPE "Content-Type: multipart/form-data; boundary=b\n"

static void send_form(struct api *f, const char *path, const char *body)
{
	f->headers = TYPE;
	api_call(f, "POST", path, body);
	f->headers = NULL;
}

/* One byte at a time or all at once, it arrives whole; the next one takes its place. */
static void test_upload(void **state)
{
	static const size_t steps[] = { 1, 7, 0 };
	struct api *f = *state;
	AUTO(freep) char *token = api_as_agent(f, API_POOL, NULL);

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		char name[HOST_LOGS_NAME_LEN];
		uint64_t size;

		f->upload_step = steps[i];
		send_form(f, UPLOAD, FORM("upfile", "these are logs"));
		api_expect(f, 204);
		assert_int_equal(host_logs_find(f->svc.logs, logs_host(f), name, &size, NULL), 0);
		assert_int_equal(size, strlen("these are logs"));
		assert_int_equal(logs_host(f)->logs_collected_at, f->now_us);
		assert_string_equal(logs_host(f)->logs_info, "completed");
		assert_int_equal(api_events(f, "host_logs_uploaded").n, i + 1);
		assert_int_equal(logs_count(f), 1);
	}
}

static void test_upload_refused(void **state)
{
	static const struct {
		const char *path, *body;
		int status;
		const char *says;
	} rows[] = {
		{ LOGS, FORM("upfile", "x"), 400, "logs_type in query is required" },
		{ LOGS "?logs_type=all" OF_HOST, FORM("upfile", "x"), 400,
		  "should be one of [host controller]" },
		{ LOGS "?logs_type=host&infra_env_id=" API_POOL, FORM("upfile", "x"), 400,
		  "host_id in query is required" },
		{ LOGS "?logs_type=host&host_id=x&infra_env_id=" API_POOL, FORM("upfile", "x"), 400,
		  "must be of type uuid" },
		{ LOGS "?logs_type=host&host_id=" API_NOBODY "&infra_env_id=" API_POOL,
		  FORM("upfile", "x"), 404, "is not in cluster" },
		{ LOGS "?logs_type=host&host_id=" API_HOST "&infra_env_id=" API_EARLY,
		  FORM("upfile", "x"), 404, "Not Found" },
		{ "/v2/clusters/" API_NOBODY "/logs?logs_type=host" OF_HOST, FORM("upfile", "x"),
		  404, "" },
		{ LOGS "?logs_type=controller" OF_HOST, FORM("upfile", "x"), 501, "controller" },
		{ UPLOAD, FORM("file", "x"), 400, "upfile" },
		{ UPLOAD, FORM("upfile", ""), 400, "empty" },
		{ UPLOAD, "", 400, "" },
		{ UPLOAD, "--b\r\nContent-Disposition: form-data; name=\"upfile\"\r\n\r\ncut", 400,
		  "" },
	};
	struct api *f = *state;
	AUTO(freep) char *token = api_as_agent(f, API_POOL, NULL);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		send_form(f, rows[i].path, rows[i].body);
		if (f->status != rows[i].status || !strstr(f->text, rows[i].says))
			fail_msg("row %zu: %d %s", i, f->status, f->text);
		assert_int_equal(logs_count(f), 0);
		assert_int_equal(logs_host(f)->logs_collected_at, 0);
	}
	static const char *const types[] = { NULL, "Content-Type: text/plain\n",
					     "Content-Type: multipart/form-data\n" };
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		f->headers = types[i];
		api_call(f, "POST", UPLOAD, FORM("upfile", "x"));
		api_invalid(f, 400, "multipart/form-data");
	}
	f->headers = NULL;
	f->upload_code = -ECONNRESET; /* the sender is gone in the middle */
	send_form(f, UPLOAD, FORM("upfile", "x"));
	api_expect(f, 400);
	f->upload_code = 0;
	f->config.logs_max_size = 3;
	send_form(f, UPLOAD, FORM("upfile", "1234"));
	api_expect(f, 413);
	f->config.logs_quota = 2;
	send_form(f, UPLOAD, FORM("upfile", "123"));
	api_expect(f, 503);
	assert_int_equal(logs_count(f), 0);
	assert_int_equal(api_events(f, "host_logs_uploaded").n, 0);
}

/* Of a tar file: the name of the first member that ends with @end, or NULL. */
static const char *member(struct api *f, const char *end)
{
	static char block[512];
	uint64_t at = 0;

	while (at + sizeof(block) <= f->source.size &&
	       f->source.pread(f->source.ctx, block, sizeof(block), at) == (ssize_t)sizeof(block) &&
	       block[0]) {
		if (str_ends(block, end))
			return block;
		at += 512 + (strtoull(block + 124, NULL, 8) + 511) / 512 * 512;
	}
	return NULL;
}

static void test_download(void **state)
{
	struct api *f = *state;
	AUTO(freep) char *token = api_as_agent(f, API_POOL, NULL);

	send_form(f, UPLOAD, FORM("upfile", "these are logs"));
	api_expect(f, 204);
	api_call(f, "GET", LOGS, NULL); /* logs are for people */
	assert_int_equal(f->status, 403);
	api_as_user(f);
	api_call(f, "GET", LOGS, NULL);
	api_expect(f, 200);
	assert_true(api_has_header(f, "Content-Disposition: attachment; filename=\"" API_CLUSTER
				      "_logs.tar\""));
	assert_non_null(f->source.pread);
	assert_non_null(member(f, "cluster_events.json"));
	assert_non_null(member(f, ".tar.gz"));
	api_call(f, "GET", LOGS "?logs_type=host&host_id=" API_HOST, NULL);
	api_expect(f, 200);
	assert_non_null(member(f, ".tar.gz"));
	assert_null(member(f, "cluster_events.json"));

	api_call(f, "GET", LOGS "?logs_type=host", NULL);
	assert_int_equal(f->status, 400);
	api_call(f, "GET", LOGS "?logs_type=host&host_id=" API_NOBODY, NULL);
	assert_int_equal(f->status, 404);
	api_call(f, "GET", LOGS "?logs_type=some", NULL);
	assert_int_equal(f->status, 400);
	api_call(f, "GET", LOGS "?logs_type=controller", NULL);
	assert_int_equal(f->status, 501);
	api_as_nobody(f);
	api_call(f, "GET", LOGS, NULL);
	assert_int_equal(f->status, 401);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOGS_TEST(test_upload),
		LOGS_TEST(test_upload_refused),
		LOGS_TEST(test_download),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
