#include "unit.h"
#include "service/store.h"

static const uint8_t key[SEAL_KEY_LEN] = { 7 };

/* The whole scheme counts, and what is behind it is the back end's affair. */
static void test_names(void **state)
{
	static const struct {
		const char *where;
		int want;
	} cases[] = {
		{ "sqlite", 0 },
		{ "sqlite:", 0 },
		{ "sqlite:///somewhere", 0 },
		{ "", -ENOTSUP },
		{ ":", -ENOTSUP },
		{ "sqlit", -ENOTSUP },
		{ "sqlite3", -ENOTSUP },
		{ "SQLITE", -ENOTSUP },
		{ " sqlite", -ENOTSUP },
		{ "postgresql://user:geheim@host/db", -ENOTSUP },
	};
	char path[64];
	int fd = unit_tmp_open(path);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault err = FAULT_INIT;
		struct store *s = NULL;
		if (store_check(cases[i].where, &err) != cases[i].want)
			fail_msg("%s: %s", cases[i].where, err.text);
		/* a URL may hold a password */
		assert_null(strstr(err.text, "geheim"));
		if (!cases[i].want)
			continue;
		assert_non_null(strstr(err.text, "no store called"));
		assert_int_equal(store_open(cases[i].where, fd, key, &s, NULL), cases[i].want);
		assert_null(s);
	}
	assert_int_equal(faccessat(fd, "slipway.db", F_OK, 0), -1);
	unit_tmp_close(fd, path);
}

static void test_open_and_close(void **state)
{
	char path[64];
	int fd = unit_tmp_open(path);
	struct store *s = NULL;

	store_close(NULL);
	assert_int_equal(store_open("sqlite", fd, key, &s, NULL), 0);
	assert_string_equal(s->ops->name, "sqlite");
	store_close(s);
	/* not a folder any more: a sentence, no store */
	struct fault err = FAULT_INIT;
	s = NULL;
	assert_true(store_open("sqlite", -1, key, &s, &err) < 0);
	assert_true(*err.text);
	assert_null(s);
	unit_tmp_close(fd, path);
}

/* The words of the API's schema, in the order of weight. */
static void test_severities(void **state)
{
	static const char *const want[] = { "info", "warning", "error", "critical" };

	assert_int_equal(SEVERITY_COUNT, ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		assert_string_equal(event_severity_names[i], want[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_open_and_close),
		cmocka_unit_test(test_severities),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
