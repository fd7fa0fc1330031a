#include "rules_fixture.h"
#include "service/csv.h"

static void test_next(void **state)
{
	static const struct {
		const char *csv, *items; /* joined by | */
	} rows[] = {
		{ NULL, "" },          { "", "" },        { "a", "a|" }, { "a,b", "a|b|" },
		{ " a , b ", "a|b|" }, { ",,a,,", "a|" }, { " , ", "" }, { "a b,c", "a b|c|" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[64] = "";
		const char *p = rows[i].csv, *item;
		size_t len;
		while ((item = csv_next(&p, &len))) {
			strncat(text, item, len);
			strcat(text, "|");
		}
		assert_string_equal(text, rows[i].items);
	}
}

static void test_has(void **state)
{
	assert_true(csv_has("a, b,c", "b"));
	assert_true(csv_has("abc", "abc"));
	assert_false(csv_has("abc", "ab"));
	assert_false(csv_has("ab", "abc"));
	assert_false(csv_has("a,,b", ""));
	assert_false(csv_has(NULL, "a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_next),
					    cmocka_unit_test(test_has) };
	return FIX_RUN(tests, 0);
}
