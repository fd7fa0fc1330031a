#include "api_fixture.h"

#include "service/ignition_look.h"

#define DOWNLOADS "/v2/infra-envs/" API_POOL "/downloads"
#define FILES DOWNLOADS "/files?file_name="
#define SCRIPT FILES "ipxe-script"
#define MAC "52:54:00:00:00:01" /* in the fixture's inventory */

static void get(struct api *f, const char *path)
{
	api_call(f, "GET", path, NULL);
}

/* --- image-url --- */

static void test_image_url(void **state)
{
	struct api *f = *state;

	get(f, DOWNLOADS "/image-url");
	api_expect(f, 200);
	assert_int_equal(json_object_size(f->json), 2);
	api_is(f, "url", "https://s.example.com:9543/byapikey/" API_HANDLE "/4.18/x86_64/full.iso");
	api_is(f, "expires_at", "0001-01-01T00:00:00.000Z");
	get(f, "/v2/infra-envs/" API_NOBODY "/downloads/image-url");
	api_refused(f, 404, "record not found");
	AUTO(freep) char *token = api_as_agent(f, API_POOL, NULL);
	get(f, DOWNLOADS "/image-url");
	api_invalid(f, 403, "");
	api_as_nobody(f);
	get(f, DOWNLOADS "/image-url");
	api_invalid(f, 401, "");
	get(f, DOWNLOADS "/image-url?api_key=" API_HANDLE);
	api_invalid(f, 403, "");
}

/* --- files: what is asked for --- */

static void test_queries(void **state)
{
	static const struct {
		const char *query, *message;
	} rows[] = {
		{ "", "file_name in query is required" },
		{ "?file_name=", "file_name in query is required" },
		{ "?file_name=motd",
		  "file_name in query should be one of [discovery.ign ipxe-script static-network-config]" },
		{ "?file_name=ipxe-script&ipxe_script_type=x",
		  "ipxe_script_type in query should be one of [discovery-image-always boot-order-control]" },
		{ "?file_name=ipxe-scripx", "file_name in query should be one of" },
		{ "?file_name=ipxe", "file_name in query should be one of" },
		{ "?file_name=discovery.ign&discovery_iso_type=", "discovery_iso_type in query" },
		{ "?file_name=ipxe-script&mac=x", "mac in query must be of type mac: \"x\"" },
		{ "?file_name=discovery.ign&mac=x", "mac in query must be of type mac: \"x\"" },
		{ "?file_name=discovery.ign&discovery_iso_type=x",
		  "discovery_iso_type in query should be one of [full-iso minimal-iso disconnected-iso]" },
	};
	struct api *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(freep) char *path = str_printf(DOWNLOADS "/files%s", rows[i].query);
		get(f, path);
		api_invalid(f, 400, rows[i].message);
	}
	get(f, FILES "discovery.ign&ipxe_script_type=boot-order-control");
	api_refused(f, 400, "\"ipxe_script_type\" can be set only for \"ipxe-script\"");
	get(f, FILES "discovery.ign&discovery_iso_type=minimal-iso&mac=" MAC);
	api_expect(f, 200);
	get(f, "/v2/infra-envs/" API_NOBODY "/downloads/files?file_name=ipxe-script");
	api_refused(f, 404, "record not found");
	assert_string_equal(f->type, "application/octet-stream");
}

static void test_callers(void **state)
{
	struct api *f = *state;

	AUTO(freep) char *own = api_as_agent(f, API_POOL, NULL);
	get(f, FILES "discovery.ign");
	api_expect(f, 200);
	AUTO(freep) char *other = api_as_agent(f, API_EARLY, NULL);
	get(f, FILES "discovery.ign");
	api_refused(f, 404, "Object Not Found");
	/* a host's own token would get the token of all hosts from here */
	AUTO(freep) char *bound = api_as_agent(f, API_POOL, API_HOST);
	get(f, FILES "discovery.ign");
	api_refused(f, 404, "Object Not Found");
	api_as_nobody(f);
	get(f, FILES "discovery.ign");
	api_invalid(f, 401, "");
	get(f, FILES "discovery.ign&api_key=" API_HANDLE);
	api_expect(f, 200);
	get(f, "/v2/infra-envs/" API_EARLY
	       "/downloads/files?file_name=discovery.ign&api_key=" API_HANDLE);
	api_refused(f, 404, "Object Not Found");
}

/* Without TLS only the boot script comes: firmware may have none, and the ignition carries a token. */
static void test_plain(void **state)
{
	struct api *f = *state;

	f->is_plain = true;
	get(f, SCRIPT);
	api_expect(f, 200);
	get(f, FILES "discovery.ign");
	api_refused(f, 404, "discovery.ign is served over HTTPS only");
	get(f, FILES "static-network-config");
	api_refused(f, 404, "static-network-config is served over HTTPS only");
	get(f, DOWNLOADS "/image-url");
	api_refused(f, 404, "HTTPS only");
}

/* --- discovery.ign --- */

