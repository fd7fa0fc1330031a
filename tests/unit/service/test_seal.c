#include "unit.h"
#include <sys/stat.h>
#include "service/seal.h"

static const uint8_t key[SEAL_KEY_LEN] = { 1, 2, 3 };

static void test_round_trip(void **state)
{
	static const char *const texts[] = { "", "x", "a longer text with \xc3\xa9" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		AUTO(freep) void *sealed = NULL;
		AUTO(freep) char *back = NULL;
		size_t len, back_len;
		assert_int_equal(
			seal_close(key, "t.c/1", texts[i], strlen(texts[i]), &sealed, &len, NULL),
			0);
		assert_int_equal(len, strlen(texts[i]) + SEAL_OVERHEAD);
		assert_int_equal(seal_open(key, "t.c/1", sealed, len, &back, &back_len, NULL), 0);
		assert_string_equal(back, texts[i]);
		assert_int_equal(back_len, strlen(texts[i]));
	}
}

static void test_same_text_looks_different(void **state)
{
	AUTO(freep) void *a = NULL;
	AUTO(freep) void *b = NULL;
	size_t len;

	assert_int_equal(seal_close(key, "p", "secret", 6, &a, &len, NULL), 0);
	assert_int_equal(seal_close(key, "p", "secret", 6, &b, &len, NULL), 0);
	assert_memory_not_equal(a, b, len);
	assert_null(memmem(a, len, "secret", 6));
}

static void test_damage(void **state)
{
	AUTO(freep) void *sealed = NULL;
	size_t len, back_len;
	char *back = NULL;
	uint8_t other[SEAL_KEY_LEN] = { 9 };

	assert_int_equal(seal_close(key, "t.c/1", "secret", 6, &sealed, &len, NULL), 0);
	assert_int_equal(seal_open(other, "t.c/1", sealed, len, &back, &back_len, NULL), -EBADMSG);
	assert_int_equal(seal_open(key, "t.c/2", sealed, len, &back, &back_len, NULL), -EBADMSG);
	for (size_t n = 0; n < len; n++)
		assert_int_equal(seal_open(key, "t.c/1", sealed, n, &back, &back_len, NULL),
				 -EBADMSG);
	for (size_t i = 0; i < len; i++) {
		((uint8_t *)sealed)[i] ^= 1;
		assert_int_equal(seal_open(key, "t.c/1", sealed, len, &back, &back_len, NULL),
				 -EBADMSG);
		((uint8_t *)sealed)[i] ^= 1;
	}
	assert_null(back);
}

static void test_key_file(void **state)
{
	char path[64];
	int fd = unit_tmp_open(path);
	uint8_t a[SEAL_KEY_LEN], b[SEAL_KEY_LEN];
	struct stat st;

	assert_int_equal(seal_key_load(fd, "k", 0, a, NULL), -ENOENT);
	assert_int_equal(seal_key_load(fd, "k", 1, a, NULL), 0);
	assert_int_equal(fstatat(fd, "k", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(seal_key_load(fd, "k", 1, b, NULL), 0);
	assert_memory_equal(a, b, SEAL_KEY_LEN);
	assert_int_equal(fchmodat(fd, "k", 0640, 0), 0);
	assert_int_equal(seal_key_load(fd, "k", 1, b, NULL), -EACCES);
	assert_int_equal(file_replace_at(fd, "k", a, 31, 0600, NULL), 0);
	assert_int_equal(seal_key_load(fd, "k", 1, b, NULL), -EINVAL);
	assert_int_equal(symlinkat("k", fd, "link"), 0);
	assert_int_equal(seal_key_load(fd, "link", 1, b, NULL), -ELOOP);
	unit_tmp_close(fd, path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_same_text_looks_different),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_key_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
