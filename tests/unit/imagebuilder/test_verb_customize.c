#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "verb_rig.h"

#define ID "7e0a1b2c-0001-4002-8003-00000000000a"
#define GOOD "--url=https://h:1", "--infra-env-id=" ID, "--created=1790000000"

static bool is_same(const char *a, const char *b)
{
	size_t n, m;
	AUTO(freep) char *x = verb_rig_content(a, &n);
	AUTO(freep) char *y = verb_rig_content(b, &m);

	return n == m && !memcmp(x, y, n);
}

static void keep(struct verb_rig *g)
{
	size_t len;
	AUTO(freep) char *iso = verb_rig_content("tiny.iso", &len);

	fake_root_file(&g->root, "before.iso", iso, len, 0644);
}

/* In place and into a new file come to the same; the new one is private and complete at once. */
static void test_two_ways(void **state)
{
	struct verb_rig *g = *state;
	struct stat st;
	mode_t old = umask(0);

	keep(g);
	fake_root_text(&g->root, "token", "  aaa.bbb.ccc\r\n");
	assert_int_equal(VERB_RUN(g, &verb_customize, GOOD, "--token-file=token",
				  "--output=new.iso", "tiny.iso"),
			 EXIT_DONE);
	umask(old);
	assert_true(is_same("before.iso", "tiny.iso"));
	assert_int_equal(stat("new.iso", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(VERB_RUN(g, &verb_customize, GOOD, "--token-file=token", "tiny.iso"),
			 EXIT_DONE);
	assert_true(is_same("new.iso", "tiny.iso"));
	/* only the area differs, and the token stands there without the blanks around it */
	size_t len;
	AUTO(freep) char *a = verb_rig_content("before.iso", &len);
	AUTO(freep) char *b = verb_rig_content("new.iso", &len);
	size_t area = TINY_TOKEN_LBA * TINY_BLOCK, end = area + TINY_TOKEN_SIZE;
	assert_memory_equal(a, b, area);
	assert_memory_equal(a + end, b + end, len - end);
	assert_non_null(memmem(b + area, TINY_TOKEN_SIZE, "aaa.bbb.ccc\0", 12));
	assert_null(memmem(b + area, TINY_TOKEN_SIZE, " aaa.bbb.ccc", 12));
}

/* Never a half-made or a replaced image: neither over a file, nor a link, nor a folder. */
static void test_output_is_new(void **state)
{
	static const char *const taken[] = { "--output=file", "--output=link", "--output=folder",
					     "--output=none/new.iso" };
	struct verb_rig *g = *state;

	fake_root_text(&g->root, "file", "precious");
	fake_root_link(&g->root, "link", "elsewhere");
	assert_int_equal(mkdir("folder", 0700), 0);
	unsigned before = verb_rig_entries(".");
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		assert_int_equal(VERB_RUN(g, &verb_customize, GOOD, taken[i], "tiny.iso"),
				 EXIT_FAILED);
		if (!strstr(g->text.err, taken[i] + strlen("--output=")))
			fail_msg("%s", g->text.err);
		assert_int_equal(verb_rig_entries("."), before);
	}
	size_t len;
	AUTO(freep) char *file = verb_rig_content("file", &len);
	assert_string_equal(file, "precious");
	assert_int_equal(access("elsewhere", F_OK), -1);
}

/* What cannot go onto a medium: said before anything is written. */
static void test_refused(void **state)
{
	struct verb_rig *g = *state;
	char *big = malloc((4u << 20) + 2);
	static const struct {
		const char *words[4];
		int status;
		const char *says;
	} cases[] = {
		{ { "--url=ftp://h" }, EXIT_FAILED, "https" },
		{ { "--url=" }, EXIT_FAILED, "" },
		{ { "--infra-env-id=../../etc" }, EXIT_FAILED, "" },
		{ { "--infra-env-id=" }, EXIT_FAILED, "" },
		{ { "--token-file=absent" }, EXIT_FAILED, "absent" },
		{ { "--token-file=binary" }, EXIT_FAILED, "binary is not a text file" },
		{ { "--token-file=folder" }, EXIT_FAILED, "folder" },
		{ { "--token-file=big" }, EXIT_FAILED, "big" },
		{ { "--token-file=large" }, EXIT_FAILED, "the area holds 4096" },
		{ { "--token-file=lines" }, EXIT_FAILED, "" },
		{ { "--cacert=absent" }, EXIT_FAILED, "absent" },
		{ { "--cacert=binary" }, EXIT_FAILED, "binary" },
		{ { "--trust-bundle=absent" }, EXIT_FAILED, "absent" },
		{ { "--network-file=absent" }, EXIT_FAILED, "absent" },
		{ { "--ssh-key-file=absent" }, EXIT_FAILED, "absent" },
		{ { "--interval=0" }, EXIT_USAGE, "1 to 86400" },
		{ { "--interval=86401" }, EXIT_USAGE, "1 to 86400" },
		{ { "--interval=x" }, EXIT_USAGE, "1 to 86400" },
		{ { "--created=0" }, EXIT_USAGE, "seconds since 1970" },
		{ { "--created=4294967296" }, EXIT_USAGE, "seconds since 1970" },
		{ { "--created=-1" }, EXIT_USAGE, "seconds since 1970" },
		{ { "--http-proxy=a\nurl = https://evil" }, EXIT_FAILED, "" },
		{ { "--ntp-sources=a\n[proxy]" }, EXIT_FAILED, "" },
		{ { "--agent-version=a\nb" }, EXIT_FAILED, "" },
	};

	keep(g);
	memset(big, 't', (4u << 20) + 1);
	big[(4u << 20) + 1] = '\0';
	fake_root_text(&g->root, "big", big);
	big[9000] = '\0';
	fake_root_text(&g->root, "large", big);
	free(big);
	fake_root_file(&g->root, "binary", "a\0b", 3, 0644);
	fake_root_text(&g->root, "lines", "aaa.bbb\nccc.ddd\n");
	assert_int_equal(mkdir("folder", 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int status = VERB_RUN(g, &verb_customize, GOOD, cases[i].words[0], "tiny.iso");
		if (status != cases[i].status || !strstr(g->text.err, cases[i].says) ||
		    !*g->text.err)
			fail_msg("%s: %d %s", cases[i].words[0], status, g->text.err);
		if (!is_same("before.iso", "tiny.iso"))
			fail_msg("%s changed the image", cases[i].words[0]);
	}
	/* a secret does not come back in a message */
	assert_int_equal(VERB_RUN(g, &verb_customize, GOOD, "--token-file=lines", "tiny.iso"),
			 EXIT_FAILED);
	assert_null(strstr(g->text.err, "aaa.bbb"));
}

/* The way to the image by a link is fine; what is no image is left as it is. */
static void test_input(void **state)
{
	struct verb_rig *g = *state;

	fake_root_link(&g->root, "link.iso", "tiny.iso");
	assert_int_equal(VERB_RUN(g, &verb_customize, GOOD, "link.iso"), EXIT_DONE);
	assert_int_equal(VERB_RUN(g, &verb_show, "tiny.iso"), EXIT_DONE);
	assert_non_null(strstr(g->text.out, ID));
	fake_root_text(&g->root, "text", "precious");
	assert_int_equal(VERB_RUN(g, &verb_customize, GOOD, "text"), EXIT_FAILED);
	assert_int_equal(verb_rig_count(g->text.err, "text:"), 1);
	assert_int_equal(VERB_RUN(g, &verb_customize, GOOD, "/dev/zero"), EXIT_FAILED);
	assert_int_equal(VERB_RUN(g, &verb_customize, GOOD), EXIT_USAGE);
	size_t len;
	AUTO(freep) char *text = verb_rig_content("text", &len);
	assert_string_equal(text, "precious");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VERB_TEST(test_two_ways),
		VERB_TEST(test_output_is_new),
		VERB_TEST(test_refused),
		VERB_TEST(test_input),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
