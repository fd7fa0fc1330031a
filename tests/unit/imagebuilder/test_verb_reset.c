#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "verb_rig.h"

#define ID "7e0a1b2c-0001-4002-8003-00000000000a"

/* The image is again what it was, to the byte, whatever was in the area. */
static void test_restores(void **state)
{
	struct verb_rig *g = *state;
	size_t len, again;
	AUTO(freep) char *before = verb_rig_content("tiny.iso", &len);

	assert_int_equal(VERB_RUN(g, &verb_reset, "tiny.iso"), EXIT_DONE);
	AUTO(freep) char *untouched = verb_rig_content("tiny.iso", &again);
	assert_int_equal(len, again);
	assert_memory_equal(before, untouched, len);

	assert_int_equal(
		VERB_RUN(g, &verb_customize, "--url=https://h:1", "--infra-env-id=" ID, "tiny.iso"),
		EXIT_DONE);
	AUTO(freep) char *custom = verb_rig_content("tiny.iso", &again);
	assert_memory_not_equal(before, custom, len);
	/* not even a sound segment: reset is the way out of a damaged area */
	AUTO(closep) int fd = open("tiny.iso", O_RDWR | O_CLOEXEC);
	char rubbish[TINY_TOKEN_SIZE];
	memset(rubbish, 0xA5, sizeof(rubbish));
	assert_int_equal(fd_pwrite(fd, rubbish, sizeof(rubbish), TINY_TOKEN_LBA * TINY_BLOCK), 0);
	assert_int_equal(VERB_RUN(g, &verb_reset, "tiny.iso"), EXIT_DONE);
	assert_string_equal(g->text.out, "");
	AUTO(freep) char *after = verb_rig_content("tiny.iso", &again);
	assert_int_equal(len, again);
	assert_memory_equal(before, after, len);
}

/* Files that are no image are named once, and not a byte of them changes. */
static void test_refused(void **state)
{
	struct verb_rig *g = *state;
	size_t len;
	AUTO(freep) char *iso = verb_rig_content("tiny.iso", &len);

	/* an image whose record points behind its end */
	tiny_le32((uint8_t *)iso + TINY_BOOT_LBA * TINY_BLOCK + 2 * 34 + 2, TINY_BLOCKS);
	fake_root_file(&g->root, "beyond.iso", iso, len, 0644);
	fake_root_text(&g->root, "text.iso", "precious text");
	static const char *const paths[] = { "absent.iso", "text.iso", "beyond.iso", "/dev/null" };
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		assert_int_equal(VERB_RUN(g, &verb_reset, paths[i]), EXIT_FAILED);
		if (verb_rig_count(g->text.err, paths[i]) != 1)
			fail_msg("%s", g->text.err);
	}
	size_t again;
	AUTO(freep) char *text = verb_rig_content("text.iso", &again);
	assert_string_equal(text, "precious text");
	AUTO(freep) char *beyond = verb_rig_content("beyond.iso", &again);
	assert_int_equal(again, len);
	assert_memory_equal(beyond, iso, len);
	assert_int_equal(access("absent.iso", F_OK), -1);
	assert_int_equal(VERB_RUN(g, &verb_reset), EXIT_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VERB_TEST(test_restores),
		VERB_TEST(test_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