/* The agent's token, wherever in the files of the ignition @v it stands; NULL = nowhere. The caller's. */
static char *token_in(json_t *v)
{
	static const char name[] = "PULL_SECRET_TOKEN=";
	json_t *file;
	size_t i, len;

	json_array_foreach(json_child(json_child(v, "storage"), "files"), i, file) {
		const char *source = json_str(json_child(file, "contents"), "source");
		AUTO(freep) char *text = NULL;
		assert_int_equal(data_url_decode(source, &text, &len), 0);
		const char *found = strstr(text, name);
		if (found)
			return strndup(found + strlen(name), strcspn(found + strlen(name), "\n"));
	}
	return NULL;
}

static void test_discovery_ignition(void **state)
{
	struct api *f = *state;
	struct caller caller;

	get(f, FILES "discovery.ign");
	api_expect(f, 200);
	assert_string_equal(f->type, "application/octet-stream");
	assert_true(
		api_has_header(f, "Content-Disposition: attachment; filename=\"discovery.ign\""));
	assert_true(api_has_header(f, "Last-Modified: Mon, 21 Sep 2026 14:13:20 GMT"));
	AUTO(json_decrefp) json_t *v = json_loads(f->text, 0, NULL);
	assert_string_equal(json_str(json_child(v, "ignition"), "version"), "3.1.0");
	/* the agent's token is in a file of it, and is good for this infra-env */
	AUTO(freep) char *token = token_in(v);
	assert_non_null(token);
	const struct credentials c = { .secret_key = token };
	assert_int_equal(auth_check(f->svc.auth, AUTH_AGENT, &c, f->now_us, &caller, NULL), 0);
	assert_string_equal(caller.infra_env_id, API_POOL);
	assert_string_equal(caller.host_id, "");
}

static void test_last_modified(void **state)
{
	struct api *f = *state;

	api_advance(f, 86400 * 1000000ll);
	api_call(f, "PATCH", "/v2/infra-envs/" API_POOL, "{\"image_type\":\"minimal-iso\"}");
	get(f, SCRIPT);
	assert_true(api_has_header(f, "Last-Modified: Tue, 22 Sep 2026 14:13:20 GMT"));
	assert_true(api_has_header(f, "Content-Disposition: attachment; filename=\"" API_POOL
				      "-ipxe-script\""));
}

/* --- ipxe-script --- */

static void test_script(void **state)
{
	struct api *f = *state;

	api_call(
		f, "PATCH", "/v2/infra-envs/" API_POOL,
		"{\"kernel_arguments\":[{\"operation\":\"append\",\"value\":\"a=b\"},"
		"{\"operation\":\"append\",\"value\":\"\"},{\"operation\":\"append\",\"value\":\"c\"}]}");
	api_expect(f, 201);
	get(f, SCRIPT);
	api_expect(f, 200);
	assert_string_equal(
		f->text,
		"#!ipxe\n"
		"initrd --name initrd http://s.example.com:8090/images/" API_POOL
		"/pxe-initrd?arch=x86_64&version=4.18&api_key=" API_HANDLE "\n"
		"kernel http://s.example.com:8090/boot-artifacts/kernel?arch=x86_64&version=4.18 initrd=initrd "
		"random.trust_cpu=on console=tty1 console=ttyS0,115200n8 a=b c\n"
		"boot\n");
	AUTO(freep) char *same = strdup(f->text);
	get(f, SCRIPT "&ipxe_script_type=discovery-image-always");
	assert_string_equal(f->text, same);
	/* a machine that is not installed boots the same */
	get(f, SCRIPT "&ipxe_script_type=boot-order-control&mac=" MAC);
	assert_string_equal(f->text, same);
}

static void test_script_open(void **state)
{
	struct api *f = *state;

	get(f, SCRIPT);
	api_expect(f, 200);
	assert_null(strstr(f->text, "api_key"));
	free(f->svc.payload_url);
	f->svc.payload_url = NULL; /* no plain listener */
	get(f, SCRIPT);
	assert_non_null(strstr(f->text, "kernel https://s.example.com:9543/boot-artifacts/"));
}

/* The first answer only leads to the second, with the machine's own address. */
static void test_script_chain(void **state)
{
	struct api *f = *state;

	api_as_nobody(f);
	get(f, SCRIPT "&ipxe_script_type=boot-order-control&api_key=" API_HANDLE);
	api_expect(f, 200);
	assert_string_equal(f->text,
			    "#!ipxe\nchain http://s.example.com:8090/api/assisted-install" FILES
			    "ipxe-script&api_key=" API_HANDLE "&mac=${net0/mac}\n");
}

