#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "common/json_map.h"
#include "common/slx.h"
#include "tests/unit/disk_rig.h"
#include "verb_rig.h"

#define MIB 16u
#define SIZE ((size_t)MIB * RIG_MIB)

static void put_image(struct verb_rig *g, const char *name, size_t len)
{
	AUTO(freep) uint8_t *image = rig_image(MIB, 512, 7);

	fake_root_file(&g->root, name, image, len, 0644);
}

static void test_result(void **state)
{
	struct verb_rig *g = *state;
	AUTO(slx_done) struct slx s = { 0 };
	char id[SHA256_HEX_LEN + 1];
	size_t len;

	put_image(g, "disk.raw", SIZE);
	assert_int_equal(VERB_RUN(g, &verb_os_image, "--output=out", "--label=Test 1",
				  "--created=1700000000", "--chunk-size=2M", "--json", "disk.raw"),
			 EXIT_DONE);
	AUTO(freep) char *index = verb_rig_content("out.slx", &len);
	assert_int_equal(slx_parse(index, len, &s, NULL), 0);
	hex_encode(s.image_id, sizeof(s.image_id), id);
	AUTO(json_decrefp)
	json_t *v = json_parse(g->text.out, strlen(g->text.out), 10000, true, NULL);
	assert_string_equal(json_str(v, "image_id"), id);
	assert_string_equal(json_str(v, "label"), "Test 1");
	assert_string_equal(json_str(v, "payload"), "out.raw.zst");
	assert_int_equal(json_i64(v, "image_size_bytes"), SIZE);
	assert_int_equal(json_i64(v, "chunks"), MIB / 2);
	assert_int_equal(json_i64(v, "created"), 1700000000);
	AUTO(freep) char *payload = verb_rig_content("out.raw.zst", &len);
	assert_int_equal(json_i64(v, "payload_size_bytes"), len);
	/* for people */
	assert_int_equal(VERB_RUN(g, &verb_os_image, "-oout", "--label=Test 1",
				  "--created=1700000000", "--chunk-size=2M", "disk.raw"),
			 EXIT_DONE);
	assert_non_null(strstr(g->text.out, id));
	assert_int_equal(verb_rig_entries("."), 4); /* tiny.iso, disk.raw, two results */
}

/* The date: the option, the environment, the file's; never the clock. */
static void test_date(void **state)
{
	static const struct {
		const char *epoch, *option;
		int64_t want;
	} cases[] = {
		{ NULL, "--json", 1234567890 },
		{ "1500000000", "--json", 1500000000 },
		{ "", "--json", 1234567890 },
		{ "1500000000", "--created=1600000000", 1600000000 },
	};
	struct verb_rig *g = *state;
	const struct timespec times[2] = { { .tv_sec = 1234567890 }, { .tv_sec = 1234567890 } };

	put_image(g, "disk.raw", SIZE);
	assert_int_equal(utimensat(AT_FDCWD, "disk.raw", times, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(slx_done) struct slx s = { 0 };
		size_t len;
		if (cases[i].epoch)
			setenv("SOURCE_DATE_EPOCH", cases[i].epoch, 1);
		int status = VERB_RUN(g, &verb_os_image, "-oout", cases[i].option, "disk.raw");
		unsetenv("SOURCE_DATE_EPOCH");
		assert_int_equal(status, EXIT_DONE);
		AUTO(freep) char *index = verb_rig_content("out.slx", &len);
		assert_int_equal(slx_parse(index, len, &s, NULL), 0);
		assert_int_equal(s.created, cases[i].want);
	}
	setenv("SOURCE_DATE_EPOCH", "x", 1);
	assert_int_equal(VERB_RUN(g, &verb_os_image, "-oout", "disk.raw"), EXIT_FAILED);
	assert_non_null(strstr(g->text.err, "SOURCE_DATE_EPOCH"));
	unsetenv("SOURCE_DATE_EPOCH");
}

/* A failed import leaves the files of an earlier one as they are, and nothing of its own. */
static void test_failure_leaves_the_old(void **state)
{
	static const char *const inputs[] = { "cut.raw", "text", "absent", "folder", "void.raw" };
	struct verb_rig *g = *state;

	put_image(g, "cut.raw", SIZE - 4096);
	fake_root_text(&g->root, "text", "no image at all");
	fake_root_text(&g->root, "void.raw", "");
	fake_root_text(&g->root, "out.raw.zst", "old payload");
	fake_root_text(&g->root, "out.slx", "old index");
	assert_int_equal(mkdir("folder", 0700), 0);
	unsigned before = verb_rig_entries(".");
	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++) {
		size_t len;
		assert_int_equal(VERB_RUN(g, &verb_os_image, "-oout", inputs[i]), EXIT_FAILED);
		if (verb_rig_count(g->text.err, inputs[i]) != 1)
			fail_msg("%s", g->text.err);
		assert_string_equal(g->text.out, "");
		assert_int_equal(verb_rig_entries("."), before);
		AUTO(freep) char *payload = verb_rig_content("out.raw.zst", &len);
		AUTO(freep) char *index = verb_rig_content("out.slx", &len);
		assert_string_equal(payload, "old payload");
		assert_string_equal(index, "old index");
	}
	put_image(g, "disk.raw", SIZE);
	assert_int_equal(VERB_RUN(g, &verb_os_image, "-onone/out", "disk.raw"), EXIT_FAILED);
	assert_non_null(strstr(g->text.err, "none/out"));
	/* the folder in the way of the index: the payload's name is the only trace */
	assert_int_equal(mkdir("b.slx", 0700), 0);
	assert_int_equal(VERB_RUN(g, &verb_os_image, "-ob", "disk.raw"), EXIT_FAILED);
	assert_int_equal(verb_rig_entries("b.slx"), 0);
}

