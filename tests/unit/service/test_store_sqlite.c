#include "store_rig.h"
#include <sqlite3.h>
#include "service/state.h"

static void fill(enum model_kind kind, void *obj)
{
	int n = 0;

	for (const struct model_field *f = model_class(kind)->fields; f->column; f++) {
		char *p = (char *)obj + f->offset, text[32];
		snprintf(text, sizeof(text), "%s-%d \xc3\xa9", f->column, ++n);
		text[31] = '\0';
		if (f->type == MODEL_CHARS && !*p)
			snprintf(p, f->size, "%d", n);
		else if (f->type == MODEL_STR)
			assert_int_equal(str_set((char **)p, n % 5 ? text : ""), 0);
		else if (f->type == MODEL_SECRET)
			assert_int_equal(secret_set((struct secret *)p, text), 0);
		else if ((f->type == MODEL_I64 || f->type == MODEL_U64) && !(f->flags & MODEL_AUTO))
			*(int64_t *)p = INT64_MAX - n;
		else if (f->type == MODEL_INT)
			*(int *)p = n;
		else if (f->type == MODEL_BOOL)
			*(bool *)p = true;
		else if (f->type == MODEL_ENUM)
			*(int *)p = 1;
	}
}

struct one {
	enum model_kind kind;
	void *obj;
	size_t n;
};

static int keep_row(void *ctx, void *obj)
{
	struct one *o = ctx;

	if (o->n++)
		model_done(o->kind, o->obj);
	memcpy(o->obj, obj, model_class(o->kind)->size);
	return 0;
}

