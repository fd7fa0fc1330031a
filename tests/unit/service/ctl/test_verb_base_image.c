#include "fake_slipwayd.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define IMAGE "{\"id\":\"" ID "\",\"arch\":\"x86_64\",\"kernel\":\"6.1\",\"size_bytes\":70000000}"

static void test_add(void **state)
{
	struct fake *f = *state;

	assert_int_equal(FAKE_VERB(f,
				   "{\"ok\":true,\"id\":\"" ID
				   "\",\"arch\":\"x86_64\",\"kernel\":\"6.1\"}",
				   &verb_base_image_add, f->dir),
			 EXIT_DONE);
	fake_asked(f, "base-image-add", "{}");
	assert_string_equal(f->fd_kind, "folder");
	assert_string_equal(f->text.out,
			    "base image 0123456789abcdef for x86_64 (kernel 6.1) is served\n");
	f->ctl.json = true;
	assert_int_equal(
		FAKE_VERB(f, "{\"ok\":true,\"id\":\"" ID "\"}", &verb_base_image_add, f->dir),
		EXIT_DONE);
	AUTO(json_decrefp) json_t *v = json_loads(f->text.out, 0, NULL);
	assert_string_equal(json_str(v, "id"), ID);
}

static void test_add_refused(void **state)
{
	struct fake *f = *state;
	char path[160];

	assert_int_equal(
		FAKE_VERB(f, "{\"error\":\"base.iso is cut\"}", &verb_base_image_add, f->dir),
		EXIT_FAILED);
	assert_string_equal(f->text.err, "slipwayctl: base.iso is cut\n");
	assert_string_equal(f->text.out, "");
	fake_path(f, "file", path);
	assert_int_equal(file_create_at(AT_FDCWD, path, "", 0, 0600, NULL), 0);
	assert_int_equal(FAKE_RUN(f, &verb_base_image_add, path), EXIT_FAILED);
	assert_non_null(strstr(f->text.err, "cannot open the folder "));
	assert_int_equal(FAKE_RUN(f, &verb_base_image_add, "/none"), EXIT_FAILED);
	assert_int_equal(FAKE_RUN(f, &verb_base_image_add), EXIT_USAGE);
}

static void test_list(void **state)
{
	struct fake *f = *state;

	assert_int_equal(FAKE_VERB(f, "{\"ok\":true,\"base_images\":[" IMAGE "," IMAGE "]}",
				   &verb_base_image_list),
			 EXIT_DONE);
	fake_asked(f, "base-image-list", "{}");
	assert_string_equal(f->text.out, "ID                ARCH             BYTES  KERNEL\n"
					 "0123456789abcdef  x86_64        70000000  6.1\n"
					 "0123456789abcdef  x86_64        70000000  6.1\n");
	assert_int_equal(FAKE_VERB(f, "{\"ok\":true,\"base_images\":[]}", &verb_base_image_list),
			 EXIT_DONE);
	assert_string_equal(f->text.out, "ID                ARCH             BYTES  KERNEL\n");
	f->ctl.json = true;
	assert_int_equal(
		FAKE_VERB(f, "{\"ok\":true,\"base_images\":[" IMAGE "]}", &verb_base_image_list),
		EXIT_DONE);
	AUTO(json_decrefp) json_t *v = json_loads(f->text.out, 0, NULL);
	assert_int_equal(json_array_size(v), 1);
	assert_int_equal(FAKE_VERB(f, "{\"ok\":false}", &verb_base_image_list), EXIT_FAILED);
}

static void test_remove(void **state)
{
	struct fake *f = *state;

	assert_int_equal(FAKE_VERB(f, "{\"ok\":true}", &verb_base_image_remove, "arm64"),
			 EXIT_DONE);
	fake_asked(f, "base-image-remove", "{\"arch\":\"arm64\"}");
	assert_string_equal(f->text.out, "");
	assert_int_equal(
		FAKE_VERB(f, "{\"error\":\"there is none\"}", &verb_base_image_remove, "x"),
		EXIT_FAILED);
	assert_string_equal(f->text.err, "slipwayctl: there is none\n");
	assert_int_equal(FAKE_RUN(f, &verb_base_image_remove), EXIT_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAKE_TEST(test_add),
		FAKE_TEST(test_add_refused),
		FAKE_TEST(test_list),
		FAKE_TEST(test_remove),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