static void test_from_stdin(void **state)
{
	struct verb_rig *g = *state;
	int saved = dup(STDIN_FILENO);

	put_image(g, "disk.raw", SIZE);
	int fd = open("disk.raw", O_RDONLY | O_CLOEXEC);
	assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	close(fd);
	int status = VERB_RUN(g, &verb_os_image, "-oout", "--created=5", "-");
	dup2(saved, STDIN_FILENO);
	close(saved);
	assert_int_equal(status, EXIT_DONE);
	assert_int_equal(access("out.slx", F_OK), 0);
}

static void test_usage(void **state)
{
	static const struct {
		const char *word, *says;
	} cases[] = {
		{ "--label=123456789012345678901234567890123", "32 bytes" },
		{ "--label=a\nb", "one line" },
		{ "--label=a\tb", "one line" },
		{ "--label=\xff", "text" },
		{ "--chunk-size=32M", "chunk size" },
		{ "--chunk-size=x", "chunk size" },
		{ "--level=0", "1 to 19" },
		{ "--level=20", "1 to 19" },
		{ "--threads=0", "1 to 64" },
		{ "--threads=65", "1 to 64" },
		{ "--threads=-1", "1 to 64" },
		{ "--created=0", "1970" },
		{ "--created=4294967296", "1970" },
	};
	struct verb_rig *g = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int status = VERB_RUN(g, &verb_os_image, "-oout", cases[i].word, "tiny.iso");
		if (status != EXIT_USAGE || !strstr(g->text.err, cases[i].says))
			fail_msg("%s: %d %s", cases[i].word, status, g->text.err);
	}
	/* sizes between: known only when all is together */
	assert_int_equal(VERB_RUN(g, &verb_os_image, "-oout", "--chunk-size=3M", "tiny.iso"),
			 EXIT_FAILED);
	assert_int_equal(VERB_RUN(g, &verb_os_image, "tiny.iso"), EXIT_USAGE);
	assert_non_null(strstr(g->text.err, "--output"));
	assert_int_equal(VERB_RUN(g, &verb_os_image, "-oout"), EXIT_USAGE);
	assert_int_equal(verb_rig_entries("."), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VERB_TEST(test_result),
		VERB_TEST(test_date),
		VERB_TEST(test_failure_leaves_the_old),
		VERB_TEST(test_from_stdin),
		VERB_TEST(test_usage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
