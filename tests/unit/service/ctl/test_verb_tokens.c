#include "fake_slipwayd.h"

#define ID "0b1e1111-2222-4333-8444-555566667777"

/* The token and a line end, so that it can go into a file. */
static void test_printed(void **state)
{
	static const struct {
		const struct verb *verb;
		const char *words[3];
		const char *name, *args;
	} cases[] = {
		{ &verb_tokens_agent,
		  { ID },
		  "tokens-agent",
		  "{\"infra_env_id\":\"" ID "\",\"host_id\":null}" },
		{ &verb_tokens_agent,
		  { "--host-id=h", ID },
		  "tokens-agent",
		  "{\"infra_env_id\":\"" ID "\",\"host_id\":\"h\"}" },
		{ &verb_tokens_user, { "bob" }, "tokens-user", "{\"name\":\"bob\",\"ttl\":null}" },
		{ &verb_tokens_user,
		  { "--ttl=1h", "bob" },
		  "tokens-user",
		  "{\"name\":\"bob\",\"ttl\":\"1h\"}" },
	};
	struct fake *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(fake_verb(f, "{\"ok\":true,\"token\":\"aaa.bbb.ccc\"}",
					   cases[i].verb, cases[i].words),
				 EXIT_DONE);
		fake_asked(f, cases[i].name, cases[i].args);
		assert_string_equal(f->text.out, "aaa.bbb.ccc\n");
		assert_string_equal(f->text.err, "");
		assert_int_equal(fake_verb(f, "{\"error\":\"there is none\"}", cases[i].verb,
					   cases[i].words),
				 EXIT_FAILED);
		assert_string_equal(f->text.out, "");
		assert_string_equal(f->text.err, "slipwayctl: there is none\n");
	}
	f->ctl.json = true;
	assert_int_equal(FAKE_VERB(f, "{\"ok\":true,\"token\":\"t\"}", &verb_tokens_user, "bob"),
			 EXIT_DONE);
	AUTO(json_decrefp) json_t *v = json_loads(f->text.out, 0, NULL);
	assert_string_equal(json_str(v, "token"), "t");
}

static void test_revoke(void **state)
{
	struct fake *f = *state;

	assert_int_equal(FAKE_VERB(f, "{\"ok\":true}", &verb_tokens_revoke, ID), EXIT_DONE);
	fake_asked(f, "tokens-revoke", "{\"infra_env_id\":\"" ID "\"}");
	assert_string_equal(f->text.out, "");
	assert_int_equal(FAKE_VERB(f, "{}", &verb_tokens_revoke, ID), EXIT_FAILED);
}

static void test_usage(void **state)
{
	struct fake *f = *state;

	assert_int_equal(FAKE_RUN(f, &verb_tokens_agent), EXIT_USAGE);
	assert_int_equal(FAKE_RUN(f, &verb_tokens_agent, ID, ID), EXIT_USAGE);
	assert_int_equal(FAKE_RUN(f, &verb_tokens_agent, "--ttl=1h", ID), EXIT_USAGE);
	assert_int_equal(FAKE_RUN(f, &verb_tokens_user), EXIT_USAGE);
	assert_int_equal(FAKE_RUN(f, &verb_tokens_user, "--host-id=h", "bob"), EXIT_USAGE);
	assert_int_equal(FAKE_RUN(f, &verb_tokens_revoke), EXIT_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAKE_TEST(test_printed),
		FAKE_TEST(test_revoke),
		FAKE_TEST(test_usage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
