#include "unit.h"
#include "service/config.h"

static void load(struct service_config *c, const char *text, int code, const char *words)
{
	struct fault err = FAULT_INIT;
	char dir[64], path[96];
	int fd = unit_tmp_open(dir);

	snprintf(path, sizeof(path), "%s/c", dir);
	assert_int_equal(file_replace_at(fd, "c", text, strlen(text), 0600, NULL), 0);
	assert_int_equal(service_config_init(c), 0);
	int r = service_config_load(c, path, &err);
	if (r == 0)
		r = service_config_check(c, &err);
	assert_int_equal(r, code);
	if (words && !strstr(err.text, words))
		fail_msg("\"%s\" lacks \"%s\"", err.text, words);
	unit_tmp_close(fd, dir);
}

static void test_defaults(void **state)
{
	struct service_config c;

	assert_int_equal(service_config_init(&c), 0);
	assert_int_equal(service_config_check(&c, NULL), 0);
	assert_string_equal(c.https, "[::]:9543");
	assert_string_equal(c.http, "[::]:8090");
	assert_int_equal(service_config_auth(&c), AUTH_MODE_LOCAL);
	assert_int_equal(c.instruction_interval_ms, 60000);
	assert_int_equal(c.max_disconnection_ms, 180000);
	assert_false(c.plain_api);
	service_config_done(&c);
	assert_int_equal(service_config_init(&c), 0);
	assert_int_equal(service_config_load(&c, "/nonexistent/slipwayd.conf", NULL), -ENOENT);
	service_config_done(&c);
}

static void test_values(void **state)
{
	struct service_config c;

	load(&c,
	     "[slipwayd]\nauth = none\nplain_api = yes\nstage_timeout_rebooting = 5s\nstage_timeout_writing_image_to_disk=2m\n"
	     "service_base_url = https://10.0.2.2:0\ninstruction_interval = 2\n",
	     0, NULL);
	assert_int_equal(service_config_auth(&c), AUTH_MODE_NONE);
	assert_true(c.plain_api);
	assert_int_equal(c.stage_timeout_ms[STAGE_REBOOTING], 5000);
	assert_int_equal(c.stage_timeout_ms[STAGE_WRITING_IMAGE], 120000);
	assert_int_equal(c.stage_timeout_ms[STAGE_JOINED], 0);
	assert_int_equal(c.instruction_interval_ms, 2000);
	service_config_done(&c);
}

static void test_bad(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "[slipwayd]\ncolour = red\n", ":2" },
		{ "[other]\nhttps = x\n", "other" },
		{ "[slipwayd]\nauth = maybe\n", "auth" },
		{ "[slipwayd]\nplain_api = perhaps\n", ":2" },
		{ "[slipwayd]\ninstruction_interval = 0\n", "instruction_interval" },
		{ "[slipwayd]\ninstruction_interval = soon\n", ":2" },
		{ "[slipwayd]\ncheckin_flush = 1ms\n", "checkin_flush" },
		{ "[slipwayd]\nservice_base_url = host:1\n", "service_base_url" },
		{ "[slipwayd]\nimage_base_url = https://host/path\n", "image_base_url" },
		{ "[slipwayd]\npayload_base_url = ftp://host\n", "payload_base_url" },
		{ "[slipwayd]\ndefault_version = a/b\n", "default_version" },
		{ "[slipwayd]\nhttps = nonsense\n", "ADDRESS:PORT" },
		{ "[slipwayd]\nhttps = off\n", "ADDRESS:PORT" },
		{ "[slipwayd]\nhttp = 127.0.0.1:99999\n", "ADDRESS:PORT" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct service_config c;
		load(&c, cases[i].text, -EINVAL, cases[i].words);
		service_config_done(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_defaults),
					    cmocka_unit_test(test_values),
					    cmocka_unit_test(test_bad) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