/* Every field of every object comes back as it was written, NULL and empty texts apart. */
static void test_round_trip(void **state)
{
	struct store_rig *f = *state;
	static const enum model_kind kinds[] = { MODEL_CLUSTER, MODEL_INFRA_ENV, MODEL_OS_IMAGE,
						 MODEL_USER, MODEL_HOST };

	struct infra_env parent = { .id = "parent" };
	assert_int_equal(f->store->ops->begin(f->store, NULL), 0);
	assert_int_equal(f->store->ops->put(f->store, MODEL_INFRA_ENV, &parent, NULL), 0);
	assert_int_equal(f->store->ops->commit(f->store, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t size = model_class(kinds[i])->size;
		void *a = calloc(1, size);
		struct one got = { kinds[i], calloc(1, size), 0 };
		if (kinds[i] == MODEL_HOST)
			strcpy(((struct host *)a)->infra_env_id, "parent");
		fill(kinds[i], a);
		assert_int_equal(f->store->ops->begin(f->store, NULL), 0);
		assert_int_equal(f->store->ops->put(f->store, kinds[i], a, NULL), 0);
		assert_int_equal(f->store->ops->commit(f->store, NULL), 0);
		assert_int_equal(store_rig_reopen(f, NULL), 0);
		assert_int_equal(f->store->ops->load(f->store, kinds[i], keep_row, &got, NULL), 0);
		assert_int_equal(got.n, kinds[i] == MODEL_INFRA_ENV ? 2 : 1);
		assert_true(model_equal(kinds[i], a, got.obj));

		/* a second write replaces the row */
		assert_int_equal(f->store->ops->begin(f->store, NULL), 0);
		assert_int_equal(f->store->ops->put(f->store, kinds[i], a, NULL), 0);
		assert_int_equal(f->store->ops->remove(f->store, kinds[i], a, NULL), 0);
		assert_int_equal(f->store->ops->commit(f->store, NULL), 0);
		model_done(kinds[i], got.obj);
		got.n = 0;
		assert_int_equal(f->store->ops->load(f->store, kinds[i], keep_row, &got, NULL), 0);
		assert_int_equal(got.n, kinds[i] == MODEL_INFRA_ENV ? 1 : 0);
		model_done(kinds[i], a);
		model_done(kinds[i], got.obj);
		free(a);
		free(got.obj);
	}
}

static sqlite3 *raw_open(struct store_rig *f)
{
	char path[96];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/slipway.db", f->path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	return db;
}

static void raw_run(struct store_rig *f, const char *sql)
{
	sqlite3 *db = raw_open(f);

	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* The columns of a table are the fields of its object: a field without column would not even be prepared, a column without field is lost. */
static void test_columns_are_fields(void **state)
{
	struct store_rig *f = *state;
	sqlite3 *db = raw_open(f);

	for (int k = 0; k < MODEL_KIND_COUNT; k++) {
		const struct model_class *c = model_class((enum model_kind)k);
		char sql[128];
		sqlite3_stmt *stmt;
		snprintf(sql, sizeof(sql), "SELECT name FROM pragma_table_info('%s')", c->table);
		assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
		while (sqlite3_step(stmt) == SQLITE_ROW) {
			const char *column = (const char *)sqlite3_column_text(stmt, 0);
			const struct model_field *field = c->fields;
			while (field->column && strcmp(field->column, column) != 0)
				field++;
			if (!field->column && strcmp(column, "seq") != 0)
				fail_msg("%s.%s is no field", c->table, column);
		}
		sqlite3_finalize(stmt);
	}
	sqlite3_close(db);
}

static void put_secret(struct store_rig *f, const char *id)
{
	struct infra_env ie = { 0 };

	strcpy(ie.id, id);
	assert_int_equal(secret_set(&ie.pull_secret, "the-secret-text"), 0);
	assert_int_equal(str_set(&ie.http_proxy, "http://user:the-secret-text@p"), 0);
	assert_int_equal(f->store->ops->begin(f->store, NULL), 0);
	assert_int_equal(f->store->ops->put(f->store, MODEL_INFRA_ENV, &ie, NULL), 0);
	assert_int_equal(f->store->ops->commit(f->store, NULL), 0);
	infra_env_done(&ie);
}

static int count_row(void *ctx, void *obj)
{
	infra_env_done(obj);
	++*(int *)ctx;
	return 0;
}

static void test_secrets_are_sealed(void **state)
{
	static const char *const files[] = { "slipway.db", "slipway.db-wal" };
	struct store_rig *f = *state;
	int n = 0;

	put_secret(f, "a");
	put_secret(f, "b");
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		AUTO(freep) char *data = NULL;
		size_t len;
		if (file_read_at(f->fd, files[i], 1 << 24, &data, &len, NULL) == 0)
			assert_null(memmem(data, len, "the-secret-text", 15));
	}
	/* a value that was moved to another row does not open */
	raw_run(f,
		"UPDATE infra_env SET pull_secret=(SELECT pull_secret FROM infra_env WHERE id='a') WHERE id='b'");
	struct fault err = FAULT_INIT;
	assert_int_equal(f->store->ops->load(f->store, MODEL_INFRA_ENV, count_row, &n, &err),
			 -EBADMSG);
	assert_non_null(strstr(err.text, "infra_env.pull_secret/b"));
	assert_int_equal(n, 1);
}

static void test_another_key(void **state)
{
	struct store_rig *f = *state;
	static const uint8_t other[SEAL_KEY_LEN] = { 8 };
	int n = 0;

	put_secret(f, "a");
	store_close(f->store);
	assert_int_equal(store_open("sqlite", f->fd, other, &f->store, NULL), 0);
	assert_int_equal(f->store->ops->load(f->store, MODEL_INFRA_ENV, count_row, &n, NULL),
			 -EBADMSG);
}

static void test_rollback(void **state)
{
	struct store_rig *f = *state;
	struct cluster c = { .id = "c" };
	int n = 0;

	assert_int_equal(f->store->ops->begin(f->store, NULL), 0);
	assert_int_equal(f->store->ops->put(f->store, MODEL_CLUSTER, &c, NULL), 0);
	f->store->ops->rollback(f->store);
	assert_int_equal(f->store->ops->load(f->store, MODEL_CLUSTER, count_row, &n, NULL), 0);
	assert_int_equal(n, 0);
	/* a host without its infra-env is refused at the commit */
	struct host h = { .id = "h", .infra_env_id = "none" };
	assert_int_equal(f->store->ops->begin(f->store, NULL), 0);
	assert_int_equal(f->store->ops->put(f->store, MODEL_HOST, &h, NULL), 0);
	assert_true(f->store->ops->commit(f->store, NULL) < 0);
	f->store->ops->rollback(f->store);
}

static void test_newer_schema_is_refused(void **state)
{
	struct store_rig *f = *state;
	struct fault err = FAULT_INIT;

	store_close(f->store);
	f->store = NULL;
	raw_run(f, "PRAGMA user_version=9999");
	assert_int_equal(store_open("sqlite", f->fd, store_rig_key, &f->store, &err), -EPROTO);
	assert_non_null(strstr(err.text, "9999"));
}

static void test_unknown_enum_is_refused(void **state)
{
	struct store_rig *f = *state;
	struct infra_env ie = { .id = "i" };
	struct host h = { .id = "h", .infra_env_id = "i" };
	int n = 0;

	assert_int_equal(f->store->ops->begin(f->store, NULL), 0);
	assert_int_equal(f->store->ops->put(f->store, MODEL_INFRA_ENV, &ie, NULL), 0);
	assert_int_equal(f->store->ops->put(f->store, MODEL_HOST, &h, NULL), 0);
	assert_int_equal(f->store->ops->commit(f->store, NULL), 0);
	raw_run(f, "UPDATE host SET status='dancing'");
	assert_int_equal(f->store->ops->load(f->store, MODEL_HOST, count_row, &n, NULL), -EPROTO);
}

#define T(name) cmocka_unit_test_setup_teardown(name, store_rig_begin, store_rig_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_round_trip),
		T(test_columns_are_fields),
		T(test_secrets_are_sealed),
		T(test_another_key),
		T(test_rollback),
		T(test_newer_schema_is_refused),
		T(test_unknown_enum_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
