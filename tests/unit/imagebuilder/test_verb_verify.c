#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "verb_rig.h"

#define ID "7e0a1b2c-0001-4002-8003-00000000000a"

/* Digest of the image as it came: tiny_iso.h has zeros in the area. */
static void base_digest(char ret[SHA256_HEX_LEN + 1])
{
	size_t len;
	AUTO(freep) char *iso = verb_rig_content("tiny.iso", &len);

	sha256_hex(iso, len, ret);
}

static int customise(struct verb_rig *g)
{
	return VERB_RUN(g, &verb_customize, "--url=https://h:1", "--infra-env-id=" ID,
			"--created=1790000000", "tiny.iso");
}

static void test_same_base(void **state)
{
	struct verb_rig *g = *state;
	char digest[SHA256_HEX_LEN + 1], line[200];
	unsigned long long len;

	base_digest(digest);
	assert_int_equal(VERB_RUN(g, &verb_verify, "tiny.iso"), EXIT_DONE);
	snprintf(line, sizeof(line), "base %s, token segment 0 bytes\n", digest);
	assert_string_equal(g->text.out, line);
	assert_int_equal(customise(g), EXIT_DONE);
	assert_int_equal(VERB_RUN(g, &verb_verify, "tiny.iso"), EXIT_DONE);
	snprintf(line, sizeof(line), "base %s, token segment ", digest);
	assert_true(str_starts(g->text.out, line));
	assert_int_equal(sscanf(g->text.out + strlen(line), "%llu bytes", &len), 1);
	assert_in_range(len, 1, TINY_TOKEN_SIZE);
}

static void test_base_file(void **state)
{
	struct verb_rig *g = *state;
	char digest[SHA256_HEX_LEN + 1], good[300], other[300];

	base_digest(digest);
	snprintf(good, sizeof(good), "{\"files\":{\"base.iso\":{\"sha256\":\"%s\"}}}", digest);
	digest[5] ^= 1;
	snprintf(other, sizeof(other), "{\"files\":{\"base.iso\":{\"sha256\":\"%s\"}}}", digest);
	const struct {
		const char *name, *text;
		const char *says; /* NULL = it fits */
	} cases[] = {
		{ "good.json", good, NULL },
		{ "other.json", other, "the image is not the one of other.json" },
		{ "empty.json", "", "empty.json" },
		{ "array.json", "[]", "array.json" },
		{ "none.json", "{\"files\":{}}", "none.json names no digest" },
		{ "number.json", "{\"files\":{\"base.iso\":{\"sha256\":5}}}",
		  "number.json names no digest" },
		{ "broken.json", "{\"files\":", "broken.json" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(freep) char *option = str_printf("--base=%s", cases[i].name);
		fake_root_text(&g->root, cases[i].name, cases[i].text);
		int status = VERB_RUN(g, &verb_verify, option, "tiny.iso");
		if (status != (cases[i].says ? EXIT_FAILED : EXIT_DONE) ||
		    (cases[i].says && !strstr(g->text.err, cases[i].says)))
			fail_msg("%s: %d %s", cases[i].name, status, g->text.err);
	}
	assert_int_equal(VERB_RUN(g, &verb_verify, "--base=absent.json", "tiny.iso"), EXIT_FAILED);
	assert_non_null(strstr(g->text.err, "absent.json"));
}

/* A byte anywhere outside the area is another base; one inside is no sound segment. */
static void test_every_part_counts(void **state)
{
	static const struct {
		uint32_t offset;
		bool is_in_area;
	} cases[] = {
		{ 0, false },
		{ TINY_README_LBA * TINY_BLOCK, false },
		{ TINY_TOKEN_LBA * TINY_BLOCK - 1, false },
		{ TINY_TOKEN_LBA * TINY_BLOCK, true },
		{ TINY_TOKEN_LBA * TINY_BLOCK + TINY_TOKEN_SIZE - 1, true },
		{ TINY_TOKEN_LBA * TINY_BLOCK + TINY_TOKEN_SIZE, false },
		{ TINY_SIZE - 1, false },
	};
	struct verb_rig *g = *state;
	char digest[SHA256_HEX_LEN + 1];
	size_t len;

	base_digest(digest);
	assert_int_equal(customise(g), EXIT_DONE);
	AUTO(freep) char *iso = verb_rig_content("tiny.iso", &len);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		iso[cases[i].offset] ^= 0x40;
		fake_root_file(&g->root, "x.iso", iso, len, 0644);
		int status = VERB_RUN(g, &verb_verify, "x.iso");
		assert_int_equal(unlink("x.iso"), 0);
		iso[cases[i].offset] ^= 0x40;
		assert_int_equal(status, cases[i].is_in_area ? EXIT_FAILED : EXIT_DONE);
		assert_null(strstr(g->text.out, digest));
	}
}

static void test_path_once(void **state)
{
	struct verb_rig *g = *state;

	fake_root_text(&g->root, "text.iso", "no image");
	assert_int_equal(VERB_RUN(g, &verb_verify, "absent.iso"), EXIT_FAILED);
	assert_int_equal(verb_rig_count(g->text.err, "absent.iso"), 1);
	assert_int_equal(VERB_RUN(g, &verb_verify, "text.iso"), EXIT_FAILED);
	assert_int_equal(verb_rig_count(g->text.err, "text.iso"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VERB_TEST(test_same_base),
		VERB_TEST(test_base_file),
		VERB_TEST(test_every_part_counts),
		VERB_TEST(test_path_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
