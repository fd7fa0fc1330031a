#include "fake_slipwayd.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char full[] =
	"{\"ok\":true,\"version\":\"0.1\",\"https\":\"[::]:9543\",\"http\":\"[::]:8090\",\"auth\":\"local\","
	"\"service_url\":\"https://h:9543\",\"uptime_seconds\":61,\"infra_envs\":2,\"clusters\":1,\"os_images\":3,"
	"\"hosts\":{\"known\":4,\"installing\":1},"
	"\"base_images\":[{\"id\":\"" ID "\",\"arch\":\"x86_64\",\"kernel\":\"6.1\"},"
	"{\"id\":\"" ID "\",\"arch\":\"arm64\",\"kernel\":\"6.2\"}]}";
static const char nothing_yet[] =
	"{\"ok\":true,\"version\":\"0.1\",\"https\":\"[::]:9543\",\"http\":null,\"auth\":\"none\","
	"\"service_url\":\"https://h:9543\",\"uptime_seconds\":0,\"infra_envs\":0,\"clusters\":0,\"os_images\":0,"
	"\"hosts\":{},\"base_images\":[]}";

static void test_text(void **state)
{
	static const struct {
		const char *result, *out;
	} cases[] = {
		{ full,
		  "version        0.1\nhttps          [::]:9543\nhttp           [::]:8090\n"
		  "service url    https://h:9543\nauth           local\nuptime (s)     61\n"
		  "infra-envs     2\nclusters       1\nhosts          4 known\n               1 installing\n"
		  "OS images      3\nbase images    x86_64, kernel 6.1, 0123456789abcdef\n"
		  "               arm64, kernel 6.2, 0123456789abcdef\n" },
		{ nothing_yet,
		  "version        0.1\nhttps          [::]:9543\nhttp           off\n"
		  "service url    https://h:9543\nauth           none\nuptime (s)     0\n"
		  "infra-envs     0\nclusters       0\nhosts          0\n"
		  "OS images      0\nbase images    none: discovery images cannot be downloaded yet\n" },
	};
	struct fake *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(FAKE_VERB(f, cases[i].result, &verb_status), EXIT_DONE);
		fake_asked(f, "status", "{}");
		assert_string_equal(f->text.out, cases[i].out);
	}
}

static void test_json(void **state)
{
	struct fake *f = *state;

	f->ctl.json = true;
	assert_int_equal(FAKE_VERB(f, full, &verb_status), EXIT_DONE);
	AUTO(json_decrefp) json_t *have = json_loads(f->text.out, 0, NULL);
	AUTO(json_decrefp) json_t *want = json_loads(full, 0, NULL);
	assert_true(json_equal(have, want));
}

static void test_refused(void **state)
{
	struct fake *f = *state;

	assert_int_equal(FAKE_VERB(f, "{\"error\":\"no\"}", &verb_status), EXIT_FAILED);
	assert_string_equal(f->text.out, "");
	assert_string_equal(f->text.err, "slipwayctl: no\n");
	assert_int_equal(FAKE_RUN(f, &verb_status, "operand"), EXIT_USAGE);
	assert_int_equal(FAKE_RUN(f, &verb_status), EXIT_FAILED);
	assert_non_null(strstr(f->text.err, "is it running?"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAKE_TEST(test_text),
		FAKE_TEST(test_json),
		FAKE_TEST(test_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
