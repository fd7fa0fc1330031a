#include "unit.h"
#include "service/error.h"

static void test_mapping(void **state)
{
	static const struct {
		int code, status;
		enum error_shape shape;
	} cases[] = {
		{ -EBADMSG, 400, ERROR_PLAIN }, { -EINVAL, 400, ERROR_MODEL },
		{ -EACCES, 401, ERROR_PLAIN },  { -EPERM, 403, ERROR_PLAIN },
		{ -ENOENT, 404, ERROR_MODEL },  { -EBUSY, 409, ERROR_MODEL },
		{ -EEXIST, 409, ERROR_MODEL },  { -E2BIG, 413, ERROR_PLAIN },
		{ -ENOSYS, 501, ERROR_MODEL },  { -EAGAIN, 503, ERROR_MODEL },
		{ -EIO, 500, ERROR_MODEL },     { -EPROTO, 500, ERROR_MODEL },
		{ -ENOMEM, 500, ERROR_MODEL },  { 0, 500, ERROR_MODEL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		enum error_shape shape;
		assert_int_equal(error_status(cases[i].code, &shape), cases[i].status);
		assert_int_equal(shape, cases[i].shape);
	}
}

static void test_bodies(void **state)
{
	AUTO(buf_done) struct buf b;

	buf_init(&b, 4096);
	assert_int_equal(error_body(404, ERROR_MODEL, "no \"host\"\n", &b), 0);
	assert_string_equal(
		b.data,
		"{\"code\":\"404\",\"href\":\"\",\"id\":404,\"kind\":\"Error\",\"reason\":\"no \\\"host\\\"\\n\"}");
	buf_reset(&b);
	assert_int_equal(error_body(401, ERROR_PLAIN, "who?", &b), 0);
	assert_string_equal(b.data, "{\"code\":401,\"message\":\"who?\"}");
}

static void test_no_room(void **state)
{
	AUTO(buf_done) struct buf b;

	buf_init(&b, 10);
	assert_true(error_body(404, ERROR_MODEL, "x", &b) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_mapping),
					    cmocka_unit_test(test_bodies),
					    cmocka_unit_test(test_no_room) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
