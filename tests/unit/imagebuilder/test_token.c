#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json_map.h"
#include "imagebuilder/cpio.h"
#include "imagebuilder/imagebuilder.h"

#define ID "7e0a1b2c-0001-4002-8003-00000000000a"

static const struct media_token full = {
	.service_url = "https://10.0.2.2:9543",
	.infra_env_id = ID,
	.agent_token = "aaa.bbb.ccc",
	.ca_pem = "-----CA-----",
	.agent_version = "registry/agent:1",
	.ssh_authorized_keys = "ssh-ed25519 AAAA\n",
	.http_proxy = "http://user:secret@proxy:3128",
	.no_proxy = "localhost,10.0.0.0/8",
	.ntp_sources = "a,b",
	.static_network_config = "[]",
	.trust_bundle = "-----MORE-----\n",
	.kernel_arguments = "[]",
	.created = 1790000000,
	.interval_s = 2,
};

static const char conf_of_full[] =
	"[agent]\nurl = https://10.0.2.2:9543\ninfra_env_id = " ID
	"\ntoken_file = token\ncacert = ca.pem\n"
	"agent_version = registry/agent:1\nntp_sources = a,b\ninterval = 2\ncreated = 1790000000\n"
	"[proxy]\nhttp = http://user:secret@proxy:3128\nno = localhost,10.0.0.0/8\n";

static void test_members(void **state)
{
	static const struct {
		const char *name;
		uint32_t mode;
		const char *text;
	} want[] = {
		{ "etc", 0040755, "" },
		{ "etc/slipway", 0040755, "" },
		{ "etc/slipway/agent.conf", 0100644, conf_of_full },
		{ "etc/slipway/ca.pem", 0100644, "-----CA-----\n-----MORE-----\n" },
		{ "etc/slipway/authorized_keys", 0100644, "ssh-ed25519 AAAA\n" },
		{ "etc/slipway/kernel-arguments.json", 0100644, "[]" },
		{ "etc/slipway/network.json", 0100600, "[]" },
		{ "etc/slipway/token", 0100600, "aaa.bbb.ccc" },
	};
	AUTO(freep) void *segment = NULL;
	struct cpio_reader r;
	struct cpio_member m;
	size_t len;

	assert_int_equal(media_token_segment(&full, &segment, &len, NULL), 0);
	assert_int_equal(len % 4, 0);
	cpio_reader_init(&r, segment, len);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_int_equal(cpio_next(&r, &m, NULL), 1);
		assert_string_equal(m.name, want[i].name);
		assert_int_equal(m.mode, want[i].mode);
		assert_int_equal(m.len, strlen(want[i].text));
		assert_memory_equal(m.data, want[i].text, m.len);
	}
	assert_int_equal(cpio_next(&r, &m, NULL), 0);
}

static void test_smallest(void **state)
{
	static const char conf[] = "[agent]\nurl = http://h\ninfra_env_id = " ID "\n";
	struct media_token t = {
		.service_url = "http://h", .infra_env_id = ID, .agent_token = "", .http_proxy = ""
	};
	AUTO(freep) void *segment = NULL, *again = NULL;
	struct cpio_reader r;
	struct cpio_member m;
	size_t len, len_again;

	assert_int_equal(media_token_segment(&t, &segment, &len, NULL), 0);
	cpio_reader_init(&r, segment, len);
	for (int i = 0; i < 3; i++)
		assert_int_equal(cpio_next(&r, &m, NULL), 1);
	assert_int_equal(m.len, strlen(conf));
	assert_memory_equal(m.data, conf, m.len);
	assert_int_equal(cpio_next(&r, &m, NULL), 0);

	assert_int_equal(media_token_segment(&t, &again, &len_again, NULL), 0);
	assert_int_equal(len, len_again);
	assert_memory_equal(segment, again, len);
}

static void test_refused(void **state)
{
	static const struct {
		struct media_token t;
		const char *text;
	} cases[] = {
		{ { .infra_env_id = ID }, "service URL" },
		{ { .service_url = "ftp://h", .infra_env_id = ID }, "service URL" },
		{ { .service_url = "https://h" }, "infra-env id" },
		{ { .service_url = "https://h", .infra_env_id = "1234" }, "infra-env id" },
		{ { .service_url = "https://h", .infra_env_id = ID, .agent_token = "two words" },
		  "agent token" },
		{ { .service_url = "https://h\nurl = https://evil", .infra_env_id = ID },
		  "url must be one line" },
		{ { .service_url = "https://h", .infra_env_id = ID, .no_proxy = "a\n[agent]" },
		  "no must be one line" },
		{ { .service_url = "https://h", .infra_env_id = ID, .ntp_sources = "\x1b" },
		  "ntp_sources must be one line" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault err = FAULT_INIT;
		void *segment = NULL;
		size_t len;
		assert_int_equal(media_token_segment(&cases[i].t, &segment, &len, &err), -EINVAL);
		assert_non_null(strstr(err.text, cases[i].text));
		assert_null(segment);
	}
}

static void test_describe(void **state)
{
	AUTO(freep) void *segment = NULL;
	AUTO(freep) char *text = NULL;
	size_t len;

	assert_int_equal(media_token_segment(&full, &segment, &len, NULL), 0);
	assert_int_equal(media_token_describe(segment, len, &text, NULL), 0);
	assert_null(strstr(text, "aaa.bbb.ccc"));
	assert_null(strstr(text, "secret"));

	AUTO(json_decrefp) json_t *j = json_parse(text, strlen(text), 1 << 20, false, NULL);
	assert_non_null(j);
	assert_string_equal(json_str(j, "url"), "https://10.0.2.2:9543");
	assert_string_equal(json_str(j, "infra_env_id"), ID);
	assert_string_equal(json_str(j, "proxy_http"), "http://***@proxy:3128");
	assert_int_equal(json_array_size(json_child(j, "files")), 6);
}

static void test_describe_rubbish(void **state)
{
	static const char zeros[512];
	char *text = NULL;

	assert_int_equal(media_token_describe(zeros, sizeof(zeros), &text, NULL), -EBADMSG);
	assert_null(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),          cmocka_unit_test(test_smallest),
		cmocka_unit_test(test_refused),          cmocka_unit_test(test_describe),
		cmocka_unit_test(test_describe_rubbish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
