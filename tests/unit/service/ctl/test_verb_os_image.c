#include "fake_slipwayd.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* What the command line says is what the service is asked for; what it does not say is left out. */
static void test_add(void **state)
{
	static const struct {
		const char *options[5];
		const char *args;
	} cases[] = {
		{ { NULL },
		  "{\"label\":\"disk.raw\",\"version\":null,\"arch\":\"x86_64\",\"default\":false}" },
		{ { "--label=Debian 12", "--os-version=12.1", "--arch=aarch64", "--default" },
		  "{\"label\":\"Debian 12\",\"version\":\"12.1\",\"arch\":\"aarch64\",\"default\":true}" },
		{ { "--label=" },
		  "{\"label\":\"\",\"version\":null,\"arch\":\"x86_64\",\"default\":false}" },
	};
	struct fake *f = *state;
	char path[160];

	fake_path(f, "disk.raw", path);
	assert_int_equal(file_create_at(AT_FDCWD, path, "", 0, 0600, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *words[6] = { path };
		for (size_t k = 0; k < 4 && cases[i].options[k]; k++)
			words[k + 1] = cases[i].options[k];
		assert_int_equal(
			fake_verb(f, "{\"ok\":true,\"id\":\"" ID "\"}", &verb_os_image_add, words),
			EXIT_DONE);
		fake_asked(f, "os-image-add", cases[i].args);
		assert_string_equal(f->fd_kind, "file");
		assert_string_equal(f->text.out, ID "\n");
	}
	f->ctl.json = true;
	assert_int_equal(FAKE_VERB(f, "{\"ok\":true,\"id\":\"" ID "\",\"url\":null}",
				   &verb_os_image_add, path),
			 EXIT_DONE);
	AUTO(json_decrefp) json_t *v = json_loads(f->text.out, 0, NULL);
	assert_string_equal(json_str(v, "id"), ID);
}

/* The file itself is left alone: it is opened for reading. */
static void test_file_is_not_written(void **state)
{
	struct fake *f = *state;
	char path[160];
	AUTO(freep) char *data = NULL;
	size_t len;

	fake_path(f, "disk.raw", path);
	assert_int_equal(file_create_at(AT_FDCWD, path, "precious", 8, 0600, NULL), 0);
	assert_int_equal(FAKE_VERB(f, "{\"error\":\"no disk image\"}", &verb_os_image_add, path),
			 EXIT_FAILED);
	assert_string_equal(f->text.err, "slipwayctl: no disk image\n");
	assert_int_equal(file_read_at(AT_FDCWD, path, 1000, &data, &len, NULL), 0);
	assert_string_equal(data, "precious");
	assert_int_equal(FAKE_RUN(f, &verb_os_image_add, "/none/disk.raw"), EXIT_FAILED);
	assert_non_null(strstr(f->text.err, "cannot open /none/disk.raw: "));
	assert_int_equal(FAKE_RUN(f, &verb_os_image_add), EXIT_USAGE);
	assert_int_equal(FAKE_RUN(f, &verb_os_image_add, "--default=x", path), EXIT_USAGE);
}

static void test_list(void **state)
{
	struct fake *f = *state;

	assert_int_equal(
		FAKE_VERB(
			f,
			"{\"ok\":true,\"os_images\":["
			"{\"id\":\"" ID
			"\",\"image_size\":3221225472,\"payload_size\":5,\"default\":true,\"label\":\"Debian\"},"
			"{\"id\":\"" ID
			"\",\"image_size\":1,\"payload_size\":2,\"default\":false,\"label\":null}]}",
			&verb_os_image_list),
		EXIT_DONE);
	fake_asked(f, "os-image-list", "{}");
	assert_string_equal(f->text.out,
			    "ID                   IMAGE BYTES   PAYLOAD BYTES  DEFAULT  LABEL\n"
			    "0123456789abcdef      3221225472               5  yes      Debian\n"
			    "0123456789abcdef               1               2           \n");
	f->ctl.json = true;
	assert_int_equal(FAKE_VERB(f, "{\"ok\":true,\"os_images\":[]}", &verb_os_image_list),
			 EXIT_DONE);
	assert_string_equal(f->text.out, "[]\n");
	assert_int_equal(FAKE_VERB(f, "{\"ok\":false}", &verb_os_image_list), EXIT_FAILED);
}

static void test_by_id(void **state)
{
	static const struct {
		const struct verb *verb;
		const char *name;
	} cases[] = { { &verb_os_image_remove, "os-image-remove" },
		      { &verb_os_image_default, "os-image-default" } };
	struct fake *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(FAKE_VERB(f, "{\"ok\":true}", cases[i].verb, "01234567"),
				 EXIT_DONE);
		fake_asked(f, cases[i].name, "{\"id\":\"01234567\"}");
		assert_string_equal(f->fd_kind, "none");
		assert_int_equal(
			FAKE_VERB(f, "{\"error\":\"there is no OS image x\"}", cases[i].verb, "x"),
			EXIT_FAILED);
		assert_string_equal(f->text.err, "slipwayctl: there is no OS image x\n");
		assert_int_equal(FAKE_RUN(f, cases[i].verb), EXIT_USAGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAKE_TEST(test_add),
		FAKE_TEST(test_file_is_not_written),
		FAKE_TEST(test_list),
		FAKE_TEST(test_by_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
