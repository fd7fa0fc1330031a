#include "rules_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include "common/digest.h"
#include "service/base_image.h"

#define ISO_TEXT "not an ISO, but with a digest"

static const char good[] =
	"{\"format\":1,\"version\":\"0\",\"kernel\":\"6.1\",\"architecture\":\"%s\",\"created\":5,\"files\":{"
	"\"base.iso\":{\"size_bytes\":%d,\"sha256\":\"%s\"},\"vmlinuz\":{\"size_bytes\":1,\"sha256\":\"%s\"},"
	"\"initrd.img\":{\"size_bytes\":1,\"sha256\":\"%s\"}},\"token_area\":{\"path\":\"/boot/token.img\",\"offset\":%d,\"length\":%d}}";

struct folder {
	char path[64];
	int fd;
};

static void folder_make(struct folder *f)
{
	strcpy(f->path, "/tmp/slipway-test.XXXXXX");
	assert_non_null(mkdtemp(f->path));
	f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->fd >= 0);
}

static void folder_remove(struct folder *f)
{
	close(f->fd);
	assert_int_equal(dir_remove_at(AT_FDCWD, f->path, NULL), 0);
}

static void put(const struct folder *f, const char *name, const char *text)
{
	assert_int_equal(file_replace_at(f->fd, name, text, strlen(text), 0600, NULL), 0);
}

static void put_description(const struct folder *f, const char *arch, int iso_size,
			    const char *iso_digest, int offset, int length)
{
	char one[SHA256_HEX_LEN + 1];
	sha256_hex("x", 1, one);
	AUTO(freep)
	char *text = str_printf(good, arch, iso_size, iso_digest, one, one, offset, length);
	put(f, "base.json", text);
}

static void test_describe(void **state)
{
	char digest[SHA256_HEX_LEN + 1];
	sha256_hex(ISO_TEXT, strlen(ISO_TEXT), digest);
	const struct {
		const char *arch, *digest;
		int size, offset, length, want;
	} rows[] = {
		{ "x86_64", digest, 100, 10, 90, 0 },
		{ "aarch64", digest, 100, 10, 90, 0 },
		{ "../x", digest, 100, 10, 90, -EBADMSG },
		{ "", digest, 100, 10, 90, -EBADMSG },
		{ "abcdefghijklmnopq", digest, 100, 10, 90, -EBADMSG },
		{ "x86_64", "12", 100, 10, 90, -EBADMSG },
		{ "x86_64", digest, 0, 10, 90, -EBADMSG },
		{ "x86_64", digest, -1, 10, 90, -EBADMSG },
		{ "x86_64", digest, 100, 10, 91, -EBADMSG },
		{ "x86_64", digest, 100, 101, 1, -EBADMSG },
		{ "x86_64", digest, 100, -1, 1, -EBADMSG },
		{ "x86_64", digest, 100, 10, 0, -EBADMSG },
	};
	struct folder f;
	folder_make(&f);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct base_image b;
		struct fault err = FAULT_INIT;
		put_description(&f, rows[i].arch, rows[i].size, rows[i].digest, rows[i].offset,
				rows[i].length);
		assert_int_equal(base_image_describe(f.fd, &b, &err), rows[i].want);
		assert_int_equal(err.text[0] != '\0', rows[i].want != 0);
		if (rows[i].want == 0)
			assert_string_equal(b.id, digest);
	}
	folder_remove(&f);
}

static void test_bad_documents(void **state)
{
	static const char *const bad[] = { "",
					   "[]",
					   "{}",
					   "{\"format\":2}",
					   "{\"format\":1}",
					   "{\"format\":1,\"architecture\":\"x86_64\"}" };
	struct folder f;
	struct base_image b;
	folder_make(&f);
	assert_int_equal(base_image_describe(f.fd, &b, NULL), -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		put(&f, "base.json", bad[i]);
		assert_int_equal(base_image_describe(f.fd, &b, NULL), -EBADMSG);
	}
	folder_remove(&f);
}

/* Sizes and digests are compared before anything is taken; links are not followed. */
static void test_copy_refuses(void **state)
{
	char digest[SHA256_HEX_LEN + 1], other[SHA256_HEX_LEN + 1];
	sha256_hex(ISO_TEXT, strlen(ISO_TEXT), digest);
	sha256_hex("y", 1, other);
	const struct {
		const char *what, *digest;
		int size;
		bool is_link;
		int want;
	} rows[] = {
		{ "wrong digest", other, (int)strlen(ISO_TEXT), false, -EBADMSG },
		{ "wrong size", digest, 5, false, -EBADMSG },
		{ "a link", digest, (int)strlen(ISO_TEXT), true, -ELOOP },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct folder from, to;
		struct fault err = FAULT_INIT;
		folder_make(&from);
		folder_make(&to);
		put(&from, "vmlinuz", "x");
		put(&from, "initrd.img", "x");
		put(&from, rows[i].is_link ? "real" : "base.iso", ISO_TEXT);
		if (rows[i].is_link)
			assert_int_equal(symlinkat("real", from.fd, "base.iso"), 0);
		put_description(&from, "x86_64", rows[i].size, rows[i].digest, 1, 2);
		print_message("%s\n", rows[i].what);
		assert_int_equal(base_image_copy(from.fd, to.fd, NULL, &err), rows[i].want);
		assert_true(err.text[0]);
		assert_int_equal(faccessat(to.fd, "base.json", F_OK, 0),
				 -1); /* it would make the folder a complete one */
		folder_remove(&from);
		folder_remove(&to);
	}
}

static void test_arch(void **state)
{
	assert_string_equal(arch_api_name("aarch64"), "arm64");
	assert_string_equal(arch_api_name("x86_64"), "x86_64");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_describe),
		cmocka_unit_test(test_bad_documents),
		cmocka_unit_test(test_copy_refuses),
		cmocka_unit_test(test_arch),
	};
	return FIX_RUN(tests, 0);
}
