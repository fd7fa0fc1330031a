#include "unit.h"
#include <sqlite3.h>
#include "service/model_field.h"
#include "service/schema.h"

static void test_schema_steps_count_up(void **state)
{
	for (int i = 0; schema_steps[i].sql; i++) {
		assert_int_equal(schema_steps[i].number, i + 1);
		assert_true(strlen(schema_steps[i].sql) > 0);
	}
}

static sqlite3 *database(void)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	return db;
}

static void apply(sqlite3 *db, const struct schema_step *step)
{
	char *text = NULL;

	if (sqlite3_exec(db, step->sql, NULL, NULL, &text) != SQLITE_OK)
		fail_msg("%s: %s", step->name, text);
}

/* Names of columns of a table, each with a blank behind it; "" = there is no such table. */
static void columns(sqlite3 *db, const char *table, char *ret, size_t size)
{
	sqlite3_stmt *stmt;

	assert_int_equal(
		sqlite3_prepare_v2(db, "SELECT name FROM pragma_table_info(?)", -1, &stmt, NULL),
		SQLITE_OK);
	sqlite3_bind_text(stmt, 1, table, -1, SQLITE_STATIC);
	*ret = '\0';
	while (sqlite3_step(stmt) == SQLITE_ROW)
		snprintf(ret + strlen(ret), size - strlen(ret), " %s ",
			 (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
}

/* The names say their number, and the steps are apart: each is text of its own, ended where its file ends. */
static void test_names(void **state)
{
	for (int i = 0; schema_steps[i].sql; i++) {
		char number[16];
		snprintf(number, sizeof(number), "%03d-", i + 1);
		assert_int_equal(strncmp(schema_steps[i].name, number, 4), 0);
		size_t len = strlen(schema_steps[i].sql);
		assert_int_equal(schema_steps[i].sql[len - 1], '\n');
		assert_true(sqlite3_complete(schema_steps[i].sql));
		for (int k = 0; k < i; k++)
			assert_ptr_not_equal(schema_steps[i].sql, schema_steps[k].sql);
	}
}

/* All steps, one after the other, make every table and column that the program writes. */
static void test_tables(void **state)
{
	sqlite3 *db = database();
	char have[8192], want[128];

	for (const struct schema_step *s = schema_steps; s->sql; s++)
		apply(db, s);
	for (int k = 0; k < MODEL_KIND_COUNT; k++) {
		const struct model_class *c = model_class((enum model_kind)k);
		columns(db, c->table, have, sizeof(have));
		for (const struct model_field *f = c->fields; f->column; f++) {
			snprintf(want, sizeof(want), " %s ", f->column);
			if (!strstr(have, want))
				fail_msg("%s.%s is not in the schema", c->table, f->column);
		}
	}
	columns(db, "revoked_token", have, sizeof(have));
	assert_string_equal(have, " jti ");
	sqlite3_close(db);
}

/* A step is applied once: the second time it fails instead of throwing objects away. */
static void test_not_twice(void **state)
{
	sqlite3 *db = database();

	apply(db, &schema_steps[0]);
	assert_int_not_equal(sqlite3_exec(db, schema_steps[0].sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schema_steps_count_up),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_not_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
