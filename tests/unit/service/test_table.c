#include "unit.h"
#include "service/table.h"

#define N 5000

static void test_many(void **state)
{
	static char keys[N][16];
	struct table t = { 0 };

	assert_null(table_get(&t, "x"));
	assert_null(table_remove(&t, "x"));
	for (size_t i = 0; i < N; i++) {
		snprintf(keys[i], sizeof(keys[i]), "key-%zu", i);
		assert_int_equal(table_add(&t, keys[i], keys[i]), 0);
	}
	assert_int_equal(t.n, N);
	for (size_t i = 0; i < N; i++) {
		char same[16];
		memcpy(same, keys[i], sizeof(same));
		assert_ptr_equal(table_get(&t, same), keys[i]);
		assert_int_equal(table_add(&t, same, same), -EEXIST);
	}
	for (size_t i = 0; i < N; i += 2)
		assert_ptr_equal(table_remove(&t, keys[i]), keys[i]);
	for (size_t i = 0; i < N; i++)
		assert_ptr_equal(table_get(&t, keys[i]), i % 2 ? keys[i] : NULL);
	assert_int_equal(t.n, N / 2);
	table_done(&t);
}

/* Removed slots are used again: the table does not grow for ever. */
static void test_churn(void **state)
{
	struct table t = { 0 };
	char keys[8][8];

	for (int i = 0; i < 8; i++)
		snprintf(keys[i], sizeof(keys[i]), "k%d", i);
	for (int i = 0; i < 100000; i++) {
		assert_int_equal(table_add(&t, keys[i % 8], keys), 0);
		assert_ptr_equal(table_remove(&t, keys[i % 8]), keys);
	}
	assert_true(t.size <= 64);
	assert_int_equal(t.n, 0);
	table_done(&t);
}

static void test_empty_key(void **state)
{
	struct table t = { 0 };
	char empty[1] = "";

	assert_int_equal(table_add(&t, empty, &t), 0);
	assert_ptr_equal(table_get(&t, ""), &t);
	assert_ptr_equal(table_remove(&t, ""), &t);
	assert_null(table_get(&t, ""));
	table_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_many),
					    cmocka_unit_test(test_churn),
					    cmocka_unit_test(test_empty_key) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
