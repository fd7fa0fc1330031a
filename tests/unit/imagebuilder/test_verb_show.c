#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "common/json_map.h"
#include "verb_rig.h"

#define ID "7e0a1b2c-0001-4002-8003-00000000000a"

static void put_token(struct verb_rig *g)
{
	fake_root_text(&g->root, "secret", "geheimes.token.hier\n");
	assert_int_equal(VERB_RUN(g, &verb_customize, "--url=https://10.0.2.2:9543",
				  "--infra-env-id=" ID, "--created=1790000000", "--interval=7",
				  "--token-file=secret", "tiny.iso"),
			 EXIT_DONE);
}

static void test_pristine(void **state)
{
	struct verb_rig *g = *state;

	assert_int_equal(VERB_RUN(g, &verb_show, "tiny.iso"), EXIT_DONE);
	assert_string_equal(g->text.out, "volume           TINY\n"
					 "area             /boot/token.img, 4096 bytes at 43008\n"
					 "token            none\n");
	assert_string_equal(g->text.err, "");
	assert_int_equal(VERB_RUN(g, &verb_show, "--json", "tiny.iso"), EXIT_DONE);
	AUTO(json_decrefp)
	json_t *v = json_parse(g->text.out, strlen(g->text.out), 10000, true, NULL);
	assert_non_null(v);
	assert_true(json_is_null(json_object_get(v, "token")));
	assert_int_equal(json_i64(json_child(v, "area"), "offset"), 43008);
	assert_int_equal(json_i64(json_child(v, "area"), "length"), 4096);
	assert_false(json_flag(json_child(v, "area"), "ignition"));
}

/* What is on the medium, never the token. */
static void test_customised(void **state)
{
	static const char *const has[] = { "https://10.0.2.2:9543", ID, "1790000000",
					   "etc/slipway/token", "0600" };
	struct verb_rig *g = *state;

	put_token(g);
	for (int json = 0; json < 2; json++) {
		int status = json ? VERB_RUN(g, &verb_show, "--json", "tiny.iso")
				  : VERB_RUN(g, &verb_show, "tiny.iso");
		assert_int_equal(status, EXIT_DONE);
		for (size_t i = 0; i < ARRAY_SIZE(has); i++) {
			if (!strstr(g->text.out, has[i]))
				fail_msg("no %s in: %s", has[i], g->text.out);
		}
		assert_null(strstr(g->text.out, "geheim"));
	}
}

/* One sentence that names the file once, whatever is wrong with it. */
static void test_refused(void **state)
{
	struct verb_rig *g = *state;
	static const char *const paths[] = { "absent.iso", "folder.iso", "text.iso",
					     "empty.iso",  "cut.iso",    "rubbish.iso" };
	size_t len;
	AUTO(freep) char *iso = verb_rig_content("tiny.iso", &len);

	assert_int_equal(mkdir("folder.iso", 0700), 0);
	fake_root_text(&g->root, "text.iso", "this is no image");
	fake_root_text(&g->root, "empty.iso", "");
	fake_root_file(&g->root, "cut.iso", iso, 22 * TINY_BLOCK, 0644);
	memset(iso + TINY_TOKEN_LBA * TINY_BLOCK, 'x', 100);
	fake_root_file(&g->root, "rubbish.iso", iso, len, 0644);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		assert_int_equal(VERB_RUN(g, &verb_show, paths[i]), EXIT_FAILED);
		assert_string_equal(g->text.out, "");
		if (verb_rig_count(g->text.err, paths[i]) != 1 ||
		    verb_rig_count(g->text.err, "\n") != 1)
			fail_msg("%s", g->text.err);
	}
}

static void test_usage(void **state)
{
	struct verb_rig *g = *state;

	assert_int_equal(VERB_RUN(g, &verb_show), EXIT_USAGE);
	assert_int_equal(VERB_RUN(g, &verb_show, "tiny.iso", "tiny.iso"), EXIT_USAGE);
	assert_int_equal(VERB_RUN(g, &verb_show, "--output=x", "tiny.iso"), EXIT_USAGE);
	assert_int_equal(VERB_RUN(g, &verb_show, "--json=x", "tiny.iso"), EXIT_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VERB_TEST(test_pristine),
		VERB_TEST(test_customised),
		VERB_TEST(test_refused),
		VERB_TEST(test_usage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
