#include "unit.h"
#include "service/model.h"
#include "service/model_field.h"
#include "service/state.h"

/* Fills every field of an object with a value of its own. */
static void fill(enum model_kind kind, void *obj, int round)
{
	int n = round * 100;

	for (const struct model_field *f = model_class(kind)->fields; f->column; f++) {
		char *p = (char *)obj + f->offset;
		char text[37];
		snprintf(text, sizeof(text), "%s-%d", "v", ++n);
		switch (f->type) {
		case MODEL_CHARS:
			snprintf(p, f->size, "%s", text);
			break;
		case MODEL_STR:
			assert_int_equal(str_set((char **)p, text), 0);
			break;
		case MODEL_SECRET:
			assert_int_equal(secret_set((struct secret *)p, text), 0);
			break;
		case MODEL_I64:
		case MODEL_U64:
			*(int64_t *)p = n;
			break;
		case MODEL_INT:
			*(int *)p = n;
			break;
		case MODEL_BOOL:
			*(bool *)p = true;
			break;
		case MODEL_ENUM:
			*(int *)p = 1;
			break;
		}
	}
}

static void test_copy_and_equal(void **state)
{
	for (int k = 0; k < MODEL_KIND_COUNT; k++) {
		size_t size = model_class((enum model_kind)k)->size;
		void *a = calloc(1, size), *b = malloc(size);
		fill((enum model_kind)k, a, 1);
		assert_int_equal(model_copy((enum model_kind)k, a, b), 0);
		assert_true(model_equal((enum model_kind)k, a, b));

		/* owned texts are copies, and each field counts */
		for (const struct model_field *f = model_class((enum model_kind)k)->fields;
		     f->column; f++) {
			char *p = (char *)b + f->offset;
			if (f->type != MODEL_STR)
				continue;
			assert_ptr_not_equal(*(char **)((char *)a + f->offset), *(char **)p);
			(*(char **)p)[0] = 'X';
			assert_false(model_equal((enum model_kind)k, a, b));
			(*(char **)p)[0] = 'v';
		}
		model_done((enum model_kind)k, a);
		model_done((enum model_kind)k, b);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(((char *)a)[i], 0);
		free(a);
		free(b);
	}
}

/* Every pointer of every struct is in its field list: nothing is left after model_done() of a filled one (LeakSanitizer tells). */
static void test_fields_cover_pointers(void **state)
{
	struct infra_env ie = { 0 };
	fill(MODEL_INFRA_ENV, &ie, 1);
	assert_non_null(ie.image_token_key);
	assert_non_null(ie.rendezvous_ip);
	infra_env_done(&ie);
	struct host h = { 0 };
	fill(MODEL_HOST, &h, 1);
	assert_non_null(h.user_name);
	assert_non_null(h.progress_info);
	host_done(&h);
}

static void test_key(void **state)
{
	struct host h = { .id = "22222222-2222-4222-8222-222222222222",
			  .infra_env_id = "11111111-1111-4111-8111-111111111111" };
	char key[MODEL_KEY_MAX];

	model_key(MODEL_HOST, &h, key);
	assert_string_equal(
		key, "11111111-1111-4111-8111-111111111111/22222222-2222-4222-8222-222222222222");
	struct os_image o = { 0 };
	memset(o.id, 'a', 64);
	model_key(MODEL_OS_IMAGE, &o, key);
	assert_int_equal(strlen(key), 64);
}

static void test_status_names(void **state)
{
	for (int s = 0; s < HOST_STATUS_COUNT; s++) {
		enum host_status back;
		assert_int_equal(host_status_parse(host_status_name((enum host_status)s), &back),
				 0);
		assert_int_equal(back, s);
	}
	enum host_status s = HOST_KNOWN;
	assert_int_equal(host_status_parse("Known", &s), -EINVAL);
	assert_int_equal(host_status_parse("", &s), -EINVAL);
	assert_int_equal(host_status_parse(NULL, &s), -EINVAL);
	assert_int_equal(s, HOST_KNOWN);
	for (int r = 0; r < ROLE_COUNT; r++) {
		enum host_role back;
		assert_int_equal(host_role_parse(host_role_name((enum host_role)r), &back), 0);
		assert_int_equal(back, r);
	}
}

static void test_hostname_of_inventory(void **state)
{
	static const struct {
		const char *inventory, *name;
	} cases[] = {
		{ "{\"hostname\":\"w1\"}", "w1" },
		{ "{\"boot\":{\"hostname\":\"no\"},\"hostname\":\"yes\"}", "yes" },
		{ "{\"a\":[\"hostname\",\"x\"],\"b\":\"hostname\",\"hostname\":\"y\"}", "y" },
		{ "{\"a\":\"\\\"hostname\\\":\\\"no\\\"\",\"hostname\":\"q\\\"uote\\u00e9\"}",
		  "q\"uote\xc3\xa9" },
		{ "{\"hostname\":\"\"}", NULL },
		{ "{\"hostname\":7}", NULL },
		{ "{\"boot\":{\"hostname\":\"no\"}}", NULL },
		{ "{\"hostname\":\"cut", NULL },
		{ "", NULL },
		{ NULL, NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct host h = { .id = "id" };
		assert_int_equal(str_set(&h.inventory, cases[i].inventory), 0);
		assert_int_equal(host_note_inventory(&h), 0);
		assert_true(str_eq(h.inventory_hostname, cases[i].name));
		assert_string_equal(host_name(&h), cases[i].name ? cases[i].name : "id");
		assert_int_equal(str_set(&h.requested_hostname, "asked"), 0);
		assert_string_equal(host_name(&h), "asked");
		host_done(&h);
	}
}

static void test_clear_findings(void **state)
{
	struct host h = { 0 };

	fill(MODEL_HOST, &h, 1);
	h.stage = STAGE_REBOOTING;
	host_clear_findings(&h);
	assert_null(h.inventory);
	assert_null(h.inventory_hostname);
	assert_null(h.progress_info);
	assert_null(h.ntp_sources);
	assert_int_equal(h.stage, STAGE_NONE);
	assert_int_equal(h.logs_started_at, 0);
	assert_non_null(h.requested_hostname);
	assert_non_null(h.installation_disk_id);
	host_done(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copy_and_equal),
		cmocka_unit_test(test_fields_cover_pointers),
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_status_names),
		cmocka_unit_test(test_hostname_of_inventory),
		cmocka_unit_test(test_clear_findings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
