#include "rules_fixture.h"
#include "service/cidr.h"

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		int want;
		unsigned bits;
	} rows[] = {
		{ "192.0.2.5/24", 0, 24 },
		{ "192.0.2.5", 0, 32 },
		{ "2001:db8::1/64", 0, 64 },
		{ "::", 0, 128 },
		{ "0.0.0.0/0", 0, 0 },
		{ "192.0.2.5/33", -EINVAL, 0 },
		{ "::/129", -EINVAL, 0 },
		{ "192.0.2", -EINVAL, 0 },
		{ "192.0.2.5/", -EINVAL, 0 },
		{ "192.0.2.5/-1", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "/24", -EINVAL, 0 },
		{ "host/24", -EINVAL, 0 },
		{ "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/64", -EINVAL, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cidr c;
		assert_int_equal(cidr_parse(rows[i].text, &c), rows[i].want);
		if (rows[i].want == 0)
			assert_int_equal(c.bits, rows[i].bits);
	}
}

static void test_relations(void **state)
{
	static const struct {
		const char *a, *b;
		bool contains, overlaps, same;
	} rows[] = {
		{ "192.0.2.0/24", "192.0.2.200/24", true, true, false },
		{ "192.0.2.0/25", "192.0.2.200/24", false, true, false },
		{ "192.0.2.0/25", "192.0.2.200/25", false, false, false },
		{ "192.0.2.5/24", "192.0.2.5/32", true, true, true },
		{ "0.0.0.0/0", "198.51.100.1/24", true, true, false },
		{ "::/0", "198.51.100.1/24", false, false, false },
		{ "2001:db8::/33", "2001:db8:8000::1/64", false, false, false },
		{ "2001:db8::/32", "2001:db8:8000::1/64", true, true, false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cidr a, b;
		assert_int_equal(cidr_parse(rows[i].a, &a), 0);
		assert_int_equal(cidr_parse(rows[i].b, &b), 0);
		assert_int_equal(cidr_contains(&a, &b), rows[i].contains);
		assert_int_equal(cidr_overlaps(&a, &b), rows[i].overlaps);
		assert_int_equal(cidr_overlaps(&b, &a), rows[i].overlaps);
		assert_int_equal(cidr_same_address(&a, &b), rows[i].same);
	}
	assert_true(cidr_is_address("192.0.2.1") && cidr_is_address("::1"));
	assert_false(cidr_is_address("192.0.2.1/24") || cidr_is_address("api.example.com") ||
		     cidr_is_address(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_parse),
					    cmocka_unit_test(test_relations) };
	return FIX_RUN(tests, 0);
}