/* What is installed, or about to boot what was installed, falls through to its disk. */
static void test_script_of_installed(void **state)
{
	static const struct {
		enum host_status status;
		enum stage stage;
		int answer;
	} rows[] = {
		{ HOST_KNOWN, STAGE_NONE, 200 },
		{ HOST_INSTALLING, STAGE_NONE, 200 },
		{ HOST_INSTALLING_IN_PROGRESS, STAGE_WAITING_FOR_CONTROL_PLANE, 200 },
		{ HOST_INSTALLING_IN_PROGRESS, STAGE_REBOOTING, 404 },
		{ HOST_INSTALLING_IN_PROGRESS, STAGE_CONFIGURING, 404 },
		{ HOST_INSTALLING_IN_PROGRESS, STAGE_JOINED, 404 },
		{ HOST_INSTALLING_PENDING_USER_ACTION, STAGE_REBOOTING, 200 },
		{ HOST_ERROR, STAGE_WRITING_IMAGE, 200 },
		{ HOST_INSTALLED, STAGE_DONE, 404 },
		{ HOST_ADDED_TO_EXISTING_CLUSTER, STAGE_DONE, 404 },
	};
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		state_begin(f->svc.state);
		assert_int_equal(state_edit_host(f->svc.state, h), 0);
		h->status = rows[i].status;
		h->stage = rows[i].stage;
		api_commit(f);
		get(f, SCRIPT "&mac=" MAC);
		if (rows[i].answer == 404)
			api_refused(f, 404,
				    "the host with the address " MAC " boots from its disk");
		else
			api_expect(f, 200);
	}
	/* others of the infra-env go on, and so does whoever does not say who it is */
	get(f, SCRIPT "&mac=52:54:00:00:00:02");
	api_expect(f, 200);
	get(f, SCRIPT);
	api_expect(f, 200);
	get(f, "/v2/infra-envs/" API_EARLY "/downloads/files?file_name=ipxe-script&mac=" MAC);
	api_expect(f, 200);
	/* two hosts of one address: nobody knows which */
	api_add_host(f, API_POOL, API_OTHER, true, HOST_ADDED_TO_EXISTING_CLUSTER);
	get(f, SCRIPT "&mac=" MAC);
	api_refused(f, 500, "2 hosts have the address " MAC);
}

/* --- files-presigned --- */

static void test_presigned(void **state)
{
	static const char base[] = "https://s.example.com:9543";
	struct api *f = *state;

	get(f, DOWNLOADS "/files-presigned?file_name=discovery.ign");
	api_expect(f, 200);
	AUTO(freep) char *url = strdup(api_str(f, "url"));
	assert_string_equal(url, "https://s.example.com:9543/api/assisted-install" FILES
				 "discovery.ign&api_key=" API_HANDLE);
	/* the URL is all that is needed */
	api_as_nobody(f);
	get(f, url + strlen(base));
	api_expect(f, 200);
	api_as_user(f);
	get(f,
	    DOWNLOADS "/files-presigned?file_name=ipxe-script&ipxe_script_type=boot-order-control");
	api_is(f, "url",
	       "http://s.example.com:8090/api/assisted-install" FILES
	       "ipxe-script&ipxe_script_type=boot-order-control&api_key=" API_HANDLE);
}

static void test_presigned_refused(void **state)
{
	static const struct {
		const char *query, *message;
	} rows[] = {
		{ "", "file_name in query is required" },
		{ "?file_name=x",
		  "file_name in query should be one of [discovery.ign ipxe-script]" },
		/* that one is not for machines (assisted-v2 §3.1) */
		{ "?file_name=static-network-config",
		  "file_name in query should be one of [discovery.ign ipxe-script]" },
		{ "?file_name=ipxe-script&ipxe_script_type=x", "ipxe_script_type in query" },
	};
	struct api *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(freep) char *path = str_printf(DOWNLOADS "/files-presigned%s", rows[i].query);
		get(f, path);
		api_invalid(f, 400, rows[i].message);
	}
	get(f, "/v2/infra-envs/" API_NOBODY "/downloads/files-presigned?file_name=ipxe-script");
	api_refused(f, 404, "record not found");
	api_as_nobody(f);
	get(f, DOWNLOADS "/files-presigned?file_name=discovery.ign&api_key=" API_HANDLE);
	api_invalid(f, 403, "");
}

/* --- minimal-initrd --- */

static void test_minimal_initrd(void **state)
{
	struct api *f = *state;

	/* nothing to add: no static network, no proxy (assisted-v2 §8.4) */
	get(f, DOWNLOADS "/minimal-initrd");
	api_expect(f, 204);
	assert_string_equal(f->text, "");
	get(f, "/v2/infra-envs/" API_NOBODY "/downloads/minimal-initrd");
	api_refused(f, 404, "record not found");
	AUTO(freep) char *token = api_as_agent(f, API_POOL, NULL);
	get(f, DOWNLOADS "/minimal-initrd");
	api_invalid(f, 403, "");
	api_as_nobody(f);
	get(f, DOWNLOADS "/minimal-initrd?api_key=" API_HANDLE);
	api_expect(f, 204);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		API_TEST(test_image_url),
		API_TEST(test_queries),
		API_TEST(test_callers),
		API_TEST(test_plain),
		API_TEST(test_discovery_ignition),
		API_TEST(test_last_modified),
		API_TEST(test_script),
		API_TEST_OPEN(test_script_open),
		API_TEST(test_script_chain),
		API_TEST(test_script_of_installed),
		API_TEST(test_presigned),
		API_TEST(test_presigned_refused),
		API_TEST(test_minimal_initrd),
	};
	return cmocka_run_group_tests_name("v2_download", tests, NULL, NULL);
}
